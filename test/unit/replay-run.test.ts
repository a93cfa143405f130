/** A replay as a whole, against an SQS that answers as each test says: sent, seen confirmed, only then deleted. */
import { describe, expect, test } from 'vitest';
import type { EntryResult, Sqs, SqsClient } from '../../functions/aws/sqs.ts';
import type { ReplayOptions } from '../../functions/dead-letters/plan.ts';
import { replay } from '../../functions/dead-letters/replay.ts';

const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/1/requests';
const NOW = Date.parse('2026-11-22T12:00:00Z');
const FAILED: EntryResult = { kind: 'failed', code: 'InternalError', detail: 'later', scope: 'entry' } as EntryResult;

interface Setting {
  readonly isFifo?: boolean;
  /** Bodies that SQS takes. */
  readonly takes?: (body: string) => boolean;
  /** What a letter takes to be sent. */
  readonly sendMs?: number;
}

/** Three letters, of groups a, a and b, in a queue that gives each once. */
const run = async (
  options: Partial<ReplayOptions> = {},
  { isFifo = false, takes = () => true, sendMs = 0 }: Setting = {},
) => {
  let now = NOW;
  const Messages = ['a', 'a', 'b'].map((group, index) => ({
    MessageId: `m${index + 1}`,
    ReceiptHandle: `m${index + 1}`,
    Body: String(index + 1),
    Attributes: { SentTimestamp: String(NOW), ...(isFifo ? { MessageGroupId: group } : {}) },
  }));
  const answers = [Messages];
  const sent: string[] = [];
  const deleted: string[] = [];
  const prolonged: string[] = [];
  const prolongedAtMs: number[] = [];
  const released: string[] = [];
  const confirm = (list: string[]) => async (entries: readonly { readonly receiptHandle: string }[]) => {
    list.push(...entries.map(({ receiptHandle }) => receiptHandle));
    return entries.map((): EntryResult => ({ kind: 'confirmed' }));
  };
  const sqs: Sqs = {
    sendMessages: async (messages) => {
      now += sendMs;
      return messages.map(({ body }) => {
        if (!takes(body)) return FAILED;
        sent.push(body);
        return { kind: 'confirmed' };
      });
    },
    deleteMessages: confirm(deleted),
    changeVisibility: (changes) => {
      const isProlonged = changes.some(({ visibilitySeconds }) => visibilitySeconds > 0);
      if (isProlonged) prolongedAtMs.push(now - NOW);
      return confirm(isProlonged ? prolonged : released)(changes);
    },
  };
  const client = {
    send: async ({ input }: { input: object }) =>
      'AttributeNames' in input && !('MaxNumberOfMessages' in input)
        ? { Attributes: { ApproximateNumberOfMessages: '0' } }
        : { Messages: answers.shift() ?? [] },
  } as unknown as SqsClient;
  const suffix = isFifo ? '.fifo' : '';
  const counts = await replay(
    {
      client,
      sqs,
      queueUrl: QUEUE + suffix,
      deadLetterQueues: [{ name: 'exhausted', url: QUEUE.replace('requests', 'exhausted') + suffix }],
      now: () => now,
      sleep: async (ms) => {
        now += ms;
      },
    },
    { replayedBy: 'ana', maxRequestAgeSeconds: 0, ...options },
  );
  return { counts, sent, deleted, prolongedAtMs, released };
};

describe('a replay', () => {
  test('sends each letter and deletes it then', async () => {
    const { counts, sent, deleted } = await run();
    expect(counts).toMatchObject({ matched: 3, replayed: 3, failed: 0 });
    expect([sent, deleted.toSorted()]).toEqual([
      ['1', '2', '3'],
      ['m1', 'm2', 'm3'],
    ]);
  });

  test('deletes no letter whose sending SQS did not confirm, and gives it back', async () => {
    const { counts, deleted, released } = await run({}, { takes: (body) => body !== '2' });
    expect(counts).toMatchObject({ replayed: 2, failed: 1 });
    expect([deleted, released]).toEqual([['m1', 'm3'], ['m2']]);
  });

  test('without effect sends nothing, deletes nothing, and gives all back', async () => {
    const { counts, sent, deleted, released } = await run({ dryRun: true });
    expect(counts).toMatchObject({ matched: 3, replayed: 3, dryRun: true });
    expect([sent, deleted, released]).toEqual([[], [], ['m1', 'm2', 'm3']]);
  });

  test('sends no later message of a FIFO group than one that was not sent, and goes on with other groups', async () => {
    const { counts, sent } = await run({}, { isFifo: true, takes: (body) => body !== '1' });
    expect(sent).toEqual(['3']);
    expect(counts).toMatchObject({ replayed: 1, failed: 2 });
  });

  test('holds letters that wait for their turn, when half of their time is over', async () => {
    const { sent, prolongedAtMs } = await run({ rate: 1 / 60, visibilitySeconds: 100 });
    expect(sent).toHaveLength(3);
    // Before they would be visible to others.
    expect(prolongedAtMs[0]).toBeGreaterThanOrEqual(50_000);
    expect(prolongedAtMs[0]).toBeLessThan(100_000);
  });
});
