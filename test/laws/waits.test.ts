/** Laws of every wait: it grows from one attempt or receive to the next, and stays in its bounds, whatever is drawn. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attemptWaitMs, keptWaitSeconds, MAX_ATTEMPTS } from '../../functions/enable-password/waits.ts';

/** As Math.random draws. */
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('waits between the attempts of an invocation grow, whatever is drawn', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: MAX_ATTEMPTS - 2 }), random, random, (attempt, one, other) => {
      expect(attemptWaitMs(attempt, one)).toBeLessThanOrEqual(attemptWaitMs(attempt + 1, other));
    }),
  );
});

test('a wait between attempts is never shorter than 80 ms nor longer than 5 s', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), random, (attempt, drawn) => {
      expect(attemptWaitMs(attempt, drawn)).toBeGreaterThanOrEqual(80);
      expect(attemptWaitMs(attempt, drawn)).toBeLessThanOrEqual(5000);
    }),
  );
});

const waits = fc.record({
  receiveCount: fc.integer({ min: -5, max: 100_000 }),
  ageSeconds: fc.double({ min: -10, max: 1e7, noNaN: true }),
  isOneOfMany: fc.boolean(),
});

test('a kept message waits longer with each receive, and no shorter for being older, whatever is drawn', () => {
  fc.assert(
    fc.property(waits, fc.double({ min: 0, max: 1e6, noNaN: true }), random, (options, older, drawn) => {
      const later = { ...options, receiveCount: options.receiveCount + 1, ageSeconds: options.ageSeconds + older };
      expect(keptWaitSeconds(later, drawn)).toBeGreaterThanOrEqual(keptWaitSeconds(options, drawn));
    }),
  );
});

test('a visibility timeout is whole seconds from 30 to 900, whatever Retry-After says', () => {
  const retryAfter = fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined });
  fc.assert(
    fc.property(waits, random, retryAfter, (options, drawn, askedSeconds) => {
      const seconds = keptWaitSeconds({ ...options, askedSeconds }, drawn);
      expect(Number.isInteger(seconds)).toBe(true);
      expect(seconds).toBeGreaterThanOrEqual(30);
      expect(seconds).toBeLessThanOrEqual(900);
      if (askedSeconds !== undefined) expect(seconds).toBeGreaterThanOrEqual(Math.min(870, askedSeconds));
    }),
  );
});

test('thirty messages that are asked to wait do not come back in the same second', () => {
  const asked = fc.integer({ min: 60, max: 100_000 });
  fc.assert(
    fc.property(asked, fc.array(random, { minLength: 30, maxLength: 30 }), (askedSeconds, drawn) => {
      const options = { receiveCount: 1, ageSeconds: 1, askedSeconds };
      const seconds = drawn.map((each) => keptWaitSeconds(options, each));
      const spread = Math.max(...drawn) - Math.min(...drawn);
      expect(Math.max(...seconds) - Math.min(...seconds)).toBeGreaterThanOrEqual(Math.floor(spread * 8));
    }),
  );
});
