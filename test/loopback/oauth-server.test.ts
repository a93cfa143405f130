/** The client credentials grant against a certified OAuth 2.0 server instead of our simulator. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSend } from '../../functions/http/send.ts';
import { createTokens, type Token, type TokenResult } from '../../functions/segura/token.ts';
import { createVaults } from '../../functions/segura/vault.ts';
import { sleepWhile } from '../../functions/time/sleep.ts';
import { type Client, startOauthServer } from './oauth-server.ts';

/** Every printable character, the blank among them. */
const PRINTABLE = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 0x20 + index)).replace(' ', '! ');

const METHODS = ['client_secret_post', 'client_secret_basic'] as const;
const clients: Client[] = [
  ...METHODS.map((method) => ({ clientId: method, clientSecret: PRINTABLE, method, lifetimeSeconds: 600 })),
  ...[1, 2, 61].map((lifetimeSeconds) => ({
    clientId: `lives ${lifetimeSeconds} s`,
    clientSecret: 'p%q',
    method: 'client_secret_basic' as const,
    lifetimeSeconds,
  })),
];

let server: Awaited<ReturnType<typeof startOauthServer>>;
beforeAll(async () => {
  server = await startOauthServer(clients);
});
afterAll(() => server.close());

const open = (clientId: string, changes: object = {}) => {
  const client = clients.find((each) => each.clientId === clientId)!;
  const clock = { at: Date.now() };
  const now = () => clock.at;
  const secret = {
    url: 'http://127.0.0.1:1',
    accessTokenUrl: server.tokenUrl,
    clientId: client.clientId,
    clientSecret: client.clientSecret,
    tokenAuthMethod: client.method,
    ...changes,
  };
  const vaults = createVaults({
    read: async () => ({ kind: 'read', text: JSON.stringify(secret) }),
    connect: () => createSend({ maxSockets: 2 }),
    now,
    sleep: sleepWhile,
    onFailure: (code, detail) => {
      throw new Error(`${code}: ${detail}`);
    },
  });
  const tokens = createTokens({
    vaults,
    timeoutMs: 5000,
    maxAttempts: 1,
    wait: () => 0,
    now,
    sleep: sleepWhile,
    onRequest: () => undefined,
    onRefusal: () => undefined,
  });
  const left = () => 10_000;
  return { clock, get: () => tokens.get(left), renew: (token: Token) => tokens.renew(token, left) };
};
const tokenOf = (result: TokenResult): Token => {
  if (result.kind !== 'token') throw new Error(`no token: ${result.cause} ${result.code} ${result.detail}`);
  return result.token;
};

test.each(METHODS)('a secret of every printable character is taken by %s at the first request', async (method) => {
  const before = server.requests();
  const token = tokenOf(await open(method).get());
  expect(await server.isActive(token.value.reveal())).toBe(true);
  expect(server.requests()).toBe(before + 1);
});

test.each(METHODS)('a wrong secret is refused to %s, and told by the code of OAuth alone', async (method) => {
  const result = await open(method, { clientSecret: `${PRINTABLE}x` }).get();
  expect(result).toMatchObject({ kind: 'no-token', cause: 'credentials', detail: 'invalid_client' });
  expect(JSON.stringify(result)).not.toContain('ABC');
});

describe('a token', () => {
  test.each([
    [1, 500],
    [2, 1000],
    [61, 30_500],
  ])('of %i s is renewed after %i ms, and not before', async (seconds, renewAfterMs) => {
    const { clock, get } = open(`lives ${seconds} s`);
    const issuedAt = clock.at;
    const first = tokenOf(await get());
    expect([first.renewAt - issuedAt, first.expiresAt - issuedAt]).toEqual([renewAfterMs, seconds * 1000]);
    clock.at = first.renewAt - 1;
    expect(tokenOf(await get())).toBe(first);
    clock.at = first.renewAt;
    expect(tokenOf(await get()).value.reveal()).not.toBe(first.value.reveal());
  });

  test('that was revoked is followed by another, which is good', async () => {
    const { get, renew } = open('client_secret_post');
    const revoked = tokenOf(await get());
    await server.revoke(revoked.value.reveal());
    expect(await server.isActive(revoked.value.reveal())).toBe(false);
    const next = tokenOf(await renew(revoked));
    expect(await server.isActive(next.value.reveal())).toBe(true);
  });
});
