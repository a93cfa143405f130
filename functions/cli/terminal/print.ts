/**
 * The one way to the screen: tables and colours on a terminal, plain text elsewhere, one JSON object for machines. Nothing
 * that came from outside can steer a terminal. Whatever is printed is shown, not sent: control characters, line ends and
 * bidi marks come out as visible escapes. On a terminal no line is wider than it is, but for what is copied as a whole.
 */
import { styleText } from 'node:util';
import { BREAK, MARK, MARKED, STEERING, shorten, visible, widthOf, wrapLine } from './text.ts';

type Style = Parameters<typeof styleText>[0];

/** How a text is laid out, of ours alone. */
const LAYOUT = new RegExp(`${MARK}([>=]\\d+\\.|!)`);

/** JSON that any parser reads as the same value, and that a terminal can be shown: for output and files alike. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value).replace(STEERING, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const unit = character.charCodeAt(index).toString(16).padStart(4, '0');
      return `\\u${unit}`;
    }).join(''),
  );

/** Whether a stream shows colours: a terminal does (NO_COLOR and the like are respected by node:util). */
const hasColours = (stream: NodeJS.WriteStream): boolean => styleText('red', '-', { stream }) !== '-';

/** Columns there are; a log file has as many as it likes. */
export const columns = (stream: NodeJS.WriteStream = process.stdout): number =>
  // A pseudo terminal that nobody gave a size says 0.
  stream.isTTY ? stream.columns || 80 : 120;

/** Prose has lines of this length at most, whatever the terminal. */
const MAX_PROSE = 120;

/** Breaks what is wider than the terminal. How it is laid out stands behind a mark; see wrap, hang and whole. */
const layOut = (text: string, stream: NodeJS.WriteStream): string => {
  const [mark = '', how = ''] = LAYOUT.exec(text) ?? [];
  const plain = mark === '' ? text : text.replace(mark, '');
  const indent = Number(how.slice(1, -1));
  if (how.startsWith('>')) return wrapLine(plain, Math.min(columns(stream), MAX_PROSE), indent);
  if (how === '!' || !stream.isTTY) return plain;
  return plain
    .split(BREAK)
    .map((line) => wrapLine(line, columns(stream), how === '' ? line.search(/[^ ]|$/) + 2 : indent))
    .join(BREAK);
};

/** Line ends before and after a text only part it from others; within it they would make rows that are none of ours. */
const render = (text: string, stream: NodeJS.WriteStream): string => {
  let from = 0;
  let to = text.length;
  while (from < to && text[from] === '\n') from += 1;
  while (to > from && text[to - 1] === '\n') to -= 1;
  const isColoured = hasColours(stream);
  // Every second part is what stood behind a mark.
  const shown = layOut(text.slice(from, to), stream)
    .split(MARKED)
    .map((part, index) => {
      if (index % 2 === 0) return visible(part);
      if (part === '\n') return part;
      return isColoured && part.startsWith('[') ? `\u001b${part}` : '';
    });
  return `${'\n'.repeat(from)}${shown.join('')}${'\n'.repeat(text.length - to)}`;
};

/** Whether it is shown is decided when it is written, by where. */
export const paint = (style: Style, text: string): string => {
  const [open = '', close = ''] = styleText(style, '\0', { validateStream: false }).split('\0');
  return `${open.replaceAll('\u001b', MARK)}${text}${close.replaceAll('\u001b', MARK)}`;
};

/** No cell of ours is longer; one from outside must not pad all others to a megabyte. */
const MAX_CELL = 300;

const cellOf = (text: string): string => (text.includes(MARK) ? text : shorten(text, MAX_CELL));

const drawRow = (cells: readonly string[], widths: readonly number[]): string => {
  const last = cells.findLastIndex((cell) => widthOf(cell) > 0);
  return cells
    .slice(0, last + 1)
    .map((cell, index) => (index === last ? cell : `${cell}${' '.repeat((widths[index] ?? 0) - widthOf(cell))}`))
    .join('  ');
};

/** Of its last column alone a cell is broken where the terminal is too narrow. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [head.map((each) => paint('bold', each)), ...rows.map((row) => row.map(cellOf))];
  const widths = head.map((_, index) => all.reduce((most, row) => Math.max(most, widthOf(row[index] ?? '')), 0));
  const lines = all.map((row) => drawRow(row, widths));
  const width = widths.reduce((sum, each) => sum + each + 2, -2);
  const room = process.stdout.isTTY ? columns() : width;
  const before = width - (widths.at(-1) ?? 0);
  lines.splice(1, 0, '─'.repeat(Math.min(width, room)));
  return (width <= room ? lines : lines.map((line) => wrapLine(line, room, before))).join(BREAK);
};

export const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** How long ago, as coarse as it is read. */
export const age = (ms: number): string => {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
};

export const plural = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;

/** Prose: on lines of 120 columns at most, the later ones indented. */
export const wrap = (text: string, indent = 0): string => `${MARK}>${indent}.${text}`;

/** One line wherever it is not read on a terminal; there on as many as it needs, the later ones indented. */
export const hang = (text: string, indent: number): string => `${MARK}=${indent}.${text}`;

/** To be copied or read by a machine: one line, however long. */
export const whole = (text: string): string => `${MARK}!${text}`;

const write = (stream: NodeJS.WriteStream, lines: readonly string[]): void => {
  stream.write(lines.map((line) => `${render(line, stream)}\n`).join(''));
};

/** Each text is one line, but for what `table` and `wrap` have broken. */
export const say = (...lines: readonly string[]): void => write(process.stdout, lines);

/** Beside the result, so that it never mixes with what a machine reads. */
export const note = (...lines: readonly string[]): void => write(process.stderr, lines);

/** A text of ours for a library that draws it itself on standard error, such as a question or a bar. */
export const drawn = (text: string): string => render(whole(text), process.stderr);

/** The last line of a command with --json. */
export const sayJson = (value: unknown): void => say(whole(toJson(value)));
