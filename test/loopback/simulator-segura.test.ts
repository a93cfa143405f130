/**
 * The Segura simulator keeps to the vendor's page. The first part asks nothing of it that a real server would not answer
 * alike: with SEGURA_TEST_SECRET (a secret as in the README) and SEGURA_TEST_IDENTIFIERS (`{"disabled": 1, "unknown": 2,
 * "noAccess": 3}`, the first really disabled beforehand) in the environment it runs against a test tenant instead.
 */
import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import answers from '../../infra/local/answers.json' with { type: 'json' };
import { createCertificates } from '../../infra/local/certificates.ts';
import type { Fault } from '../../infra/local/faults.ts';
import { kongAnswer, NO_PEER } from '../../infra/local/kong.ts';
import { type Segura, type SeguraOptions, startSegura } from '../../infra/local/segura.ts';
import { until } from '../../infra/local/world.ts';

interface Tenant {
  readonly url: string;
  readonly accessTokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokenParameters?: Readonly<Record<string, string>>;
}

const tenantOf = ({ url, tokenUrl, settings }: Segura): Tenant => ({
  url,
  accessTokenUrl: tokenUrl,
  clientId: settings.clientId,
  clientSecret: settings.clientSecret,
});

const askToken = (tenant: Tenant, changes: Readonly<Record<string, string>> = {}, headers = {}): Promise<Response> =>
  fetch(tenant.accessTokenUrl, {
    method: 'POST',
    headers: { accept: 'application/json', ...headers },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: tenant.clientId,
      client_secret: tenant.clientSecret,
      ...tenant.tokenParameters,
      ...changes,
    }),
  });

const tokenOf = async (tenant: Tenant): Promise<string> => {
  const { access_token: token } = (await (await askToken(tenant)).json()) as { access_token: string };
  return token;
};

const enable = (
  url: string,
  identifier: number | string,
  token?: string,
  accept = 'application/json',
): Promise<Response> =>
  fetch(`${url.replace(/\/$/, '')}/api/mysafe/password/active/${identifier}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { accept, ...(token ? { authorization: `Bearer ${token}` } : {}) },
  });

describe('a Segura, simulated or real', () => {
  const { SEGURA_TEST_SECRET, SEGURA_TEST_IDENTIFIERS } = process.env;
  let segura: Segura | undefined;
  let tenant: Tenant;
  let identifiers = { disabled: 10, unknown: 404, noAccess: 14 };
  let token: string;

  beforeAll(async () => {
    if (SEGURA_TEST_SECRET) {
      tenant = JSON.parse(SEGURA_TEST_SECRET);
      identifiers = JSON.parse(SEGURA_TEST_IDENTIFIERS ?? '{}');
    } else {
      segura = await startSegura();
      segura.passwords.set('10', 'disabled').set('14', 'no-access');
      tenant = tenantOf(segura);
    }
    token = await tokenOf(tenant);
  });
  afterAll(() => segura?.close());

  test('the token endpoint issues a bearer token with its lifetime', async () => {
    const response = await askToken(tenant);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      token_type: expect.stringMatching(/^bearer$/i),
      access_token: expect.any(String),
      expires_in: expect.any(Number),
    });
  });

  test('a wrong client secret is refused with 401', async () => {
    const response = await askToken(tenant, { client_secret: 'not-the-secret' });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: 'invalid_client' });
  });

  test('another grant is refused with 400', async () => {
    expect((await askToken(tenant, { grant_type: 'password' })).status).toBe(400);
  });

  test('a disabled password is enabled, and the second time it already is', async () => {
    const first = await enable(tenant.url, identifiers.disabled, token);
    expect([first.status, await first.json()]).toMatchObject([
      200,
      { response: { error: false, message: 'Password successfully activated' } },
    ]);
    const second = await enable(tenant.url, identifiers.disabled, token);
    expect([second.status, await second.json()]).toMatchObject([
      200,
      { response: { error: false, message: expect.stringContaining('already been activated') } },
    ]);
  });

  test.each([
    ['an unknown password', (): number => identifiers.unknown, '1005'],
    ['a password of somebody else', (): number => identifiers.noAccess, '1006'],
    ['what is not an identifier', (): string => 'ten', '1010'],
  ] as const)('%s is 400 in the envelope, with its number', async (_, identifier, code) => {
    const response = await enable(tenant.url, identifier(), token);
    expect(response.status).toBe(400);
    const { response: inner } = (await response.json()) as { response: { error: boolean; message: string } };
    expect(inner.error).toBe(true);
    expect(inner.message).toMatch(new RegExp(`^${code}\\b`));
  });

  test('a call without a token, and one with a foreign token, is refused', async () => {
    for (const presented of [undefined, 'foreign']) {
      expect([401, 403, 404]).toContain((await enable(tenant.url, identifiers.disabled, presented)).status);
    }
  });

  test('an unknown path is no route', async () => {
    expect((await fetch(new URL('/no/such/path', tenant.url), { method: 'POST' })).status).toBe(404);
  });
});

const withSegura = async (options: SeguraOptions = {}) => {
  const segura = await startSegura(options);
  segura.passwords.set('10', 'disabled').set('11', 'disabled').set('12', 'disabled');
  return Object.assign(segura, { [Symbol.asyncDispose]: segura.close });
};

describe.concurrent('tokens of the simulator', () => {
  test('the client may authenticate in a Basic header, at either path', async () => {
    await using segura = await withSegura();
    const basic = Buffer.from(`${segura.settings.clientId}:${segura.settings.clientSecret}`).toString('base64');
    for (const path of ['iso', 'api']) {
      const response = await fetch(`${segura.url}/${path}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${basic}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      expect(response.status).toBe(200);
    }
  });

  test('a tenant, where there are several, must be named', async () => {
    await using segura = await withSegura({ tenant: 'acme' });
    expect((await askToken(tenantOf(segura))).status).toBe(400);
    expect((await askToken({ ...tenantOf(segura), tokenParameters: { tenant: 'acme' } })).status).toBe(200);
  });

  test('JSON instead of a form is a wrong request', async () => {
    await using segura = await withSegura();
    const { clientId, clientSecret } = segura.settings;
    const response = await fetch(segura.tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
    });
    expect(response.status).toBe(400);
  });

  test('an expired, a revoked and a foreign token are answered as the installation answers', async () => {
    for (const [refusal, status] of [
      [undefined, 404],
      [{ kind: 'fixture', name: 'kong-jwt-token-expired' }, 401],
      [{ kind: 'fixture', name: 'not-authorized-as-500' }, 500],
    ] as const) {
      await using segura = await withSegura({ tokenLifetimeMs: 0, ...(refusal ? { refusal } : {}) });
      const expired = await tokenOf(tenantOf(segura));
      segura.settings.tokenLifetimeMs = 60_000;
      const revoked = await tokenOf(tenantOf(segura));
      segura.revokeTokens();
      for (const token of [expired, revoked, 'foreign']) {
        expect((await enable(segura.url, 10, token)).status).toBe(status);
      }
      expect(segura.passwords.get('10')).toBe('disabled');
    }
  });

  test('a rotated client secret makes the old one wrong and leaves issued tokens good', async () => {
    await using segura = await withSegura();
    const before = tenantOf(segura);
    const token = await tokenOf(before);
    segura.settings.clientSecret = 'client-secret-2';
    expect((await askToken(before)).status).toBe(401);
    expect((await askToken(tenantOf(segura))).status).toBe(200);
    expect((await enable(segura.url, 10, token)).status).toBe(200);
  });
});

describe.concurrent('the gateway of the simulator', () => {
  const masked = (body: string): string => body.replace(/[0-9a-f]{32}/, '<id>');
  const ACCEPTS = { json: 'application/json', html: 'text/html', plain: 'text/plain', xml: 'application/xml' } as const;

  test.each([
    ['no-route-kong-2-compact', '2.8.5', 'html'],
    ['no-peer-kong-2-8', '2.8.5', 'xml'],
    ['invalid-upstream-kong-2-8-json', '2.8.5', 'json'],
    ['invalid-upstream-kong-2-8-html', '2.8.5', 'html'],
    ['invalid-upstream-kong-2-8-plain', '2.8.5', 'plain'],
    ['invalid-upstream-kong-2-8-xml', '2.8.5', 'xml'],
    ['upstream-unavailable-kong-2-8', '2.8.5', 'json'],
    ['upstream-timeout-kong-2-8-json', '2.8.5', 'json'],
    ['request-timeout-kong-2-8', '2.8.5', 'json'],
    ['length-required-kong', '2.8.5', 'json'],
    ['no-route-kong-3-9-json', '3.9.1', 'json'],
    ['invalid-upstream-kong-3-9-json', '3.9.1', 'json'],
    ['invalid-upstream-kong-3-9-xml', '3.9.1', 'xml'],
    ['upstream-timeout-kong-3-9-json', '3.9.1', 'json'],
  ] as const)('writes %s as it really is', (name, version, form) => {
    const real = answers.find((each) => each.name === name);
    const options = name === 'no-peer-kong-2-8' ? { message: NO_PEER } : {};
    const made = kongAnswer(real?.status ?? 0, ACCEPTS[form], version, options);
    expect(masked(made.body)).toBe(masked(real?.body ?? ''));
    expect(Object.keys(made.headers)).toEqual(expect.arrayContaining(Object.keys(real?.headers ?? {})));
    expect(made.headers['content-type']).toBe(real?.headers['content-type']);
  });

  test.each([
    ['*/*', 'application/json'],
    ['', 'application/json'],
    ['text/html;q=0.5, application/xml', 'application/xml'],
    ['text/html, application/xml', 'text/html'],
  ])('3.9 answers Accept "%s" with %s', (accept, type) => {
    expect(kongAnswer(502, accept, '3.9.1').headers['content-type']).toMatch(type);
  });

  test('another method and a path beside the prefix are no route', async () => {
    await using segura = await withSegura({ prefix: '/vault' });
    expect(segura.url).toMatch(/\/vault$/);
    const token = await tokenOf(tenantOf(segura));
    expect((await enable(segura.url, 10, token)).status).toBe(200);
    expect((await enable(segura.url.replace('/vault', ''), 11, token)).status).toBe(404);
    expect((await fetch(`${segura.url}/api/mysafe/password/active/11`)).status).toBe(404);
    expect(segura.passwords.get('11')).toBe('disabled');
  });

  test('a POST that does not tell its length is 411', async () => {
    await using segura = await withSegura();
    const status = await new Promise((resolve, reject) => {
      const sent = httpRequest(`${segura.url}/api/mysafe/password/active/10`, { method: 'POST' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.write(' '); // chunked
      sent.end();
    });
    expect(status).toBe(411);
  });

  test('the upstream answers with the marks of the gateway on it', async () => {
    await using segura = await withSegura({ kong: '2.8.5' });
    const response = await enable(segura.url, 10, await tokenOf(tenantOf(segura)));
    expect(response.headers.get('via')).toBe('kong/2.8.5');
  });
});

describe.concurrent('faults', () => {
  test.each(answers.map(({ name, status }) => [name, status] as const))('%s comes as it is', async (name, status) => {
    await using segura = await withSegura();
    segura.next({ kind: 'fixture', name });
    const response = await enable(segura.url, 10, 'any');
    const real = answers.find((each) => each.name === name);
    expect([response.status, await response.text()]).toEqual([status, real?.body]);
    for (const [header, value] of Object.entries(real?.headers ?? {})) {
      expect(response.headers.get(header)).toBe(value);
    }
  });

  test('by script, by call number and by identifier', async () => {
    await using segura = await withSegura();
    const token = await tokenOf(tenantOf(segura));
    const statusOf = async (identifier: number) => (await enable(segura.url, identifier, token)).status;
    segura.next({ kind: 'kong', status: 502 }, { kind: 'none' });
    segura.atCall(3, { kind: 'kong', status: 504 });
    segura.nextFor(11, { kind: 'kong', status: 503 });
    segura.always(12, { kind: 'kong', status: 429, headers: { 'retry-after': '7' } });
    expect(await statusOf(10)).toBe(502);
    expect(await statusOf(10)).toBe(200);
    expect(await statusOf(10)).toBe(504);
    expect([await statusOf(11), await statusOf(11)]).toEqual([503, 200]);
    const limited = await enable(segura.url, 12, token);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
    expect(await statusOf(12)).toBe(429);
  });

  test('by rate, repeatable by the seed', async () => {
    const run = async (seed: number): Promise<number[]> => {
      await using segura = await withSegura();
      const token = await tokenOf(tenantOf(segura));
      segura.byRate(0.5, seed, { kind: 'kong', status: 502 }, { kind: 'kong', status: 503 });
      const statuses: number[] = [];
      for (let call = 0; call < 30; call += 1) statuses.push((await enable(segura.url, 10, token)).status);
      return statuses;
    };
    const [first, second, other] = await Promise.all([run(7), run(7), run(8)]);
    expect(first).toEqual(second);
    expect(first).not.toEqual(other);
    expect(new Set(first)).toEqual(new Set([200, 502, 503]));
  });

  test.each([
    ['reset', 'disabled'],
    ['cut', 'active'],
  ] as const)('%s ends the connection, and the password is %s after', async (kind, state) => {
    await using segura = await withSegura();
    const token = await tokenOf(tenantOf(segura));
    segura.next({ kind });
    await expect(enable(segura.url, 10, token).then((response) => response.text())).rejects.toThrow();
    expect(segura.passwords.get('10')).toBe(state);
  });

  test('a hanging call is held until the simulator closes, and is in the journal without a status', async () => {
    const segura = await withSegura();
    segura.next({ kind: 'hang' });
    const call = enable(segura.url, 10, 'any').then(
      () => 'answered',
      () => 'closed',
    );
    await until(() => segura.enableCalls(10).length === 1, 'the call to arrive');
    expect(segura.enableCalls(10)[0]?.status).toBe(0);
    await segura.close();
    expect(await call).toBe('closed');
  });

  test('a lost answer was carried out; a late one comes late', async () => {
    await using segura = await withSegura();
    const token = await tokenOf(tenantOf(segura));
    segura.next({ kind: 'lost-answer' }, { kind: 'slow', ms: 120 });
    expect((await enable(segura.url, 10, token)).status).toBe(504);
    expect(segura.passwords.get('10')).toBe('active');
    const startedAt = performance.now();
    expect((await enable(segura.url, 11, token)).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(115);
  });

  test('an outage holds until it is over, for calls and for tokens', async () => {
    await using segura = await withSegura();
    const fault: Fault = { kind: 'kong', status: 503 };
    segura.settings.outage = fault;
    segura.settings.tokenOutage = fault;
    expect([(await enable(segura.url, 10, 'any')).status, (await askToken(tenantOf(segura))).status]).toEqual([
      503, 503,
    ]);
    segura.settings.outage = undefined;
    segura.settings.tokenOutage = undefined;
    expect((await enable(segura.url, 10, await tokenOf(tenantOf(segura)))).status).toBe(200);
  });

  test('an unknown fixture is a mistake of the test, and says so', async () => {
    await using segura = await withSegura();
    const fault: Fault = { kind: 'fixture', name: 'no-such-answer' };
    expect(() => segura.next(fault)).toThrow(/no answer called no-such-answer/);
    segura.settings.outage = fault;
    const response = await enable(segura.url, 10, 'any');
    expect([response.status, await response.text()]).toEqual([500, expect.stringContaining('no-such-answer')]);
  });
});

test('the journal says what came and what was answered, without a token or a secret', async () => {
  await using segura = await withSegura();
  const token = await tokenOf(tenantOf(segura));
  await enable(segura.url, 10, token);
  await enable(segura.url, 99, 'foreign');
  expect(segura.enableCalls()).toMatchObject([
    { method: 'POST', path: '/api/mysafe/password/active/10', identifier: '10', status: 200, tokenNumber: 1 },
    { identifier: '99', status: 404, tokenNumber: 0 },
  ]);
  expect(segura.enableCalls()[0]?.headers).toMatchObject({ accept: 'application/json', 'content-length': '0' });
  const told = JSON.stringify(segura.journal);
  expect(told).not.toContain(token);
  expect(told).not.toContain(segura.settings.clientSecret);
});

describe('TLS of the simulator', () => {
  const call = (url: string, agent: Agent): Promise<number | string | undefined> =>
    new Promise((resolve) => {
      const sent = httpsRequest(`${url}/api/mysafe/password/active/10`, { method: 'POST', agent }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
      sent.end();
    });

  test('the private authority must be known, and a client certificate must be its own', async () => {
    const [{ ca, server, client }, stranger] = await Promise.all([createCertificates(), createCertificates()]);
    await using segura = await withSegura({ tls: { ...server, clientCa: ca } });
    expect(await call(segura.url, new Agent())).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
    expect(await call(segura.url, new Agent({ ca }))).toBe(400); // nginx: no required certificate was sent
    expect(await call(segura.url, new Agent({ ca, ...stranger.client }))).toBe(400);
    expect(await call(segura.url, new Agent({ ca, ...client }))).toBe(404); // past TLS; the token is missing
  });
});
