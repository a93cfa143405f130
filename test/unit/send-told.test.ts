/** What `send` tells while it works: faults by their kind, and how fast it goes. */
import { describe, expect, test } from 'vitest';
import { createFaults } from '../../functions/cli/send/faults.ts';
import { createPace } from '../../functions/cli/send/pace.ts';

describe('of faults of one kind', () => {
  const tell = (...counts: readonly [kind: string, count: number][]): string[] => {
    const told: string[] = [];
    const faults = createFaults((text) => told.push(text));
    for (const [kind, count] of counts) for (let line = 1; line <= count; line += 1) faults.add(`line ${line}`, kind);
    faults.end();
    return told.map((text) => text.slice(text.indexOf(' ') + 1));
  };

  test('the first 20 are told, then how many more there are', () => {
    const told = tell(['it is not JSON', 300]);
    expect(told).toHaveLength(21);
    expect(told.slice(-2)).toEqual(['line 20: it is not JSON', 'and 280 more: it is not JSON']);
  });

  test('20 are all told, and each kind has its own 20', () => {
    expect(tell(['a', 20])).toHaveLength(20);
    expect(tell(['a', 21], ['b', 2], ['c', 25])).toHaveLength(20 + 2 + 20 + 2);
  });
});

describe('the pace', () => {
  const paceAt = (ms: number, done: number, total = 1000): string => {
    let now = 0;
    const pace = createPace(total, () => now);
    now = ms;
    return pace(done);
  };

  test.each([
    [500, 100, ''],
    [5000, 0, ''],
    [2000, 500, '250/s, 2 s left'],
    [10_000, 10, '1.0/s, 17 min left'],
    [100_000, 10, '0.1/s, 2 h 45 min left'],
    [1000, 1000, '1000/s, 1 s left'],
  ])('after %i ms with %i of 1,000 done is %j', (ms, done, said) => {
    expect(paceAt(ms, done)).toBe(said);
  });
});
