/** The three batch calls to SQS: what is written, what SQS said of each entry, what is tried again. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { FUNCTION_PATIENCE } from '../../functions/aws/attempts.ts';
import { createSqs, type OutgoingMessage } from '../../functions/aws/sqs.ts';

const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/1/rejected';

type Json = Readonly<Record<string, unknown>>;
type Entry = Json & { readonly Id: string };
type Answer = (entries: readonly Entry[]) => Json;

const confirmed: Answer = (entries) => ({
  Successful: entries.map(({ Id }) => ({ Id, MessageId: `m-${Id}` })),
  Failed: [],
});
/** SQS answers 200 also when some of the entries failed. */
const failed =
  (Code: string, SenderFault: boolean | undefined, ...ids: string[]): Answer =>
  (entries) => ({
    Successful: entries.filter(({ Id }) => !ids.includes(Id)),
    Failed: entries.filter(({ Id }) => ids.includes(Id)).map(({ Id }) => ({ Id, Code, SenderFault, Message: 'why' })),
  });
/** As the SDK throws it. */
const thrown =
  (name: string, $fault: 'client' | 'server'): Answer =>
  () => {
    throw Object.assign(new Error('not allowed'), { name, $fault, $metadata: { httpStatusCode: 400 } });
  };
const refused = thrown('AccessDenied', 'client');

/** Answers in this order, the last for good; time passes with each call and wait. */
const open = (answers: readonly Answer[], callMs = 10) => {
  let now = 0;
  const calls: { queueUrl: string; action: string; entries: readonly Entry[]; timeoutMs: number }[] = [];
  const waits: number[] = [];
  const left = [...answers];
  const client = {
    send: async (
      command: { readonly input: { readonly QueueUrl: string; readonly Entries: readonly Entry[] } },
      { requestTimeout }: { readonly requestTimeout: number },
    ) => {
      const { QueueUrl, Entries } = command.input;
      calls.push({
        queueUrl: QueueUrl,
        action: command.constructor.name.replace(/Command$/, ''),
        entries: Entries,
        timeoutMs: requestTimeout,
      });
      now += callMs;
      return (left.length > 1 ? left.shift()! : left[0]!)(Entries);
    },
  };
  const sqs = createSqs({
    client: client as never,
    patience: FUNCTION_PATIENCE,
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
    expect(calls).toMatchObject([{ queueUrl: QUEUE, action: 'SendMessageBatch' }]);
    expect(calls[0]?.entries).toEqual([
      {
        Id: '0',
        MessageBody: 'b',
        MessageAttributes: {
          text: { DataType: 'String.slug', StringValue: 'x' },
          number: { DataType: 'Number', StringValue: '1' },
          bytes: { DataType: 'Binary', BinaryValue: Buffer.from('AAH/', 'base64') },
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

test('a deletion names its receipt handle', async () => {
  const { sqs, calls } = open([confirmed]);
  await sqs.deleteMessages([{ queueUrl: QUEUE, receiptHandle: 'h' }]);
  expect(calls).toMatchObject([{ action: 'DeleteMessageBatch', entries: [{ Id: '0', ReceiptHandle: 'h' }] }]);
});

test('no entry needs no call', async () => {
  const { sqs, calls } = open([confirmed]);
  expect(await sqs.deleteMessages([], 1000)).toEqual([]);
  expect(calls).toEqual([]);
});

describe('what SQS said', () => {
  test('a confirmed message has the id that SQS gave it', async () => {
    const { sqs } = open([confirmed]);
    expect(await sqs.sendMessages(messages('a', 'b'), 1000)).toEqual([
      { kind: 'confirmed', messageId: 'm-0' },
      { kind: 'confirmed', messageId: 'm-1' },
    ]);
  });

  test('one entry whose MD5 differs is one failed entry, not sent again', async () => {
    const md5 = (body: string) => createHash('md5').update(body).digest('hex');
    const { sqs, calls } = open([
      (entries) => ({
        Successful: entries.map(({ Id, MessageBody }) => ({
          Id,
          MD5OfMessageBody: md5(Id === '1' ? 'other' : String(MessageBody)),
        })),
      }),
    ]);
    expect(await sqs.sendMessages(messages('a', 'b', 'é'), 1000)).toMatchObject([
      { kind: 'confirmed' },
      { kind: 'failed', code: 'BodyChanged', scope: 'entry' },
      { kind: 'confirmed' },
    ]);
    expect(calls).toHaveLength(1);
  });

  test('only what it names as successful is confirmed', async () => {
    const { sqs } = open([() => ({ Successful: [{ Id: '1' }], Failed: [] })]);
    expect(await sqs.sendMessages(messages('a', 'b', 'c'), 1000)).toEqual([
      { kind: 'failed', code: 'NotInAnswer', detail: 'SQS said nothing of this entry', scope: 'entry' },
      { kind: 'confirmed' },
      { kind: 'failed', code: 'NotInAnswer', detail: 'SQS said nothing of this entry', scope: 'entry' },
    ]);
  });

  test.each([
    ['nothing', {}],
    ['lists that are none', { Successful: 'all', Failed: null }],
    ['a stranger’s entry', { Successful: [{ Id: '7' }] }],
  ])('200 with %s confirms nothing', async (_, output) => {
    const { sqs, calls } = open([() => output]);
    expect(kinds(await sqs.sendMessages(messages('a'), 1000))).toEqual(['failed']);
    expect(calls).toHaveLength(1);
  });

  test('an entry that is in both lists is not confirmed', async () => {
    const { sqs } = open([() => ({ Successful: [{ Id: '0' }], Failed: [{ Id: '0', Code: 'X', SenderFault: true }] })]);
    expect(kinds(await sqs.sendMessages(messages('a'), 1000))).toEqual(['failed']);
  });

  test('a refusal of the whole call is that of each entry', async () => {
    const { sqs, calls } = open([refused]);
    expect(await sqs.sendMessages(messages('a', 'b'), 1000)).toEqual([
      { kind: 'failed', code: 'AccessDenied', detail: 'not allowed', scope: 'call' },
      { kind: 'failed', code: 'AccessDenied', detail: 'not allowed', scope: 'call' },
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
      { kind: 'failed', code: 'InvalidMessageContents', detail: 'why', scope: 'entry' },
    ]);
    expect(calls).toHaveLength(1);
  });

  test('what was confirmed stays so when a later call is refused', async () => {
    const { sqs } = open([failed('InternalError', false, '1'), refused]);
    expect(kinds(await sqs.sendMessages(messages('a', 'b'), 1000))).toEqual(['confirmed', 'failed']);
  });

  test.each([
    ['AccessDenied', 'client', 1],
    ['QueueDoesNotExist', 'client', 1],
    ['RequestThrottled', 'client', 3],
    ['InternalFailure', 'server', 3],
  ] as const)('a whole call that failed with %s of the %s is made %i times', async (name, fault, attempts) => {
    const { sqs, calls } = open([thrown(name, fault)]);
    expect(await sqs.sendMessages(messages('a'))).toMatchObject([{ kind: 'failed', code: name, scope: 'call' }]);
    expect(calls).toHaveLength(attempts);
  });

  test('a bug of the SDK or of ours is a failure too, with its name', async () => {
    const { sqs, calls } = open([
      () => {
        throw new TypeError('ours');
      },
    ]);
    expect(await sqs.sendMessages(messages('a'))).toMatchObject([
      { kind: 'failed', code: 'TypeError', detail: 'ours' },
    ]);
    expect(calls).toHaveLength(1);
  });

  test('three times at most, with growing waits', async () => {
    const { sqs, calls, waits } = open([failed('InternalError', undefined, '0')]);
    expect(kinds(await sqs.sendMessages(messages('a'), 60_000))).toEqual(['failed']);
    expect(calls).toHaveLength(3);
    expect(waits).toEqual([100, 200]);
  });

  test('while time is left, and with no more time than that', async () => {
    const { sqs, calls } = open([failed('InternalError', false, '0')], 50);
    await sqs.sendMessages(messages('a'), 300);
    expect(calls.map(({ timeoutMs }) => timeoutMs)).toEqual([300, 150]);
    const late = open([failed('InternalError', false, '0')], 50);
    await late.sqs.sendMessages(messages('a'), 120);
    expect([late.calls.length, late.waits]).toEqual([1, []]);
  });

  test('not even once where no time is left', async () => {
    const { sqs, calls } = open([confirmed]);
    expect(kinds(await sqs.sendMessages(messages('a'), 0))).toEqual(['failed']);
    expect(calls).toEqual([]);
  });
});
