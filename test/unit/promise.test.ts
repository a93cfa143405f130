/** The waits that the simulation and `npm run outage` hold recovery against. */
import { expect, test } from 'vitest';
import { promiseOf } from '../simulation/promise.ts';

const MINUTE = 60;
const DAY = 86_400;

test.each([
  ['a minute', MINUTE, { median: 10, last: 60 }],
  ['ten minutes', 10 * MINUTE, { median: 30, last: 120 }],
  ['three hours', 180 * MINUTE, { median: 60, last: 300 }],
  ['a day', DAY, { median: 60, last: 300 }],
])('a hundred requests are promised the waits of the contract after an outage of %s', (_, seconds, promised) => {
  expect(promiseOf(seconds, 100)).toEqual(promised);
});

test.each([
  ['ten minutes', 10 * MINUTE, 60],
  ['a day', DAY, 300],
])('a single request is promised the wait of the contract after an outage of %s', (_, seconds, wait) => {
  expect(promiseOf(seconds, 1)).toEqual({ median: wait, last: wait });
});

test('half of a few requests are promised the wait of a single one, not of a hundred', () => {
  expect(promiseOf(MINUTE, 5)).toEqual({ median: 60, last: 60 });
  expect(promiseOf(DAY, 5)).toEqual({ median: 300, last: 300 });
});
