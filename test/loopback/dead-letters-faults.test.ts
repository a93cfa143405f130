/** What `dead-letters replay` does when SQS throttles, refuses, says "Failed", or answers too late: nothing is lost. */
import { describe, expect, test } from 'vitest';
import { startSqs } from '../../infra/local/sqs.ts';
import { environmentOf, type LetterOptions, putLetters, runCommand } from './command.ts';
import { makeFolder } from './folder.ts';

const letters = (count: number): LetterOptions[] =>
  Array.from({ length: count }, (_, index) => ({ identifier: index + 1, code: '1006' }));
const bodiesOf = (count: number): string[] => letters(count).map(({ identifier }) => JSON.stringify({ identifier }));

const openQueues = async () => {
  const sqs = await startSqs();
  const env = environmentOf(sqs);
  const bodies = (queue: 'requests' | 'rejected'): string[] => sqs.messages(queue).map(({ body }) => body);
  return {
    sqs,
    bodies,
    replay: (args: string[] = [], meanwhile?: () => void) =>
      runCommand(['dead-letters', 'replay', '--yes', '--queue', 'rejected', '--json', ...args], {
        env,
        ...(meanwhile ? { meanwhile } : {}),
      }),
    /** Everything there is, wherever it is, once. */
    distinct: (): string[] => [...new Set([...bodies('requests'), ...bodies('rejected')])].sort(),
    inFlight: (): number => sqs.messages('rejected').filter(({ isInFlight }) => isInFlight).length,
    [Symbol.asyncDispose]: () => sqs.close(),
  };
};

describe.concurrent('replay', () => {
  test('entries that SQS could not take just now are tried again', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', letters(5));
    queues.sqs.next('SendMessageBatch', { kind: 'failed-entries' }, { kind: 'failed-entries' });
    const { status, json } = await queues.replay();
    expect(status).toBe(0);
    expect(json).toMatchObject({ replayed: 5, failed: 0 });
    expect(queues.bodies('requests').sort()).toEqual(bodiesOf(5).sort());
  });

  test('entries that SQS refuses stay where they are, are named, and the status is 1', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', letters(5));
    queues.sqs.settings.faults.set('SendMessageBatch', {
      kind: 'failed-entries',
      code: 'InvalidMessageContents',
      senderFault: true,
    });
    const { status, json, stderr } = await queues.replay();
    expect(status).toBe(1);
    expect(json).toMatchObject({ matched: 5, replayed: 0, failed: 5 });
    expect(stderr.match(/not sent: InvalidMessageContents/g)).toHaveLength(5);
    expect(queues.bodies('rejected')).toHaveLength(5);
    expect(queues.inFlight()).toBe(0);
    expect(queues.sqs.calls('DeleteMessageBatch')).toEqual([]);
  });

  test('throttling is waited out, longer than the SDK would', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', letters(5));
    queues.sqs.next('SendMessageBatch', ...Array.from({ length: 6 }, () => ({ kind: 'throttle' }) as const));
    const { status, json } = await queues.replay();
    expect(status).toBe(0);
    expect(json).toMatchObject({ replayed: 5, failed: 0 });
  });

  test('access denied half way ends the run; what was sent is counted, the rest stays there, visible', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', letters(60));
    const { status, json, stderr } = await queues.replay(['--rate', '40'], () => {
      if (queues.sqs.calls('SendMessageBatch').length > 8) {
        queues.sqs.settings.faults.set('SendMessageBatch', { kind: 'denied' });
      }
    });
    const moved = queues.bodies('requests').length;
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(60);
    expect(status).toBe(1);
    expect(json).toMatchObject({ replayed: moved, failed: 10 });
    expect(stderr).toContain('AccessDenied');
    expect(queues.bodies('rejected')).toHaveLength(60 - moved);
    expect(queues.inFlight()).toBe(0);
    expect(queues.distinct()).toEqual(bodiesOf(60).sort());
  });

  test('a queue that may not be received from is said so, with 1 and the counts', async () => {
    await using queues = await openQueues();
    queues.sqs.settings.faults.set('ReceiveMessage', { kind: 'denied' });
    const { status, json, stderr } = await queues.replay();
    expect(status).toBe(1);
    expect(json).toMatchObject({ matched: 0, replayed: 0 });
    expect(stderr).toContain('AccessDenied');
  });

  test('a send whose answer is lost is sent again rather than taken for done', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', letters(5));
    queues.sqs.next('SendMessageBatch', { kind: 'lost-answer' });
    const { status, json } = await queues.replay();
    expect(status).toBe(0);
    expect(json).toMatchObject({ replayed: 5 });
    expect([...new Set(queues.bodies('requests'))].sort()).toEqual(bodiesOf(5).sort());
    expect(queues.bodies('rejected')).toEqual([]);
  });

  test('what was sent and cannot be deleted counts as failed, and is said', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', letters(3));
    queues.sqs.settings.faults.set('DeleteMessageBatch', {
      kind: 'failed-entries',
      code: 'ReceiptHandleIsInvalid',
      senderFault: true,
    });
    const { status, json, stderr } = await queues.replay();
    expect(status).toBe(1);
    expect(json).toMatchObject({ matched: 3, replayed: 0, failed: 3 });
    expect(stderr).toContain('it may be replayed twice');
    expect(queues.bodies('rejected')).toHaveLength(3);
  });

  test('letters stay ours through a replay slower than their visibility timeout: each is sent once', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', letters(10));
    const { status, json } = await queues.replay(['--visibility-timeout', '4', '--rate', '1.5']);
    expect(status).toBe(0);
    expect(json).toMatchObject({ matched: 10, replayed: 10, failed: 0 });
    expect(queues.bodies('requests').sort()).toEqual(bodiesOf(10).sort());
    expect(queues.sqs.calls('ChangeMessageVisibilityBatch').length).toBeGreaterThan(0);
  });

  test('a receipt handle that expired in a slow replay: the letter is not sent, and not lost', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', letters(6));
    queues.sqs.settings.faults.set('ChangeMessageVisibilityBatch', { kind: 'denied' });
    const { status, json, stderr } = await queues.replay(['--visibility-timeout', '1', '--rate', '2']);
    expect(status).toBe(1);
    const moved = queues.bodies('requests').length;
    expect(moved).toBeLessThan(6);
    expect(json).toMatchObject({ matched: 6, replayed: moved, failed: 6 - moved });
    expect(stderr).toContain('it took too long');
    expect(queues.distinct()).toEqual(bodiesOf(6).sort());
  });

  test('a delete that failed for now is done in the end, with the newest receipt handle', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', letters(3));
    queues.sqs.next('DeleteMessageBatch', { kind: 'failed-entries' }, { kind: 'failed-entries' });
    const { status, json } = await queues.replay();
    expect(status).toBe(0);
    expect(json).toMatchObject({ replayed: 3, failed: 0 });
    expect(queues.bodies('rejected')).toEqual([]);
  });
});

describe.concurrent('what to fix is said', () => {
  const DENIED = { kind: 'denied' } as const;
  const open = async () => {
    const queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', letters(1));
    return queues;
  };
  const run = async (env: Readonly<Record<string, string | undefined>>, words: string) => {
    // In which discard makes its file, named by the second.
    await using folder = await makeFolder();
    const args = ['dead-letters', ...words.split(' '), '--queue', 'rejected', '--json'];
    return runCommand(args, { env, cwd: folder.path });
  };

  test.each([
    ['list', 'sqs:ReceiveMessage and sqs:ChangeMessageVisibility'],
    ['replay --yes', 'sqs:SendMessage on requests'],
    ['discard --yes', 'sqs:DeleteMessage'],
  ])('by %s, of an access that is denied', async (words, right) => {
    await using queues = await open();
    queues.sqs.settings.faults.set('ReceiveMessage', DENIED);
    const { status, stderr } = await run(environmentOf(queues.sqs), words);
    expect(status).toBe(1);
    expect(stderr.replaceAll('\n', ' ')).toMatch(new RegExp(`your role needs .*${right}`));
    expect(stderr).not.toContain('Run it again');
  });

  test.each(['list', 'replay --yes', 'discard --yes'])('by %s, of a queue that is not there', async (words) => {
    await using queues = await open();
    const env = { ...environmentOf(queues.sqs), REJECTED_QUEUE_URL: `${queues.sqs.queueUrl('rejected')}-other` };
    const { status, stderr } = await run(env, words);
    expect(status).toBe(1);
    expect(stderr).toContain('there is no such queue: check its URL');
    expect(stderr).not.toContain('Run it again');
  });

  test.each(['list', 'replay --yes', 'discard --yes'])(
    'by %s, of a region that is not set, with its object',
    async (words) => {
      await using queues = await open();
      const { status, stderr, json } = await run({ ...environmentOf(queues.sqs), AWS_REGION: undefined }, words);
      expect(status).toBe(1);
      expect(stderr).toContain('no AWS region is set: give --region');
      expect(json).toBeTypeOf('object');
    },
  );

  test('by replay, of a server that nobody reaches: check the network, and run it again', async () => {
    await using queues = await open();
    const { stderr } = await run(
      { ...environmentOf(queues.sqs), AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1' },
      'replay --yes',
    );
    expect(stderr).toContain('AWS cannot be reached');
    expect(stderr).toContain('Run it again');
  });
});
