/** One request: its attempts and waits, a new token, the deadline; always a decision. */
import { describe, expect, test } from 'vitest';
import {
  ALREADY,
  createStage,
  ENABLED,
  gateway,
  HANG,
  keptIds,
  LOGIN_PAGE,
  type Made,
  NO_ACCESS,
  NO_ROUTE,
  NOT_FOUND,
  REFUSED,
  RESET,
  type Reply,
  record,
  SERVER_ERROR,
  START,
  token,
  unanswered,
} from './stage.ts';

/** One reply after the other, the last for good. */
const inTurn =
  (...replies: readonly Reply[]) =>
  ({ nth }: Made): Reply =>
    replies[Math.min(nth, replies.length) - 1]!;
const gaps = (calls: readonly Made[]): number[] => calls.slice(1).map(({ at }, index) => at - calls[index]!.at);

describe('what Segura says', () => {
  test.each([
    [ENABLED, { kind: 'done', result: 'enabled' }],
    [ALREADY, { kind: 'done', result: 'already-enabled' }],
    [NOT_FOUND, { kind: 'rejected', errorCode: '1005', errorMessage: '1005: Password not found' }],
    [NO_ACCESS, { kind: 'rejected', errorCode: '1006', errorMessage: '1006: User does not have access' }],
  ])('ends it after one call: %#', async (reply, decision) => {
    const stage = createStage({ segura: () => reply });
    expect(await stage.enable()).toEqual({ decision, effort: { attempts: 1, latenciesMs: [20] } });
  });

  test.each([
    ['a login page', LOGIN_PAGE, 'unexpected-answer', 'HTTP200', 'WARN'],
    ['a redirect', gateway(302), 'unexpected-answer', 'HTTP302', 'WARN'],
    ['403', gateway(403), 'credentials', 'HTTP403', 'ERROR'],
    ['a refused certificate', unanswered('tls', 'CERT_HAS_EXPIRED'), 'tls', 'CERT_HAS_EXPIRED', 'ERROR'],
  ])('%s is kept at once, and said', async (_, reply, cause, errorCode, level) => {
    const stage = createStage({ segura: () => reply });
    expect((await stage.enable()).decision).toMatchObject({ kind: 'kept', cause, errorCode });
    expect(stage.calls).toHaveLength(1);
    expect(stage.warnings()).toEqual([[level, expect.any(String), errorCode]]);
  });

  test('nothing secret that it repeats goes into a rejection', async () => {
    const stage = createStage({
      segura: ({ token: value }) => {
        const message = `1005: Bearer ${value} of client-secret not found`;
        return {
          kind: 'answered',
          status: 400,
          headers: {},
          body: JSON.stringify({ response: { message, error: true } }),
        };
      },
    });
    expect((await stage.enable()).decision).toMatchObject({
      errorMessage: '1005: Bearer [secret] of [secret] not found',
    });
  });
});

describe('again', () => {
  test.each([
    ['502', gateway(502)],
    ['503', gateway(503)],
    ['504', gateway(504)],
    ['408', gateway(408)],
    ['429', gateway(429)],
    ['500', SERVER_ERROR],
    ['a reset', RESET],
    ['a refused connection', REFUSED],
    ['a name that is not found', unanswered('dns', 'EAI_AGAIN')],
    ['a time-out', HANG],
  ])('after %s, and done when it works', async (_, reply) => {
    const stage = createStage({ segura: inTurn(reply, ENABLED) });
    const { decision, effort } = await stage.enable();
    expect([decision.kind, effort.attempts]).toEqual(['done', 2]);
  });

  test('with waits that grow, at most six times', async () => {
    const stage = createStage({ segura: () => gateway(504), random: () => 0 });
    const { decision, effort } = await stage.enable();
    expect(decision).toEqual({ kind: 'kept', cause: 'gateway', errorCode: 'HTTP504' });
    expect(effort.attempts).toBe(6);
    // 20 ms of each are the call.
    expect(gaps(stage.calls)).toEqual([100, 180, 340, 660, 2520]);
  });

  test('with waits that grow also where each failure is another', async () => {
    const failures = [gateway(502), gateway(503), gateway(504), REFUSED, gateway(429), ENABLED];
    const stage = createStage({ segura: inTurn(...failures), random: () => 0 });
    expect((await stage.enable()).decision.kind).toBe('done');
    expect(gaps(stage.calls)).toEqual([100, 180, 340, 660, 2520]);
  });

  test('after 500 at most once, however many other failures come between', async () => {
    const always = createStage({ segura: () => SERVER_ERROR });
    expect((await always.enable()).decision).toMatchObject({ cause: 'server-error', errorCode: 'HTTP500' });
    expect(always.calls).toHaveLength(2);
    const between = createStage({ segura: inTurn(SERVER_ERROR, gateway(503), SERVER_ERROR, ENABLED) });
    expect((await between.enable()).decision.kind).toBe('kept');
    expect(between.calls).toHaveLength(3);
  });

  test('after Retry-After, and not before', async () => {
    const stage = createStage({ segura: inTurn(gateway(429, { 'retry-after': '7' }), ENABLED), random: () => 0 });
    expect((await stage.enable()).decision.kind).toBe('done');
    expect(gaps(stage.calls)).toEqual([7030]);
  });

  test('never where Retry-After leaves no time: kept, with the wait that was asked for', async () => {
    for (const status of [429, 503]) {
      const stage = createStage({ segura: () => gateway(status, { 'retry-after': '600' }) });
      expect((await stage.enable()).decision).toMatchObject({ kind: 'kept', retryAfterSeconds: 600 });
      expect(stage.calls).toHaveLength(1);
    }
  });

  test('at once, and only once, where a kept-alive connection had gone stale', async () => {
    const stale = unanswered('reset', 'ECONNRESET', true);
    const stage = createStage({ segura: inTurn(stale, ENABLED) });
    expect((await stage.enable()).decision.kind).toBe('done');
    expect(gaps(stage.calls)).toEqual([20]);
    const twice = createStage({ segura: inTurn(stale, stale, ENABLED) });
    expect((await twice.enable()).decision.kind).toBe('done');
    expect(gaps(twice.calls)[1]).toBeGreaterThan(50);
  });
});

describe('a refused token', () => {
  test('is renewed once, and the call made again at once', async () => {
    const stage = createStage({ segura: ({ token: value }) => (value === 'token-1' ? NO_ROUTE : ENABLED) });
    expect((await stage.enable()).decision.kind).toBe('done');
    expect(stage.calls.map(({ token: value }) => value)).toEqual(['token-1', 'token-2']);
    expect(gaps(stage.calls)).toEqual([40]);
  });

  test('that is refused again keeps the message: URL or key are wrong', async () => {
    const stage = createStage({ segura: () => NO_ROUTE });
    expect((await stage.enable()).decision).toMatchObject({ kind: 'kept', cause: 'credentials', errorCode: 'HTTP404' });
    expect(stage.warnings()).toEqual([['ERROR', expect.stringMatching(/refuses even a new token/), 'HTTP404']]);
    expect([stage.calls.length, stage.tokenCalls.length]).toEqual([2, 2]);
  });

  test('that nobody renews keeps the message, for its own reason', async () => {
    const refused = createStage({ segura: () => NO_ROUTE, tokens: (nth) => (nth === 1 ? token('t') : gateway(401)) });
    expect((await refused.enable()).decision).toMatchObject({ cause: 'credentials', errorCode: 'HTTP401' });
    const down = createStage({ segura: () => NO_ROUTE, tokens: (nth) => (nth === 1 ? token('t') : gateway(503)) });
    expect((await down.enable()).decision).toMatchObject({ cause: 'gateway', errorCode: 'HTTP503' });
  });

  test('after a failing gateway is no second chance for the gateway’s retries', async () => {
    const stage = createStage({ segura: inTurn(gateway(502), NO_ROUTE, gateway(502), ENABLED) });
    const { decision, effort } = await stage.enable();
    expect([decision.kind, effort.attempts, stage.tokenCalls.length]).toEqual(['done', 4, 2]);
  });
});

describe('without a token', () => {
  test.each([
    ['the endpoint refuses', () => gateway(401), 'credentials', 'HTTP401'],
    ['the endpoint is down', () => gateway(503), 'gateway', 'HTTP503'],
    ['its certificate is refused', () => unanswered('tls', 'CERT_HAS_EXPIRED'), 'tls', 'CERT_HAS_EXPIRED'],
  ])('because %s, Segura is not called', async (_, tokens, cause, errorCode) => {
    const stage = createStage({ tokens });
    expect((await stage.enable()).decision).toEqual({ kind: 'kept', cause, errorCode });
    expect(stage.calls).toEqual([]);
  });

  test('because the secret is not readable, neither Segura nor the token endpoint is called', async () => {
    const stage = createStage({ secret: () => ({ kind: 'failed', code: 'AccessDeniedException', detail: 'x' }) });
    expect((await stage.enable()).decision).toMatchObject({ cause: 'credentials', errorCode: 'AccessDeniedException' });
    expect([stage.calls.length, stage.tokenCalls.length]).toEqual([0, 0]);
  });
});

describe('an expired request', () => {
  test('is rejected without a call', async () => {
    const stage = createStage();
    expect((await stage.enable({ notAfter: new Date(START - 1) })).decision).toMatchObject({
      kind: 'rejected',
      errorCode: 'Expired',
      errorMessage: expect.stringMatching(/not to be carried out after/),
    });
    const old = { SentTimestamp: String(START - 345_601_000) };
    expect((await stage.enable({}, old)).decision).toMatchObject({
      errorCode: 'Expired',
      errorMessage: expect.stringMatching(/older than/),
    });
    expect(stage.calls).toEqual([]);
  });

  test('that was in time at first is not called again after it', async () => {
    const stage = createStage({ segura: () => gateway(503) });
    const { decision, effort } = await stage.enable({ notAfter: new Date(START + 250) });
    expect(decision).toMatchObject({ errorCode: 'Expired' });
    expect(effort.attempts).toBe(2);
    expect(stage.calls.every(({ at }) => at <= START + 250)).toBe(true);
  });

  test('that expires while it waits for a token is not called', async () => {
    const stage = createStage({ tokens: () => ({ ...token('t'), tookMs: 5000 }) });
    expect((await stage.enable({ notAfter: new Date(START + 1000) })).decision).toMatchObject({ errorCode: 'Expired' });
    expect(stage.calls).toEqual([]);
  });
});

describe('the time left', () => {
  test('limits a call where it is less than the time-out', async () => {
    const stage = createStage({ segura: () => HANG });
    const { decision } = await stage.enable({}, { remainingMs: 10_000 });
    expect(decision).toMatchObject({ kind: 'kept', cause: 'gateway', errorCode: 'ETIMEDOUT' });
    // 10 s less the reserves, less 30 ms for secret and token
    expect(stage.timeouts).toEqual([expect.closeTo(8470, -1)]);
  });

  test('does not limit it otherwise', async () => {
    const stage = createStage();
    await stage.enable();
    expect(stage.timeouts).toEqual([30_000]);
  });

  test('that is too short for a call makes none', async () => {
    const stage = createStage();
    expect((await stage.enable({}, { remainingMs: 300 })).decision).toEqual({ kind: 'kept', cause: 'deadline' });
    expect([stage.calls.length, stage.tokenCalls.length]).toEqual([0, 0]);
  });

  test('ends the retries with what the last one said', async () => {
    const stage = createStage({ segura: () => gateway(504), random: () => 0 });
    const { decision, effort } = await stage.enable({}, { remainingMs: 2500 });
    expect(decision).toEqual({ kind: 'kept', cause: 'gateway', errorCode: 'HTTP504' });
    expect(effort.attempts).toBe(4);
  });
});

test('a bug in a call that probes does not leave the others waiting for it', async () => {
  const stage = createStage({
    segura: ({ identifier }) => {
      if (identifier <= 3) return gateway(503);
      throw new TypeError('ours');
    },
  });
  // One invocation closes the way …
  await stage.invoke([1, 2, 3].map((identifier) => record(`m-${identifier}`, identifier)));
  expect(keptIds(await stage.invoke([record('m-4', 4), record('m-5', 5)]))).toEqual(['m-4', 'm-5']);
  expect(stage.outcomes.slice(-2).map(({ decision }) => decision)).toMatchObject([{ cause: 'bug' }, { cause: 'bug' }]);
});
