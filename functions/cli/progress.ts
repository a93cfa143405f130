/** Long work: a line that moves on a terminal, a plain line now and then elsewhere, nothing for machines. */
import { columns, note, seconds } from './print.ts';

export interface Progress {
  readonly update: (done: number, text: string) => void;
  readonly end: () => void;
}

const BAR_WIDTH = 24;
const PLAIN_EVERY_MS = 5000;

const bar = (done: number, total: number): string => {
  const filled = Math.min(BAR_WIDTH, Math.round((done / Math.max(1, total)) * BAR_WIDTH));
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${Math.min(100, Math.floor((done / Math.max(1, total)) * 100))} %`;
};

/** Written to standard error, so that it never mixes with a result. `total` unknown: a count without a bar. */
export const createProgress = (total: number | undefined, isQuiet = false): Progress => {
  const startedAt = performance.now();
  const { stderr } = process;
  let plainAt = startedAt;
  let isDrawn = false;
  return {
    update: (done, text) => {
      if (isQuiet) return;
      const now = performance.now();
      const line = `${total === undefined ? '' : `${bar(done, total)}  `}${text}  ${seconds(now - startedAt)}`;
      if (stderr.isTTY) {
        stderr.write(`\r\u001b[2K${line.slice(0, columns(stderr) - 1)}`);
        isDrawn = true;
      } else if (now - plainAt >= PLAIN_EVERY_MS) {
        plainAt = now;
        note(line);
      }
    },
    end: () => {
      if (isDrawn) stderr.write('\r\u001b[2K');
    },
  };
};
