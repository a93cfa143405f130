/**
 * The breaker on the way to Segura: closed while calls flow, open while Segura is plainly down. It belongs to one execution
 * environment; each invocation comes to it through a gate of its own (gate.ts). All that it learns is one pure function.
 */
import type { Cause } from '../segura/answers.ts';

/** What one call said of Segura as a whole. */
export type Sign = 'up' | 'down' | 'unknown';

interface Known {
  /** Identifiers that failed since the last success. */
  readonly failing: ReadonlySet<number>;
  /** A few identifiers that failed while others succeeded: they say nothing of Segura. */
  readonly suspects: ReadonlySet<number>;
  /** `Retry-After`: no call before this moment, in ms since the epoch. */
  readonly notBefore: number;
  /** Of the last failure, or of the answer that asked for the pause. */
  readonly cause: Cause;
}

export type State =
  | (Known & {
      readonly kind: 'closed';
      /** In a row, however many invocations that takes: single messages one after the other say as much as a batch. */
      readonly failures: number;
    })
  | (Known & {
      readonly kind: 'open';
      readonly openedAt: number;
      /** When the last call was answered; long ago where the next one need not wait. */
      readonly lastCallAt: number;
      /** When an invocation last waited for a probe with several messages, and with how many (`mayHaveBeenRecalled`). */
      readonly waited: { readonly at: number; readonly messages: number };
    });

export type Event =
  | { readonly kind: 'succeeded'; readonly identifier: number }
  | { readonly kind: 'failed'; readonly identifier: number; readonly cause: Cause; readonly at: number }
  /** A probe's answer said nothing of Segura as a whole. */
  | { readonly kind: 'learnt-nothing'; readonly at: number }
  /** `Retry-After`, with whatever answer. */
  | { readonly kind: 'asked-to-wait'; readonly until: number; readonly cause: Cause }
  /** An invocation waits for the next probe with several messages. */
  | { readonly kind: 'waits'; readonly at: number; readonly messages: number }
  /** Another secret is in force: what was learnt with the old one is void, and the next call finds out at once. */
  | { readonly kind: 'secret-changed'; readonly at: number };

/** A single failing identifier must never open the breaker for the others, nor a second one. */
const FAILURES_TO_OPEN = 5;
const IDENTIFIERS_TO_OPEN = 3;
/** As many as "a few passwords that always fail"; more than that is Segura. */
const MAX_SUSPECTS = 5;
/** From so many identifiers on, one more that fails is no news. */
const CERTAIN_IDENTIFIERS = 5;
const MAX_FAILING = 1000;

const NOBODY: ReadonlySet<number> = new Set();
const LONG_AGO = Number.NEGATIVE_INFINITY;
const NEVER = { at: LONG_AGO, messages: 0 };

export const CLOSED: State = {
  kind: 'closed',
  failures: 0,
  failing: NOBODY,
  suspects: NOBODY,
  notBefore: 0,
  cause: 'gateway',
};

const succeed = (state: State, identifier: number): State => {
  const { failing, notBefore } = state;
  const isKnownWell = state.kind === 'closed' && state.failures === 0 && failing.size === 0;
  if (isKnownWell && !state.suspects.has(identifier)) return state;
  const suspects = new Set([...state.suspects, ...failing]);
  suspects.delete(identifier);
  return { ...CLOSED, notBefore, cause: state.cause, suspects: suspects.size > MAX_SUSPECTS ? NOBODY : suspects };
};

type Failed = Extract<Event, { kind: 'failed' }>;

const fail = (state: State, { identifier, cause, at }: Failed): State => {
  const { suspects, notBefore } = state;
  const isListed = state.failing.has(identifier) || state.failing.size >= MAX_FAILING;
  const failing = isListed ? state.failing : new Set(state.failing).add(identifier);
  if (state.kind === 'open') return { ...state, failing, cause, lastCallAt: at };
  const failures = state.failures + 1;
  let identifiers = 0;
  for (const each of failing) if (!suspects.has(each)) identifiers += 1;
  if (failures < FAILURES_TO_OPEN || identifiers < IDENTIFIERS_TO_OPEN) return { ...state, failures, failing, cause };
  return { kind: 'open', openedAt: at, lastCallAt: at, waited: NEVER, failing, suspects, notBefore, cause };
};

export const next = (state: State, event: Event): State => {
  switch (event.kind) {
    case 'succeeded':
      return succeed(state, event.identifier);
    case 'failed':
      return fail(state, event);
    case 'learnt-nothing':
      return state.kind === 'open' ? { ...state, lastCallAt: event.at } : state;
    case 'asked-to-wait':
      return event.until > state.notBefore ? { ...state, notBefore: event.until, cause: event.cause } : state;
    case 'waits':
      return state.kind === 'open' ? { ...state, waited: event } : state;
    case 'secret-changed': {
      const { suspects, notBefore, cause } = state;
      const known = { failing: NOBODY, suspects, notBefore, cause };
      return { kind: 'open', openedAt: event.at, lastCallAt: LONG_AGO, waited: NEVER, ...known };
    }
  }
};

/** Until one call succeeds, an environment makes at most one in this time: longer, the longer Segura has been down. */
const SHORTEST_PACE_MS = 10_000;
const LONGEST_PACE_MS = 30_000;
/** 10 s up to a quarter of an hour, 30 s from three quarters on. */
const PACE_SHARE = 90;

/** The moment of the next call that may find out whether Segura is back. */
export const nextProbeAt = ({ openedAt, lastCallAt, notBefore }: Extract<State, { kind: 'open' }>): number => {
  const paceMs = Math.min(LONGEST_PACE_MS, Math.max(SHORTEST_PACE_MS, (lastCallAt - openedAt) / PACE_SHARE));
  return Math.max(lastCallAt + paceMs, notBefore);
};

/** What people must fix stays as it is for longer than an invocation can wait. */
const isPassing = (cause: Cause): boolean =>
  cause === 'gateway' || cause === 'rate-limited' || cause === 'server-error';

/** In the first minute and a half most failures of a gateway pass; each invocation waits for one probe then. */
const YOUNG_OUTAGE_MS = 90_000;

/**
 * Whether an invocation should wait for the next probe instead of giving up: while the outage is young, and while so few
 * identifiers failed that it may be their own fault.
 */
export const isDoubtful = (state: Extract<State, { kind: 'open' }>, hasFresh: boolean): boolean => {
  const { openedAt, lastCallAt, failing, cause } = state;
  if (!isPassing(cause)) return false;
  return lastCallAt - openedAt < YOUNG_OUTAGE_MS || (hasFresh && failing.size < CERTAIN_IDENTIFIERS);
};

/** In an outage messages come back one by one; more than one at a time by chance, or where there are thousands. */
const SEVERAL = 2;
const WAIT_AGAIN_MS = 60_000;

/**
 * Several messages at once may have been called back by another environment that found Segura well. Keeping them takes no
 * time, so an environment that may not call yet would take in all of them and send them away: it waits for its next probe
 * with the first of them instead, while the others go to environments that work. Once in a minute, since it is paid for;
 * again before that where many more come.
 */
export const mayHaveBeenRecalled = (
  { cause, waited }: Extract<State, { kind: 'open' }>,
  messages: number,
  now: number,
): boolean => {
  const isAgain = now - waited.at < WAIT_AGAIN_MS;
  return isPassing(cause) && messages >= SEVERAL * (isAgain ? waited.messages : 1);
};

/**
 * Whether others than this identifier, and than those that fail while others succeed, were waiting for Segura. An
 * environment with one or two messages never sees enough failures to open the breaker, and they wait all the same.
 */
const wasDown = ({ kind, failing, suspects }: State, identifier: number): boolean => {
  if (kind === 'open') return true;
  for (const each of failing) if (each !== identifier && !suspects.has(each)) return true;
  return false;
};

/** Holds the state of one execution environment. */
export const createBreaker = () => {
  let state: State = CLOSED;
  return {
    state: (): State => state,
    /** @returns whether Segura is back: what was kept need not wait any longer */
    learn: (event: Event): boolean => {
      const before = state;
      state = next(state, event);
      return event.kind === 'succeeded' && wasDown(before, event.identifier);
    },
  };
};

export type Breaker = ReturnType<typeof createBreaker>;
