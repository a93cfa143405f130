/** `doctor` as a real process: what it finds, what it says to mend, and what it never does. */
import { describe, expect, test } from 'vitest';
import { SECRET_ID, startWorld, type World, type WorldOptions } from '../../infra/local/world.ts';
import { runCommand } from './command.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

const examine = async (world: World, args: string[] = [], env: Record<string, string | undefined> = {}) => {
  const result = await runCommand(['doctor', '--json', ...args], {
    env: { ...world.environment, EXHAUSTED_QUEUE_URL: world.sqs.queueUrl('exhausted'), ...env },
  });
  const { ok, checks } = result.json as { ok: boolean; checks: Check[] };
  return { ...result, ok, checks, wrong: checks.filter((check) => !check.ok) };
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
    const { status, wrong } = await examine(world);
    expect(status).toBe(1);
    expect(wrong).toMatchObject([
      { name: 'token', detail: expect.stringMatching(/check clientId and clientSecret.*HTTP 401/) },
      { name: 'endpoint', detail: expect.stringContaining('not checked') },
    ]);
  });

  test('a tenant that is wanted', async () => {
    await using world = await openWorld({ segura: { tenant: 'acme' } });
    expect((await examine(world)).wrong).toMatchObject([
      { name: 'token', detail: expect.stringContaining('tenant') },
      {},
    ]);
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
    const { wrong } = await examine(world);
    expect(wrong).toMatchObject([
      { name: expect.stringMatching(/^TLS /), detail: expect.stringMatching(/caCertificate/) },
      { name: 'token', detail: expect.stringContaining('not checked') },
    ]);
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
      { name: 'token' },
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
      detail: expect.stringMatching(/EXHAUSTED_QUEUE_URL, SEGURA_SECRET_ID/),
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
      { name: 'configuration', ok: false, detail: expect.stringMatching(`^${name}.* is no .*URL`) },
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
    await using world = await openWorld({ sqs: { maxReceiveCount: 5, visibilitySeconds: 30 } });
    const { wrong } = await examine(world);
    expect(wrong).toMatchObject([
      { name: 'requests queue', detail: expect.stringMatching(/maxReceiveCount 5.*visibility timeout of 30 s/) },
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
});
