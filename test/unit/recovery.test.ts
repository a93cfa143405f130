/** An outage and what comes after it, in one execution environment: who is called, who waits, who comes back at once. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import {
  answered,
  createStage,
  ENABLED,
  fifoRecord,
  gateway,
  keptIds,
  type Made,
  NOT_FOUND,
  type Reply,
  record,
  START,
  type Stage,
  token,
  unanswered,
} from './stage.ts';

const many = (count: number, from = 1, system: object = {}) =>
  Array.from({ length: count }, (_, index) => record(`m-${from + index}`, from + index, {}, system));
/** Down for so many ms of virtual time, then up. */
const downFor = (ms: number, down: Reply = gateway(503)) => {
  let startsAt: number | undefined;
  return ({ at }: Made): Reply => {
    startsAt ??= at;
    return at - startsAt < ms ? down : ENABLED;
  };
};
/** The visibility timeouts that a handle was given, in order. */
const waitsOf = ({ sqsCalls }: Stage, handle: string) =>
  sqsCalls
    .filter(({ action }) => action === 'ChangeMessageVisibilityBatch')
    .flatMap(({ entries }) => entries)
    .filter(({ ReceiptHandle }) => ReceiptHandle === handle)
    .map(({ VisibilityTimeout }) => Number(VisibilityTimeout));
const gaps = (calls: readonly Made[]) => calls.slice(1).map(({ at }, index) => at - calls[index]!.at);

/** An outage of so many ms; then `m-99` comes when Segura is back. */
const recover = async (ms: number, options: Parameters<typeof createStage>[0] = {}, records = many(10)) => {
  const stage = createStage({ segura: downFor(ms), ...options });
  const { tookMs } = await stage.invoke(records);
  // Segura's clock began with the first call, a little after the invocation.
  await stage.pass(ms - tookMs + 100);
  return { stage, response: await stage.invoke([record('m-99', 99)]) };
};

describe('the first success after an outage', () => {
  test('has all that this environment kept come back at once, in the same invocation', async () => {
    const { stage, response } = await recover(25_000);
    expect(keptIds(response)).toEqual([]);
    for (const { messageId } of many(10)) {
      const [first, second, ...more] = waitsOf(stage, `handle-${messageId}`);
      expect(first).toBeGreaterThanOrEqual(30);
      expect([second, more]).toEqual([0, []]);
    }
  });

  test('leaves alone whose own wait has ended: another receive may hold it', async () => {
    const { stage } = await recover(80_000);
    for (const { messageId } of many(10)) expect(waitsOf(stage, `handle-${messageId}`)).toHaveLength(1);
  });

  test('leaves alone what was received again meanwhile', async () => {
    const stage = createStage({ segura: downFor(25_000) });
    await stage.invoke(many(10));
    await stage.invoke([record('m-3', 3, { receiptHandle: 'again' })]);
    await stage.pass(12_000);
    await stage.invoke([record('m-99', 99)]);
    expect(waitsOf(stage, 'handle-m-3')).toHaveLength(1);
    expect(waitsOf(stage, 'again')).toHaveLength(2);
    expect(waitsOf(stage, 'handle-m-4')).toHaveLength(2);
  });

  test('has nobody back before the end of the pause that was asked for', async () => {
    const asked = gateway(503, { 'retry-after': '40' });
    const stage = createStage({
      segura: ({ at, identifier }) => (identifier === 99 ? ENABLED : downFor(1e9, asked)({ at } as Made)),
    });
    await stage.invoke(many(10), 20_000);
    await stage.pass(15_000);
    // Another environment is told nothing; in this one nobody is called before.
    const { tookMs } = await stage.invoke([record('m-99', 99)], 60_000);
    expect(tookMs).toBeGreaterThan(20_000);
    for (const { messageId } of many(10)) {
      const [first = 0, ...more] = waitsOf(stage, `handle-${messageId}`);
      expect(first).toBeGreaterThanOrEqual(40);
      for (const early of more) expect(early).toBeLessThanOrEqual(2);
    }
  });

  test('is not enough for a message that has no receives to spare', async () => {
    const spent = { ApproximateReceiveCount: '500' };
    const { stage } = await recover(25_000, {}, [...many(9), record('m-10', 10, {}, spent)]);
    expect(waitsOf(stage, 'handle-m-10')).toHaveLength(1);
    expect(waitsOf(stage, 'handle-m-9')).toHaveLength(2);
  });

  test('is told to SQS before the answer, and nothing after it', async () => {
    const { stage } = await recover(25_000, { sqs: () => ({ kind: 'ok', output: {}, tookMs: 500 }) as never });
    const before = stage.sqsCalls.length;
    await stage.pass(60_000);
    expect(stage.sqsCalls.length).toBe(before);
  });

  test('is found behind a stale connection and a refused token, and the rest of the batch goes on at once', async () => {
    const stage = createStage({
      segura: ({ at, nth }) => {
        if (at - START < 600_000) return gateway(503);
        reached ??= nth;
        return [unanswered('reset', 'ECONNRESET', true), gateway(401)][nth - reached] ?? ENABLED;
      },
    });
    let reached: number | undefined;
    await stage.invoke(many(10));
    await stage.pass(600_000);
    const response = await stage.invoke(many(10, 11));
    expect(keptIds(response)).toEqual([]);
    expect(response.tookMs).toBeLessThan(1000);
  });

  test('of a FIFO queue has each group come back whole', async () => {
    const group = (name: string) =>
      [1, 2, 3].map((at) => fifoRecord(`${name}-${at}`, name.charCodeAt(0) * 10 + at, name));
    const names = ['a', 'b', 'c', 'd', 'e'];
    const { stage } = await recover(25_000, { isFifo: true }, names.flatMap(group));
    for (const { messageId } of names.flatMap(group)) {
      const [first, second] = waitsOf(stage, `handle-${messageId}`);
      expect(first).toBe(waitsOf(stage, `handle-${messageId.replace(/\d/, '1')}`)[0]);
      expect(second).toBe(0);
    }
  });
});

describe('until then', () => {
  test('an environment makes at most one call in ten seconds, however many invocations it has', async () => {
    const stage = createStage({ segura: () => gateway(503) });
    await stage.invoke(many(10));
    const learnt = stage.calls.length;
    for (let turn = 1; turn < 40; turn += 1) {
      await stage.invoke(many(10, turn * 10));
      await stage.pass(1000);
    }
    expect(stage.calls.length).toBeGreaterThan(learnt + 5);
    expect(Math.min(...gaps(stage.calls.slice(learnt - 1)))).toBeGreaterThanOrEqual(10_000);
  });

  test('an invocation waits for one probe: where that fails too, the rest is kept uncalled, and done when it comes back', async () => {
    const answersFrom = (failures: number) =>
      createStage({ segura: ({ nth }) => (nth <= failures ? gateway(503) : ENABLED) });
    const short = answersFrom(10);
    expect(keptIds(await short.invoke(many(60)))).toEqual([]);
    const longer = answersFrom(12);
    expect(keptIds(await longer.invoke(many(60)))).toHaveLength(60);
    expect(longer.calls).toHaveLength(11);
    await longer.pass(60_000);
    expect(keptIds(await longer.invoke(many(60)))).toHaveLength(60);
    await longer.pass(60_000);
    expect(keptIds(await longer.invoke(many(60)))).toEqual([]);
  });

  test('a few passwords that always fail keep no others', async () => {
    const stage = createStage({
      segura: ({ identifier }) => (identifier <= 3 ? gateway(504) : ENABLED),
      concurrency: 1,
    });
    for (let turn = 1; turn <= 8; turn += 1) {
      const response = await stage.invoke([...many(3), record(`good-${turn}`, 100 + turn)]);
      expect(keptIds(response), `batch ${turn}`).not.toContain(`good-${turn}`);
      await stage.pass(500);
    }
  });

  test.each([429, 502, 503, 504, 500, 408, 403, 302, 418])(
    'a Retry-After of HTTP %i is the least wait of its message, and the next invocation calls nobody before',
    async (status) => {
      const stage = createStage({ segura: () => gateway(status, { 'retry-after': '300' }) });
      expect(keptIds(await stage.invoke([record('m-1', 1)]))).toEqual(['m-1']);
      expect(keptIds(await stage.invoke([record('m-2', 2)]))).toEqual(['m-2']);
      expect(stage.calls).toHaveLength(1);
      for (const handle of ['handle-m-1', 'handle-m-2']) expect(waitsOf(stage, handle)[0]).toBeGreaterThanOrEqual(300);
      await stage.pass(300_000);
      await stage.invoke([record('m-3', 3)]);
      expect(stage.calls).toHaveLength(2);
    },
  );

  test('a Retry-After of the token endpoint holds as well', async () => {
    const stage = createStage({ tokens: () => gateway(429, { 'retry-after': '300' }) });
    await stage.invoke([record('m-1', 1)]);
    await stage.invoke([record('m-2', 2)]);
    expect(stage.tokenCalls).toHaveLength(1);
    expect(waitsOf(stage, 'handle-m-2')[0]).toBeGreaterThanOrEqual(300);
    expect(stage.outcomes.map(({ decision }) => decision)).toMatchObject(Array(2).fill({ cause: 'rate-limited' }));
  });

  test('a failed token request stops the others of the batch', async () => {
    const stage = createStage({ tokens: () => gateway(401), concurrency: 2 });
    expect(keptIds(await stage.invoke(many(50)))).toHaveLength(50);
    expect([stage.tokenCalls.length, stage.calls.length]).toEqual([1, 0]);
  });

  test('stale connections are no failures of Segura', async () => {
    const stale = unanswered('reset', 'ECONNRESET', true);
    const stage = createStage({ segura: ({ nthOfIdentifier }) => (nthOfIdentifier === 1 ? stale : ENABLED) });
    const response = await stage.invoke(many(10));
    expect(keptIds(response)).toEqual([]);
    expect(response.tookMs).toBeLessThan(1000);
  });

  test('no wait is begun for which there is no time', async () => {
    const stage = createStage({ segura: () => gateway(503, { 'retry-after': '9' }) });
    const { tookMs } = await stage.invoke([record('m-1', 1)], 10_000);
    expect(tookMs).toBeLessThan(500);
    const growing = createStage({ segura: () => gateway(504) });
    const response = await growing.invoke([record('m-1', 1)], 2500);
    expect(response.tookMs).toBeLessThan(1500);
  });
});

describe('a fixed secret', () => {
  const secretOf = (nth: number) => ({
    kind: 'read' as const,
    text: JSON.stringify({
      url: `https://${nth === 1 ? 'old' : 'new'}.example.com`,
      accessTokenUrl: 'https://segura.example.com/iso/oauth2/token',
      clientId: 'client',
      clientSecret: `client-secret-${nth}`,
    }),
  });

  test.each<readonly [string, Reply]>([
    ['a refused certificate', unanswered('tls', 'CERT_HAS_EXPIRED')],
    ['a refused connection', unanswered('refused', 'ECONNREFUSED')],
    ['a host that is not there', unanswered('dns', 'ENOTFOUND')],
    ['a forbidden address', gateway(403)],
    ['a page of something else', answered(200, '<html>login</html>')],
    ['a moved server', gateway(302)],
  ])('after %s is used in the same invocation, by all of a batch', async (_, refusal) => {
    const stage = createStage({
      secret: secretOf,
      tokens: (_nth, { body = '' }) => token(body.includes('client-secret-1') ? 'old' : 'new'),
      segura: ({ token: value }) => (value === 'old' ? refusal : ENABLED),
    });
    expect(keptIds(await stage.invoke(many(30)))).toEqual([]);
    expect(stage.secretReads()).toBe(2);
    expect(stage.lines.filter(({ level }) => level === 'ERROR' || level === 'WARN')).toEqual([]);
  });
});

describe('places', () => {
  const work = async (share: number) => {
    let seed = 7;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    let under = 0;
    let most = 0;
    const stage: Stage = createStage({
      random,
      segura: () => {
        under += 1;
        most = Math.max(most, under);
        const tookMs = 40 + 20 * random();
        void stage.clock.sleep(tookMs).then(() => {
          under -= 1;
        });
        return { ...(random() < share ? gateway(504) : ENABLED), tookMs };
      },
    });
    const { tookMs } = await stage.invoke(many(1000), 120_000);
    return { tookMs, most, kept: stage.outcomes.filter(({ decision }) => decision.kind === 'kept').length };
  };

  test('are held by calls, not by waits: a fifth of 504 costs at most 1.6 times the time, and no more calls at once', async () => {
    const [well, ill] = [await work(0), await work(0.2)];
    expect(ill.tookMs / well.tookMs).toBeLessThanOrEqual(1.6);
    expect([well.most, ill.most]).toEqual([10, 10]);
    expect(ill.kept).toBeLessThan(3);
  });
});

test('no record outlives its invocation, kept or settled', async () => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const stage = createStage({
    segura: ({ identifier }) => (identifier % 3 === 0 ? gateway(503) : identifier % 3 === 1 ? NOT_FOUND : ENABLED),
  });
  const invoke = async () => {
    const records = many(9);
    await stage.invoke(records);
    stage.outcomes.length = 0;
    return records.map((each) => new WeakRef(each));
  };
  const references = await invoke();
  await stage.invoke([record('m-99', 2)]);
  stage.outcomes.length = 0;
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(references.filter((reference) => reference.deref() !== undefined)).toEqual([]);
});
