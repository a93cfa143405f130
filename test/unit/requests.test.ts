/** Lines joined into requests, and their fates. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AuditLine, AuditOutcome } from '../../functions/audit/read.ts';
import { createRequests, type Fate, fatesOf, type QueuesNow } from '../../functions/audit/requests.ts';

const AT = Date.parse('2026-10-01T00:00:00Z');

const line = (outcome: AuditOutcome, minute: number, more: Partial<AuditLine> = {}): AuditLine => ({
  at: new Date(AT + minute * 60_000),
  outcome,
  messageId: 'a',
  identifier: 10,
  ...more,
});

const join = (...lines: readonly AuditLine[]) => {
  const requests = createRequests();
  for (const each of lines) requests.add(each);
  return [...requests.entries()];
};

const queues = (more: Partial<QueuesNow> = {}): QueuesNow => ({
  exhausted: new Set(),
  waiting: 1,
  visible: 1,
  visibilityMs: 720_000,
  maxReceiveCount: undefined,
  now: new Date(AT + 3_600_000),
  ...more,
});

const fatesNow = (lines: readonly AuditLine[], now: Partial<QueuesNow>): Fate[] => {
  const requests = join(...lines);
  const fateOf = fatesOf(requests, queues(now));
  return requests.map(([key, request]) => fateOf(key, request));
};

const replayed = (messageId: string, more: Partial<AuditLine> = {}): Partial<AuditLine> => ({
  messageId,
  originalMessageId: 'a',
  replayCount: 1,
  replayedBy: 'bob',
  ...more,
});

describe('a fate', () => {
  test.each<[string, readonly AuditLine[], Partial<QueuesNow>, Fate]>([
    ['enabled once is enabled', [line('enabled', 1)], {}, 'enabled'],
    ['found enabled is already-enabled', [line('already-enabled', 1)], {}, 'already-enabled'],
    [
      'enabled, then found enabled after a kill, is enabled',
      [line('enabled', 1), line('already-enabled', 2)],
      {},
      'enabled',
    ],
    ['kept, then enabled, is enabled', [line('kept', 1), line('enabled', 2)], {}, 'enabled'],
    ['rejected, replayed, enabled is enabled', [line('rejected', 1), line('enabled', 2, replayed('b'))], {}, 'enabled'],
    ['rejected is rejected', [line('rejected', 1)], {}, 'rejected'],
    ['rejected, replayed, kept is waiting', [line('rejected', 1), line('kept', 2, replayed('b'))], {}, 'waiting'],
    ['rejected, and a copy kept beside it, is rejected', [line('rejected', 1), line('kept', 2)], {}, 'rejected'],
    [
      'rejected, replayed and rejected again is rejected',
      [line('rejected', 1), line('rejected', 2, replayed('b'))],
      {},
      'rejected',
    ],
    [
      'kept until later is waiting, visible or not',
      [line('kept', 1, { waitSeconds: 3600 })],
      { visible: 0 },
      'waiting',
    ],
    [
      'kept, and back for less than the visibility timeout, is waiting: it may be in work',
      [line('kept', 1, { waitSeconds: 2900 })],
      { visible: 0 },
      'waiting',
    ],
    [
      'kept, back for longer than that, and nothing visible, is unknown: another message is in the queue',
      [line('kept', 1, { waitSeconds: 2800 })],
      { visible: 0 },
      'unknown',
    ],
    [
      'kept, back for longer than that, with receives left, is waiting: deliveries that are killed write no line',
      [line('kept', 1, { receiveCount: 7 })],
      { visible: 0, maxReceiveCount: 1000 },
      'waiting',
    ],
    [
      'kept, back for longer than all receives that are left can hide it, is unknown',
      [line('kept', 30, { receiveCount: 2 })],
      { visible: 0, maxReceiveCount: 4 },
      'unknown',
    ],
    [
      'kept, back, with no receive left and nothing visible, is unknown: it was given up, and its letter is gone',
      [line('kept', 56, { receiveCount: 4 })],
      { visible: 0, maxReceiveCount: 4 },
      'unknown',
    ],
    [
      'kept, back just now, with no receive left, is waiting: the queues are not read at the same moment',
      [line('kept', 58, { receiveCount: 4, waitSeconds: 90 })],
      { visible: 0, maxReceiveCount: 4 },
      'waiting',
    ],
    [
      'replayed is waiting: its message has all receives before it',
      [line('kept', 1, { receiveCount: 4 }), line('kept', 40, replayed('b', { receiveCount: 1 }))],
      { visible: 0, maxReceiveCount: 4 },
      'waiting',
    ],
    [
      'replayed from two letters, one replay rejected and the other kept since, is waiting',
      [line('rejected', 1), line('rejected', 2, replayed('b')), line('kept', 3, replayed('c'))],
      {},
      'waiting',
    ],
    [
      'replayed from two letters, one replay rejected and the other gone since, is rejected',
      [line('rejected', 1), line('rejected', 2, replayed('b')), line('kept', 3, replayed('c'))],
      { waiting: 0 },
      'rejected',
    ],
    [
      'replayed from two letters, both rejected and a copy of one kept since, is rejected',
      [line('rejected', 1, replayed('b')), line('rejected', 2, replayed('c')), line('kept', 3, replayed('c'))],
      {},
      'rejected',
    ],
    ['kept is waiting', [line('kept', 1)], {}, 'waiting'],
    ['kept is waiting where nobody may ask the queue', [line('kept', 1)], { waiting: undefined }, 'waiting'],
    ['kept, and requests is empty, is unknown', [line('kept', 1)], { waiting: 0 }, 'unknown'],
    [
      'kept longer ago than SQS keeps a message is unknown',
      [line('kept', 1)],
      { now: new Date(AT + 15 * 86_400_000) },
      'unknown',
    ],
  ])('%s', (_, lines, now, fate) => {
    expect(fatesNow(lines, now)).toEqual([fate]);
  });

  test('kept, and its letter in exhausted, is exhausted', () => {
    const [[key = ''] = []] = join(line('kept', 1));
    expect(fatesNow([line('kept', 1)], { waiting: 0, exhausted: new Set([key]) })).toEqual(['exhausted']);
  });
});

test('of requests that should be back, no more are waiting than the queue shows, the last seen first', () => {
  const lines = [3, 1, 2].map((minute) => line('kept', minute, { messageId: `m${minute}` }));
  expect(fatesNow(lines, { waiting: 5, visible: 2 })).toEqual(['waiting', 'unknown', 'waiting']);
});

test('no more are waiting than the queue holds, those first whose wait ends last', () => {
  const lines = [30, 59, 45].map((minute) => line('kept', minute, { messageId: `m${minute}`, waitSeconds: 900 }));
  expect(fatesNow(lines, { waiting: 2, visible: 0, visibilityMs: 3_600_000 })).toEqual([
    'unknown',
    'waiting',
    'waiting',
  ]);
});

test('a copy of a settled request that is still kept takes its place in the queue', () => {
  const lines = [
    line('enabled', 30, { messageId: 'done' }),
    line('kept', 58, { messageId: 'done', waitSeconds: 900 }),
    line('kept', 31, { messageId: 'gone', waitSeconds: 900 }),
  ];
  expect(fatesNow(lines, { waiting: 1, visible: 0, visibilityMs: 3_600_000 })).toEqual(['enabled', 'unknown']);
});

test('a copy that was kept while the request was settled may be gone, and takes no place from one that waits', () => {
  const lines = [
    line('enabled', 57, { messageId: 'done' }),
    line('kept', 58, { messageId: 'done', waitSeconds: 900 }),
    line('kept', 55, { messageId: 'waits' }),
  ];
  expect(fatesNow(lines, { waiting: 1, visible: 0 })).toEqual(['enabled', 'waiting']);
});

test('a request whose wait is not over has its place before any that could have been given up', () => {
  const lines = [
    line('kept', 50, { messageId: 'back', receiveCount: 2 }),
    line('kept', 59, { messageId: 'held', receiveCount: 3, waitSeconds: 90 }),
  ];
  expect(fatesNow(lines, { waiting: 1, visible: 0, maxReceiveCount: 3 })).toEqual(['unknown', 'waiting']);
});

test('a request that was rejected is settled by its first dead letter, whatever a copy says later', () => {
  const [[, request] = []] = join(line('kept', 4), line('rejected', 3), line('rejected', 2, { errorCode: '1006' }));
  expect(request?.rejection).toMatchObject({ at: new Date(AT + 120_000), errorCode: '1006' });
});

describe('a replay', () => {
  test('is joined with its original', () => {
    const [[, request] = []] = join(line('rejected', 1, { errorCode: '1006' }), line('enabled', 2, replayed('b')));
    expect(request).toMatchObject({ messageId: 'a', deliveries: 2, replays: 1, replayedBy: [{ name: 'bob' }] });
  });

  test.each<[string, Partial<AuditLine>]>([
    ['another identifier', { identifier: 11 }],
    ['no identifier', { identifier: undefined as never }],
    ['another ticket', { requestId: 'RITM2' }],
    ['another requester', { requestedBy: 'eve' }],
    ['another original', { originalMessageId: 'z' }],
  ])('that only claims to be one, with %s, is a request of its own', (_, more) => {
    expect(join(line('enabled', 1), line('enabled', 2, replayed('b', more)))).toHaveLength(2);
  });
});

test('lines make the same requests in whatever order they are read', () => {
  const outcomes = fc.constantFrom<AuditOutcome>('enabled', 'already-enabled', 'rejected', 'kept');
  const lines = fc.uniqueArray(
    fc.record({ outcome: outcomes, minute: fc.nat(1000), id: fc.constantFrom('a', 'b'), count: fc.nat(9) }),
    { selector: ({ minute }) => minute, maxLength: 12 },
  );
  fc.assert(
    fc.property(lines, (drawn) => {
      const made = drawn.map(({ outcome, minute, id, count }) =>
        line(outcome, minute, { messageId: id, attempts: count, sentBy: `AROA${count}` }),
      );
      const told = (some: readonly AuditLine[]) => new Map(join(...some));
      expect(told(made.toReversed())).toEqual(told(made));
      const counted = [...told(made).values()].reduce((sum, { deliveries }) => sum + deliveries, 0);
      expect(counted).toBe(made.length);
    }),
  );
});
