/** Laws of every wait: it grows from one attempt or receive to the next, and stays in its bounds, whatever is drawn. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attemptWaitMs, MAX_ATTEMPTS, visibilitySeconds } from '../../functions/enable-password/waits.ts';

/** As Math.random draws. */
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('waits between the attempts of an invocation grow, whatever is drawn', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: MAX_ATTEMPTS - 1 }), random, random, (attempt, one, other) => {
      expect(attemptWaitMs(attempt, one)).toBeLessThanOrEqual(attemptWaitMs(attempt + 1, other));
    }),
  );
});

test('a wait between attempts is never shorter than 200 ms nor longer than 10 s', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), random, (attempt, drawn) => {
      expect(attemptWaitMs(attempt, drawn)).toBeGreaterThanOrEqual(200);
      expect(attemptWaitMs(attempt, drawn)).toBeLessThanOrEqual(10_000);
    }),
  );
});

test('a visibility timeout doubles with each receive up to its longest, and is drawn anew within the step', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), random, random, (receiveCount, one, other) => {
      const seconds = visibilitySeconds(receiveCount, one);
      const next = visibilitySeconds(receiveCount + 1, other);
      // Four steps double; the fifth is as long as can be and the same ever after.
      if (receiveCount < 4) expect(next).toBeGreaterThanOrEqual(seconds);
      expect(visibilitySeconds(receiveCount + 1, one)).toBeGreaterThanOrEqual(seconds);
    }),
  );
});

test('a visibility timeout is whole seconds from 30 to 900, whatever Retry-After says', () => {
  const retryAfter = fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined });
  fc.assert(
    fc.property(fc.integer({ min: -5, max: 100_000 }), random, retryAfter, (receiveCount, drawn, asked) => {
      const seconds = visibilitySeconds(receiveCount, drawn, asked);
      expect(Number.isInteger(seconds)).toBe(true);
      expect(seconds).toBeGreaterThanOrEqual(30);
      expect(seconds).toBeLessThanOrEqual(900);
      if (asked !== undefined) expect(seconds).toBeGreaterThanOrEqual(Math.min(870, asked));
    }),
  );
});
