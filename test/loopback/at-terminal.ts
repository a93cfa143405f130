/**
 * A command at a terminal of so many columns, as Node.js shows one to it: its outputs say that they are one. What only a
 * real one has (keys, a size that changes) is tried in `prompt.test.ts`, where `script` is installed.
 */
import type { Writable } from 'node:stream';
import { WriteStream } from 'node:tty';

const ROWS = 40;

/** What a process of its own makes of its outputs before it starts. */
const hook = (columns: number): string => `
  import { WriteStream } from 'node:tty';
  const { getColorDepth, hasColors } = WriteStream.prototype;
  for (const stream of [process.stdout, process.stderr]) {
    Object.defineProperties(stream, {
      isTTY: { value: true },
      columns: { value: ${columns} },
      rows: { value: ${ROWS} },
      getColorDepth: { value: getColorDepth },
      hasColors: { value: hasColors },
    });
  }`;

const TERM = 'xterm-256color';

/** For the environment of a process. */
export const terminalEnvironment = (columns: number): Readonly<Record<string, string>> => ({
  TERM,
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook(columns))}`,
});

/** The same of an output in this process, which shows colours as its own environment says. */
export const asTerminal = <Output extends Writable>(
  output: Output,
  columns: number,
  env: Readonly<Record<string, string | undefined>>,
): Output => {
  const { getColorDepth, hasColors } = WriteStream.prototype;
  const own = { TERM, ...env };
  return Object.assign(output, {
    isTTY: true,
    columns,
    rows: ROWS,
    getColorDepth: () => getColorDepth.call(output, own),
    hasColors: (count = 16) => hasColors.call(output, count, own),
  });
};
