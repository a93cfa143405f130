/**
 * One invocation at the breaker (breaker.ts): while it is closed all pass; while it is open one message at a time finds out
 * whether Segura is back, of an identifier that has not failed where there is one, and the others wait for what it finds.
 */
import type { Cause } from '../segura/answers.ts';
import {
  type Breaker,
  type Event,
  isDoubtful,
  mayHaveBeenRecalled,
  nextProbeAt,
  type Sign,
  type State,
} from './breaker.ts';
import { type Deadline, MIN_CALL_MS, pauseJitterMs } from './waits.ts';

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
  /** The breaker closed: Segura is back. */
  readonly onClosed: () => void;
}

interface Waiting {
  readonly identifier: number;
  readonly resolve: (entry: Entry | Promise<Entry>) => void;
}

const PASS: Entry = { kind: 'pass', isProbe: false };
const PROBE: Entry = { kind: 'pass', isProbe: true };

const isProbe = (entry: Entry): boolean => entry.kind === 'pass' && entry.isProbe;

export const createGate = ({ breaker, deadline, now, random, sleep, onClosed }: GateParts): Gate => {
  let waiting: Waiting[] = [];
  let stoppedFor: Cause | undefined;
  let isProbing = false;
  let isChoosing = false;
  /** An invocation waits for one probe at most: it is paid by the millisecond, and its messages can wait as well in SQS. */
  let hasProbed = false;
  /** The next probe need not wait for its time. */
  let isProbeDue = false;
  /** A probe whose answer said nothing of Segura, such as a refused token, is followed by one more at once. */
  let hasLearntNothing = false;
  let changed = Promise.withResolvers<void>();

  const stopEntry = ({ notBefore }: State, cause: Cause): Entry => {
    const retryAfterSeconds = (notBefore - now()) / 1000;
    return { kind: 'stop', cause, ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}) };
  };

  const hasTimeFor = (ms: number): boolean => ms + MIN_CALL_MS <= deadline.callsLeftMs();

  const release = (entryOf: (identifier: number) => Entry | Promise<Entry>): void => {
    const released = waiting;
    waiting = [];
    for (const { identifier, resolve } of released) resolve(entryOf(identifier));
  };

  /** ms until somebody may probe; `undefined` where this invocation is not to wait for it. */
  const msToProbe = (state: Extract<State, { kind: 'open' }>): number | undefined => {
    const ms = (isProbeDue ? state.notBefore : nextProbeAt(state)) - now();
    if (!hasTimeFor(Math.max(0, ms))) return undefined;
    if (ms <= 0) return 0;
    const hasFresh = waiting.some(({ identifier }) => !state.failing.has(identifier));
    if (hasProbed) return undefined;
    if (isDoubtful(state, hasFresh)) return ms;
    if (!mayHaveBeenRecalled(state, waiting.length, now())) return undefined;
    breaker.learn({ kind: 'waits', at: now(), messages: waiting.length });
    return ms;
  };

  const choose = async (): Promise<void> => {
    // All of a batch comes to the gate before one of it is chosen.
    await sleep(0);
    while (waiting.length > 0 && !isProbing) {
      const state = breaker.state();
      if (stoppedFor !== undefined || state.kind === 'closed') return release(enter);
      const ms = msToProbe(state);
      if (ms === undefined) return release(() => stopEntry(state, state.cause));
      if (ms > 0) {
        await sleep(ms, changed.promise);
        continue;
      }
      const fresh = waiting.findIndex(({ identifier }) => !state.failing.has(identifier));
      const [chosen] = waiting.splice(Math.max(0, fresh), 1);
      isProbing = true;
      hasProbed = true;
      isProbeDue = false;
      chosen?.resolve(PROBE);
    }
  };

  const chooseSoon = (): void => {
    if (isChoosing || isProbing || waiting.length === 0) return;
    isChoosing = true;
    void choose().finally(() => {
      isChoosing = false;
      chooseSoon();
    });
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
      return hasTimeFor(ms) ? pause(ms, identifier) : stopEntry(state, state.cause);
    }
    return new Promise((resolve) => {
      waiting.push({ identifier, resolve });
      chooseSoon();
    });
  };

  const learn = (event: Event): void => {
    if (breaker.learn(event)) {
      onClosed();
      release(enter);
    }
  };

  const end = (entry: Entry): void => {
    if (isProbe(entry)) isProbing = false;
    chooseSoon();
  };

  const learnNothing = (): void => {
    isProbeDue = !hasLearntNothing;
    hasLearntNothing = true;
    learn({ kind: 'learnt-nothing', at: now() });
  };

  const learnOf = (entry: Entry, { identifier, sign, cause, retryAfterSeconds = 0 }: Report): void => {
    const at = now();
    if (retryAfterSeconds > 0 && sign !== 'up') {
      learn({ kind: 'asked-to-wait', until: at + retryAfterSeconds * 1000, cause });
    }
    if (sign === 'up') learn({ kind: 'succeeded', identifier });
    else if (sign === 'down') learn({ kind: 'failed', identifier, cause, at });
    else if (isProbe(entry)) learnNothing();
  };

  return {
    enter,
    report: (entry, report) => {
      learnOf(entry, report);
      end(entry);
    },
    release: (entry) => {
      if (isProbe(entry)) isProbeDue = true;
      end(entry);
    },
    stop: (entry, report) => {
      learnOf(entry, { ...report, sign: 'down' });
      stoppedFor ??= report.cause;
      end(entry);
      const state = breaker.state();
      release(() => stopEntry(state, report.cause));
    },
    secretChanged: () => {
      stoppedFor = undefined;
      learn({ kind: 'secret-changed', at: now() });
      changed.resolve();
      changed = Promise.withResolvers();
    },
  };
};
