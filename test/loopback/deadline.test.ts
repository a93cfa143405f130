/** What hangs must not take finished work, or the answer, with it. */
import { describe, expect, test } from 'vitest';
import { batchResponse } from '../../infra/local/world.ts';
import { openWorld } from './in-process-lambda.ts';

const passwords = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [index + 1, 'disabled' as const]));
const record = (identifier: number) => ({
  messageId: `message-${identifier}`,
  receiptHandle: `handle-${identifier}`,
  body: String(identifier),
  attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(Date.now()) },
  messageAttributes: {},
  eventSource: 'aws:sqs',
});
const records = (count: number) => Array.from({ length: count }, (_, index) => record(index + 1));

describe.concurrent('with 6 s left', () => {
  test('a vault that hangs: answered in time, calls cut and closed, everything kept', async () => {
    await using world = await openWorld({ passwords });
    world.segura.settings.outage = { kind: 'hang' };
    const result = await world.invoke({ Records: records(12) }, { remainingMs: 6000 });
    expect(batchResponse(result).batchItemFailures).toHaveLength(12);
    expect(world.auditLines()).toHaveLength(12);
    expect(world.sqs.calls('ChangeMessageVisibilityBatch').flatMap(({ input }) => input['Entries'])).toHaveLength(12);
  });

  test('one call that hangs among finished ones: what is done stays done', async () => {
    await using world = await openWorld({ passwords });
    world.segura.always(7, { kind: 'hang' });
    const result = await world.invoke({ Records: records(10) }, { remainingMs: 6000 });
    expect(batchResponse(result).batchItemFailures).toEqual([{ itemIdentifier: 'message-7' }]);
  });

  test('a token endpoint that hangs', async () => {
    await using world = await openWorld({ passwords });
    world.segura.settings.tokenOutage = { kind: 'hang' };
    const result = await world.invoke({ Records: records(20) }, { remainingMs: 6000 });
    expect(batchResponse(result).batchItemFailures).toHaveLength(20);
    expect(world.segura.enableCalls()).toEqual([]);
  });

  test('a secret store that hangs', async () => {
    await using world = await openWorld({ passwords });
    world.secrets.settings.fault = 'hang';
    const result = await world.invoke({ Records: records(20) }, { remainingMs: 6000 });
    expect(batchResponse(result).batchItemFailures).toHaveLength(20);
  });

  test('SQS that hangs: rejections are kept, what is enabled stays enabled', async () => {
    await using world = await openWorld({ passwords });
    for (const action of ['SendMessageBatch', 'ChangeMessageVisibilityBatch']) {
      world.sqs.settings.faults.set(action, { kind: 'hang' });
    }
    const result = await world.invoke({ Records: [...records(5), record(999)] }, { remainingMs: 6000 });
    expect(batchResponse(result).batchItemFailures).toEqual([{ itemIdentifier: 'message-999' }]);
  });
});

describe.concurrent('a vault that is plainly down', () => {
  test.each([
    ['503', { kind: 'kong', status: 503 }],
    ['reset', { kind: 'reset' }],
    ['429', { kind: 'kong', status: 429 }],
    ['500', { kind: 'kong', status: 500 }],
  ] as const)(
    '%s: 200 messages cost few calls, all are kept, and the next invocation probes with one',
    async (_, outage) => {
      await using world = await openWorld({ passwords });
      world.segura.settings.outage = outage;
      const result = await world.invoke({ Records: records(200) });
      expect(batchResponse(result).batchItemFailures).toHaveLength(200);
      expect(world.segura.enableCalls().length).toBeLessThanOrEqual(30);
      const before = world.segura.enableCalls().length;
      await world.invoke({ Records: records(50) });
      expect(world.segura.enableCalls().length - before).toBe(1);
      world.segura.settings.outage = undefined;
      expect(batchResponse(await world.invoke({ Records: records(50) })).batchItemFailures).toEqual([]);
    },
  );

  test('a single failing identifier never ends the calls for the others', async () => {
    await using world = await openWorld({ passwords });
    for (const identifier of [1, 2]) world.segura.always(identifier, { kind: 'kong', status: 502 });
    const result = await world.invoke({ Records: records(40) }, { remainingMs: 20_000 });
    expect(batchResponse(result).batchItemFailures).toEqual([
      { itemIdentifier: 'message-1' },
      { itemIdentifier: 'message-2' },
    ]);
  });

  test('it comes back within the invocation: the messages that waited are carried out', async () => {
    await using world = await openWorld({ passwords });
    // As many as are under way at once: the probe ten seconds later finds Segura well.
    world.segura.next(...Array.from({ length: 10 }, () => ({ kind: 'kong', status: 503 }) as const));
    const result = await world.invoke({ Records: records(60) });
    expect(batchResponse(result).batchItemFailures).toEqual([]);
  });
});

test('a connection that went stale during a freeze is tried again at once', async () => {
  await using world = await openWorld({ passwords });
  await world.invoke({ Records: records(1) });
  world.segura.next({ kind: 'reset' });
  const result = await world.invoke({ Records: [record(2)] });
  expect(batchResponse(result).batchItemFailures).toEqual([]);
  const [first, second] = world.segura.enableCalls(2);
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(150);
});

test('a batch of 2,000 is carried out with bounded concurrency', async () => {
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [index + 1, 'disabled' as const]));
  await using world = await openWorld({ passwords: many });
  const result = await world.invoke({
    Records: [...records(2000), ...Array.from({ length: 45 }, (_, i) => record(5000 + i))],
  });
  expect(batchResponse(result).batchItemFailures).toEqual([]);
  expect(world.messages('rejected')).toHaveLength(45);
  // Batched by ten, if not all of them full.
  expect(world.sqs.calls('SendMessageBatch').length).toBeLessThan(20);
});
