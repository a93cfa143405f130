/** The real clock's own small parts. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { later } from '../../functions/time/sleep.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a task that is given for later is carried out then, once, and what follows after it', () => {
  const done: string[] = [];
  const soon = later(5, () => done.push('after'));
  soon(() => done.push('task'));
  vi.advanceTimersByTime(4);
  expect(done).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(done).toEqual(['task', 'after']);
  vi.advanceTimersByTime(100);
  expect(done).toEqual(['task', 'after']);
});

test('a later task takes the place of one that is not due', () => {
  const done: string[] = [];
  const soon = later(5, () => undefined);
  soon(() => done.push('first'));
  vi.advanceTimersByTime(4);
  soon(() => done.push('second'));
  vi.advanceTimersByTime(4);
  expect(done).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(done).toEqual(['second']);
});
