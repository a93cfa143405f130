/** The breaker as a table: what it knew, what happened, what it knows then. */
import { describe, expect, test } from 'vitest';
import {
  CLOSED,
  createBreaker,
  type Event,
  isDoubtful,
  next,
  nextProbeAt,
  type State,
} from '../../functions/enable-password/breaker.ts';
import type { Cause } from '../../functions/segura/answers.ts';

type Open = Extract<State, { kind: 'open' }>;

const failed = (identifier: number, at = 0, cause: Cause = 'gateway'): Event => ({
  kind: 'failed',
  identifier,
  cause,
  at,
});
const succeeded = (identifier: number): Event => ({ kind: 'succeeded', identifier });
const stateAfter = (...events: readonly Event[]): State => events.reduce(next, CLOSED);
const failures = (...identifiers: readonly number[]): readonly Event[] => identifiers.map((each) => failed(each));
const opened = (...events: readonly Event[]): Open => {
  const state = stateAfter(...events);
  if (state.kind === 'closed') throw new Error('the breaker is closed');
  return state;
};
const OUTAGE = failures(1, 2, 3, 4, 5);

describe('the breaker', () => {
  test.each<readonly [string, readonly Event[], State['kind']]>([
    ['four failures of four identifiers', failures(1, 2, 3, 4), 'closed'],
    ['five failures of two identifiers', failures(1, 2, 1, 2, 1), 'closed'],
    ['fifty failures of one', Array<Event>(50).fill(failed(1)), 'closed'],
    ['five failures of three identifiers', failures(1, 2, 3, 1, 2), 'open'],
    ['five failures of five identifiers', OUTAGE, 'open'],
    ['a success between the failures', [...failures(1, 2, 3, 4), succeeded(9), failed(5)], 'closed'],
    ['failures of an outage, and a success', [...OUTAGE, succeeded(9)], 'closed'],
    ['an outage after an outage', [...OUTAGE, failed(6), succeeded(9), ...failures(11, 12, 13, 11, 12)], 'open'],
    ['a pause that was asked for', [{ kind: 'asked-to-wait', until: 1e6, cause: 'rate-limited' }], 'closed'],
    ['answers that say nothing of Segura', Array<Event>(9).fill({ kind: 'learnt-nothing', at: 0 }), 'closed'],
    ['another secret, until a call with it succeeds', [{ kind: 'secret-changed', at: 0 }], 'open'],
    ['another secret, and a success with it', [{ kind: 'secret-changed', at: 0 }, succeeded(1)], 'closed'],
  ])('after %s: %#', (_, events, kind) => {
    expect(stateAfter(...events).kind).toBe(kind);
  });

  test('is not opened by a few identifiers that failed while another succeeded', () => {
    const poisoned = [...failures(1, 2, 3), succeeded(4)];
    expect(stateAfter(...poisoned, ...failures(1, 2, 3, 1, 2, 3, 1)).kind).toBe('closed');
    expect(stateAfter(...poisoned, ...failures(1, 2, 3, 5, 6, 7)).kind).toBe('open');
  });

  test('counts such an identifier again once it has succeeded', () => {
    const cured = [...failures(1, 2, 3), succeeded(4), succeeded(1), succeeded(2), succeeded(3)];
    expect(stateAfter(...cured, ...failures(1, 2, 3, 1, 2)).kind).toBe('open');
  });

  test('takes many that failed while another succeeded for an outage, not for a few', () => {
    const state = stateAfter(...OUTAGE, failed(6), succeeded(7));
    expect(state.suspects.size).toBe(0);
  });

  test('costs nothing while all is well: it stays the same state', () => {
    expect(next(CLOSED, succeeded(1))).toBe(CLOSED);
  });

  test('says when a success closed it, and only then', () => {
    const { learn } = createBreaker();
    for (const event of OUTAGE) expect(learn(event)).toBe(false);
    expect(learn(failed(6))).toBe(false);
    expect(learn(succeeded(6))).toBe(true);
    expect(learn(succeeded(7))).toBe(false);
  });

  test('has others come back too where it never opened: with one or two messages they wait all the same', () => {
    const { learn } = createBreaker();
    for (const event of failures(1, 2)) expect(learn(event)).toBe(false);
    expect(learn(succeeded(1))).toBe(true);
    expect(learn(succeeded(3))).toBe(false);
  });

  test('has nobody come back for the sake of its own second attempt, or of passwords that always fail', () => {
    const { learn } = createBreaker();
    learn(failed(1));
    expect(learn(succeeded(1))).toBe(false);
    for (const event of [...failures(1, 2), succeeded(3)]) learn(event);
    for (const event of failures(1, 2)) expect(learn(event)).toBe(false);
    expect(learn(succeeded(3))).toBe(false);
  });
});

describe('the next probe', () => {
  const MINUTE = 60_000;
  const failing = (at: number) => opened(...OUTAGE, failed(6, at));
  test.each([
    ['at the beginning of an outage', 0, 10_000],
    ['after ten minutes', 10 * MINUTE, 10_000],
    ['after half an hour', 30 * MINUTE, 20_000],
    ['after a day', 1440 * MINUTE, 30_000],
  ])('comes %s so much after the last call', (_, at, ms) => {
    expect(nextProbeAt(failing(at)) - at).toBe(ms);
  });

  test('comes not before the pause that was asked for', () => {
    const until = 870_000;
    expect(nextProbeAt(opened(...OUTAGE, { kind: 'asked-to-wait', until, cause: 'gateway' }))).toBe(until);
    const shorter: Event = { kind: 'asked-to-wait', until: 100, cause: 'gateway' };
    expect(nextProbeAt(opened(...OUTAGE, { kind: 'asked-to-wait', until, cause: 'gateway' }, shorter))).toBe(until);
  });

  test('comes ten seconds after an answer that said nothing, too', () => {
    expect(nextProbeAt(opened(...OUTAGE, { kind: 'learnt-nothing', at: 5000 }))).toBe(15_000);
  });

  test('comes at once with another secret', () => {
    expect(nextProbeAt(opened(...OUTAGE, { kind: 'secret-changed', at: 3000 }))).toBeLessThan(3000);
  });

  test.each<readonly [string, Open, boolean, boolean]>([
    ['just after it opened', opened(...OUTAGE), false, true],
    ['a minute later', opened(...OUTAGE, failed(6, MINUTE)), false, true],
    ['two minutes later', opened(...OUTAGE, failed(6, 2 * MINUTE)), true, false],
    [
      'for an identifier that has not failed, while few have',
      opened(...failures(1, 2, 3, 1, 2), failed(1, 9 * MINUTE)),
      true,
      true,
    ],
    ['for one that has', opened(...failures(1, 2, 3, 1, 2), failed(1, 9 * MINUTE)), false, false],
    ['for a refused certificate', opened(...[1, 2, 3, 4, 5].map((each) => failed(each, 0, 'tls'))), true, false],
    ['for a refused client', opened(...[1, 2, 3, 4, 5].map((each) => failed(each, 0, 'credentials'))), true, false],
  ])('is worth waiting for %s: %#', (_, state, hasFresh, isWorth) => {
    expect(isDoubtful(state, hasFresh)).toBe(isWorth);
  });
});
