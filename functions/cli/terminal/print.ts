/** What people see: tables and colours on a terminal, plain text elsewhere, one JSON object for machines. */
import { styleText } from 'node:util';
import Table from 'cli-table3';

type Style = Parameters<typeof styleText>[0];

/** Colours only where a terminal reads (NO_COLOR and the like are respected by node:util). */
export const paint = (style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  styleText(style, text, { stream });

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const drawn = new Table({
    head: head.map((each) => paint('bold', each)),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '─',
      'mid-mid': '─',
      right: '',
      'right-mid': '',
      middle: '  ',
    },
  });
  drawn.push(...rows.map((row) => [...row]));
  // The last column is padded like the others; nobody wants to copy that.
  return drawn.toString().replace(/[ \t]+$/gm, '');
};

export const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

export const plural = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;

/** Cuts a text to `width` columns, with an ellipsis where something is missing. */
export const shorten = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

/** Columns there are; a log file has as many as it likes. */
export const columns = (stream: NodeJS.WriteStream = process.stdout): number => (stream.isTTY ? stream.columns : 120);

/** Words on as many lines as the terminal wants, the later ones indented. */
export const wrap = (text: string, indent = 0): string => {
  const width = Math.max(30, Math.min(columns(), 120) - indent);
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${' '.repeat(indent)}`);
};

export const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Beside the result, so that it never mixes with what a machine reads. */
export const note = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** The last line of a command with --json. */
export const sayJson = (value: unknown): void => say(JSON.stringify(value));
