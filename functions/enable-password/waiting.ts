/** Those who wait at the open breaker, and the probe: who finds out for all of them whether Segura is back, and when. */
import { type Breaker, isDoubtful, mayHaveBeenRecalled, nextProbeAt, type State } from './breaker.ts';
import type { Entry } from './gate.ts';
import { type Deadline, MIN_CALL_MS } from './waits.ts';

type Open = Extract<State, { kind: 'open' }>;

interface Waiting {
  readonly identifier: number;
  readonly resolve: (entry: Entry | Promise<Entry>) => void;
}

const PROBE: Entry = { kind: 'pass', isProbe: true };

export const hasTimeFor = (ms: number, deadline: Deadline): boolean => ms + MIN_CALL_MS <= deadline.callsLeftMs();

interface ProbeTimeParts {
  readonly breaker: Breaker;
  readonly deadline: Deadline;
  readonly now: () => number;
}

/** When this invocation may probe. */
const createProbeTime = ({ breaker, deadline, now }: ProbeTimeParts) => {
  /** An invocation waits for one probe at most: it is paid by the millisecond, and its messages can wait as well in SQS. */
  let hasProbed = false;
  /** The next probe need not wait for its time. */
  let isDue = false;
  /** A probe whose answer said nothing of Segura, such as a refused token, is followed by one more at once. */
  let hasLearntNothing = false;

  return {
    /** ms until somebody may probe; `undefined` where this invocation is not to wait for it. */
    msLeft: (state: Open, waiting: readonly Waiting[]): number | undefined => {
      const ms = (isDue ? state.notBefore : nextProbeAt(state)) - now();
      if (!hasTimeFor(Math.max(0, ms), deadline)) return undefined;
      if (ms <= 0) return 0;
      const hasFresh = waiting.some(({ identifier }) => !state.failing.has(identifier));
      if (hasProbed) return undefined;
      if (isDoubtful(state, hasFresh)) return ms;
      if (!mayHaveBeenRecalled(state, waiting.length, now())) return undefined;
      breaker.learn({ kind: 'waits', at: now(), messages: waiting.length });
      return ms;
    },
    begin: (): void => {
      hasProbed = true;
      isDue = false;
    },
    learntNothing: (): void => {
      isDue = !hasLearntNothing;
      hasLearntNothing = true;
    },
    madeNoCall: (): void => {
      isDue = true;
    },
  };
};

export interface WaitingParts extends ProbeTimeParts {
  /** Ends early when `pending` is settled. */
  readonly sleep: (ms: number, pending?: Promise<unknown>) => Promise<void>;
  /** The breaker's state where it is open and this invocation still calls; otherwise nobody needs to wait. */
  readonly openState: () => Open | undefined;
  /** Once nobody needs to wait any more. */
  readonly enter: (identifier: number) => Entry | Promise<Entry>;
  readonly stop: (state: Open) => Entry;
}

export const createWaiting = (parts: WaitingParts) => {
  const { sleep, openState, enter, stop } = parts;
  const probeTime = createProbeTime(parts);
  let waiting: Waiting[] = [];
  let isProbing = false;
  let isChoosing = false;
  let changed = Promise.withResolvers<void>();

  const release = (entryOf: (identifier: number) => Entry | Promise<Entry>): void => {
    const released = waiting;
    waiting = [];
    for (const { identifier, resolve } of released) resolve(entryOf(identifier));
  };

  const choose = async (): Promise<void> => {
    // All of a batch comes to the gate before one of it is chosen.
    await sleep(0);
    while (waiting.length > 0 && !isProbing) {
      const state = openState();
      if (state === undefined) return release(enter);
      const ms = probeTime.msLeft(state, waiting);
      if (ms === undefined) return release(() => stop(state));
      if (ms > 0) {
        await sleep(ms, changed.promise);
        continue;
      }
      const fresh = waiting.findIndex(({ identifier }) => !state.failing.has(identifier));
      const [chosen] = waiting.splice(Math.max(0, fresh), 1);
      isProbing = true;
      probeTime.begin();
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

  return {
    /** Until it is chosen as the probe, or released. */
    join: (identifier: number): Promise<Entry> =>
      new Promise((resolve) => {
        waiting.push({ identifier, resolve });
        chooseSoon();
      }),
    release,
    /** After each call; the next probe is chosen. */
    callEnded: (wasProbe: boolean): void => {
      if (wasProbe) isProbing = false;
      chooseSoon();
    },
    probeLearntNothing: probeTime.learntNothing,
    probeMadeNoCall: probeTime.madeNoCall,
    /** Something changed: who sleeps until the next probe looks again. */
    wake: (): void => {
      changed.resolve();
      changed = Promise.withResolvers();
    },
  };
};
