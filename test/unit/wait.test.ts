/** Waiting by the audit log: what settles a request, what does not, and where each look begins. */
import { expect, test } from 'vitest';
import { type Settled, waitUntilSettled } from '../../functions/cli/send/wait.ts';

const START = Date.parse('2026-11-26T10:00:00Z');
const line = (messageId: string, outcome: string, more: object = {}) => ({
  message: JSON.stringify({
    message: 'password enable',
    timestamp: new Date(START).toISOString(),
    messageId,
    outcome,
    ...more,
  }),
});

/** Answers one page for each look. */
const open = (...pages: readonly (readonly object[])[]) => {
  const left = [...pages];
  const asked: { startTime: number; endTime: number; filterPattern: string }[] = [];
  const settled: Settled[] = [];
  const kept: number[] = [];
  const stop = new AbortController();
  let now = START;
  const parts = {
    client: {
      send: async ({ input }: { input: (typeof asked)[number] }) => {
        asked.push(input);
        return { events: left.shift() ?? [] };
      },
    } as never,
    logGroup: '/aws/lambda/enable-password',
    since: new Date(START),
    now: () => now,
    sleep: async () => {
      now += 600_000;
      if (left.length === 0) stop.abort();
    },
    signal: stop.signal,
    onSettled: (each: Settled) => settled.push(each),
    onLook: (count: number) => kept.push(count),
  };
  const waiting = (...ids: string[]) =>
    new Map(
      ids.map((messageId, index) => [messageId, { place: `line ${index + 1}`, identifier: index + 1, messageId }]),
    );
  return { parts, asked, settled, kept, waiting };
};

test('kept is not the end; a later delivery is, also of a replay under another message id', async () => {
  const { parts, settled, kept, waiting } = open(
    [line('a', 'kept'), line('b', 'enabled'), line('strange', 'enabled')],
    [line('a2', 'rejected', { originalMessageId: 'a', errorCode: '1006', errorMessage: 'no access' })],
  );
  const left = waiting('a', 'b');
  await waitUntilSettled({ ...parts, waiting: left });
  expect(left.size).toBe(0);
  expect(settled.map(({ request, outcome, errorCode }) => [request.place, outcome, errorCode])).toEqual([
    ['line 2', 'enabled', undefined],
    ['line 1', 'rejected', '1006'],
  ]);
  expect(kept).toEqual([1, 0]);
});

test('each look goes back far enough for lines that come late, and never before the sending but for clocks that differ', async () => {
  const { parts, asked, waiting } = open([], [], []);
  const left = waiting('a', 'b');
  await waitUntilSettled({ ...parts, waiting: left });
  expect(left.size).toBe(2);
  expect(asked.map(({ startTime }) => (startTime - START) / 1000)).toEqual([-60, -60, 300]);
  expect(asked.map(({ endTime }) => (endTime + 1 - START) / 1000)).toEqual([60, 660, 1260]);
});

test('a single request is asked for by its message id', async () => {
  const { parts, asked, waiting } = open([line('a', 'already-enabled')]);
  await waitUntilSettled({ ...parts, waiting: waiting('a') });
  expect(asked.map(({ filterPattern }) => filterPattern)).toEqual([expect.stringContaining('$.messageId = "a"')]);
});
