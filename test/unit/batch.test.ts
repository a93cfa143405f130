/** One event: bounded concurrency, groups in order, one outcome for each message, and the answer in time. */
import { describe, expect, test } from 'vitest';
import {
  createStage,
  ENABLED,
  fifoRecord,
  gateway,
  HANG,
  keptIds,
  LOGIN_PAGE,
  NOT_FOUND,
  type Reply,
  record,
} from './stage.ts';

const many = (count: number) => Array.from({ length: count }, (_, index) => record(`m-${index + 1}`, index + 1));
/** A reply for each identifier, and success for all others. */
const byIdentifier =
  (replies: Readonly<Record<number, Reply>>) =>
  ({ identifier }: { readonly identifier: number }): Reply =>
    replies[identifier] ?? ENABLED;

describe('the response', () => {
  test('names what is kept, in the order of the event, and nothing else', async () => {
    const stage = createStage({ segura: byIdentifier({ 2: LOGIN_PAGE, 4: LOGIN_PAGE, 5: NOT_FOUND }) });
    expect(keptIds(await stage.invoke(many(6)))).toEqual(['m-2', 'm-4']);
  });

  test('of an empty event is empty', async () => {
    expect(keptIds(await createStage().invoke([]))).toEqual([]);
  });

  test('names a message once that was delivered twice, and calls for it once', async () => {
    const stage = createStage({ segura: () => LOGIN_PAGE });
    expect(
      keptIds(await stage.invoke([record('a'), record('b', 11), record('a', 10, { receiptHandle: 'x' })])),
    ).toEqual(['a', 'b']);
    expect(stage.calls).toHaveLength(2);
    expect(stage.outcomes).toHaveLength(2);
  });
});

describe('a batch', () => {
  test('has no more calls under way than allowed', async () => {
    let under = 0;
    let most = 0;
    const stage = createStage({
      concurrency: 4,
      segura: () => {
        under += 1;
        most = Math.max(most, under);
        void stage.clock.sleep(100).then(() => {
          under -= 1;
        });
        return { ...ENABLED, tookMs: 100 };
      },
    });
    await stage.invoke(many(40));
    expect(most).toBe(4);
  });

  test('with what is not a request rejects it without a call, and carries out the rest', async () => {
    const stage = createStage();
    expect(keptIds(await stage.invoke([record('a', 'please'), record('b', 11)]))).toEqual([]);
    expect(stage.calls.map(({ identifier }) => identifier)).toEqual([11]);
    expect(stage.outcomes.map(({ decision }) => decision)).toContainEqual(
      expect.objectContaining({ kind: 'rejected', errorCode: 'InvalidMessage' }),
    );
  });

  test('in which one throws keeps that one, and carries out the rest', async () => {
    const stage = createStage({
      segura: ({ identifier }) => {
        if (identifier === 2) throw new TypeError('ours');
        return ENABLED;
      },
    });
    expect(keptIds(await stage.invoke(many(5)))).toEqual(['m-2']);
    expect(stage.lines).toContainEqual(
      expect.objectContaining({ message: 'bug: message kept', messageId: 'm-2', detail: 'ours' }),
    );
    expect(stage.outcomes.find(({ message }) => message.messageId === 'm-2')?.decision).toMatchObject({
      kind: 'kept',
      cause: 'bug',
    });
  });

  test('whose dead letters wait for SQS goes on calling Segura meanwhile', async () => {
    const stage = createStage({
      concurrency: 1,
      segura: byIdentifier({ 1: NOT_FOUND, 2: NOT_FOUND }),
      sqs: () => ({ kind: 'ok', output: { Successful: [{ Id: '0' }] }, tookMs: 5000 }),
    });
    await stage.invoke(many(5));
    expect(stage.calls.at(-1)!.at - stage.calls[0]!.at).toBeLessThan(1000);
  });

  test('of 200 costs few calls when Segura is plainly down, and keeps all', async () => {
    const stage = createStage({ segura: () => gateway(503) });
    const response = await stage.invoke(many(200));
    expect(keptIds(response)).toHaveLength(200);
    expect(stage.calls.length).toBeLessThanOrEqual(30);
    const before = stage.calls.length;
    await stage.invoke(many(200));
    expect(stage.calls.length - before).toBe(1);
  });

  test('of 200 asks for two tokens, not for 200, when each is refused', async () => {
    const stage = createStage({ segura: () => gateway(401) });
    expect(keptIds(await stage.invoke(many(200)))).toHaveLength(200);
    expect(stage.tokenCalls).toHaveLength(2);
    expect(stage.calls.length).toBeLessThanOrEqual(30);
  });
});

describe('a FIFO group', () => {
  const group = (name: string, ...identifiers: number[]) =>
    identifiers.map((identifier) => fifoRecord(`${name}-${identifier}`, identifier, name));

  test('is carried out one after the other, in the order of sending; groups beside each other', async () => {
    const stage = createStage({ isFifo: true, segura: () => ({ ...ENABLED, tookMs: 100 }) });
    await stage.invoke([...group('a', 1, 2, 3), ...group('b', 11, 12)]);
    const at = (identifier: number) => stage.calls.find((call) => call.identifier === identifier)!.at;
    expect(at(2) - at(1)).toBeGreaterThanOrEqual(100);
    expect(at(3) - at(2)).toBeGreaterThanOrEqual(100);
    expect(at(11)).toBe(at(1));
  });

  test('after a kept message is kept uncalled, and comes back with it', async () => {
    const stage = createStage({ isFifo: true, segura: byIdentifier({ 2: LOGIN_PAGE }) });
    expect(keptIds(await stage.invoke([...group('a', 1, 2, 3, 4), ...group('b', 11)]))).toEqual(['a-2', 'a-3', 'a-4']);
    expect(stage.calls.map(({ identifier }) => identifier).toSorted((a, b) => a - b)).toEqual([1, 2, 11]);
    const changes = stage.sqsCalls.flatMap(({ entries }) => entries);
    expect(changes.map(({ ReceiptHandle }) => ReceiptHandle)).toEqual(['handle-a-2', 'handle-a-3', 'handle-a-4']);
    expect(new Set(changes.map(({ VisibilityTimeout }) => VisibilityTimeout)).size).toBe(1);
  });

  test('waits until a dead letter is confirmed, and stays behind one that is not', async () => {
    const stage = createStage({
      isFifo: true,
      segura: byIdentifier({ 1: NOT_FOUND }),
      sqs: (action) =>
        action === 'SendMessageBatch' ? { kind: 'failed', code: 'AccessDenied', detail: 'no' } : undefined,
    });
    expect(keptIds(await stage.invoke(group('a', 1, 2)))).toEqual(['a-1', 'a-2']);
    expect(stage.calls.map(({ identifier }) => identifier)).toEqual([1]);
  });

  test('is not stopped by a rejection', async () => {
    const stage = createStage({ isFifo: true, segura: byIdentifier({ 1: NOT_FOUND }) });
    expect(keptIds(await stage.invoke([fifoRecord('a-0', 'x', 'a'), ...group('a', 1, 2)]))).toEqual([]);
    expect(stage.calls.map(({ identifier }) => identifier)).toEqual([1, 2]);
  });

  test('on a standard queue orders nothing: a fair queue’s tenant is no lane', async () => {
    const stage = createStage({ segura: () => ({ ...ENABLED, tookMs: 100 }) });
    const records = [1, 2, 3].map((identifier) =>
      record(`m-${identifier}`, identifier, {}, { MessageGroupId: 'tenant' }),
    );
    await stage.invoke(records);
    expect(new Set(stage.calls.map(({ at }) => at)).size).toBe(1);
  });
});

describe('whatever hangs, the answer goes out in time', () => {
  test.each([
    ['Segura', { segura: () => HANG }],
    ['the token endpoint', { tokens: () => HANG }],
    [
      'the secret store',
      { secret: () => ({ kind: 'failed', code: 'x', detail: 'x', tookMs: Number.POSITIVE_INFINITY }) as const },
    ],
    [
      'SQS',
      { segura: () => NOT_FOUND, sqs: () => ({ kind: 'ok', output: {}, tookMs: Number.POSITIVE_INFINITY }) as const },
    ],
  ])('%s', async (_, options) => {
    const stage = createStage(options);
    const response = await stage.invoke(many(20), 6000);
    expect(response.tookMs).toBeLessThan(6000);
    expect(keptIds(response)).toHaveLength(20);
    expect(stage.outcomes).toHaveLength(20);
  });

  test('even a call that does not end with its limit', async () => {
    const stage = createStage({ segura: byIdentifier({ 2: { ...HANG, isDeaf: true } }) });
    const response = await stage.invoke(many(3), 6000);
    expect(response.tookMs).toBeLessThan(6000);
    expect(keptIds(response)).toEqual(['m-2']);
    expect(stage.outcomes.at(-1)?.decision).toEqual({ kind: 'kept', cause: 'deadline' });
  });

  test('and as soon as all is done', async () => {
    expect((await createStage().invoke(many(3))).tookMs).toBeLessThan(200);
  });

  test('and what is done stays done', async () => {
    const stage = createStage({ segura: byIdentifier({ 3: HANG }) });
    expect(keptIds(await stage.invoke(many(8), 6000))).toEqual(['m-3']);
  });

  test('and nothing is called, sent or told after it', async () => {
    const stage = createStage({
      concurrency: 2,
      isFifo: true,
      hasOutcomes: true,
      segura: byIdentifier({ 1: HANG }),
      sqs: () => ({ kind: 'ok', output: {}, tookMs: 3000 }),
    });
    const invalid = Array.from({ length: 30 }, (_, index) => fifoRecord(`x-${index}`, 'x', `g-${index % 3}`));
    await stage.invoke([fifoRecord('a-1', 1, 'a'), fifoRecord('a-2', 'x', 'a'), ...invalid], 4000);
    const before = [stage.outcomes.length, stage.calls.length, stage.sqsCalls.length];
    const answeredAt = stage.clock.now();
    await stage.pass(60_000);
    expect([stage.outcomes.length, stage.calls.length, stage.sqsCalls.length]).toEqual(before);
    expect(stage.outcomes.every(({ at }) => at <= answeredAt)).toBe(true);
  });

  test('with next to no time left, nothing is begun', async () => {
    const stage = createStage();
    expect(keptIds(await stage.invoke(many(3), 100))).toHaveLength(3);
    expect([stage.calls.length, stage.tokenCalls.length]).toEqual([0, 0]);
  });
});
