/** A few lines that stay at the bottom of the terminal while others scroll above them; elsewhere there are none. */
import { columns, paint, say } from '../terminal/print.ts';
import { shorten } from '../terminal/text.ts';

export interface Sticky {
  /** Writes what `print` prints above the lines that stay. */
  readonly above: (print: () => void) => void;
  readonly show: (lines: readonly string[]) => void;
  /** Leaves the last lines where they are. */
  readonly end: () => void;
}

const ERASE_DOWN = '\u001b[0J';
const up = (lines: number): string => (lines > 0 ? `\u001b[${lines}A\r` : '');

export const createSticky = (stream: NodeJS.WriteStream = process.stdout): Sticky => {
  let shown: readonly string[] = [];
  const erase = (): void => void stream.write(`${up(shown.length)}${ERASE_DOWN}`);
  const draw = (): void => {
    for (const line of shown) say(paint('dim', line));
  };
  if (!stream.isTTY) return { above: (print) => print(), show: () => {}, end: () => {} };
  return {
    above: (print) => {
      erase();
      print();
      draw();
    },
    show: (lines) => {
      // A line that wraps would be two, and one would be left behind.
      const cut = lines.map((line) => shorten(line, columns(stream) - 1));
      if (cut.length === shown.length && cut.every((line, index) => line === shown[index])) return;
      erase();
      shown = cut;
      draw();
    },
    end: () => {
      shown = [];
    },
  };
};
