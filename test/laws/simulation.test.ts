/** The core through days with faults in virtual time, with seeds that nobody has tried before. `npm run simulate` runs more. */
import { expect, test } from 'vitest';
import { FUNCTION_PATIENCE } from '../../functions/aws/attempts.ts';
import { createSqsClient } from '../../functions/aws/clients.ts';
import { text as toText } from '../../functions/aws/message.ts';
import { createSqs, type SqsClient } from '../../functions/aws/sqs.ts';
import type { Answer, Call } from '../../functions/http/send.ts';
import { runs } from '../depth.ts';
import { AWS, createPlainClient, stripped } from '../simulation/aws-clients.ts';
import { runEpisode } from '../simulation/episode.ts';
import { plan } from '../simulation/plan.ts';

const MESSAGES = runs(3000, 600);
const seed = Math.floor(Math.random() * 1e9);
console.log(`npm run simulate -- --messages ${MESSAGES} --seed ${seed}`);

test.each(plan(MESSAGES, seed))('$kind with seed $seed, $messages messages: every invariant holds', async (episode) => {
  const { violations } = await runEpisode(episode);
  expect(violations.join('\n\n')).toBe('');
});

test('a message is exhausted by crashes alone', async () => {
  const { exhausted, violations } = await runEpisode({ seed: 1, kind: 'crash-loop', messages: 500 });
  expect(exhausted).toBeGreaterThan(0);
  expect(violations).toEqual([]);
});

test('the same seed gives the same run', async () => {
  const episode = { seed, kind: 'bad-day', messages: 300 } as const;
  expect(await runEpisode(episode)).toEqual(await runEpisode(episode));
});

test('an invariant that breaks is told with its seed and the story of the message', async () => {
  // Segura is made to forget what it answered: then nothing may count as enabled or rejected.
  const { violations } = await runEpisode({ seed: 7, kind: 'ordinary', messages: 100, isForgetful: true });
  const told = violations.find((violation) => violation.includes('told as enabled, which nobody said'));
  expect(told).toMatch(/^seed 7 \(ordinary\) at \d+\.\d+ s: .*\n {2}message-\d+, identifier/);
  expect(told).toMatch(
    /\d s {2}receive 1: environment \d+, invocation \d+\n.*Segura: (?:already-)?enabled\n.*HTTP 200/,
  );
});

test('the client of days on which SQS is well asks the same of it as the SDK, and hears the same', async () => {
  const answered = (body: object): Answer => ({
    kind: 'answered',
    status: 200,
    headers: {},
    body: JSON.stringify(body),
  });
  const answersTo = (target: string): readonly Answer[] => [
    answered({
      Successful: [{ Id: '0', ...(target.includes('SendMessage') ? { MessageId: 'm' } : {}) }],
      Failed: [{ Id: '1', Code: 'InternalError', SenderFault: true }],
    }),
    answered({}),
    { kind: 'unanswered', failure: 'timeout', code: 'ETIMEDOUT', reusedSocket: false },
    { kind: 'unanswered', failure: 'reset', code: 'ECONNRESET', reusedSocket: true },
  ];
  const play = async (
    open: (connection: { send: (call: Call) => Promise<Answer>; close: () => void }) => SqsClient,
  ) => {
    const calls: unknown[] = [];
    let next = 0;
    const send = async ({ headers, body, timeoutMs }: Call): Promise<Answer> => {
      const target = headers['x-amz-target'] ?? '';
      calls.push({ target, body: JSON.parse(body ?? ''), timeoutMs });
      next += 1;
      const answers = answersTo(target);
      return answers[next % answers.length] as Answer;
    };
    const patience = FUNCTION_PATIENCE;
    const time = { now: () => 0, random: () => 0, sleep: async () => undefined };
    const sqs = createSqs({ ...time, patience, client: open({ send, close: () => undefined }) });
    const queueUrl = 'https://sqs.test/0/requests';
    const letter = { queueUrl, body: '{"identifier":1}', attributes: { ErrorCode: toText('1006') }, groupId: 'a' };
    const results: unknown[] = [];
    for (let round = 0; round < 4; round += 1) {
      results.push(await sqs.sendMessages([letter, letter], 900));
      results.push(await sqs.changeVisibility([{ queueUrl, receiptHandle: 'h', visibilitySeconds: 30 }], 900));
      results.push(await sqs.deleteMessages([{ queueUrl, receiptHandle: 'h' }], 900));
    }
    return { calls, results };
  };
  const said = await play(createPlainClient);
  expect(said).toEqual(await play((connection) => stripped(createSqsClient(AWS, connection))));
  expect(said.calls.length).toBeGreaterThanOrEqual(12);
});
