/** CSV that a spreadsheet reads as text: every cell quoted, none starts a formula, none steers a terminal. */
import { visible } from './text.ts';

/** With these a spreadsheet takes a cell for a formula, after blanks too, and full-width forms like the plain ones. */
const FORMULA = /^\s*[=+\-@|\uff1d\uff0b\uff0d\uff20]/;
/**
 * Where a spreadsheet separates by semicolons, each semicolon begins a cell, within our quotation marks too, for to it they
 * do not stand at the beginning of one.
 */
const FORMULA_BEHIND_SEMICOLON = /;(?=[\s"]*[=+\-@|\uff1d\uff0b\uff0d\uff20])/g;

/**
 * Always quoted, so that no comma parts it. An apostrophe before a formula makes it text, as
 * spreadsheets themselves write it (OWASP, "CSV Injection", read 2026-11-26).
 */
export const textCell = (text: string): string => {
  const shown = visible(text).replace(FORMULA_BEHIND_SEMICOLON, ";'");
  return `"${(FORMULA.test(shown) ? `'${shown}` : shown).replaceAll('"', '""')}"`;
};

const cell = (value: string | number | undefined): string => {
  if (typeof value === 'number') return String(value);
  return value === undefined || value === '' ? '' : textCell(value);
};

/** One record, with its line end (RFC 4180). */
export const csvLine = (cells: readonly (string | number | undefined)[]): string => `${cells.map(cell).join(',')}\r\n`;
