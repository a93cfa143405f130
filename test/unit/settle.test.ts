/** A decision carried out: the dead letter, the outcome event, the visibility timeout; or kept, where SQS did not confirm. */
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../functions/enable-password/decision.ts';
import { type Message, readMessages } from '../../functions/enable-password/record.ts';
import { createSettle } from '../../functions/enable-password/settle.ts';
import {
  type AwsResult,
  createStage,
  fifoRecord,
  finish,
  type Json,
  record,
  START,
  type StageOptions,
} from './stage.ts';

const done: Decision = { kind: 'done', result: 'enabled' };
const rejected: Decision = { kind: 'rejected', errorCode: '1006', errorMessage: '1006: User does not have access' };
const kept: Decision = { kind: 'kept', cause: 'gateway', errorCode: '503' };
const effort = { attempts: 1, latenciesMs: [20] };

const denied: AwsResult = { kind: 'failed', code: 'AccessDenied', detail: 'not allowed' };
const read = (...args: Parameters<typeof record>): Message => readMessages([record(...args)], START)[0]!;

const open = (options: StageOptions = {}, remainingMs = 120_000) => {
  const stage = createStage(options);
  const settle = createSettle(stage.settleParts, stage.deadline(remainingMs));
  return {
    ...stage,
    settle: (message: Message, decision: Decision) =>
      finish(stage.clock, Promise.resolve(settle(message, decision, effort))),
    settleAll: (pairs: readonly (readonly [Message, Decision])[]) =>
      finish(stage.clock, Promise.all(pairs.map(([message, decision]) => settle(message, decision, effort)))),
    entries: () => stage.sqsCalls.flatMap(({ entries }) => entries),
  };
};
const attributesOf = (entry: Json | undefined) => (entry?.['MessageAttributes'] ?? {}) as Record<string, Json>;

describe('done', () => {
  test('needs SQS for nothing', async () => {
    const { settle, sqsCalls } = open();
    expect(await settle(read('a'), done)).toEqual(done);
    expect(sqsCalls).toEqual([]);
  });

  test('with an outcomes queue is so only once the event is confirmed', async () => {
    const { settle, sqsCalls, entries } = open({ hasOutcomes: true });
    expect(await settle(read('a', { identifier: 10, requestId: 'R' }), done)).toEqual(done);
    expect(sqsCalls).toMatchObject([{ action: 'SendMessageBatch', queueUrl: expect.stringMatching(/\/outcomes$/) }]);
    expect(JSON.parse(String(entries()[0]?.['MessageBody']))).toMatchObject({ outcome: 'enabled', requestId: 'R' });
  });

  test('whose event SQS does not take is kept, and said', async () => {
    const { settle, sqsCalls, warnings } = open({
      hasOutcomes: true,
      sqs: (action) => (action === 'SendMessageBatch' ? denied : undefined),
    });
    expect(await settle(read('a'), done)).toEqual({ kind: 'kept', cause: 'unconfirmed', waitSeconds: 33 });
    expect(sqsCalls.map(({ action }) => action)).toEqual(['SendMessageBatch', 'ChangeMessageVisibilityBatch']);
    expect(warnings()).toEqual([['ERROR', 'outcome event not confirmed, message kept', 'AccessDenied']]);
  });
});

describe('rejected', () => {
  test('is a dead letter: the body byte for byte, its own attributes, and what happened', async () => {
    const body = '{ "identifier":  10 }\n';
    const { settle, entries, sqsCalls } = open();
    const messageAttributes = {
      tenant: { dataType: 'String.slug', stringValue: 'acme', stringListValues: [], binaryListValues: [] },
      sign: { dataType: 'Binary', binaryValue: 'AAH/' },
    };
    expect(await settle(read('a', body, { messageAttributes }, { AWSTraceHeader: 'Root=1-2-3' }), rejected)).toEqual(
      rejected,
    );
    expect(sqsCalls).toMatchObject([{ queueUrl: expect.stringMatching(/\/rejected$/) }]);
    expect(entries()).toEqual([
      {
        Id: '0',
        MessageBody: body,
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-2-3' } },
        MessageAttributes: {
          tenant: { DataType: 'String.slug', StringValue: 'acme' },
          sign: { DataType: 'Binary', BinaryValue: 'AAH/' },
          ErrorCode: { DataType: 'String', StringValue: '1006' },
          ErrorMessage: { DataType: 'String', StringValue: '1006: User does not have access' },
          OriginalMessageId: { DataType: 'String', StringValue: 'a' },
          FirstSentAt: { DataType: 'String', StringValue: new Date(START - 1000).toISOString() },
          FailedAt: { DataType: 'String', StringValue: new Date(START).toISOString() },
          ReplayCount: { DataType: 'Number', StringValue: '0' },
        },
      },
    ]);
  });

  test('with ten attributes of its own drops them last to first, and says which', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    const messageAttributes = Object.fromEntries(names.map((name) => [name, { dataType: 'String', stringValue: 'x' }]));
    const { settle, entries, lines } = open();
    await settle(read('a', 10, { messageAttributes }), rejected);
    expect(Object.keys(attributesOf(entries()[0])).slice(0, 4)).toEqual(['a', 'b', 'c', 'd']);
    expect(Object.keys(attributesOf(entries()[0]))).toHaveLength(10);
    expect(lines).toMatchObject([{ level: 'WARN', messageId: 'a', droppedAttributes: ['j', 'i', 'h', 'g', 'f', 'e'] }]);
  });

  test('of a body near 1 MiB goes alone, and within 1 MiB', async () => {
    const body = 'x'.repeat(1_048_576 - 10);
    const { settleAll, sqsCalls } = open();
    await settleAll([
      [read('a', body), rejected],
      [read('b'), rejected],
      [read('c', body), rejected],
    ]);
    expect(sqsCalls.map(({ entries }) => entries.length)).toEqual([1, 1, 1]);
  });

  test.each<readonly [string, (entries: readonly Json[]) => AwsResult]>([
    ['the whole call', () => denied],
    [
      'its entry though the call was 200',
      (entries) => ({
        kind: 'ok',
        output: { Failed: entries.map(({ Id }) => ({ Id, Code: 'InvalidMessageContents', SenderFault: true })) },
      }),
    ],
    ['to say a word of it', () => ({ kind: 'ok', output: {} })],
  ])('is kept where SQS refused %s; its outcome is not told', async (_, answer) => {
    const { settle, sqsCalls, warnings } = open({
      hasOutcomes: true,
      sqs: (action, entries) => (action === 'SendMessageBatch' ? answer(entries) : undefined),
    });
    expect(await settle(read('a'), rejected)).toEqual({ kind: 'kept', cause: 'unconfirmed', waitSeconds: 33 });
    expect(sqsCalls.filter(({ queueUrl }) => queueUrl.endsWith('outcomes'))).toEqual([]);
    expect(sqsCalls.at(-1)?.action).toBe('ChangeMessageVisibilityBatch');
    expect(warnings()[0]?.slice(0, 2)).toEqual(['ERROR', 'dead letter not confirmed, message kept']);
  });

  test('among nine that SQS took, only the tenth is kept', async () => {
    const { settleAll } = open({
      sqs: (action, entries) =>
        action === 'SendMessageBatch'
          ? {
              kind: 'ok',
              output: {
                Successful: entries.filter(({ Id }) => Id !== '9'),
                Failed: [{ Id: '9', Code: 'X', SenderFault: true }],
              },
            }
          : undefined,
    });
    const ids = Array.from({ length: 10 }, (_, index) => `m-${index}`);
    const results = await settleAll(ids.map((id) => [read(id), rejected] as const));
    expect(results.map(({ kind }) => kind)).toEqual([...Array(9).fill('rejected'), 'kept']);
  });

  test('tells its outcome after the dead letter, never before', async () => {
    const { settle, sqsCalls } = open({ hasOutcomes: true });
    await settle(read('a'), rejected);
    expect(sqsCalls.map(({ queueUrl }) => queueUrl.split('/').at(-1))).toEqual(['rejected', 'outcomes']);
  });

  test('of a standard queue keeps the group that it had for fairness', async () => {
    const { settle, entries } = open();
    await settle(read('a', 10, {}, { MessageGroupId: 'tenant' }), rejected);
    expect(entries()).toMatchObject([{ MessageGroupId: 'tenant' }]);
    expect(entries()[0]).not.toHaveProperty('MessageDeduplicationId');
  });

  test('of a FIFO queue keeps its group, and is not doubled within SQS’s five minutes', async () => {
    const { settle, entries } = open({ isFifo: true, hasOutcomes: true });
    await settle(readMessages([fifoRecord('a', 10, 'team-7')], START)[0]!, rejected);
    expect(entries()).toMatchObject([
      { MessageGroupId: 'team-7', MessageDeduplicationId: 'a' },
      { MessageGroupId: 'team-7', MessageDeduplicationId: 'a/rejected' },
    ]);
  });
});

describe('kept', () => {
  test.each([
    ['1', 33],
    ['2', 39],
    ['1000', 45],
  ])('at receive %s waits %i s', async (ApproximateReceiveCount, seconds) => {
    const { settle, entries, sqsCalls } = open();
    expect(await settle(read('a', 10, {}, { ApproximateReceiveCount }), kept)).toEqual({
      ...kept,
      waitSeconds: seconds,
    });
    expect(sqsCalls).toMatchObject([
      { action: 'ChangeMessageVisibilityBatch', queueUrl: expect.stringMatching(/\/requests$/) },
    ]);
    expect(entries()).toEqual([{ Id: '0', ReceiptHandle: 'handle-a', VisibilityTimeout: seconds }]);
  });

  test('waits as long as Retry-After asked, with jitter on top', async () => {
    const { settle, entries } = open();
    await settle(read('a'), { ...kept, retryAfterSeconds: 300 });
    expect(entries()[0]?.['VisibilityTimeout']).toBe(315);
  });

  test('delivered twice waits by both handles', async () => {
    const [message] = readMessages([record('a'), record('a', 10, { receiptHandle: 'again' })], START);
    const { settle, entries } = open();
    await settle(message!, kept);
    expect(entries().map(({ ReceiptHandle }) => ReceiptHandle)).toEqual(['handle-a', 'again']);
  });

  test('behind another of its group waits as long as that one', async () => {
    const { settle, entries } = open();
    const fifoOrder: Decision = { kind: 'kept', cause: 'fifo-order', waitSeconds: 41 };
    expect(await settle(read('a'), fifoOrder)).toEqual(fifoOrder);
    expect(entries().map(({ VisibilityTimeout }) => VisibilityTimeout)).toEqual([41]);
  });

  test('behind one whose wait is not known is left untouched', async () => {
    const { settle, sqsCalls } = open();
    const fifoOrder: Decision = { kind: 'kept', cause: 'fifo-order' };
    expect(await settle(read('a'), fifoOrder)).toEqual(fifoOrder);
    expect(sqsCalls).toEqual([]);
  });

  test('stays kept, for its own cause, where the visibility timeout could not be changed', async () => {
    const { settle, warnings } = open({ sqs: () => denied });
    expect(await settle(read('a'), kept)).toEqual(kept);
    expect(warnings()).toEqual([['WARN', 'visibility timeout not changed', 'AccessDenied']]);
  });

  test('without a receipt handle, as in an event made by hand, asks SQS nothing', async () => {
    const { settle, sqsCalls } = open();
    expect(await settle(read('a', 10, { receiptHandle: undefined }), kept)).toEqual(kept);
    expect(sqsCalls).toEqual([]);
  });

  test('among others comes back at another time than they do', async () => {
    let drawn = 0;
    const random = () => {
      drawn = (drawn + 0.617) % 1;
      return drawn;
    };
    const { settle, entries } = open({ random });
    for (let index = 0; index < 20; index += 1) await settle(read(`m-${index}`), kept);
    const seconds = entries().map(({ VisibilityTimeout }) => Number(VisibilityTimeout));
    expect(new Set(seconds).size).toBeGreaterThan(12);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(58);
  });

  test('in hundreds costs one call for ten', async () => {
    const { settleAll, sqsCalls } = open();
    await settleAll(Array.from({ length: 250 }, (_, index) => [read(`m-${index}`), kept] as const));
    expect(sqsCalls.map(({ entries }) => entries.length)).toEqual(Array(25).fill(10));
  });
});

describe('SQS that hangs', () => {
  test('keeps a rejection, in the time left', async () => {
    const { settle, clock } = open(
      { sqs: () => ({ kind: 'ok', output: {}, tookMs: Number.POSITIVE_INFINITY }) },
      10_000,
    );
    expect(await settle(read('a'), rejected)).toMatchObject({ kind: 'kept', cause: 'unconfirmed' });
    expect(clock.now() - START).toBeLessThan(10_000);
  });
});
