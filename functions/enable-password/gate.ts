/**
 * One invocation at the breaker (breaker.ts): while it is closed all pass; while it is open one message at a time finds out
 * whether Segura is back, of an identifier that has not failed where there is one, and the others wait for what it finds
 * (waiting.ts).
 */
import type { Cause } from '../segura/answers.ts';
import type { Breaker, Event, Sign, State } from './breaker.ts';
import { createWaiting, hasTimeFor } from './waiting.ts';
import { type Deadline, pauseJitterMs } from './waits.ts';

export type Entry =
  | { readonly kind: 'pass'; readonly isProbe: boolean }
  | { readonly kind: 'stop'; readonly cause: Cause; readonly retryAfterSeconds?: number };

export interface Report {
  readonly identifier: number;
  readonly sign: Sign;
  readonly cause: Cause;
  readonly retryAfterSeconds?: number | undefined;
}

export interface Gate {
  /** At once while the breaker is closed. Who passes as a probe must `report` or `release`. */
  readonly enter: (identifier: number) => Entry | Promise<Entry>;
  /** After the call, whatever became of it. */
  readonly report: (entry: Entry, report: Report) => void;
  /** Instead of `report` where no call was made, or none that can have reached Segura. */
  readonly release: (entry: Entry) => void;
  /** There is no token to call with: ends the calls of this invocation, and counts as a failure. */
  readonly stop: (entry: Entry, report: Omit<Report, 'sign'>) => void;
  /** Another secret is in force: calls may succeed again. */
  readonly secretChanged: () => void;
}

export interface GateParts {
  readonly breaker: Breaker;
  readonly deadline: Deadline;
  readonly now: () => number;
  readonly random: () => number;
  /** Ends early when `pending` is settled. */
  readonly sleep: (ms: number, pending?: Promise<unknown>) => Promise<void>;
  /** Segura is back. */
  readonly onBack: () => void;
}

const PASS: Entry = { kind: 'pass', isProbe: false };

const isProbe = (entry: Entry): boolean => entry.kind === 'pass' && entry.isProbe;

export const createGate = (parts: GateParts): Gate => {
  const { breaker, deadline, now, random, sleep, onBack } = parts;
  let stoppedFor: Cause | undefined;

  const stopEntry = ({ notBefore }: State, cause: Cause): Entry => {
    const retryAfterSeconds = (notBefore - now()) / 1000;
    return { kind: 'stop', cause, ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}) };
  };

  const pause = async (ms: number, identifier: number): Promise<Entry> => {
    await sleep(ms + pauseJitterMs(ms, random()));
    return enter(identifier);
  };

  const enter = (identifier: number): Entry | Promise<Entry> => {
    const state = breaker.state();
    if (stoppedFor !== undefined) return stopEntry(state, stoppedFor);
    if (state.kind === 'closed') {
      const ms = state.notBefore === 0 ? 0 : state.notBefore - now();
      if (ms <= 0) return PASS;
      return hasTimeFor(ms, deadline) ? pause(ms, identifier) : stopEntry(state, state.cause);
    }
    return waiting.join(identifier);
  };

  const waiting = createWaiting({
    ...parts,
    openState: () => {
      const state = breaker.state();
      return stoppedFor === undefined && state.kind === 'open' ? state : undefined;
    },
    enter,
    stop: (state) => stopEntry(state, state.cause),
  });

  const learn = (event: Event): void => {
    if (breaker.learn(event)) {
      onBack();
      waiting.release(enter);
    }
  };

  const learnOf = (entry: Entry, { identifier, sign, cause, retryAfterSeconds = 0 }: Report): void => {
    const at = now();
    if (retryAfterSeconds > 0 && sign !== 'up') {
      learn({ kind: 'asked-to-wait', until: at + retryAfterSeconds * 1000, cause });
    }
    if (sign === 'up') learn({ kind: 'succeeded', identifier });
    else if (sign === 'down') learn({ kind: 'failed', identifier, cause, at });
    else if (isProbe(entry)) {
      waiting.probeLearntNothing();
      learn({ kind: 'learnt-nothing', at });
    }
  };

  return {
    enter,
    report: (entry, report) => {
      learnOf(entry, report);
      waiting.callEnded(isProbe(entry));
    },
    release: (entry) => {
      if (isProbe(entry)) waiting.probeMadeNoCall();
      waiting.callEnded(isProbe(entry));
    },
    stop: (entry, report) => {
      learnOf(entry, { ...report, sign: 'down' });
      stoppedFor ??= report.cause;
      waiting.callEnded(isProbe(entry));
      const state = breaker.state();
      waiting.release(() => stopEntry(state, report.cause));
    },
    secretChanged: () => {
      stoppedFor = undefined;
      learn({ kind: 'secret-changed', at: now() });
      waiting.wake();
    },
  };
};
