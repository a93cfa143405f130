/** CSV that a spreadsheet reads as text: every cell quoted, none starts a formula, none steers a terminal. */
import { visible } from './text.ts';

/** With these a spreadsheet takes a cell for a formula, after blanks too, and full-width forms like the plain ones. */
const FORMULA = /^\s*[=+\-@|\uff1d\uff0b\uff0d\uff20]/;

/**
 * Always quoted, so that no separator of a spreadsheet parts it. An apostrophe before a formula makes it text, as
 * spreadsheets themselves write it (OWASP, "CSV Injection", read 2026-11-26).
 */
export const textCell = (text: string): string => {
  const shown = visible(text);
  return `"${(FORMULA.test(shown) ? `'${shown}` : shown).replaceAll('"', '""')}"`;
};

const cell = (value: string | number | undefined): string => {
  if (typeof value === 'number') return String(value);
  return value === undefined || value === '' ? '' : textCell(value);
};

/** One record, with its line end (RFC 4180). */
export const csvLine = (cells: readonly (string | number | undefined)[]): string => `${cells.map(cell).join(',')}\r\n`;
