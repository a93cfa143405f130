/** Batches on their way: what SQS says of each entry, what is tried again, and what ends the sending. */
import type { SendMessageBatchCommand, SendMessageBatchResult } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../functions/aws/message.ts';
import { sendBatch } from '../../functions/aws/send-batch.ts';
import { batchesOf, type Outgoing, sendRequests } from '../../functions/cli/send/requests.ts';

type Answer = (ids: readonly string[]) => SendMessageBatchResult;

const confirmed: Answer = (ids) => ({
  Successful: ids.map((Id) => ({ Id, MessageId: Id, MD5OfMessageBody: '' })),
  Failed: [],
});
const failed =
  (Code: string, SenderFault: boolean, ...which: string[]): Answer =>
  (ids) => ({
    ...confirmed(ids.filter((id) => !which.includes(id))),
    Failed: ids.filter((id) => which.includes(id)).map((Id) => ({ Id, Code, SenderFault })),
  });
const error =
  (name: string, fault: 'client' | 'server' = 'client'): Answer =>
  () => {
    throw Object.assign(new Error('simulated'), { name, $fault: fault, $metadata: {} });
  };

/** Answers in this order; the last one for good. */
const open = (...answers: readonly Answer[]) => {
  const asked: string[][] = [];
  const waits: number[] = [];
  const left = [...answers];
  const parts = {
    sqs: {
      send: async ({ input }: SendMessageBatchCommand) => {
        const bodies = input.Entries?.map(({ MessageBody = '' }) => MessageBody) ?? [];
        asked.push(bodies);
        const answer = left.length > 1 ? left.shift() : left[0];
        return answer?.(input.Entries?.map(({ Id = '' }) => Id) ?? []);
      },
    } as never,
    queueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/requests',
    random: () => 1,
    sleep: async (ms: number) => void waits.push(ms),
  };
  return { parts, asked, waits };
};

const entries = ['a', 'b', 'c'].map((MessageBody) => ({ MessageBody }));

describe('one batch', () => {
  test('only what SQS names as successful is confirmed', async () => {
    const { parts } = open(() => ({ Successful: [{ Id: '1', MessageId: 'm', MD5OfMessageBody: '' }], Failed: [] }));
    expect((await sendBatch(parts, entries)).reasons).toEqual([
      'SQS said nothing of it',
      undefined,
      'SQS said nothing of it',
    ]);
  });

  test('only what was not confirmed is sent again', async () => {
    const { parts, asked } = open(failed('InternalError', false, '1'), confirmed);
    expect(await sendBatch(parts, entries)).toEqual({ reasons: [undefined, undefined, undefined] });
    expect(asked).toEqual([['a', 'b', 'c'], ['b']]);
  });

  test('a sender’s fault is not tried again, throttling is though SQS calls it one', async () => {
    const { parts, asked } = open(failed('InvalidMessageContents', true, '0'), confirmed);
    expect((await sendBatch(parts, entries)).reasons).toEqual(['InvalidMessageContents', undefined, undefined]);
    expect(asked).toHaveLength(1);
    const throttled = open(failed('RequestThrottled', true, '0'), confirmed);
    expect((await sendBatch(throttled.parts, entries)).reasons).toEqual([undefined, undefined, undefined]);
  });

  test('waits grow, and end', async () => {
    const { parts, asked, waits } = open(failed('InternalError', false, '0', '1', '2'));
    const { reasons, stop } = await sendBatch(parts, entries);
    expect(reasons).toEqual(['InternalError', 'InternalError', 'InternalError']);
    expect(stop).toBeUndefined();
    expect(asked).toHaveLength(5);
    expect(waits).toEqual([200, 400, 800, 1600]);
  });

  test.each([
    ['AccessDenied', 'client', 1],
    ['QueueDoesNotExist', 'client', 1],
    ['RequestThrottled', 'client', 5],
    ['InternalFailure', 'server', 5],
  ] as const)('%s is tried %s fault: %i times, and stops all others', async (name, fault, attempts) => {
    const { parts, asked } = open(error(name, fault));
    const { reasons, stop } = await sendBatch(parts, entries);
    expect(stop).toBe(`${name}: simulated`);
    expect(reasons).toEqual([stop, stop, stop]);
    expect(asked).toHaveLength(attempts);
  });

  test('a failure that passes does not stop the others', async () => {
    const { parts } = open(error('RequestThrottled'), confirmed);
    expect(await sendBatch(parts, entries)).toEqual({ reasons: [undefined, undefined, undefined] });
  });

  test('a bug is thrown, not taken for a failure of SQS', async () => {
    const { parts } = open(() => {
      throw new TypeError('ours');
    });
    await expect(sendBatch(parts, entries)).rejects.toThrow('ours');
  });
});

async function* requests(...bodies: string[]): AsyncGenerator<Outgoing> {
  for (const [index, body] of bodies.entries()) yield { body, place: `line ${index + 1}` };
}

describe('many requests', () => {
  test('go in batches of ten, and of at most 1 MiB', async () => {
    const large = 'x'.repeat(MAX_MESSAGE_BYTES / 2);
    const sizes = async (...bodies: string[]): Promise<number[]> => {
      const found: number[] = [];
      for await (const batch of batchesOf(requests(...bodies))) found.push(batch.length);
      return found;
    };
    expect(await sizes(...Array.from({ length: 25 }, String))).toEqual([10, 10, 5]);
    expect(await sizes(large, large, large, '1')).toEqual([2, 2]);
    expect(await sizes('x'.repeat(MAX_MESSAGE_BYTES), '1')).toEqual([1, 1]);
    expect(await sizes()).toEqual([]);
  });

  test('are read no faster than SQS confirms them', async () => {
    let read = 0;
    let sent = 0;
    let ahead = 0;
    async function* endless(): AsyncGenerator<Outgoing> {
      for (; read < 1000; read += 1) {
        ahead = Math.max(ahead, read - sent);
        yield { body: String(read), place: '' };
      }
    }
    const { parts } = open((ids) => {
      sent += ids.length;
      return confirmed(ids);
    });
    expect(await sendRequests(endless(), parts)).toEqual({ sent: 1000, failed: 0 });
    expect(ahead).toBeLessThanOrEqual(60);
  });

  test('keep their order in a FIFO queue: one batch after the other', async () => {
    const { parts, asked } = open(confirmed);
    const bodies = Array.from({ length: 35 }, String);
    await sendRequests(requests(...bodies), { ...parts, queueUrl: `${parts.queueUrl}.fifo` });
    expect(asked.flat()).toEqual(bodies);
  });

  test('end where SQS refuses for good; what failed is named by its place', async () => {
    const named: string[] = [];
    const { parts, asked } = open(error('AccessDenied'));
    const result = await sendRequests(requests(...Array.from({ length: 1000 }, String)), {
      ...parts,
      onFailure: (place) => named.push(place),
    });
    expect(result).toMatchObject({ sent: 0, stop: 'AccessDenied: simulated' });
    expect(asked.length).toBeLessThanOrEqual(4);
    expect(named).toHaveLength(result.failed);
  });
});
