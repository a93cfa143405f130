/** Many requests on their way: in which batches, how fast, and what ends the sending. */
import { describe, expect, test } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../functions/aws/message.ts';
import type { EntryResult, OutgoingMessage } from '../../functions/aws/sqs.ts';
import { batchesOf, type Outgoing, sendRequests } from '../../functions/cli/send/requests.ts';

type Answer = (messages: readonly OutgoingMessage[]) => EntryResult[];

const confirmed: Answer = (messages) => messages.map(() => ({ kind: 'confirmed' }));
const failed =
  (scope: 'entry' | 'call'): Answer =>
  (messages) =>
    messages.map(() => ({ kind: 'failed', code: 'AccessDenied', detail: 'simulated', scope }));

const open = (answer: Answer) => {
  const asked: string[][] = [];
  const parts = {
    sqs: {
      sendMessages: async (messages: readonly OutgoingMessage[]) => {
        asked.push(messages.map(({ body }) => body));
        return answer(messages);
      },
    },
    queueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/requests',
  };
  return { parts, asked };
};

async function* requests(...bodies: string[]): AsyncGenerator<Outgoing> {
  for (const [index, body] of bodies.entries()) yield { body, identifier: index + 1, place: `line ${index + 1}` };
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
        yield { body: String(read), identifier: 1, place: '' };
      }
    }
    const { parts } = open((messages) => {
      sent += messages.length;
      return confirmed(messages);
    });
    expect(await sendRequests(endless(), parts)).toMatchObject({ sent: 1000, failed: 0 });
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
    const { parts, asked } = open(failed('call'));
    const result = await sendRequests(requests(...Array.from({ length: 1000 }, String)), {
      ...parts,
      onFailure: (place) => named.push(place),
    });
    expect(result).toMatchObject({ sent: 0, stop: 'AccessDenied: simulated' });
    expect(asked.length).toBeLessThanOrEqual(4);
    expect(named).toHaveLength(result.failed);
  });

  test('go on where SQS refuses single ones, each named with the reason', async () => {
    const named: string[] = [];
    const { parts, asked } = open(failed('entry'));
    const result = await sendRequests(requests(...Array.from({ length: 100 }, String)), {
      ...parts,
      onFailure: (place, reason) => named.push(`${place} ${reason}`),
    });
    expect(result).toMatchObject({ sent: 0, failed: 100 });
    expect(asked).toHaveLength(10);
    expect(named).toContain('line 100 AccessDenied: simulated');
  });

  test('end where a receipt cannot be written, once all that is under way is told, with what was sent', async () => {
    const held: (() => void)[] = [];
    let settled = 0;
    const { parts, asked } = open(confirmed);
    const sending = sendRequests(requests(...Array.from({ length: 1000 }, String)), {
      ...parts,
      sqs: {
        sendMessages: async (messages) => {
          await new Promise<void>((resolve) => held.push(resolve));
          return parts.sqs.sendMessages(messages);
        },
      },
      journal: {
        begin: () => undefined,
        settle: () => {
          settled += 1;
          if (settled === 1)
            throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        },
      },
    });
    await expect.poll(() => held.length).toBe(4);
    const [first, ...others] = held;
    first?.();
    await expect.poll(() => settled).toBe(1);
    for (const each of others) each();
    const result = await sending;
    expect(result).toMatchObject({ sent: 40, failed: 0, stop: 'ENOSPC: no space left on device, write' });
    expect([asked.length, settled]).toEqual([4, 4]);
  });

  test('end where their source fails, with the whole batches that were sent before', async () => {
    async function* broken(): AsyncGenerator<Outgoing> {
      yield* requests(...Array.from({ length: 25 }, String));
      throw new Error('the file ends in the middle of a line');
    }
    const result = await sendRequests(broken(), open(confirmed).parts);
    expect(result).toMatchObject({ sent: 20, failed: 0, stop: 'the file ends in the middle of a line' });
  });
});
