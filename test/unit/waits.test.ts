/** Every wait and its bounds: between attempts, between receives, and what is held back at the end. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attemptWaitMs,
  createDeadline,
  keptWaitSeconds,
  mayComeBackEarly,
  type WaitOptions,
} from '../../functions/enable-password/waits.ts';

describe('between attempts', () => {
  test.each([
    [1, 0, 80],
    [1, 0.5, 120],
    [2, 0, 160],
    [3, 0, 320],
    [4, 0, 640],
    [5, 0, 2500],
    [5, 0.999, 4997.5],
    [40, 0.5, 3750],
  ])('after attempt %i, drawing %d, the wait is %d ms', (attempt, random, ms) => {
    expect(attemptWaitMs(attempt, random)).toBeCloseTo(ms);
  });
});

const DAY = 86_400;

describe('between receives', () => {
  test.each([
    ['the first', { receiveCount: 1, ageSeconds: 1 }, 30, 36],
    ['the second', { receiveCount: 2, ageSeconds: 40 }, 35, 44],
    ['the third and each that follows within ten minutes', { receiveCount: 3, ageSeconds: 80 }, 40, 50],
    ['the twelfth, within ten minutes', { receiveCount: 12, ageSeconds: 590 }, 40, 50],
    ['one after half an hour', { receiveCount: 30, ageSeconds: 1800 }, 96, 120],
    ['one after three hours', { receiveCount: 100, ageSeconds: 3 * 3600 }, 96, 120],
    ['one after four hours', { receiveCount: 120, ageSeconds: 4 * 3600 }, 224, 280],
    ['one after a day', { receiveCount: 300, ageSeconds: DAY }, 224, 280],
    ['one after three days', { receiveCount: 600, ageSeconds: 3 * DAY }, 672, 840],
    ['the first, though a day old: it was not received before', { receiveCount: 1, ageSeconds: DAY }, 30, 36],
    ['one of many, young', { receiveCount: 2, ageSeconds: 40, isOneOfMany: true }, 31, 58],
    ['one of many, after a day', { receiveCount: 300, ageSeconds: DAY, isOneOfMany: true }, 196, 280],
  ])('%s waits as long', (_, options, least, most) => {
    expect([keptWaitSeconds(options, 0), keptWaitSeconds(options, 0.999999)]).toEqual([least, most]);
  });

  test.each([
    ['longer than our own wait is the least, with jitter on top', 300, 300, 330],
    ['shorter than our own wait changes nothing', 5, 30, 36],
    ['within our own wait is respected', 33, 33, 39],
    ['in fractions is rounded up', 100.2, 101, 113],
    ['for a day is capped, so that the next call comes within 15 minutes', 86_400, 870, 900],
    ['forever is capped too', Number.POSITIVE_INFINITY, 870, 900],
  ])('a Retry-After %s', (_, askedSeconds, least, most) => {
    const options = { receiveCount: 1, ageSeconds: 1, askedSeconds };
    expect([keptWaitSeconds(options, 0), keptWaitSeconds(options, 0.999999)]).toEqual([least, most]);
  });

  test('a receive count that makes no sense waits as the first', () => {
    expect([0, -3].map((receiveCount) => keptWaitSeconds({ receiveCount, ageSeconds: 0 }, 0))).toEqual([30, 30]);
  });

  test('four days of outage take fewer than 1,000 receives, even where each wait is drawn the shortest', () => {
    let receives = 0;
    for (let age = 0; age < 4 * DAY; receives += 1) {
      age += keptWaitSeconds({ receiveCount: receives + 1, ageSeconds: age, isOneOfMany: true }, 0);
    }
    expect(receives).toBeLessThan(1000);
  });

  test('however often Segura comes and goes, coming back early never spends 1,000 receives in four days', () => {
    let receives = 0;
    for (let age = 0; age < 4 * DAY; receives += 1) {
      const options: WaitOptions = { receiveCount: receives + 1, ageSeconds: age, isOneOfMany: true };
      age += mayComeBackEarly(receives + 1, age) ? 10 : keptWaitSeconds(options, 0.5);
    }
    expect(receives).toBeLessThan(1000);
  });

  test('coming back early is allowed to a message that was kept each time, at any age', () => {
    let receives = 0;
    for (let age = 0; age < 4 * DAY; receives += 1) {
      age += keptWaitSeconds({ receiveCount: receives + 1, ageSeconds: age, isOneOfMany: true }, 0.5);
      expect(mayComeBackEarly(receives + 1, age), `after ${age} s`).toBe(true);
    }
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
