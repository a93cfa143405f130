/** The two calls to SQS: what is written, what SQS said of each entry, what is tried again. */
import { describe, expect, test } from 'vitest';
import type { AwsResult, CallAws, Json } from '../../functions/aws/call.ts';
import { createSqs, type OutgoingMessage } from '../../functions/aws/sqs.ts';

const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/1/rejected';

type Entry = Json & { readonly Id: string };
type Answer = (entries: readonly Entry[]) => AwsResult;

const ok = (output: Json): AwsResult => ({ kind: 'ok', output });
const confirmed: Answer = (entries) =>
  ok({ Successful: entries.map(({ Id }) => ({ Id, MessageId: 'm' })), Failed: [] });
/** SQS answers 200 also when some of the entries failed. */
const failed =
  (Code: string, SenderFault: boolean | undefined, ...ids: string[]): Answer =>
  (entries) =>
    ok({
      Successful: entries.filter(({ Id }) => !ids.includes(Id)),
      Failed: entries.filter(({ Id }) => ids.includes(Id)).map(({ Id }) => ({ Id, Code, SenderFault, Message: 'why' })),
    });
const refused: Answer = () => ({ kind: 'failed', code: 'AccessDenied', message: 'not allowed' });

/** Answers in this order, the last for good; time passes with each call and wait. */
const open = (answers: readonly Answer[], callMs = 10) => {
  let now = 0;
  const calls: { endpoint: string; action: string; entries: readonly Entry[]; timeoutMs: number }[] = [];
  const waits: number[] = [];
  const left = [...answers];
  const call: CallAws = async (_, endpoint, __, action, input, timeoutMs) => {
    const entries = input['Entries'] as readonly Entry[];
    calls.push({ endpoint: endpoint.href, action, entries, timeoutMs });
    now += callMs;
    return (left.length > 1 ? left.shift()! : left[0]!)(entries);
  };
  const sqs = createSqs({
    call,
    region: 'eu-west-1',
    endpoints: {},
    now: () => now,
    random: () => 1,
    sleep: async (ms) => {
      waits.push(ms);
      now += ms;
    },
  });
  return { sqs, calls, waits };
};

const messages = (...bodies: string[]): OutgoingMessage[] =>
  bodies.map((body) => ({ queueUrl: QUEUE, body, attributes: {} }));
const kinds = (results: readonly { kind: string }[]) => results.map(({ kind }) => kind);

describe('what is written', () => {
  test('body, attributes of every type, trace header, group and deduplication', async () => {
    const { sqs, calls } = open([confirmed]);
    await sqs.sendMessages(
      [
        {
          queueUrl: QUEUE,
          body: 'b',
          attributes: {
            text: { dataType: 'String.slug', stringValue: 'x' },
            number: { dataType: 'Number', stringValue: '1' },
            bytes: { dataType: 'Binary', binaryValue: 'AAH/' },
          },
          traceHeader: 'Root=1-2-3',
          groupId: 'g',
          deduplicationId: 'd',
        },
      ],
      1000,
    );
    expect(calls).toMatchObject([{ endpoint: 'https://sqs.eu-west-1.amazonaws.com/', action: 'SendMessageBatch' }]);
    expect(calls[0]?.entries).toEqual([
      {
        Id: '0',
        MessageBody: 'b',
        MessageAttributes: {
          text: { DataType: 'String.slug', StringValue: 'x' },
          number: { DataType: 'Number', StringValue: '1' },
          bytes: { DataType: 'Binary', BinaryValue: 'AAH/' },
        },
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-2-3' } },
        MessageGroupId: 'g',
        MessageDeduplicationId: 'd',
      },
    ]);
  });

  test('nothing that was not given', async () => {
    const { sqs, calls } = open([confirmed]);
    await sqs.sendMessages(messages('b'), 1000);
    expect(calls[0]?.entries).toEqual([{ Id: '0', MessageBody: 'b' }]);
  });

  test('a visibility change by its receipt handle', async () => {
    const { sqs, calls } = open([confirmed]);
    await sqs.changeVisibility([{ queueUrl: QUEUE, receiptHandle: 'h', visibilitySeconds: 45 }], 1000);
    expect(calls).toMatchObject([
      { action: 'ChangeMessageVisibilityBatch', entries: [{ Id: '0', ReceiptHandle: 'h', VisibilityTimeout: 45 }] },
    ]);
  });
});

describe('what SQS said', () => {
  test('only what it names as successful is confirmed', async () => {
    const { sqs } = open([() => ok({ Successful: [{ Id: '1' }], Failed: [] })]);
    expect(await sqs.sendMessages(messages('a', 'b', 'c'), 1000)).toEqual([
      { kind: 'unconfirmed', code: 'NotInAnswer', message: 'SQS said nothing of this entry' },
      { kind: 'confirmed' },
      { kind: 'unconfirmed', code: 'NotInAnswer', message: 'SQS said nothing of this entry' },
    ]);
  });

  test.each([
    ['nothing', {}],
    ['lists that are none', { Successful: 'all', Failed: null }],
    ['a stranger’s entry', { Successful: [{ Id: '7' }] }],
  ])('200 with %s confirms nothing', async (_, output) => {
    const { sqs, calls } = open([() => ok(output)]);
    expect(kinds(await sqs.sendMessages(messages('a'), 1000))).toEqual(['unconfirmed']);
    expect(calls).toHaveLength(1);
  });

  test('an entry that is in both lists is not confirmed', async () => {
    const { sqs } = open([
      () => ok({ Successful: [{ Id: '0' }], Failed: [{ Id: '0', Code: 'X', SenderFault: true }] }),
    ]);
    expect(kinds(await sqs.sendMessages(messages('a'), 1000))).toEqual(['unconfirmed']);
  });

  test('a refusal of the whole call is that of each entry', async () => {
    const { sqs, calls } = open([refused]);
    expect(await sqs.sendMessages(messages('a', 'b'), 1000)).toEqual([
      { kind: 'unconfirmed', code: 'AccessDenied', message: 'not allowed' },
      { kind: 'unconfirmed', code: 'AccessDenied', message: 'not allowed' },
    ]);
    expect(calls).toHaveLength(1);
  });
});

describe('again', () => {
  test('goes only what failed, under its own number', async () => {
    const { sqs, calls } = open([failed('InternalError', false, '1'), confirmed]);
    expect(kinds(await sqs.sendMessages(messages('a', 'b', 'c'), 1000))).toEqual([
      'confirmed',
      'confirmed',
      'confirmed',
    ]);
    expect(calls[1]?.entries).toEqual([{ Id: '1', MessageBody: 'b' }]);
  });

  test('goes a throttled entry, though SQS calls it the sender’s fault', async () => {
    const { sqs, calls } = open([failed('RequestThrottled', true, '0'), confirmed]);
    expect(kinds(await sqs.sendMessages(messages('a'), 1000))).toEqual(['confirmed']);
    expect(calls).toHaveLength(2);
  });

  test('does not go what is the sender’s fault', async () => {
    const { sqs, calls } = open([failed('InvalidMessageContents', true, '0')]);
    expect(await sqs.sendMessages(messages('a'), 1000)).toEqual([
      { kind: 'unconfirmed', code: 'InvalidMessageContents', message: 'why' },
    ]);
    expect(calls).toHaveLength(1);
  });

  test('what was confirmed stays so when a later call is refused', async () => {
    const { sqs } = open([failed('InternalError', false, '1'), refused]);
    expect(kinds(await sqs.sendMessages(messages('a', 'b'), 1000))).toEqual(['confirmed', 'unconfirmed']);
  });

  test('three times at most, with growing waits', async () => {
    const { sqs, calls, waits } = open([failed('InternalError', undefined, '0')]);
    expect(kinds(await sqs.sendMessages(messages('a'), 60_000))).toEqual(['unconfirmed']);
    expect(calls).toHaveLength(3);
    expect(waits).toEqual([100, 200]);
  });

  test('while time is left, and with no more time than that', async () => {
    const { sqs, calls } = open([failed('InternalError', false, '0')], 50);
    await sqs.sendMessages(messages('a'), 300);
    expect(calls.map(({ timeoutMs }) => timeoutMs)).toEqual([300, 150]);
    const late = open([failed('InternalError', false, '0')], 50);
    await late.sqs.sendMessages(messages('a'), 120);
    expect(late.calls).toHaveLength(1);
  });
});
