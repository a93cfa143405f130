/** The command line with a reader that goes away, such as `| head`: no stack trace, nothing left held, the status stays. */
import { describe, expect, test } from 'vitest';
import { startSqs } from '../../infra/local/sqs.ts';
import { type CommandOptions, environmentOf, type LetterOptions, putLetters, runCommand } from './command.ts';

const LETTERS = 200;

const openQueues = async () => {
  const sqs = await startSqs();
  const letters: LetterOptions[] = Array.from({ length: LETTERS }, (_, index) => ({
    identifier: index + 1,
    code: '1006',
  }));
  await putLetters(sqs, 'rejected', letters);
  return {
    sqs,
    run: (words: string, closes: NonNullable<CommandOptions['closes']>) =>
      runCommand(words.split(' '), { env: environmentOf(sqs), closes }),
    inFlight: (): number => sqs.messages('rejected').filter(({ isInFlight }) => isInFlight).length,
    [Symbol.asyncDispose]: () => sqs.close(),
  };
};

describe.concurrent('a reader that goes away', () => {
  test.each([
    'dead-letters list --queue rejected --letters',
    'dead-letters list --queue rejected --letters --json',
    'dead-letters replay --queue rejected --dry-run',
  ])('ends "%s" early, with 1, and everything is given back', async (words) => {
    await using queues = await openQueues();
    const { status, stderr } = await queues.run(words, { output: 'stdout', afterBytes: 1 });
    expect(stderr).not.toMatch(/EPIPE|^ +at /m);
    expect(status).toBe(1);
    expect(queues.inFlight()).toBe(0);
    expect(queues.sqs.messages('rejected')).toHaveLength(LETTERS);
  });

  test('ends a replay after the batch under way; what was not sent stays there, visible', async () => {
    await using queues = await openQueues();
    const refused = { kind: 'failed-entries', code: 'InvalidMessageContents', senderFault: true } as const;
    // What SQS refuses is told on standard error, where nobody reads any more.
    queues.sqs.next('SendMessageBatch', refused);
    const words = 'dead-letters replay --queue rejected --rate 30 --yes --json';
    const { status, json } = await queues.run(words, { output: 'stderr', afterBytes: 0 });
    expect(status).toBe(1);
    const { replayed, failed } = json as { replayed: number; failed: number };
    expect(failed).toBe(10);
    expect(queues.sqs.messages('requests')).toHaveLength(replayed);
    expect(queues.sqs.messages('rejected')).toHaveLength(LETTERS - replayed);
    expect(replayed).toBeLessThan(LETTERS / 2);
    expect(queues.inFlight()).toBe(0);
  });

  test.each([
    ['--help', 'stdout', 0],
    ['dead-letters list --queue nonsense', 'stderr', 2],
    ['doctor', 'stdout', 1],
  ] as const)('changes nothing of how "%s" ends', async (words, output, expected) => {
    await using queues = await openQueues();
    const { status, stdout, stderr } = await queues.run(words, { output, afterBytes: 0 });
    expect([status, output === 'stdout' ? stderr : stdout]).toEqual([expected, '']);
  });
});
