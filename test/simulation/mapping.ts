/**
 * How many invocations the event source mapping has under way at once (AWS Lambda Developer Guide, "Configuring scaling
 * behavior for SQS event source mappings" and "Backoff strategy for failed invocations", read 2026-11).
 */
import type { Clock } from '../virtual-time/clock.ts';

export interface MappingOptions {
  readonly batchSize: number;
  readonly windowMs: number;
  readonly maximumConcurrency: number;
}

const FIRST_POLLERS = 5;
const MORE_PER_MINUTE = 300;
/** AWS names no number for "gradually"; each failed invocation takes one away, down to what a quiet queue has. */
const FEWEST_POLLERS = 2;

export const createScaling = (clock: Clock, maximumConcurrency: number) => {
  let pollers = Math.min(FIRST_POLLERS, maximumConcurrency);
  let grownAt = clock.now();

  return {
    /** How many may be under way now; grows while all are busy. */
    allowed: (running: number): number => {
      if (running < pollers) {
        grownAt = clock.now();
        return pollers;
      }
      const more = Math.floor(((clock.now() - grownAt) * MORE_PER_MINUTE) / 60_000);
      if (more > 0) {
        pollers = Math.min(maximumConcurrency, pollers + more);
        grownAt = clock.now();
      }
      return pollers;
    },
    /** ms until one more may be allowed; `undefined` where no more ever is. */
    growsInMs: (): number | undefined =>
      pollers < maximumConcurrency ? Math.max(1, grownAt + 60_000 / MORE_PER_MINUTE - clock.now()) : undefined,
    /** A kept message is no error: the function answered. A time-out, a crash, a thrown error is. */
    backOff: (): void => {
      pollers = Math.max(Math.min(FEWEST_POLLERS, maximumConcurrency), pollers - 1);
      grownAt = clock.now();
    },
  };
};
