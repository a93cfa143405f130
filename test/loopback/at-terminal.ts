/**
 * A command at a terminal of so many columns, as Node.js shows one to it: its outputs are pipes that say they are one.
 * What only a real one has (its size changes, keys) is tried in `terminal.test.ts` where `script` is installed.
 */
const hook = (columns: number, isAnswering: boolean): string => `
  import { WriteStream } from 'node:tty';
  const { getColorDepth, hasColors } = WriteStream.prototype;
  for (const stream of [process.stdout, process.stderr]) {
    Object.defineProperties(stream, {
      isTTY: { value: true },
      columns: { value: ${columns} },
      rows: { value: 40 },
      getColorDepth: { value: getColorDepth },
      hasColors: { value: hasColors },
    });
  }
  ${isAnswering ? "Object.defineProperty(process.stdin, 'isTTY', { value: true });" : ''}`;

/** For `env` of a command; `stdin` stays what it is, unless somebody is there to answer. */
export const atTerminal = (columns: number, isAnswering = false): Readonly<Record<string, string>> => ({
  TERM: 'xterm-256color',
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook(columns, isAnswering))}`,
});
