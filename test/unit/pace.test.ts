/** How fast letters go back: never more than so many in any second, whatever stalled before. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchSize, createPace } from '../../functions/dead-letters/pace.ts';

/** Sends batches as replay.ts does; each call takes so long. @returns when each message may have arrived, first and last */
const send = (rate: number, callsMs: readonly number[]) => {
  let now = 1_000_000;
  const pace = createPace(rate, () => now);
  const count = batchSize(rate);
  return callsMs.flatMap((callMs) => {
    for (let waitMs = pace.waitMs(count); waitMs > 0; waitMs = pace.waitMs(count)) now += waitMs;
    pace.begin(count);
    const began = now;
    now += callMs;
    pace.end(count);
    return Array.from({ length: count }, () => ({ began, ended: now }));
  });
};

const rates = fc.oneof(
  fc.constantFrom(0.05, 0.5, 1, 5, 7, 10, 25, 50),
  fc.double({ min: 0.01, max: 300, noNaN: true }),
);

test('in no second more messages arrive than the rate allows, whenever within its call each of them did', () => {
  fc.assert(
    fc.property(
      rates,
      fc.array(fc.constantFrom(0, 1, 40, 400, 5000), { minLength: 30, maxLength: 60 }),
      (rate, callsMs) => {
        const sent = send(rate, callsMs);
        const windowMs = Math.max(1000, 1000 / rate);
        for (const { ended } of sent) {
          // As late as it can have been, and all later ones as early.
          const within = sent.filter((other) => other.ended >= ended && other.began < ended + windowMs - 0.001);
          expect(within.length).toBeLessThanOrEqual(Math.max(1, Math.floor(rate)));
        }
      },
    ),
  );
});

test.each([0.5, 1, 5, 10, 25, 50])('calls that take no time come to %d a second', (rate) => {
  const sent = send(
    rate,
    Array.from({ length: 200 }, () => 0),
  );
  const [first, last] = [sent[0]?.began ?? 0, sent.at(-1)?.began ?? 0];
  const perSecond = (sent.length / (last - first)) * 1000;
  expect(perSecond).toBeGreaterThan(rate * 0.95);
  expect(perSecond).toBeLessThan(rate * 1.1);
});

describe('a batch', () => {
  test.each([
    [undefined, 10],
    [0.05, 1],
    [9.9, 1],
    [10, 10],
    [12, 6],
    [25, 5],
    [50, 10],
    [53, 1],
  ])('at a rate of %s holds %d, so that batches go evenly into a second', (rate, size) => {
    expect(batchSize(rate)).toBe(size);
  });
});
