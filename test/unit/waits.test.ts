/** Every wait and its bounds: between attempts, between receives, and what is held back at the end. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attemptWaitMs,
  createDeadline,
  MAX_ATTEMPTS,
  visibilitySeconds,
} from '../../functions/enable-password/waits.ts';

describe('between attempts', () => {
  test.each([
    [1, 0, 200],
    [1, 0.5, 300],
    [2, 0, 400],
    [3, 0, 800],
    [5, 0, 3200],
    [5, 0.999, 6396.8],
    [7, 0, 10_000],
    [40, 0.5, 10_000],
  ])('after attempt %i, drawing %d, the wait is %d ms', (attempt, random, ms) => {
    expect(attemptWaitMs(attempt, random)).toBeCloseTo(ms);
  });

  test('the attempts of one invocation never reach the longest wait, so that their waits grow strictly', () => {
    expect(attemptWaitMs(MAX_ATTEMPTS - 1, 0.999999)).toBeLessThan(10_000);
  });
});

describe('between receives', () => {
  test.each([
    [1, 0, 30],
    [1, 0.5, 45],
    [2, 0, 60],
    [3, 0, 120],
    [4, 0, 240],
    [5, 0, 390],
    [1000, 0, 390],
    [1000, 0.9999999, 780],
  ])('at receive %i, drawing %d, a kept message waits %i s', (receiveCount, random, seconds) => {
    expect(visibilitySeconds(receiveCount, random)).toBe(seconds);
  });

  test.each([
    ['longer than our own wait is respected', 1, 300, 300],
    ['shorter than our own wait changes nothing', 3, 5, 120],
    ['in fractions is rounded up', 1, 100.2, 101],
    ['for a day is capped, so that the next call comes within 15 minutes', 1, 86_400, 870],
    ['for ever is capped too', 1, Number.POSITIVE_INFINITY, 870],
  ])('a Retry-After %s', (_, receiveCount, retryAfter, seconds) => {
    expect(visibilitySeconds(receiveCount, 0, retryAfter)).toBe(seconds);
  });

  test('a receive count that makes no sense waits as the first', () => {
    expect([visibilitySeconds(0, 0), visibilitySeconds(-3, 0)]).toEqual([30, 30]);
  });
});

describe('the time left', () => {
  test.each([
    ['two minutes, ten messages', 120_000, 10, 119_499, 118_496],
    ['two minutes, 10,000 messages', 120_000, 10_000, 118_500, 114_500],
    ['six seconds, ten messages', 6000, 10, 5499, 4496],
    ['one second: no reserve takes more than a quarter', 1000, 10, 750, 500],
  ])('%s', (_, remainingMs, records, answerLeft, callsLeft) => {
    const deadline = createDeadline(() => 0, remainingMs, records);
    expect(deadline.answerLeftMs()).toBeCloseTo(answerLeft, 0);
    expect(deadline.callsLeftMs()).toBeCloseTo(callsLeft, 0);
  });

  test('runs down with the clock, and below zero', () => {
    let now = 0;
    const deadline = createDeadline(() => now, 10_000, 1);
    const before = deadline.callsLeftMs();
    now = 20_000;
    expect(deadline.callsLeftMs()).toBeCloseTo(before - 20_000);
    expect(deadline.answerLeftMs()).toBeLessThan(0);
  });

  test('however little there is, calls end before the answer, and the answer before the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900_000 }), fc.integer({ min: 0, max: 10_000 }), (remainingMs, records) => {
        const { callsLeftMs, answerLeftMs } = createDeadline(() => 5, remainingMs, records);
        expect(callsLeftMs()).toBeLessThan(answerLeftMs() + 1e-9);
        expect(answerLeftMs()).toBeLessThan(remainingMs);
        expect(callsLeftMs()).toBeGreaterThanOrEqual(remainingMs / 2);
      }),
    );
  });
});
