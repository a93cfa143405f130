/** What `npm run outage` finds wrong is found: a run of an hour that could not fail would be for nothing. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Call, type Course, figuresOf } from './figures.ts';

const BACK_AT = 60_000;

const call = (at: number, identifier: number, status = 503, environment = 1): Call => ({
  ...{ at, answeredAt: at + 5, status, environment, identifier },
});
/** Each is enabled, so long after the return. */
const enabledAfter = (...waitsMs: readonly number[]): Call[] =>
  waitsMs.map((ms, index) => call(BACK_AT + ms - 5, index + 1, 200));
/** Five failures of as many identifiers: the environment knows. */
const learns = (at: number): Call[] => [1, 2, 3, 4, 5].map((identifier) => call(at, identifier));

const of = (calls: readonly Call[], course: Partial<Course> = {}) =>
  figuresOf({
    ...{ seconds: 60, waiting: 100, isFifo: false, sqs: 'aws', tokensFail: false, backAt: BACK_AT },
    ...{ mostReceives: 2, functionErrors: 0, environments: 1, left: 0, deadLetters: 0 },
    calls: calls.toSorted((a, b) => a.at - b.at),
    ...course,
  });

describe('a run', () => {
  test('that was in time has missed nothing', () => {
    const figures = of([...learns(0), call(10_006, 2), ...enabledAfter(500, 1000)]);
    expect(figures).toMatchObject({ waits: { median: 1, last: 1 }, mostCallsIn10s: [1], callsInOutage: 6, missed: [] });
  });

  test.each<[string, readonly Call[], Partial<Course>, RegExp]>([
    ['half of whom waited too long', enabledAfter(500, 11_000), {}, /half waited 11 s, not 10 s/],
    ['whose last waited too long', enabledAfter(0, 0, 61_000), {}, /the last waited 61 s, not 60 s/],
    ['with a request left behind', enabledAfter(500), { left: 1 }, /1 of 100 are still waiting/],
    ['with a dead letter', [], { deadLetters: 1 }, /1 became dead letters/],
    ['in which the function failed', [], { functionErrors: 3 }, /3 invocations failed/],
    ['that used its receives up', [], { mostReceives: 1000 }, /received 1000 times/],
    [
      'that called twice in 10 s although it knew',
      [...learns(0), call(5000, 2), call(14_999, 3)],
      {},
      /knew of the outage made 2 calls in 10 s/,
    ],
  ])('%s has missed the promise', (_, calls, course, missed) => {
    expect(of(calls, course).missed.join()).toMatch(missed);
  });

  test('with a number of requests for which the contract names no figure has not missed one', () => {
    expect(of(enabledAfter(0, 0, 61_000), { waiting: 3 }).missed).toEqual([]);
    expect(of(enabledAfter(61_000), { waiting: 1 }).missed).toHaveLength(2);
  });

  test('whose environments called once each in 10 s has missed nothing', () => {
    const calls = [1, 2].flatMap((environment) =>
      [...learns(0), call(5000, 2)].map((each) => ({ ...each, environment })),
    );
    expect(of(calls).mostCallsIn10s).toEqual([1, 1]);
  });

  test('in which a request of a group came before an earlier one has overtaken', () => {
    const inOrder = [call(1, 1), call(2, 1, 200), call(3, 21, 200), call(4, 2, 200)];
    expect(of(inOrder, { isFifo: true, waiting: 21 }).overtakings).toBe(0);
    const outOfOrder = [call(1, 1), call(3, 21, 200), call(4, 1, 200)];
    expect(of(outOfOrder, { isFifo: true, waiting: 21 }).missed.join()).toMatch(/1 calls overtook/);
  });
});

test.each([
  [['--waiting', '0'], '--waiting must be a whole number above 0, not 0'],
  [['--sqs', 'rabbit'], '--sqs rabbit: there are aws, strict, stranger'],
])('npm run outage -- %j is wrong usage', async (args, words) => {
  const run = promisify(execFile)(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args]);
  await expect(run).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
});
