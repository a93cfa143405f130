/** The stand-ins for AWS: as strict as AWS where that could hide a bug, and failing on demand. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type InvocationResult, keptIds } from '../../infra/local/event-source.ts';
import { createLambda } from '../../infra/local/lambda.ts';
import { startSecretsManager } from '../../infra/local/secrets-manager.ts';
import { type SqsOptions, startSqs } from '../../infra/local/sqs.ts';
import { startWorld, until, type WorldOptions } from '../../infra/local/world.ts';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

const withSqs = async (options: SqsOptions = {}) => {
  const sqs = await startSqs(options);
  const client = new SQSClient({ endpoint: sqs.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  const dispose = async (): Promise<void> => {
    client.destroy();
    await sqs.close();
  };
  return { sqs, client, QueueUrl: sqs.queueUrl('requests'), [Symbol.asyncDispose]: dispose };
};

const attributes = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`a${index}`, { DataType: 'String', StringValue: 'x' }]),
  );

describe.concurrent('SQS refuses what AWS refuses', () => {
  test('more than ten attributes, alone and as one entry of a batch', async () => {
    await using world = await withSqs();
    const { client, QueueUrl } = world;
    const single = new SendMessageCommand({ QueueUrl, MessageBody: '1', MessageAttributes: attributes(11) });
    await expect(client.send(single)).rejects.toThrow(/allowed maximum \[10\]/);
    const { Successful, Failed } = await client.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'ten', MessageBody: '1', MessageAttributes: attributes(10) },
          { Id: 'eleven', MessageBody: '2', MessageAttributes: attributes(11) },
        ],
      }),
    );
    expect(Successful?.map(({ Id }) => Id)).toEqual(['ten']);
    expect(Failed).toMatchObject([{ Id: 'eleven', Code: 'InvalidParameterValue', SenderFault: true }]);
    expect(world.sqs.messages('requests').map(({ body }) => body)).toEqual(['1']);
  });

  test('a FIFO send without a group, and a delay of more than 900 s', async () => {
    await using fifo = await withSqs({ fifo: true });
    await expect(
      fifo.client.send(
        new SendMessageCommand({ QueueUrl: fifo.QueueUrl, MessageBody: '1', MessageDeduplicationId: 'a' }),
      ),
    ).rejects.toThrow(/MessageGroupId/);
    await using standard = await withSqs();
    await expect(
      standard.client.send(
        new SendMessageCommand({ QueueUrl: standard.QueueUrl, MessageBody: '1', DelaySeconds: 901 }),
      ),
    ).rejects.toThrow(/DelaySeconds/);
  });

  const attribute = (name: string, value: object) => ({ MessageAttributes: { [name]: value } });
  const text = { DataType: 'String', StringValue: 'x' };

  test.each<[string, object, string]>([
    ['an empty body', { MessageBody: '' }, 'MissingParameter'],
    ['a control character', { MessageBody: 'a\u0001' }, 'InvalidMessageContents'],
    [
      'more than 1 MiB, attributes counted',
      { MessageBody: 'x'.repeat(1_048_569), ...attribute('a', text) },
      'InvalidParameterValue',
    ],
    ['a delay below 0', { DelaySeconds: -1 }, 'InvalidParameterValue'],
    ['an attribute of AWS’s names', attribute('AWS.x', text), 'InvalidParameterValue'],
    ['an attribute with a space in its name', attribute('a b', text), 'InvalidParameterValue'],
    [
      'an attribute of no type that it knows',
      attribute('a', { DataType: 'Date', StringValue: 'x' }),
      'InvalidParameterValue',
    ],
    ['an empty attribute', attribute('a', { DataType: 'String', StringValue: '' }), 'InvalidParameterValue'],
    ['a number that is none', attribute('a', { DataType: 'Number', StringValue: 'x' }), 'InvalidParameterValue'],
    ['a deduplication id on a standard queue', { MessageDeduplicationId: 'a' }, 'InvalidParameterValue'],
    ['a group with a space in its name', { MessageGroupId: 'a b' }, 'InvalidParameterValue'],
  ])('%s', async (_, changes, name) => {
    await using world = await withSqs();
    const input = { QueueUrl: world.QueueUrl, MessageBody: '1', ...changes };
    await expect(world.client.send(new SendMessageCommand(input))).rejects.toMatchObject({ name });
    expect(world.sqs.messages('requests')).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['11 messages at once', { MaxNumberOfMessages: 11 }, 'InvalidParameterValue'],
    ['a wait of 21 s', { WaitTimeSeconds: 21 }, 'InvalidParameterValue'],
    ['a visibility timeout of more than 12 hours', { VisibilityTimeout: 43_201 }, 'InvalidParameterValue'],
    ['a queue that is not there', { QueueUrl: 'http://localhost/0/nowhere' }, 'QueueDoesNotExist'],
  ])('a receive of %s', async (_, changes, name) => {
    await using world = await withSqs();
    const input = { QueueUrl: world.QueueUrl, ...changes };
    await expect(world.client.send(new ReceiveMessageCommand(input))).rejects.toMatchObject({ name });
  });

  test.each<[string, string[], string]>([
    ['of none', [], 'EmptyBatchRequest'],
    ['of eleven', Array.from({ length: 11 }, (_, index) => String(index)), 'TooManyEntriesInBatchRequest'],
    ['with one id twice', ['a', 'b', 'a'], 'BatchEntryIdsNotDistinct'],
    ['with an id of other characters', ['a b'], 'InvalidBatchEntryId'],
    ['of more than 1 MiB together', ['large-1', 'large-2'], 'BatchRequestTooLong'],
  ])('a batch %s, as a whole', async (_, ids, name) => {
    await using world = await withSqs();
    const Entries = ids.map((Id) => ({ Id, MessageBody: Id.startsWith('large') ? 'x'.repeat(600_000) : '1' }));
    const batch = new SendMessageBatchCommand({ QueueUrl: world.QueueUrl, Entries });
    await expect(world.client.send(batch)).rejects.toSatisfy(({ name: said }) => String(said).includes(name));
    expect(world.sqs.messages('requests')).toEqual([]);
  });

  test('a receipt handle that it never gave', async () => {
    await using world = await withSqs();
    const { client, QueueUrl } = world;
    const Entries = [{ Id: '0', ReceiptHandle: 'made-up', VisibilityTimeout: 0 }];
    await expect(client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'made-up' }))).rejects.toMatchObject({
      name: 'ReceiptHandleIsInvalid',
    });
    const refused = { Failed: [{ Id: '0', Code: 'ReceiptHandleIsInvalid', SenderFault: true }] };
    expect(await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))).toMatchObject(refused);
    expect(await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }))).toMatchObject(refused);
  });
});

describe.concurrent('SQS gives what was asked for', () => {
  const send = async ({ client, QueueUrl }: { client: SQSClient; QueueUrl: string }) => {
    await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: '10',
        MessageAttributes: {
          'team.name': { DataType: 'String', StringValue: 'ops' },
          Priority: { DataType: 'Number', StringValue: '1' },
        },
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-2-3' } },
      }),
    );
  };

  test.each([
    ['nothing', undefined, undefined],
    ['one by name', ['Priority'], ['Priority']],
    ['a prefix', ['team.*'], ['team.name']],
    ['All', ['All'], ['Priority', 'team.name']],
    ['.*', ['.*'], ['Priority', 'team.name']],
  ])('message attributes: %s', async (_, asked, given) => {
    await using world = await withSqs();
    await send(world);
    const { Messages } = await world.client.send(
      new ReceiveMessageCommand({
        QueueUrl: world.QueueUrl,
        ...(asked ? { MessageAttributeNames: asked } : {}),
        MessageSystemAttributeNames: ['SentTimestamp'],
      }),
    );
    const attributesGiven = Messages?.[0]?.MessageAttributes;
    expect(attributesGiven && Object.keys(attributesGiven).sort()).toEqual(given);
    expect(Object.keys(Messages?.[0]?.Attributes ?? {})).toEqual(['SentTimestamp']);
  });

  test('the trace header, with the message that carried it', async () => {
    await using world = await withSqs();
    await send(world);
    const { Messages } = await world.client.send(
      new ReceiveMessageCommand({ QueueUrl: world.QueueUrl, MessageSystemAttributeNames: ['All'] }),
    );
    expect(Messages?.[0]?.Attributes).toMatchObject({ AWSTraceHeader: 'Root=1-2-3', ApproximateReceiveCount: '1' });
  });

  test('the group of a message on a standard queue too', async () => {
    await using world = await withSqs();
    const { client, QueueUrl } = world;
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: '10', MessageGroupId: 'ops' }));
    const receive = async (names: ['MessageGroupId'] | []) =>
      client.send(new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: names, VisibilityTimeout: 0 }));
    expect((await receive(['MessageGroupId'])).Messages?.[0]?.Attributes).toEqual({ MessageGroupId: 'ops' });
    expect((await receive([])).Messages?.[0]).not.toHaveProperty('Attributes');
  });

  // AWS's own digests, as moto's tests hold them.
  test.each([
    ['Number', '235c5c510d26fb653d073faed50ae77c'],
    ['Number.java.lang.Long', '2e2e4876d8e0bd6b8c2c8f556831c349'],
  ])('the digest of attributes of type %s, of those that were asked for', async (DataType, digest) => {
    await using world = await withSqs();
    const { client, QueueUrl } = world;
    const timestamp = { DataType, StringValue: '1493147359900' };
    const other = { DataType: 'String', StringValue: 'x' };
    const send = (MessageAttributes: Record<string, typeof timestamp>) =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: '10', MessageAttributes }));
    expect((await send({ timestamp })).MD5OfMessageAttributes).toBe(digest);
    await send({ timestamp, other });
    const { Messages } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['timestamp'] }),
    );
    expect(Messages?.map(({ MD5OfMessageAttributes }) => MD5OfMessageAttributes)).toEqual([digest, digest]);
  });

  test('nothing of a message to a long poll whose client went away', async () => {
    await using world = await withSqs();
    const { client, QueueUrl, sqs } = world;
    const gone = new AbortController();
    const poll = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
      abortSignal: gone.signal,
    });
    await until(() => sqs.calls('ReceiveMessage').length === 1, 'the long poll to arrive');
    gone.abort();
    await expect(poll).rejects.toThrow();
    await send(world);
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
    expect(Messages?.map(({ Body }) => Body)).toEqual(['10']);
  });
});

describe.concurrent('SQS fails on demand', () => {
  const Entries = [{ Id: '0', MessageBody: '1' }];

  test.each([
    ['error', /simulated/],
    ['throttle', /throttled/],
    ['denied', /denied/],
  ] as const)('%s, once where it is scripted, for good where it is set', async (kind, said) => {
    await using world = await withSqs();
    const { client, QueueUrl, sqs } = world;
    const send = () => client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    sqs.next('SendMessageBatch', { kind });
    await expect(send()).rejects.toThrow(said);
    expect((await send()).Successful).toHaveLength(1);
    sqs.settings.faults.set('SendMessageBatch', { kind });
    await expect(send()).rejects.toThrow(said);
    await expect(send()).rejects.toThrow(said);
    expect(sqs.messages('requests')).toHaveLength(1);
    expect(sqs.calls('SendMessageBatch').map(({ queue }) => queue)).toEqual(Array(4).fill('requests'));
  });

  test('200 with Failed entries sends nothing', async () => {
    await using world = await withSqs();
    world.sqs.next('SendMessageBatch', { kind: 'failed-entries', code: 'Oops', senderFault: true });
    const { Failed } = await world.client.send(new SendMessageBatchCommand({ QueueUrl: world.QueueUrl, Entries }));
    expect(Failed).toMatchObject([{ Id: '0', Code: 'Oops', SenderFault: true }]);
    expect(world.sqs.messages('requests')).toEqual([]);
  });

  test('a lost answer was carried out', async () => {
    await using world = await withSqs();
    world.sqs.next('SendMessageBatch', { kind: 'lost-answer' });
    await expect(
      world.client.send(new SendMessageBatchCommand({ QueueUrl: world.QueueUrl, Entries })),
    ).rejects.toThrow();
    expect(world.sqs.messages('requests')).toHaveLength(1);
  });
});

describe.concurrent('Secrets Manager', () => {
  const withSecrets = async () => {
    const secrets = await startSecretsManager();
    const client = new SecretsManagerClient({
      endpoint: secrets.url,
      region: 'us-east-1',
      credentials,
      maxAttempts: 1,
    });
    const dispose = async (): Promise<void> => {
      client.destroy();
      await secrets.close();
    };
    const get = (SecretId: string, VersionStage?: string) =>
      client.send(new GetSecretValueCommand({ SecretId, ...(VersionStage ? { VersionStage } : {}) }));
    return { secrets, get, [Symbol.asyncDispose]: dispose };
  };

  test('gives the current version; the one before it stays as AWSPREVIOUS, a pending one waits', async () => {
    await using world = await withSecrets();
    world.secrets.put('s', { n: 1 });
    world.secrets.put('s', { n: 2 });
    world.secrets.put('s', { n: 3 }, { stage: 'AWSPENDING' });
    expect((await world.get('s')).SecretString).toBe('{"n":2}');
    expect((await world.get('s', 'AWSPREVIOUS')).SecretString).toBe('{"n":1}');
    expect((await world.get('s', 'AWSPENDING')).SecretString).toBe('{"n":3}');
    await expect(world.get('other')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('gives a binary secret as bytes', async () => {
    await using world = await withSecrets();
    world.secrets.put('s', 'binary', { isBinary: true });
    expect(Buffer.from((await world.get('s')).SecretBinary ?? []).toString()).toBe('binary');
  });

  test('throttles, fails, denies and hangs on demand, and counts the reads', async () => {
    await using world = await withSecrets();
    world.secrets.put('s', 'x');
    world.secrets.next('throttle', 'error', 'denied');
    const read = () => world.get('s').catch(({ name }: Error) => name);
    const names = [await read(), await read(), await read()];
    expect(names).toEqual(['ThrottlingException', 'InternalServiceError', 'AccessDeniedException']);
    world.secrets.next('hang');
    const hanging = read();
    await until(() => world.secrets.reads.length === 4, 'the read to arrive');
    await world.secrets.close();
    expect(await hanging).not.toHaveProperty('SecretString');
  });
});

describe('what Lambda makes of an answer', () => {
  const of = (payload: unknown, functionError?: string): InvocationResult => ({
    payload,
    functionError,
    durationMs: 0,
  });
  test.each([
    ['null', of(null), []],
    ['an empty object', of({}), []],
    ['an empty list', of({ batchItemFailures: [] }), []],
    ['a list that is null', of({ batchItemFailures: null }), []],
    ['one of the batch', of({ batchItemFailures: [{ itemIdentifier: 'b' }] }), ['b']],
    ['one that is not of the batch', of({ batchItemFailures: [{ itemIdentifier: 'x' }] }), ['a', 'b']],
    ['an empty identifier', of({ batchItemFailures: [{ itemIdentifier: '' }] }), ['a', 'b']],
    ['an identifier that is null', of({ batchItemFailures: [{ itemIdentifier: null }] }), ['a', 'b']],
    ['a misspelt key', of({ batchItemFailures: [{ itemIdentifer: 'a' }] }), ['a', 'b']],
    ['no list', of({ batchItemFailures: 'a' }), ['a', 'b']],
    ['no object', of('done'), ['a', 'b']],
    ['a function error', of(undefined, 'Error: no'), ['a', 'b']],
  ])('%s', (_, result, kept) => {
    expect(keptIds(result, ['a', 'b'])).toEqual(kept);
  });
});

/** Bodies are orders: keep, hang, throw, crash; whatever else is done. Writes a line for each invocation. */
const FUNCTION = `
if (process.env.BROKEN) throw new Error('BROKEN is set');
let invocation = 0;
export const handler = async ({ Records }, context) => {
  invocation += 1;
  const bodies = Records.map(({ body }) => JSON.parse(body));
  console.log(JSON.stringify({ pid: process.pid, invocation, bodies, at: Date.now(),
    remainingMs: context.getRemainingTimeInMillis(), receives: Records.map((r) => r.attributes?.ApproximateReceiveCount) }));
  if (bodies.includes('hang')) await new Promise((resolve) => setTimeout(resolve, 60_000));
  if (bodies.includes('slow')) await new Promise((resolve) => setTimeout(resolve, 300));
  if (bodies.includes('throw')) throw new TypeError('thrown on demand');
  if (bodies.includes('crash')) process.exit(3);
  return { batchItemFailures: Records.filter(({ body }) => body === '"keep"').map((r) => ({ itemIdentifier: r.messageId })) };
};
`;

describe.concurrent('the event source and the execution environment', () => {
  let folder: string;
  let bundle: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-'));
    bundle = join(folder, 'index.mjs');
    await writeFile(bundle, FUNCTION);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const start = (options: WorldOptions = {}) => startWorld({ bundle, ...options });
  const quoted = (order: string): string => JSON.stringify(order);

  test('what is done is deleted, what is kept stays in flight', async () => {
    await using world = await start();
    for (const order of ['a', 'keep', 'b']) await world.send(quoted(order));
    const { kept } = await world.deliver();
    expect(kept).toHaveLength(1);
    expect(world.messages('requests')).toMatchObject([{ body: '"keep"', isInFlight: true, receiveCount: 1 }]);
  });

  test('batches are gathered over the window up to their size', async () => {
    await using world = await start();
    const source = world.poll({ batchSize: 30, windowSeconds: 5, maximumConcurrency: 1 });
    for (let index = 0; index < 30; index += 1) await world.send(quoted('a'));
    await until(() => world.messages('requests').length === 0, 'the queue to be empty');
    await source.stop();
    expect(world.lines().map(({ bodies }) => (bodies as string[]).length)).toEqual([30]);
  });

  test('no more invocations at once than the maximum concurrency, each in an environment of its own', async () => {
    await using world = await start();
    for (let index = 0; index < 6; index += 1) await world.send(quoted('slow'));
    const source = world.poll({ batchSize: 1, maximumConcurrency: 2 });
    await until(() => world.messages('requests').length === 0, 'the queue to be empty');
    await source.stop();
    expect(new Set(world.lines().map(({ pid }) => pid)).size).toBe(2);
    const times = world.lines().map(({ at }) => Number(at));
    // The third starts only when one of the first two, 300 ms long, is over.
    expect((times.toSorted((a, b) => a - b)[2] ?? 0) - Math.min(...times)).toBeGreaterThanOrEqual(290);
  });

  test('FIFO: a group has one batch in flight, and keeps its order', async () => {
    await using world = await start({ fifo: true });
    for (const group of ['a', 'b']) {
      for (const order of [1, 2, 3]) await world.send(quoted(`${group}${order}`), { groupId: group });
    }
    const source = world.poll({ maximumConcurrency: 3 });
    await until(() => world.messages('requests').length === 0, 'the queue to be empty');
    await source.stop();
    const bodies = world.lines().flatMap(({ bodies }) => bodies as string[]);
    for (const group of ['a', 'b']) {
      expect(bodies.filter((body) => body.startsWith(group))).toEqual([`${group}1`, `${group}2`, `${group}3`]);
    }
  });

  test('a message that fails each receive ends in exhausted', async () => {
    await using world = await start({ sqs: { visibilitySeconds: 0, maxReceiveCount: 3 } });
    await world.send(quoted('throw'));
    for (const _ of [1, 2, 3]) expect((await world.deliver({ max: 1 })).kept).toHaveLength(1);
    expect(await world.pump()).toBe(0);
    expect(world.messages('requests')).toEqual([]);
    expect(world.messages('exhausted').map(({ body }) => body)).toEqual(['"throw"']);
    expect(world.lines().map(({ receives }) => receives)).toEqual([['1'], ['2'], ['3']]);
  });

  test('a thrown error is a function error, and the environment stays warm', async () => {
    await using world = await start();
    expect((await world.invoke({ Records: [{ body: quoted('throw') }] })).functionError).toBe(
      'TypeError: thrown on demand',
    );
    await world.invoke({ Records: [] });
    expect(world.lines().map(({ invocation }) => invocation)).toEqual([1, 2]);
    expect(world.lambda.starts()).toBe(1);
  });

  test('a time-out kills the environment; the next invocation has a new one and its own time', async () => {
    await using world = await start();
    const { functionError, durationMs } = await world.invoke(
      { Records: [{ body: quoted('hang') }] },
      { remainingMs: 400 },
    );
    expect(functionError).toBe('Sandbox.Timedout: 400 ms');
    expect(durationMs).toBeGreaterThanOrEqual(395);
    expect(await world.invoke({ Records: [] })).toMatchObject({ payload: { batchItemFailures: [] } });
    expect(world.lambda.starts()).toBe(2);
    const [first, second] = world.lines().map(({ remainingMs }) => Number(remainingMs));
    expect(first).toBeLessThanOrEqual(400);
    expect(second).toBeGreaterThan(20_000);
  });

  test('a crash, and a kill from outside, end what is under way in a function error', async () => {
    await using world = await start();
    expect((await world.invoke({ Records: [{ body: quoted('crash') }] })).functionError).toBe('Runtime.ExitError: 3');
    const hanging = world.invoke({ Records: [{ body: quoted('hang') }] });
    await until(() => world.lines().length === 2, 'the second invocation to begin');
    world.kill();
    expect((await hanging).functionError).toBe('Runtime.ExitError: SIGKILL');
    expect((await world.invoke({ Records: [] })).functionError).toBeUndefined();
    expect(world.lambda.starts()).toBe(3);
  });

  test('a bundle that does not start says why, at each try', async () => {
    const lambda = createLambda({ bundle, env: { BROKEN: '1' } });
    for (const attempt of [1, 2]) {
      expect((await lambda.invoke({ Records: [] })).functionError).toMatch(/BROKEN is set/);
      expect(lambda.starts()).toBe(attempt);
    }
    await lambda.close();
  });
});
