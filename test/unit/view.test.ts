/** What the console's page and the watch in a terminal say, word for word. */
import { describe, expect, test } from 'vitest';
import { countsLine, summaryLines } from '../../functions/cli/local/summary.ts';
import type { Breakage } from '../../infra/local/console/fault-names.ts';
import type { MessageRow, RequestsView, Snapshot } from '../../infra/local/console/snapshot.ts';
import {
  answerState,
  chartText,
  clockTime,
  fairnessState,
  headline,
  requestsState,
  rowNote,
  rowState,
  storyLine,
  timeLeft,
} from '../../infra/local/console/view.ts';

const NOW = new Date(2026, 10, 26, 18, 42, 7).getTime();

const EMPTY: RequestsView = { count: 0, waiting: 0, inWork: 0, kept: 0, noisyGroups: [], rows: [] };
const requests = (changes: Partial<RequestsView>): RequestsView => ({ ...EMPTY, ...changes });
const row = (changes: Partial<MessageRow>): MessageRow => ({
  messageId: 'm',
  outcome: 'waiting',
  asked: '10',
  ...changes,
});
const NO_TOTALS = { enabled: 0, 'already-enabled': 0, rejected: 0, kept: 0 };
const QUEUE = { count: 0, rows: [] };

const snapshot = (changes: Partial<Snapshot> = {}): Snapshot => ({
  at: NOW,
  isPaused: false,
  segura: 'up',
  breakages: [],
  answers: [],
  calls: 0,
  requests: EMPTY,
  rejected: QUEUE,
  exhausted: QUEUE,
  outcomes: QUEUE,
  totals: NO_TOTALS,
  ...changes,
});
const DOWN: Breakage = { fault: '503', share: 1 };

test.each([
  [-5000, '0 s'],
  [1, '1 s'],
  [24_000, '24 s'],
  [99_000, '99 s'],
  [99_001, '2 min'],
  [180_000, '3 min'],
])('%i ms left is %j', (ms, words) => {
  expect(timeLeft(ms)).toBe(words);
});

describe('a row', () => {
  test.each([
    [{ outcome: 'waiting' }, 'waiting'],
    [{ outcome: 'in-work' }, 'in work'],
    [{ outcome: 'kept', backAt: NOW + 24_000 }, 'kept, 24 s'],
    [{ outcome: 'enabled', settledAt: NOW }, 'enabled'],
    [{ outcome: 'already-enabled', settledAt: NOW }, 'already enabled'],
    [{ outcome: 'rejected', errorCode: '1005' }, 'rejected (1005)'],
    [{ outcome: 'exhausted' }, 'given up'],
  ] as const)('%j ends with %j', (changes, words) => {
    expect(rowState(row(changes), NOW)).toBe(words);
  });

  test.each([
    [{}, ''],
    [{ requestId: 'RITM0012345' }, 'RITM0012345'],
    [{ settledAt: NOW }, '18:42:07'],
    [{ requestId: 'RITM0012345', settledAt: NOW }, 'RITM0012345'],
    [{ groupId: 'hr' }, 'hr'],
    [{ groupId: 'hr', requestId: 'RITM0012345' }, 'hr · RITM0012345'],
    [{ groupId: 'hr', settledAt: NOW }, 'hr · 18:42:07'],
  ] as const)('%j has the note %j', (changes, note) => {
    expect(rowNote(row(changes))).toBe(note);
  });
});

test('the state of requests counts each kind, and says when the next kept one comes back', () => {
  expect(requestsState(EMPTY, NOW)).toBe('0 waiting · 0 in work · 0 kept');
  expect(requestsState(requests({ waiting: 1, inWork: 2, kept: 3, nextBackAt: NOW + 7100 }), NOW)).toBe(
    '1 waiting · 2 in work · 3 kept, next in 8 s',
  );
});

test('a noisy group is named, and none is no line', () => {
  expect(fairnessState(EMPTY)).toBe('');
  expect(fairnessState(requests({ noisyGroups: ['hr', 'itsm'] }))).toBe(
    'hr, itsm: so many at once that those of others come first',
  );
});

test('an answer of Segura has its status and time; one that never came has neither', () => {
  expect(answerState({ at: NOW, about: '10', status: 503, durationMs: 12 })).toBe('503 in 12 ms');
  expect(answerState({ at: NOW, about: '10', status: 0, durationMs: 0 })).toBe('no answer');
});

describe('the headline', () => {
  test.each([
    ['at first', {}, 'No request yet. Send one, then break something and see what happens.'],
    ['of one under way', { requests: requests({ count: 1, inWork: 1 }) }, '1 request under way.'],
    ['of two under way', { requests: requests({ count: 2, waiting: 2 }) }, '2 requests under way.'],
    [
      'of an outage',
      { breakages: [DOWN], requests: requests({ count: 1, kept: 1 }) },
      'Broken: Gateway answers 503. 1 request in the queue, none lost.',
    ],
    ['of an outage without a request', { breakages: [DOWN] }, 'Broken: Gateway answers 503. Nothing waits.'],
    [
      'after the outage',
      { requests: requests({ count: 2, kept: 2 }) },
      'All is well again. 2 kept requests still to come back.',
    ],
    ['of a pause', { isPaused: true, breakages: [DOWN] }, 'Delivery is paused. Nothing waits.'],
    [
      'of all settled',
      { totals: { ...NO_TOTALS, enabled: 3, 'already-enabled': 1 } },
      'All settled: 4 enabled. Nothing waits.',
    ],
    [
      'of all settled, some rejected',
      { totals: { ...NO_TOTALS, enabled: 3, rejected: 2 } },
      'All settled: 3 enabled, 2 rejected. Nothing waits.',
    ],
    [
      'of one that SQS gave up',
      { totals: { ...NO_TOTALS, enabled: 3 }, exhausted: { count: 1, rows: [] } },
      'Settled: 3 enabled; 1 given up.',
    ],
  ] as const)('%s', (_, changes, words) => {
    expect(headline(snapshot(changes))).toBe(words);
  });
});

describe('the story of a message', () => {
  const line = (changes: object) =>
    storyLine({ timestamp: new Date(NOW).toISOString(), receiveCount: 2, durationMs: 9340, ...changes });

  test.each([
    [{ outcome: 'enabled', attempts: 1 }, '18:42:07 enabled · receive 2 · 1 call to Segura · 9.3 s'],
    [
      { outcome: 'kept', errorCode: 'HTTP503', attempts: 6 },
      '18:42:07 kept (HTTP503) · receive 2 · 6 calls to Segura · 9.3 s',
    ],
    [
      { outcome: 'rejected', errorCode: 'Expired', attempts: 0 },
      '18:42:07 rejected (Expired) · receive 2 · Segura not called · 9.3 s',
    ],
    [{ outcome: 'enabled', attempts: 1, timestamp: 'never' }, 'enabled · receive 2 · 1 call to Segura · 9.3 s'],
  ])('%j is %j', (changes, words) => {
    expect(line(changes)).toBe(words);
  });
});

test('a chart is told as its last and its highest value; gaps are none', () => {
  expect(chartText('Requests', [], '')).toBe('Requests: nothing yet');
  expect(chartText('Wait', [null, 3.4, 12.6, null], ' s')).toBe('Wait: now 13 s, at most 13 s');
});

test('a moment is on the reader’s clock, with two digits each', () => {
  expect(clockTime(new Date(2026, 0, 2, 3, 4, 5).getTime())).toBe('03:04:05');
});

describe('the watch in a terminal', () => {
  test('says what each number counts', () => {
    const totals = { enabled: 4, 'already-enabled': 1, rejected: 2, kept: 9 };
    const at = snapshot({ totals, rejected: { count: 2, rows: [] }, outcomes: { count: 7, rows: [] } });
    expect(countsLine(at)).toBe(
      'enabled 4 · already enabled 1 · rejected 2 · kept 9 times · in the queues: rejected 2, exhausted 0, outcomes 7',
    );
    expect(summaryLines(at)).toEqual(['requests: 0 waiting · 0 in work · 0 kept · Segura: up', countsLine(at)]);
  });

  test('names every fault, a pause, and a noisy group', () => {
    const at = snapshot({
      isPaused: true,
      breakages: [
        { fault: '429', share: 0.5, retryAfter: 30 },
        { fault: 'slow', share: 1, identifier: '12', delayMs: 2000 },
      ],
      requests: requests({ count: 40, kept: 40, nextBackAt: NOW + 1000, noisyGroups: ['hr'] }),
    });
    expect(summaryLines(at)).toEqual([
      'requests: 0 waiting · 0 in work · 40 kept, next in 1 s · Segura: 429 with Retry-After, 30 s, 50 % of calls; Slow answers, 2 s, password 12 only · delivery paused',
      countsLine(at),
      'hr: so many at once that those of others come first',
    ]);
  });
});
