/**
 * The one way to the screen: tables and colours on a terminal, plain text elsewhere, one JSON object for machines. Nothing
 * that came from outside can steer a terminal. Whatever is printed is shown, not sent: control characters, line ends and
 * bidi marks come out as visible escapes. Our own colours and line ends are marked with a word that is made again for each
 * process, so that no text from outside can contain it.
 */
import { randomUUID } from 'node:crypto';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const MARK = `\u001b${randomUUID()}`;
/** A line end of ours within one text. */
const BREAK = `${MARK}\n`;
const MARKED = new RegExp(`${MARK}(\\[[\\d;]*m|\\n)`);

/**
 * Controls (C0, DEL, C1), lone surrogates, line and paragraph separators, and format characters (Unicode's Cf: bidi marks
 * and what else is invisible), but for the two joiners, which scripts and emoji need and which steer nothing.
 */
const STEERING = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escapeOf = (character: string): string => {
  const point = character.codePointAt(0) ?? 0;
  const digits = point.toString(16);
  return SHORT[character] ?? (point > 0xffff ? `\\u{${digits}}` : `\\u${digits.padStart(4, '0')}`);
};

/** Text from outside with everything visible that could steer a terminal or hide from a reader. */
export const visible = (text: string): string => text.replace(STEERING, escapeOf);

/** JSON that any parser reads as the same value, and that a terminal can be shown: for output and files alike. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value).replace(STEERING, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const unit = character.charCodeAt(index).toString(16).padStart(4, '0');
      return `\\u${unit}`;
    }).join(''),
  );

/** Line ends before and after a text only part it from others; within it they would make rows that are none of ours. */
const render = (text: string): string => {
  let from = 0;
  let to = text.length;
  while (from < to && text[from] === '\n') from += 1;
  while (to > from && text[to - 1] === '\n') to -= 1;
  const parts = text.slice(from, to).split(MARKED);
  // Every second part is what stood behind a mark.
  const shown = parts.map((part, index) => (index % 2 === 0 ? visible(part) : part === '\n' ? part : `\u001b${part}`));
  return `${'\n'.repeat(from)}${shown.join('')}${'\n'.repeat(text.length - to)}`;
};

/** Colours only where a terminal reads (NO_COLOR and the like are respected by node:util). */
export const paint = (style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string => {
  const [open = '', close = ''] = styleText(style, '\0', { stream }).split('\0');
  return `${open.replaceAll('\u001b', MARK)}${text}${close.replaceAll('\u001b', MARK)}`;
};

/** Scripts and emoji that take two columns (Unicode Standard Annex 11). */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u;
const PLAIN = /^[\x20-\x7e]*$/;
const graphemes = new Intl.Segmenter();

/** Columns that a text takes, once it is printed. */
export const widthOf = (text: string): number => {
  const shown = visible(
    text
      .split(MARKED)
      .filter((_, index) => index % 2 === 0)
      .join(''),
  );
  if (PLAIN.test(shown)) return shown.length;
  let columnCount = 0;
  for (const { segment } of graphemes.segment(shown)) columnCount += WIDE.test(segment) ? 2 : 1;
  return columnCount;
};

/** Cuts a text to `width` columns, with an ellipsis where something is missing. */
export const shorten = (text: string, width: number): string => {
  // No character takes less than a column, so the rest need not even be looked at.
  const shown = visible(text.slice(0, Math.max(0, width) * 8 + 8));
  if (widthOf(shown) <= width && shown.length >= text.length) return shown;
  let cut = '';
  let left = width - 1;
  for (const { segment } of graphemes.segment(shown)) {
    left -= widthOf(segment);
    if (left < 0) break;
    cut += segment;
  }
  return `${cut}…`;
};

/** No cell of ours is longer; one from outside must not pad all others to a megabyte. */
const MAX_CELL = 300;

const cellOf = (text: string): string => (text.includes(MARK) ? text : shorten(text, MAX_CELL));

const drawRow = (cells: readonly string[], widths: readonly number[]): string => {
  const last = cells.findLastIndex((cell) => cell !== '');
  return cells
    .slice(0, last + 1)
    .map((cell, index) => (index === last ? cell : `${cell}${' '.repeat((widths[index] ?? 0) - widthOf(cell))}`))
    .join('  ');
};

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [head.map((each) => paint('bold', each)), ...rows.map((row) => row.map(cellOf))];
  const widths = head.map((_, index) => all.reduce((most, row) => Math.max(most, widthOf(row[index] ?? '')), 0));
  const lines = all.map((row) => drawRow(row, widths));
  lines.splice(1, 0, '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2)));
  return lines.join(BREAK);
};

export const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** How long ago, as coarse as it is read. */
export const age = (ms: number): string => {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
};

export const plural = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;

/** Columns there are; a log file has as many as it likes. */
export const columns = (stream: NodeJS.WriteStream = process.stdout): number => (stream.isTTY ? stream.columns : 120);

/** Words on as many lines as the terminal wants, the later ones indented. */
export const wrap = (text: string, indent = 0): string => {
  const width = Math.max(30, Math.min(columns(), 120) - indent);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`${BREAK}${' '.repeat(indent)}`);
};

const write = (stream: NodeJS.WriteStream, lines: readonly string[]): void => {
  stream.write(lines.map((line) => `${render(line)}\n`).join(''));
};

/** Each text is one line, but for what `table` and `wrap` have broken. */
export const say = (...lines: readonly string[]): void => write(process.stdout, lines);

/** Beside the result, so that it never mixes with what a machine reads. */
export const note = (...lines: readonly string[]): void => write(process.stderr, lines);

/** A text of ours for a library that draws it itself, such as a question or a bar. */
export const drawn = (text: string): string => render(text);

/** The last line of a command with --json. */
export const sayJson = (value: unknown): void => say(toJson(value));
