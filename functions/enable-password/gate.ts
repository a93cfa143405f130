/**
 * The way to Segura, closed while Segura is plainly down: a few failures in a row, of several identifiers, end the calls;
 * then one message probes while the others wait, and opens the way again or ends the invocation's calls for good. What
 * an invocation learnt is kept for the next one in this execution environment, which begins with a single probe.
 */
import type { Cause } from '../segura/answers.ts';
import { attemptWaitMs, type Deadline, MIN_CALL_MS } from './waits.ts';

/** What one call said of Segura as a whole. */
export type Sign = 'up' | 'down' | 'unknown';

export type Entry =
  | {
      readonly kind: 'pass';
      /** The way is closed, and this call finds out whether it still is: one attempt at each step. */
      readonly isProbe: boolean;
      /** Must be called once after the call, whatever became of it. */
      readonly report: (sign: Sign, cause: Cause) => void;
      /** Instead of `report` where no call was made. */
      readonly release: () => void;
    }
  | { readonly kind: 'stop'; readonly cause: Cause; readonly retryAfterSeconds?: number };

export interface Gate {
  readonly enter: (identifier: number) => Promise<Entry>;
  /** Ends the calls of this invocation: there is no token to call with. */
  readonly stop: (cause: Cause) => void;
  /** The gateway asked one caller for a pause: all wait for its end, where the invocation has the time. */
  readonly pause: (seconds: number) => void;
}

export interface GateParts {
  readonly deadline: Deadline;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A single failing identifier must never close the way for the others. */
const FAILURES_TO_CLOSE = 5;
const IDENTIFIERS_TO_CLOSE = 3;
/** Probes with growing waits before an invocation gives up: three to six seconds together. */
const PROBES_AFTER_CLOSING = 4;

/** Per execution environment: what the last invocation learnt. */
export const createBreaker = () => {
  let closedFor: Cause | undefined;
  // In a row, however many invocations that takes: single messages one after the other say as much as a batch.
  let failures = 0;
  const failing = new Set<number>();

  return {
    beginInvocation: ({ deadline, now, random, sleep }: GateParts): Gate => {
      let stoppedFor: Cause | undefined;
      let probesLeft = 1;
      let probes = 0;
      let isProbing = false;
      let pausedUntil = 0;
      let changed = Promise.withResolvers<void>();

      const wake = (): void => {
        changed.resolve();
        changed = Promise.withResolvers();
      };

      const open = (): void => {
        closedFor = undefined;
        failures = 0;
        failing.clear();
      };

      const close = (cause: Cause): void => {
        closedFor = cause;
        probes = 0;
        // A refused token stays refused; a gateway may be back in a second.
        probesLeft = cause === 'credentials' ? 0 : PROBES_AFTER_CLOSING;
      };

      const fail = (identifier: number, cause: Cause): void => {
        if (closedFor !== undefined) return;
        failures += 1;
        failing.add(identifier);
        if (failures >= FAILURES_TO_CLOSE && failing.size >= IDENTIFIERS_TO_CLOSE) close(cause);
      };

      const pass = (identifier: number, isProbe: boolean): Entry => ({
        kind: 'pass',
        isProbe,
        report: (sign, cause) => {
          if (isProbe) isProbing = false;
          // A refused token or a stale connection has not answered the question.
          if (isProbe && sign === 'unknown') probesLeft += 1;
          if (sign === 'up') open();
          if (sign === 'down') fail(identifier, cause);
          wake();
        },
        release: () => {
          if (isProbe) {
            isProbing = false;
            probesLeft += 1;
          }
          wake();
        },
      });

      const stop = (cause: Cause): void => {
        stoppedFor ??= cause;
        closedFor ??= cause;
        wake();
      };

      /** @returns whether there was time for it */
      const wait = async (ms: number): Promise<boolean> => {
        if (ms + MIN_CALL_MS > deadline.callsLeftMs()) return false;
        if (ms > 0) await sleep(ms);
        return true;
      };

      const probe = async (identifier: number, cause: Cause): Promise<Entry> => {
        isProbing = true;
        probesLeft -= 1;
        // The first probe of an invocation that finds the way closed goes at once.
        const waitMs = probesLeft === 0 && probes === 0 ? 0 : attemptWaitMs(probes + 1, random());
        probes += 1;
        if (await wait(waitMs)) return pass(identifier, true);
        isProbing = false;
        stop(cause);
        return { kind: 'stop', cause };
      };

      const enter = async (identifier: number): Promise<Entry> => {
        for (;;) {
          if (stoppedFor !== undefined) return { kind: 'stop', cause: stoppedFor };
          const pauseMs = pausedUntil - now();
          if (pauseMs > 0 && (await wait(pauseMs))) continue;
          if (closedFor === undefined) return pass(identifier, false);
          // Closed, and asked to stay away for longer than there is time: not even a probe.
          if (pauseMs > 0) return { kind: 'stop', cause: closedFor, retryAfterSeconds: pauseMs / 1000 };
          if (isProbing) {
            await changed.promise;
            continue;
          }
          if (probesLeft > 0) return probe(identifier, closedFor);
          stop(closedFor);
        }
      };

      return {
        enter,
        stop,
        pause: (seconds) => {
          pausedUntil = Math.max(pausedUntil, now() + seconds * 1000);
        },
      };
    },
  };
};
