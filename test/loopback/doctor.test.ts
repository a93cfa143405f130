/** `doctor` as one calls it: what it finds, what it says to fix, and what it never does. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createCertificates } from '../../infra/local/certificates.ts';
import { SECRET_ID, startWorld, type World, type WorldOptions } from '../../infra/local/world.ts';
import { runCommand } from './command.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean | null;
  readonly detail: string;
}

const examine = async (world: World, args: string[] = [], env: Record<string, string | undefined> = {}) => {
  const result = await runCommand(['doctor', '--json', ...args], {
    env: { ...world.environment, EXHAUSTED_QUEUE_URL: world.sqs.queueUrl('exhausted'), ...env },
  });
  const { ok, checks } = result.json as { ok: boolean; checks: Check[] };
  return {
    ...result,
    ok,
    checks,
    wrong: checks.filter((check) => check.ok === false),
    left: checks.filter((check) => check.ok === null),
  };
};

const openWorld = (options: WorldOptions = {}) => startWorld({ passwords: { 10: 'disabled' }, ...options });

describe.concurrent('doctor', () => {
  test('says all is well where all is well, and has enabled nothing', async () => {
    await using world = await openWorld({ tls: 'mutual' });
    const { status, json, wrong, checks } = await examine(world);
    expect(wrong).toEqual([]);
    expect(status).toBe(0);
    expect(json).toEqual({
      ok: true,
      checks: checks.map(({ name }) => ({ name, ok: true, detail: expect.any(String) })),
    });
    expect(checks.map(({ name }) => name.split(' ')[0])).toEqual([
      ...['configuration', 'requests', 'rejected', 'exhausted', 'queues', 'secret'],
      ...['name', 'TLS', 'caCertificate', 'clientCertificate', 'token', 'endpoint', 'clock'],
    ]);
    expect(world.segura.enableCalls().map(({ identifier }) => identifier)).toEqual(['0']);
    expect(world.segura.passwords.get('10')).toBe('disabled');
  });

  test('touches no message', async () => {
    await using world = await openWorld();
    await world.send(10);
    await examine(world);
    expect(new Set(world.sqs.journal.map(({ action }) => action))).toEqual(
      new Set(['SendMessage', 'GetQueueAttributes']),
    );
  });

  test('never prints a secret, whatever is wrong', async () => {
    await using world = await openWorld();
    const clientSecret = 'very-secret-value';
    for (const change of [
      {},
      { url: undefined },
      { tokenAuthMethod: 'none' },
      { caCertificate: 'very-secret-value' },
    ]) {
      world.secrets.put(SECRET_ID, world.secretValue({ clientSecret, ...change }));
      const { stdout, stderr } = await examine(world);
      expect(stdout + stderr).not.toContain('very-secret-value');
      expect(stdout + stderr).not.toMatch(/token-\d+-/);
    }
  });

  test('a client secret that is refused', async () => {
    await using world = await openWorld({ secret: { clientSecret: 'wrong' } });
    const { status, wrong, left } = await examine(world);
    expect(status).toBe(1);
    expect(wrong).toMatchObject([
      { name: 'token', detail: expect.stringMatching(/check clientId and clientSecret.*HTTP 401, invalid_client/) },
    ]);
    expect(left).toMatchObject([{ name: 'endpoint', detail: 'not checked: there is no token' }]);
  });

  test('a tenant that is wanted', async () => {
    await using world = await openWorld({ segura: { tenant: 'acme' } });
    expect((await examine(world)).wrong).toMatchObject([{ name: 'token', detail: expect.stringContaining('tenant') }]);
  });

  test('an access key that may not come from this address', async () => {
    await using world = await openWorld();
    world.segura.settings.outage = { kind: 'kong', status: 403, message: 'Your IP address is not allowed' };
    expect((await examine(world)).wrong).toMatchObject([
      { name: 'endpoint', detail: expect.stringMatching(/authorised IPs.*HTTP 403/) },
    ]);
  });

  test('a url that is not the base', async () => {
    await using world = await openWorld();
    world.secrets.put(SECRET_ID, world.secretValue({ url: `${world.segura.url}/api` }));
    expect((await examine(world)).wrong).toMatchObject([
      { name: 'endpoint', detail: expect.stringContaining('without /api') },
    ]);
  });

  test('a certificate that nobody here trusts', async () => {
    await using world = await openWorld({ tls: 'private-ca' });
    world.secrets.put(SECRET_ID, world.secretValue({ caCertificate: undefined }));
    const { wrong, left } = await examine(world);
    expect(wrong).toMatchObject([
      { name: expect.stringMatching(/^TLS /), detail: expect.stringMatching(/caCertificate/) },
    ]);
    expect(left.map(({ name }) => name)).toEqual(['token', 'endpoint']);
  });

  test('a host that does not resolve, and a port where nobody listens', async () => {
    await using world = await openWorld();
    world.secrets.put(
      SECRET_ID,
      world.secretValue({ url: 'https://nowhere.invalid', accessTokenUrl: 'https://127.0.0.1:1' }),
    );
    const { wrong } = await examine(world);
    expect(wrong).toMatchObject([
      { name: 'name nowhere.invalid', detail: expect.stringContaining('does not resolve') },
      { name: 'TLS nowhere.invalid' },
      { name: 'TLS 127.0.0.1:1', detail: expect.stringContaining('nobody listens') },
    ]);
  });

  test('a secret that is malformed, missing or denied', async () => {
    await using world = await openWorld();
    world.secrets.put(SECRET_ID, { url: 'http://segura.example.com' });
    const [malformed] = (await examine(world)).wrong;
    expect(malformed).toMatchObject({ name: 'secret', detail: expect.stringMatching(/https.*clientId is missing/) });
    const [missing] = (await examine(world, ['--secret-id', 'other'])).wrong;
    expect(missing).toMatchObject({ name: 'secret', detail: expect.stringContaining('no secret of this name') });
    world.secrets.settings.fault = 'denied';
    const [denied] = (await examine(world)).wrong;
    expect(denied).toMatchObject({ name: 'secret', detail: expect.stringContaining('secretsmanager:GetSecretValue') });
  });

  test('what is not configured, by the name of its variable', async () => {
    await using world = await openWorld();
    const { status, wrong } = await examine(world, [], { EXHAUSTED_QUEUE_URL: undefined, SEGURA_SECRET_ID: undefined });
    expect(status).toBe(1);
    expect(wrong[0]).toMatchObject({
      name: 'configuration',
      detail: expect.stringMatching(/EXHAUSTED_QUEUE_URL .*, SEGURA_SECRET_ID /),
    });
  });

  test.each([
    ['SOURCE_QUEUE_URL', 'arn:aws:sqs:eu-west-1:123456789012:requests'],
    ['AWS_ENDPOINT_URL_SQS', 'not a url'],
  ])('%s that is malformed', async (name, value) => {
    await using world = await openWorld();
    const { status, ok, wrong } = await examine(world, [], { [name]: value });
    expect([status, ok]).toEqual([1, false]);
    expect(wrong).toEqual([
      { name: 'configuration', ok: false, detail: expect.stringMatching(`^${name}.* is not an? .*URL`) },
    ]);
  });

  test('a region that is not set, in every check that wants one', async () => {
    await using world = await openWorld();
    const { status, ok, wrong } = await examine(world, [], { AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined });
    expect([status, ok]).toEqual([1, false]);
    for (const name of ['requests queue', 'rejected queue', 'exhausted queue', 'secret']) {
      expect(wrong).toContainEqual({ name, ok: false, detail: expect.stringContaining('give --region') });
    }
  });

  test('queues that do not belong together', async () => {
    await using world = await openWorld();
    const same = await examine(world, ['--rejected-queue-url', world.sqs.queueUrl('exhausted')]);
    expect(same.wrong).toMatchObject([{ name: 'queues together', detail: expect.stringContaining('twice') }]);
    const swapped = await examine(world, [
      ...['--rejected-queue-url', world.sqs.queueUrl('exhausted')],
      ...['--exhausted-queue-url', world.sqs.queueUrl('rejected')],
    ]);
    expect(swapped.wrong).toMatchObject([
      { name: 'requests queue', detail: expect.stringContaining('redrive policy') },
    ]);
  });

  test('a requests queue that gives up too early, and one that hands out twice', async () => {
    await using world = await openWorld({ sqs: { maxReceiveCount: 900, visibilitySeconds: 30 } });
    const { wrong } = await examine(world);
    expect(wrong).toMatchObject([
      { name: 'requests queue', detail: expect.stringMatching(/maxReceiveCount 900 .*visibility timeout of 30 s/) },
    ]);
  });

  test('a queue that is not there, or not ours to see', async () => {
    await using world = await openWorld();
    const { wrong } = await examine(world, ['--exhausted-queue-url', `${world.sqs.queueUrl('exhausted')}-other`]);
    expect(wrong).toMatchObject([{ name: 'exhausted queue', detail: expect.stringContaining('no such queue') }]);
    world.sqs.settings.faults.set('GetQueueAttributes', { kind: 'denied' });
    const denied = await examine(world);
    expect(denied.wrong.map(({ detail }) => detail)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('sqs:GetQueueAttributes')),
    );
  });

  test('with --only secret,segura needs no queue, as before the first deployment', async () => {
    await using world = await openWorld();
    const noQueues = { SOURCE_QUEUE_URL: undefined, REJECTED_QUEUE_URL: undefined, EXHAUSTED_QUEUE_URL: undefined };
    const { status, checks } = await examine(world, ['--only', 'secret,segura'], noQueues);
    expect(status).toBe(0);
    expect(checks.map(({ name, ok }) => [name.split(' ')[0], ok])).toEqual([
      ['secret', true],
      ['name', true],
      ['TLS', true],
      ['token', true],
      ['endpoint', true],
    ]);
    expect(world.sqs.journal).toEqual([]);
  });

  test('with --only and a topic that there is not, is wrong usage', async () => {
    await using world = await openWorld();
    const { status, json } = await runCommand(['doctor', '--only', 'secret,sql', '--json'], { env: world.environment });
    expect(status).toBe(2);
    expect(json).toMatchObject({ error: { message: expect.stringContaining('configuration, queues, secret') } });
  });

  test('counts what was not checked apart from what is wrong', async () => {
    await using world = await openWorld({ secret: { clientSecret: 'wrong' } });
    const { stdout } = await runCommand(['doctor'], {
      env: { ...world.environment, EXHAUSTED_QUEUE_URL: world.sqs.queueUrl('exhausted') },
    });
    expect(stdout).toContain('– endpoint');
    expect(stdout).toContain('1 to fix, 1 not checked.');
  });

  test('a token endpoint that asks for fewer requests, with the wait it asks for', async () => {
    await using world = await openWorld();
    world.segura.settings.tokenOutage = { kind: 'kong', status: 429, headers: { 'retry-after': '300' } };
    expect((await examine(world)).wrong).toMatchObject([
      { name: 'token', detail: expect.stringMatching(/fewer requests: wait 300 s.*HTTP 429/) },
    ]);
  });

  test('a login page in the place of the token endpoint', async () => {
    await using world = await openWorld();
    const page = {
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<!doctype html><title>Sign in</title>',
    };
    world.segura.settings.tokenOutage = { kind: 'answer', ...page };
    expect((await examine(world)).wrong).toMatchObject([
      { name: 'token', detail: expect.stringMatching(/web page came instead of a token.*login page, or a proxy/) },
    ]);
  });

  test('a gateway that wants a client certificate', async () => {
    await using world = await openWorld();
    world.segura.settings.outage = { kind: 'fixture', name: 'client-certificate-missing-nginx' };
    expect((await examine(world)).wrong).toMatchObject([
      { name: 'endpoint', detail: expect.stringContaining('check clientCertificate and clientKey') },
    ]);
  });

  test('a server whose TLS is too old', async () => {
    const { server } = await createCertificates();
    const old = createServer({ ...server, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' });
    old.listen(0, '127.0.0.1');
    await once(old, 'listening');
    const url = `https://127.0.0.1:${(old.address() as AddressInfo).port}`;
    await using world = await openWorld();
    world.secrets.put(SECRET_ID, world.secretValue({ url, accessTokenUrl: `${url}/token` }));
    expect((await examine(world)).wrong).toMatchObject([
      { name: `TLS ${url.slice(8)}`, detail: expect.stringContaining('TLS older than 1.2') },
    ]);
    old.close();
  });

  test('a bundle of authorities, by every certificate in it', async () => {
    await using world = await openWorld({ tls: 'private-ca' });
    const other = await createCertificates();
    const bundle = `${world.secretValue().caCertificate}${other.ca}`;
    world.secrets.put(SECRET_ID, world.secretValue({ caCertificate: bundle }));
    const { checks } = await examine(world);
    expect(checks.find(({ name }) => name === 'caCertificate')?.detail).toContain('first of 2 to expire');
  });

  test('shows no token that a hostile Segura repeats', async () => {
    await using world = await openWorld();
    let planted = '';
    world.segura.settings.outage = undefined;
    const echo = createHttpServer((request, response) => {
      const token = String(request.headers.authorization).slice(7);
      planted = request.url?.endsWith('/token') ? 'hostile-token-value' : token;
      const message = `1005: ${planted} ${Buffer.from(planted).toString('base64')} \u001b[2J`;
      const body = request.url?.endsWith('/token')
        ? { access_token: planted, expires_in: 60 }
        : { code: 400, response: { status: 400, message, error: true } };
      response.writeHead(request.url?.endsWith('/token') ? 200 : 400).end(JSON.stringify(body));
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
    world.secrets.put(SECRET_ID, world.secretValue({ url, accessTokenUrl: `${url}/token` }));
    const { stdout, stderr, checks } = await examine(world);
    expect(checks.find(({ name }) => name === 'endpoint')).toMatchObject({ ok: true });
    expect(stdout + stderr).not.toMatch(/hostile-token-value|aG9zdGlsZS10b2tlbi/);
    expect(stdout + stderr).not.toContain('\u001b[2J');
    echo.closeAllConnections();
    echo.close();
  });

  test('with --record writes what Segura answered, compared with the table, and nothing to know anybody by', async () => {
    await using world = await openWorld({ secret: { referer: 'https://planted.example.com' } });
    const folder = await mkdtemp(join(tmpdir(), 'doctor-'));
    const file = join(folder, 'answers.json');
    const { status } = await examine(world, ['--record', file]);
    const text = await readFile(file, 'utf8');
    const { calls } = JSON.parse(text) as { calls: { call: string; status: number; means: string }[] };
    expect([status, calls.map(({ call, means }) => [call, means])]).toEqual([
      0,
      [
        ['token', 'token-issued'],
        ['enable identifier 0', 'not-found'],
        ['enable identifier 0, with a token that nobody issued', 'unroutable'],
      ],
    ]);
    expect(text).toContain('1005: Password not found');
    for (const secret of ['planted', 'token-1', '127.0.0.1', 'simulated-secret']) expect(text).not.toContain(secret);
    expect(world.segura.enableCalls().map(({ identifier }) => identifier)).toEqual(['0', '0']);
    // It is known before the first call.
    expect((await runCommand(['doctor', '--record', file], { env: world.environment })).status).toBe(2);
    expect(world.segura.enableCalls()).toHaveLength(2);
    await rm(folder, { recursive: true });
  });
});
