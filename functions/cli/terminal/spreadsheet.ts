/** CSV that a spreadsheet reads as text: every cell quoted, none starts a formula, none steers a terminal. */
import { visible } from './print.ts';

/** With these a spreadsheet takes a cell for a formula, after blanks too, and full-width forms like the plain ones. */
const FORMULA = /^[ \u00a0\u3000]*[=+\-@|\uff1d\uff0b\uff0d\uff20]/;

/** An apostrophe before it makes it text, as spreadsheets themselves write it. */
const cell = (value: string | number | undefined): string => {
  if (typeof value === 'number') return String(value);
  // A cell's end could be another cell's beginning only outside of quotes, so every text stands in them.
  const shown = visible(value ?? '');
  return shown === '' ? '' : `"${(FORMULA.test(shown) ? `'${shown}` : shown).replaceAll('"', '""')}"`;
};

/** One record, with its line end (RFC 4180). */
export const csvLine = (cells: readonly (string | number | undefined)[]): string => `${cells.map(cell).join(',')}\r\n`;
