/**
 * Long work: a bar on a terminal, a plain line now and then elsewhere, nothing for machines. Not @clack/prompts' bar: that
 * one answers Ctrl-C by ending the process with 0, before what is held was given back.
 */
import { drawn, note, paint, seconds } from './print.ts';

export interface Progress {
  readonly update: (done: number, text: string) => void;
  /** A line above the bar. */
  readonly tell: (text: string) => void;
  readonly end: () => void;
}

const PLAIN_EVERY_MS = 5000;
/** Shorter work shows no bar: it would only flicker. */
const BAR_AFTER_MS = 400;

const createBar = async (total: number | undefined) => {
  const { SingleBar } = (await import('cli-progress')).default;
  const filled = drawn(paint('cyan', '{bar}'));
  return new SingleBar({
    stream: process.stderr,
    format: total === undefined ? '  {text}' : `  ${filled} {percentage} %  {text}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: true,
    forceRedraw: true,
    // Ours ends after the batch under way.
    gracefulExit: false,
  });
};

const createPlain = (startedAt: number): Progress => {
  let plainAt = startedAt;
  return {
    update: (_, text) => {
      const now = performance.now();
      if (now - plainAt < PLAIN_EVERY_MS) return;
      plainAt = now;
      note(`${text}, ${seconds(now - startedAt)}`);
    },
    tell: note,
    end: () => {},
  };
};

/** Written to standard error, so that it never mixes with a result. `total` unknown: a count without a bar. */
export const createProgress = async (total: number | undefined, isQuiet = false): Promise<Progress> => {
  const startedAt = performance.now();
  if (isQuiet) return { update: () => {}, tell: note, end: () => {} };
  // A dumb terminal cannot go back to draw over what is there.
  if (!process.stderr.isTTY || process.env['TERM'] === 'dumb') return createPlain(startedAt);
  const bar = await createBar(total);
  let isDrawn = false;
  /** Takes the bar away; the next update draws it again, below what was told meanwhile. */
  const end = (): void => {
    if (isDrawn) bar.stop();
    isDrawn = false;
  };
  return {
    update: (done, text) => {
      if (!isDrawn && performance.now() - startedAt < BAR_AFTER_MS) return;
      const shown = { text: drawn(text) };
      if (!isDrawn) bar.start(total ?? 1, 0, shown);
      isDrawn = true;
      bar.update(total === undefined ? 0 : Math.min(done, total), shown);
    },
    tell: (text) => {
      end();
      note(text);
    },
    end,
  };
};
