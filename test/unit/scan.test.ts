/** Reading a dead-letter queue as a whole: what several receives bring in one turn, and what one that fails ends. */
import { describe, expect, test } from 'vitest';
import type { Sqs, SqsClient } from '../../functions/aws/sqs.ts';
import { createScan, type Turn } from '../../functions/dead-letters/scan.ts';

const URL = 'https://sqs.eu-west-1.amazonaws.com/1/rejected';

const messagesFrom = (first: number): readonly object[] =>
  Array.from({ length: 10 }, (_, index) => ({
    MessageId: String(first + index),
    ReceiptHandle: `handle ${first + index}`,
    Body: '1',
    Attributes: { SentTimestamp: '1' },
  }));

const denied = Object.assign(new Error('not allowed\nand a second line'), {
  name: 'AccessDenied',
  $fault: 'client',
  $metadata: { httpStatusCode: 403 },
});

/** Each receive answers with the next; where there is none, the queue is empty. */
const openScan = (...answers: readonly (readonly object[] | Error)[]) => {
  const left = [...answers];
  const released: string[] = [];
  const client = {
    send: async () => {
      const next = left.shift();
      if (next instanceof Error) throw next;
      return { Messages: next };
    },
  } as unknown as SqsClient;
  const sqs: Sqs = {
    sendMessages: async () => [],
    deleteMessages: async () => [],
    changeVisibility: async (changes) => {
      released.push(...changes.map(({ receiptHandle }) => receiptHandle));
      return changes.map(() => ({ kind: 'confirmed' }));
    },
  };
  const scan = createScan({ client, sqs }, { name: 'rejected', url: URL }, { visibilitySeconds: 120, now: () => 1000 });
  return { scan, released };
};

describe('a scan', () => {
  test('ends with the failure of a receive as a value, in one line', async () => {
    const { scan } = openScan(messagesFrom(0), denied);
    const turns: Turn[] = [];
    for await (const turn of scan.turns()) turns.push(turn);
    expect(turns.map(({ kind }) => kind)).toEqual(['letters', 'failed']);
    expect(turns.at(-1)).toEqual({ kind: 'failed', code: 'AccessDenied', detail: 'not allowed' });
  });

  test('gives what other receives brought beside one that failed, and gives all of it back', async () => {
    // The second turn asks twice at once.
    const { scan, released } = openScan(messagesFrom(0), denied, messagesFrom(10));
    const seen: string[] = [];
    let last = '';
    for await (const turn of scan.turns()) {
      last = turn.kind;
      if (turn.kind === 'letters') seen.push(...turn.letters.map(({ messageId }) => messageId));
    }
    expect([seen.length, last]).toEqual([20, 'failed']);
    await scan.release();
    expect(released).toHaveLength(20);
  });

  test('counts nothing as unread where it may not ask', async () => {
    const url = `${URL}.fifo`;
    const client = { send: () => Promise.reject(denied) } as unknown as SqsClient;
    const sqs = {} as Sqs;
    const scan = createScan({ client, sqs }, { name: 'rejected', url }, { visibilitySeconds: 120, now: () => 1000 });
    expect(await scan.countUnread()).toBe(0);
  });
});
