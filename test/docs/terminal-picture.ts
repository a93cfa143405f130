/**
 * What a command prints, as an SVG whose text one can select: `node test/docs/terminal-picture.ts` runs `npm start` and
 * writes docs/npm-start.svg.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { shell } from '../loopback/command.ts';

const root = join(import.meta.dirname, '../..');
export const PICTURE = join(root, 'docs/npm-start.svg');

const COLUMN_PX = 7.8;
const LINE_PX = 20;
const MARGIN_PX = 20;
/** What is longer is cut here: the picture has an edge. */
const SHOWN_COLUMNS = 128;

/** Of the colours that the command line paints with. */
const CLASSES: Readonly<Record<string, string>> = { 1: 'b', 2: 'd', 31: 'r', 32: 'g', 33: 'y', 36: 'c' };

const COLOUR = new RegExp(`${'\u001b'}\\[(\\d+)m`);

const STYLE = `text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;fill:#18212c;white-space:pre}
rect{fill:#fff;stroke:#dce2e9}.b{font-weight:600}.d{fill:#566272}.r{fill:#b3261e}.g{fill:#0f7040}.y{fill:#8d5200}.c{fill:#1f54c9}
@media(prefers-color-scheme:dark){rect{fill:#171e26;stroke:#2b3643}text{fill:#e7ecf2}.d{fill:#9eabba}.r{fill:#ff938a}.g{fill:#63d597}.y{fill:#f0b65f}.c{fill:#86aaff}}`;

const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** Each run of characters at its own column, so that another font keeps the table straight. */
const lineToSvg = (line: string, y: number): string => {
  const parts = line.split(COLOUR);
  let column = 0;
  let style = '';
  const spans: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 1) {
      style = CLASSES[part] ?? '';
      continue;
    }
    for (const [run] of part.matchAll(/ *\S+(?: \S+)*/g)) {
      const text = run.trimStart();
      const at = column + part.indexOf(run) + run.length - text.length;
      const room = SHOWN_COLUMNS - at;
      if (room <= 0) continue;
      const shown = text.length > room ? `${text.slice(0, room - 1)}…` : text;
      const x = (MARGIN_PX + at * COLUMN_PX).toFixed(1);
      spans.push(`<tspan x="${x}"${style ? ` class="${style}"` : ''}>${escapeXml(shown)}</tspan>`);
    }
    column += part.length;
  }
  return spans.length === 0 ? '' : `<text y="${y}">${spans.join(' ')}</text>\n`;
};

/** @param printed with the colours of a terminal */
export const terminalPicture = (printed: string, title: string): string => {
  const lines = printed.trim().split('\n');
  const width = Math.round(2 * MARGIN_PX + SHOWN_COLUMNS * COLUMN_PX);
  const height = 2 * MARGIN_PX + lines.length * LINE_PX;
  const body = lines.map((line, index) => lineToSvg(line, MARGIN_PX + 14 + index * LINE_PX)).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">${escapeXml(title)}</title>
<style>${STYLE}</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="10"/>
${body}</svg>
`;
};

export const paintNpmStart = async (): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, ['functions/cli/main.ts', 'local'], {
    cwd: root,
    env: { ...shell(), FORCE_COLOR: '1' },
  });
  return terminalPicture(stdout, 'npm start: what became of one message for every kind of answer');
};

if (import.meta.main) await writeFile(PICTURE, await paintNpmStart());
