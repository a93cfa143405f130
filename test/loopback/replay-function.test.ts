/** The replay-dead-letters function, built: the same replay, by event, within its time. */
import { expect, test } from 'vitest';
import { bundleOf, createLambda } from '../../infra/local/lambda.ts';
import { startSqs } from '../../infra/local/sqs.ts';
import { environmentOf, type LetterOptions, putLetters } from './command.ts';
import { startInProcess } from './in-process-lambda.ts';

const openFunction = async () => {
  const sqs = await startSqs();
  const lambda = createLambda({
    ...{ bundle: bundleOf('replay-dead-letters'), env: environmentOf(sqs), timeoutMs: 60_000 },
    startEnvironment: startInProcess,
  });
  return {
    sqs,
    lambda,
    invoke: async (event: unknown, remainingMs = 60_000) => {
      const { payload, functionError } = await lambda.invoke(event, { remainingMs });
      if (functionError) throw new Error(functionError);
      return payload as Record<string, unknown>;
    },
    count: (queue: 'requests' | 'rejected' | 'exhausted'): number => sqs.messages(queue).length,
    [Symbol.asyncDispose]: async () => {
      await lambda.close();
      await sqs.close();
    },
  };
};

const letters = (count: number): LetterOptions[] =>
  Array.from({ length: count }, (_, index) => ({
    identifier: index + 1,
    code: index % 2 ? '1005' : '1006',
    failedAt: new Date(Date.now() - 60_000),
  }));

test.concurrent('the event holds the options of the command; the answer holds the counts of the contract', async () => {
  await using replayer = await openFunction();
  const { sqs, lambda, invoke, count } = replayer;
  await putLetters(sqs, 'rejected', letters(20));
  const answer = await invoke({ queue: 'rejected', code: ['1006'], limit: 4, reason: 'shared', replayedBy: 'ana' });
  expect(answer).toEqual({ matched: 4, replayed: 4, duplicates: 0, expired: 0, failed: 0, dryRun: false });
  expect([count('requests'), count('rejected')]).toEqual([4, 16]);
  const audit = lambda.lines.filter(({ message }) => message === 'dead letter');
  expect(audit).toHaveLength(4);
  expect(audit[0]).toMatchObject({ outcome: 'replayed', replayedBy: 'ana', replayReason: 'shared', replayCount: 0 });
});

test.concurrent('the event takes the same filters as the command', async () => {
  await using replayer = await openFunction();
  const { sqs, invoke, count } = replayer;
  const ticket = JSON.stringify({ identifier: 1, requestId: 'RITM1', source: 'itsm' });
  await putLetters(sqs, 'rejected', [{ body: ticket, code: '1006' }, ...letters(2)]);
  expect(await invoke({ requestId: 'RITM2' })).toMatchObject({ matched: 0 });
  expect(await invoke({ requestId: 'RITM1', source: 'other' })).toMatchObject({ matched: 0 });
  const [{ messageId } = { messageId: '' }] = sqs.messages('rejected').filter(({ body }) => body === ticket);
  expect(await invoke({ requestId: 'RITM1', source: 'itsm', messageId })).toMatchObject({ matched: 1, replayed: 1 });
  expect([count('requests'), count('rejected')]).toEqual([1, 2]);
});

test.concurrent('without a queue both are meant', async () => {
  await using replayer = await openFunction();
  const { sqs, invoke, count } = replayer;
  await putLetters(sqs, 'rejected', letters(2));
  await putLetters(sqs, 'exhausted', [{ identifier: 3 }]);
  expect(await invoke({})).toMatchObject({ matched: 3, replayed: 3 });
  expect([count('requests'), count('rejected'), count('exhausted')]).toEqual([3, 0, 0]);
});

test.concurrent('when its time is nearly up it answers with a cursor; handed on until there is none, all is replayed', async () => {
  await using replayer = await openFunction();
  const { sqs, invoke, count } = replayer;
  await putLetters(sqs, 'rejected', letters(12));
  let cursor: unknown;
  let replayed = 0;
  let runs = 0;
  do {
    // At this rate a run of three seconds does not come to the end.
    const answer = await invoke({ queue: 'rejected', rate: 5, limit: 10, ...(cursor ? { cursor } : {}) }, 3000);
    replayed += answer['replayed'] as number;
    cursor = answer['cursor'];
    runs += 1;
    // What fails again meanwhile is none of this replay's business.
    if (cursor) await putLetters(sqs, 'rejected', [{ identifier: 99, code: '1006', replayCount: 1 }]);
  } while (cursor && runs < 10);
  expect(runs).toBeGreaterThan(1);
  expect(replayed).toBe(10);
  expect(count('requests')).toBe(10);
  expect(sqs.messages('requests').filter(({ body }) => body.includes('99'))).toEqual([]);
  expect(sqs.messages('rejected').filter(({ isInFlight }) => isInFlight)).toEqual([]);
});

test.concurrent('a failure of SQS is answered beside the counts', async () => {
  await using replayer = await openFunction();
  const { sqs, invoke, count } = replayer;
  await putLetters(sqs, 'rejected', letters(3));
  sqs.settings.faults.set('SendMessageBatch', { kind: 'denied' });
  const answer = await invoke({ queue: 'rejected' });
  expect(answer).toMatchObject({ replayed: 0, failed: 3, error: expect.stringContaining('AccessDenied') });
  expect(count('rejected')).toBe(3);
});

const WRONG_EVENTS = [
  [null, 'it is not an object'],
  [[], 'it is not an object'],
  [{ queue: 'requests' }, 'queue must be "rejected" or "exhausted"'],
  [{ codes: '1006' }, 'codes is not known'],
  [{ code: '1007' }, 'code must be one or a list of 1005, 1006, 1010, InvalidMessage, Expired, none'],
  [{ code: ['1005', ''] }, 'code must be'],
  [{ code: [] }, 'code must be'],
  [{ identifier: 0 }, 'identifier must be'],
  [{ before: 'yesterday' }, 'before must be'],
  [{ after: '2026-02-30' }, 'after must be ISO 8601 with offset, such as 2026-01-31T17:00:00Z, or a day'],
  [{ before: '2026-01-31T17:00:00' }, 'before must be ISO 8601 with offset'],
  [{ after: '2026-02-30T10:00:00Z' }, 'after must be'],
  [{ reason: ' ', renew: true }, 'reason must be'],
  [{ reason: 'x'.repeat(257) }, 'reason must be a text of 1 to 256 characters'],
  [{ requestId: '' }, 'requestId must be'],
  [{ rate: 0 }, 'rate must be'],
  [{ limit: 1.5 }, 'limit must be'],
  [{ dryRun: 'yes' }, 'dryRun must be'],
  [{ renew: true }, 'renew needs a reason'],
  [{ cursor: { before: 'x' } }, 'cursor must be'],
  [{ cursor: { before: '2026-01-01T00:00:00Z', limit: 0 } }, 'cursor must be'],
] as const;
test.concurrent('an event that is wrong is refused with what to fix, and nothing is done', async () => {
  await using replayer = await openFunction();
  const { sqs, invoke } = replayer;
  for (const [event, words] of WRONG_EVENTS) await expect(invoke(event), JSON.stringify(event)).rejects.toThrow(words);
  expect(sqs.journal).toEqual([]);
});
