/** The client credentials grant: one request for all who wait, renewed early, on refusal, and with a new secret. */
import { describe, expect, test } from 'vitest';
import type { Token, TokenResult } from '../../functions/segura/token.ts';
import { lifetimeSeconds } from '../../functions/segura/token.ts';
import {
  answered,
  createStage,
  finish,
  gateway,
  HANG,
  REFUSED,
  RESET,
  type Reply,
  type StageOptions,
  secretText,
  token,
  unanswered,
} from './stage.ts';

const open = (options: StageOptions = {}) => {
  const stage = createStage(options);
  const { tokens, clock } = stage;
  const left = (ms: number) => {
    const endsAt = clock.now() + ms;
    return () => endsAt - clock.now();
  };
  return {
    ...stage,
    left,
    get: (ms = 100_000, isProbe = false) => finish(clock, Promise.resolve(tokens.get(left(ms), isProbe))),
    renew: (refused: Token, ms = 100_000) => finish(clock, tokens.renew(refused, left(ms))),
  };
};
const tokenOf = (result: TokenResult): Token => {
  if (result.kind !== 'token') throw new Error(`no token: ${result.cause} ${result.code}`);
  return result.token;
};
const textOf = (result: TokenResult): string => tokenOf(result).value.reveal();
/** One reply after the other, the last for good. */
const inTurn =
  (...replies: readonly Reply[]) =>
  (nth: number): Reply =>
    replies[Math.min(nth, replies.length) - 1]!;

describe('the request', () => {
  test('is a form with client, secret and tenant, sent to the URL of the secret', async () => {
    const { get, tokenCalls } = open({
      secret: () => ({
        kind: 'read',
        text: secretText({ clientSecret: 'a&b=c d+é', tokenParameters: { tenant: 'acme' }, referer: 'https://r' }),
      }),
    });
    await get();
    const [{ url, headers, body }] = tokenCalls as [(typeof tokenCalls)[number]];
    expect(url.href).toBe('https://segura.example.com/iso/oauth2/token');
    expect(headers).toMatchObject({
      Accept: 'application/json',
      'Content-Type': 'application/x-www-form-urlencoded',
      Referer: 'https://r',
    });
    expect(headers).not.toHaveProperty('Authorization');
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'client_credentials',
      tenant: 'acme',
      client_id: 'client',
      client_secret: 'a&b=c d+é',
    });
  });

  test('with client_secret_basic carries the client in its header and not in its body', async () => {
    const { get, tokenCalls } = open({
      secret: () => ({ kind: 'read', text: secretText({ tokenAuthMethod: 'client_secret_basic' }) }),
    });
    await get();
    expect(tokenCalls[0]?.headers['Authorization']).toBe(`Basic ${btoa('client:client-secret')}`);
    expect(tokenCalls[0]?.body).toBe('grant_type=client_credentials');
  });
});

describe('a token', () => {
  test('is asked for once however many wait', async () => {
    const { tokens, left, clock, tokenCalls, secretReads } = open();
    const results = await finish(clock, Promise.all(Array.from({ length: 50 }, () => tokens.get(left(10_000)))));
    expect(new Set(results.map(textOf))).toEqual(new Set(['token-1']));
    expect([tokenCalls.length, secretReads()]).toEqual([1, 1]);
  });

  test('is renewed a minute before its end, and not before', async () => {
    const { get, pass, clock, tokenCalls } = open();
    const { renewAt } = tokenOf(await get());
    await pass(renewAt - clock.now() - 1);
    expect(textOf(await get())).toBe('token-1');
    await pass(1);
    expect(textOf(await get())).toBe('token-2');
    expect(tokenCalls).toHaveLength(2);
  });

  test('of a short life is renewed at half of it', async () => {
    const { get, pass } = open({ tokens: (nth) => token(`token-${nth}`, 10) });
    await get();
    await pass(4999);
    expect(textOf(await get())).toBe('token-1');
    await pass(1);
    expect(textOf(await get())).toBe('token-2');
  });

  test('that could not be renewed early is good until its end, and no longer', async () => {
    const { get, pass, clock } = open({ tokens: inTurn(token('first', 100), gateway(401)) });
    const { renewAt, expiresAt } = tokenOf(await get());
    await pass(renewAt - clock.now());
    expect(textOf(await get())).toBe('first');
    await pass(expiresAt - clock.now());
    expect(await get()).toMatchObject({ kind: 'no-token', cause: 'credentials' });
  });

  test.each([
    [3600, 3600],
    ['3600', 3600],
    [' 60 ', 60],
    [1, 1],
    [undefined, 3600],
    [null, 3600],
    ['', 3600],
    [' ', 3600],
    ['soon', 3600],
    [0, 3600],
    [-5, 3600],
    [Number.NaN, 3600],
    [true, 3600],
    [[60], 3600],
    [1e12, 86_400],
    ['1e99', 86_400],
    [Number.POSITIVE_INFINITY, 86_400],
  ])('whose expires_in is %j lives %i s', (expiresIn, seconds) => {
    expect(lifetimeSeconds(expiresIn)).toBe(seconds);
  });
});

describe('an early renewal that failed', () => {
  test('is not tried again for ten seconds, however many requests come', async () => {
    const { get, pass, clock, tokenCalls } = open({ tokens: inTurn(token('first', 100), gateway(503)) });
    const { renewAt } = tokenOf(await get());
    await pass(renewAt - clock.now());
    for (let request = 0; request < 100; request += 1) expect(textOf(await get(100_000, true))).toBe('first');
    expect(tokenCalls).toHaveLength(2);
    await pass(10_000);
    await get(100_000, true);
    expect(tokenCalls).toHaveLength(3);
  });
});

describe('a token of another secret than the one in force', () => {
  test('is not given out: the new secret has a token of its own', async () => {
    const { get, tokens, left, clock } = open({
      secret: (nth) => ({ kind: 'read', text: secretText({ url: `https://host-${nth}.example.com` }) }),
    });
    const first = tokenOf(await get());
    expect(await finish(clock, tokens.rereadSecret(first.vault, left(10_000)))).toBe(true);
    const second = tokenOf(await get());
    expect([second.vault.secret.url.hostname, second.value.reveal()]).toEqual(['host-2.example.com', 'token-2']);
  });

  test('is noticed within the hour, also where a token lives for a day', async () => {
    const { get, pass } = open({
      secret: (nth) => ({ kind: 'read', text: secretText({ url: `https://host-${nth}.example.com` }) }),
      tokens: (nth) => token(`token-${nth}`, 86_400),
    });
    await get();
    await pass(3_599_000);
    expect(textOf(await get())).toBe('token-1');
    await pass(1000);
    expect(tokenOf(await get()).vault.secret.url.hostname).toBe('host-2.example.com');
  });
});

describe('client_secret_basic', () => {
  const decode = (header: string | undefined): string => Buffer.from(header?.slice(6) ?? '', 'base64').toString();
  const basic = (changes: object) => () => ({
    kind: 'read' as const,
    text: secretText({ tokenAuthMethod: 'client_secret_basic', ...changes }),
  });

  test('sends id and secret percent-encoded, as RFC 6749 wants it', async () => {
    const { get, tokenCalls } = open({ secret: basic({ clientId: 'a:b', clientSecret: '100% é+/' }) });
    await get();
    expect(tokenCalls.map(({ headers }) => decode(headers['Authorization']))).toEqual(['a%3Ab:100%25+%C3%A9%2B%2F']);
  });

  test('refused where the plain form differs, tries the plain form once, and remembers what worked', async () => {
    const { get, renew, tokenCalls } = open({
      secret: basic({ clientSecret: 'p%q' }),
      tokens: (nth, { headers }) =>
        decode(headers['Authorization']) === 'client:p%q' ? token(`token-${nth}`) : gateway(401),
    });
    const first = tokenOf(await get());
    await renew(first);
    expect(tokenCalls.map(({ headers }) => decode(headers['Authorization']))).toEqual([
      'client:p%25q',
      'client:p%q',
      'client:p%q',
    ]);
  });

  test('refused in both forms, says what the first was answered', async () => {
    const { get, tokenCalls } = open({
      secret: basic({ clientSecret: 'p%q' }),
      tokens: inTurn(answered(400, { error: 'invalid_request' }), gateway(401)),
    });
    expect(await get()).toMatchObject({ cause: 'credentials', code: 'HTTP400', detail: 'invalid_request' });
    expect(tokenCalls).toHaveLength(2);
  });

  test('without special characters has one form alone', async () => {
    const { get, tokenCalls } = open({ secret: basic({}), tokens: () => gateway(401) });
    await get();
    expect(tokenCalls).toHaveLength(1);
  });
});

test.each([
  ['invalid_client', 'invalid_client'],
  ['the token eyJabc was refused', undefined],
  [{ code: 1 }, undefined],
])('of an OAuth error %j the log hears %j', async (error, detail) => {
  const { get } = open({ tokens: () => answered(401, { error, error_description: 'client-secret' }) });
  const result = await get();
  expect(result.kind === 'no-token' && result.detail).toBe(detail);
});

describe('a refused token', () => {
  test('is renewed once however many calls were refused', async () => {
    const { get, tokens, left, clock, tokenCalls } = open();
    const refused = tokenOf(await get());
    const renewed = await finish(
      clock,
      Promise.all(Array.from({ length: 20 }, () => tokens.renew(refused, left(10_000)))),
    );
    expect(new Set(renewed.map(textOf))).toEqual(new Set(['token-2']));
    expect(tokenCalls).toHaveLength(2);
  });

  test('that comes late, when the renewal has failed, asks no more', async () => {
    const { get, renew, tokenCalls } = open({ tokens: inTurn(token('first'), gateway(503)) });
    const first = tokenOf(await get());
    const failed = await renew(first);
    const asked = tokenCalls.length;
    expect(await renew(first)).toEqual(failed);
    expect(tokenCalls).toHaveLength(asked);
    await get();
    expect(tokenCalls.length).toBeGreaterThan(asked);
  });

  test('that comes late does not renew what was renewed meanwhile', async () => {
    const { get, renew, tokenCalls } = open();
    const refused = tokenOf(await get());
    await renew(refused);
    expect(textOf(await renew(refused))).toBe('token-2');
    expect(tokenCalls).toHaveLength(2);
  });

  test('is not given out again, also when the renewal fails', async () => {
    const { get, renew } = open({ tokens: inTurn(token('first'), gateway(401)) });
    await renew(tokenOf(await get()));
    expect((await get()).kind).toBe('no-token');
  });
});

describe('a gateway that fails', () => {
  test.each([
    ['503', gateway(503), 'gateway', 'HTTP503', 2],
    ['429', gateway(429), 'rate-limited', 'HTTP429', 2],
    ['a refused connection', REFUSED, 'gateway', 'ECONNREFUSED', 2],
    ['a reset, which no secret could cure', RESET, 'gateway', 'ECONNRESET', 1],
  ])('(%s) is asked three times, with growing waits', async (_, reply, cause, code, reads) => {
    const { get, tokenCalls, clock, secretReads } = open({ tokens: () => reply, random: () => 0 });
    const startedAt = clock.now();
    expect(await get()).toEqual({ kind: 'no-token', cause, code });
    expect([tokenCalls.length, secretReads()]).toEqual([3, reads]);
    // the reads of the secret, three calls, waits of 200 and 400 ms
    expect(clock.now() - startedAt).toBe(reads * 10 + 3 * 20 + 600);
  });

  test('and asks for a wait that there is no time for, says for how long', async () => {
    const { get } = open({ tokens: () => gateway(429, { 'retry-after': '300' }) });
    expect(await get()).toEqual({
      kind: 'no-token',
      cause: 'rate-limited',
      code: 'HTTP429',
      retryAfterSeconds: 300,
    });
  });

  test('because the URL moved, is asked at the new one in the same invocation', async () => {
    const { get, tokenCalls } = open({
      secret: (nth) => ({
        kind: 'read',
        text: secretText({ accessTokenUrl: `https://host-${nth}.example.com/token` }),
      }),
      tokens: (_, { url }) => (url.hostname.startsWith('host-2') ? token('moved') : unanswered('dns', 'ENOTFOUND')),
    });
    expect(textOf(await get(100_000, true))).toBe('moved');
    expect(tokenCalls).toHaveLength(2);
  });

  test("because the tenant changed, refuses in Segura's own envelope, and is asked for the new one at once", async () => {
    const { get, tokenCalls } = open({
      secret: (nth) => ({ kind: 'read', text: secretText({ tokenParameters: { tenant: `tenant-${nth}` } }) }),
      tokens: (_, { body }) =>
        body?.includes('tenant-2')
          ? token('of-tenant-2')
          : answered(400, { code: 400, response: { status: 400, message: 'Invalid request', error: true } }),
    });
    expect(textOf(await get())).toBe('of-tenant-2');
    expect(tokenCalls).toHaveLength(2);
  });

  test('is asked once where the call is a probe', async () => {
    const { get, tokenCalls } = open({ tokens: () => gateway(503) });
    expect((await get(100_000, true)).kind).toBe('no-token');
    expect(tokenCalls).toHaveLength(1);
  });

  test('and comes back, gives a token', async () => {
    const { get } = open({ tokens: inTurn(gateway(502), RESET, token('third')) });
    expect(textOf(await get())).toBe('third');
  });

  test('is not asked before its Retry-After, nor at all where that leaves no time', async () => {
    const { get, clock } = open({ tokens: inTurn(gateway(429, { 'retry-after': '5' }), token('second')) });
    const startedAt = clock.now();
    await get();
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(5000);
    const late = open({ tokens: () => gateway(429, { 'retry-after': '500' }) });
    expect((await late.get()).kind).toBe('no-token');
    expect(late.tokenCalls).toHaveLength(1);
  });

  test('by a stale connection is asked again at once, also by a probe', async () => {
    const stale = unanswered('reset', 'ECONNRESET', true);
    const { get, clock } = open({ tokens: inTurn(stale, token('second')) });
    const startedAt = clock.now();
    expect(textOf(await get(100_000, true))).toBe('second');
    expect(clock.now() - startedAt).toBe(50);
  });

  test('by hanging on a kept-alive connection has not gone stale: a probe asks once', async () => {
    const { get, tokenCalls } = open({ tokens: () => unanswered('timeout', 'ETIMEDOUT', true) });
    expect(await get(100_000, true)).toMatchObject({ kind: 'no-token', cause: 'gateway' });
    expect(tokenCalls).toHaveLength(1);
  });

  test('by hanging takes no more than the time left', async () => {
    const { get, clock } = open({ tokens: () => HANG });
    const startedAt = clock.now();
    expect(await get(4000)).toMatchObject({ cause: 'gateway', code: 'ETIMEDOUT' });
    expect(clock.now() - startedAt).toBe(4000);
  });
});

describe('a client that is refused', () => {
  test.each([
    ['401', gateway(401), 'HTTP401'],
    ['400', gateway(400), 'HTTP400'],
    ['404', gateway(404), 'HTTP404'],
    ['a redirect', gateway(302), 'HTTP302'],
    ['200 without a token', answered(200, {}), 'HTTP200'],
  ])('(%s) reads the secret again once, and then gives up', async (_, reply, code) => {
    const { get, tokenCalls, secretReads, refusals } = open({ tokens: () => reply });
    expect(await get()).toEqual({ kind: 'no-token', cause: 'credentials', code });
    expect([tokenCalls.length, secretReads()]).toEqual([1, 2]);
    expect(refusals).toEqual([`credentials ${code}`]);
  });

  test('because its secret was rotated, is asked for with the new one', async () => {
    const { get, tokenCalls } = open({
      secret: (nth) => ({ kind: 'read', text: secretText({ clientSecret: `secret-${nth}` }) }),
      tokens: (_, { body }) => (body?.includes('secret-2') ? token('fresh') : gateway(401)),
    });
    const fresh = tokenOf(await get());
    expect(fresh.value.reveal()).toBe('fresh');
    expect(fresh.vault.secret.clientSecret.reveal()).toBe('secret-2');
    expect(tokenCalls).toHaveLength(2);
  });

  test('also with the new secret, gives up', async () => {
    const { get, tokenCalls, refusals } = open({
      secret: (nth) => ({ kind: 'read', text: secretText({ clientSecret: `secret-${nth}` }) }),
      tokens: () => gateway(401),
    });
    expect((await get()).kind).toBe('no-token');
    expect([tokenCalls.length, refusals.length]).toEqual([2, 2]);
  });

  test('is asked for no third time, however long each refusal takes', async () => {
    const { get, tokenCalls } = open({
      secret: (nth) => ({ kind: 'read', text: secretText({ clientSecret: `secret-${nth}` }) }),
      tokens: () => ({ ...gateway(401), tookMs: 29_999 }),
    });
    expect((await get(600_000)).kind).toBe('no-token');
    expect(tokenCalls).toHaveLength(2);
  });

  test('by its certificate is told apart', async () => {
    const { get, refusals } = open({ tokens: () => unanswered('tls', 'CERT_HAS_EXPIRED') });
    expect(await get()).toMatchObject({ cause: 'tls', code: 'CERT_HAS_EXPIRED' });
    expect(refusals).toEqual(['tls CERT_HAS_EXPIRED']);
  });
});

test('a token prints as [secret]', async () => {
  const { get } = open();
  expect(JSON.stringify(await get())).not.toMatch(/token-1|client-secret/);
});
