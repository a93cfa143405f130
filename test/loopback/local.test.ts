/** `npm start`: everything on one machine, as a newcomer meets it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runLocal } from '../../functions/cli/local/local.ts';
import { until } from '../../infra/local/world.ts';
import { runCommand, shell } from './command.ts';

const root = join(import.meta.dirname, '../..');

interface Started extends Disposable {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<number>;
}

/** In an environment of its own: nothing of AWS or of a terminal is inherited. */
const start = (command: string, args: readonly string[]): Started => {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: shell(),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended: once(child, 'close').then(([code]) => code),
    // A test that failed leaves nothing running.
    [Symbol.dispose]: () => void child.kill(),
  };
};

const local = (...args: string[]): Started =>
  start(process.execPath, ['--', 'functions/cli/bin.mjs', 'local', ...args]);

describe.concurrent('npm start', () => {
  test('prints what became of each message, in plain text where no terminal reads, and exits 0', async () => {
    using started = start('npm', ['start']);
    const { stdout, stderr, ended } = started;
    const status = await ended;
    expect([status, stdout()]).toEqual([0, expect.stringContaining('All as it should be.')]);
    expect(stderr()).not.toMatch(/Error|Warning/);
    expect(stdout()).not.toContain('\u001b');
    const rows = stdout()
      .split('\n')
      .filter((line) => line.startsWith('✓'))
      .map((line) => line.split(/ {2,}/).slice(1));
    const row = (title: string) => rows.find(([shown]) => shown === title)?.slice(1, 4);
    for (const sample of [
      'a number',
      'a number as text',
      'an object with its ticket',
      'an object, number as text',
      'inside an SNS notification',
      'inside an EventBridge event',
    ]) {
      expect([sample, row(sample)]).toEqual([sample, ['200', 'enabled', 'gone']]);
    }
    expect(row('already active')).toEqual(['200', 'already-enabled', 'gone']);
    expect(row('no such password')).toEqual(['400', 'rejected (1005)', 'rejected']);
    expect(row('no access')).toEqual(['400', 'rejected (1006)', 'rejected']);
    expect(row('not an identifier of Segura')).toEqual(['400', 'rejected (1010)', 'rejected']);
    expect(row('not a request')).toEqual(['(not called)', 'rejected (InvalidMessage)', 'rejected']);
    expect(row('approved for last year only')).toEqual(['(not called)', 'rejected (Expired)', 'rejected']);
    expect(row('gateway time-out, then fine')).toEqual(['504, 200', 'enabled', 'gone']);
    expect(row('token refused, renewed')).toEqual(['404, 200', 'enabled', 'gone']);
    // Nothing is cut where no terminal reads.
    expect(stdout()).toContain('"detail-type": "Access Request Approved"');
    expect(stdout()).not.toMatch(/[^ ]…$/m);
    expect(row('gateway down for good')).toEqual([
      expect.stringMatching(/^503 ×\d$/),
      'kept (HTTP503)',
      expect.stringMatching(/^requests, again in \d+ s$/),
    ]);
  });

  test('--json prints one object as its last line', async () => {
    const { status, json } = await runCommand(['local', '--json'], { isProcess: false });
    expect(status).toBe(0);
    const { ok, messages } = json as { ok: boolean; messages: unknown[] };
    expect(ok).toBe(true);
    expect(messages).toContainEqual(
      expect.objectContaining({ title: 'no access', outcome: 'rejected', errorCode: '1006', liesIn: 'rejected' }),
    );
  });

  test('a function that only says it did is found out: exit status 1, and each message that differs is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-'));
    const bundle = join(folder, 'index.mjs');
    await writeFile(
      bundle,
      `export const handler = async ({ Records }) => {
        for (const { messageId } of Records) {
          console.log(JSON.stringify({ message: 'password enable', outcome: 'enabled', messageId }));
        }
        return { batchItemFailures: [] };
      };`,
    );
    let stdout = '';
    const output = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += text;
      return true;
    });
    const status = await runLocal({}, [], bundle).finally(() => output.mockRestore());
    expect(status).toBe(1);
    // Not even the plain ones: Segura was never called.
    expect(stdout).toContain('✗ a number: should be enabled; is enabled, gone, in Segura disabled');
    expect(stdout).toContain('✗ no access: should be rejected (1006); is enabled, gone, in Segura no-access');
    expect(stdout).not.toContain('All as it should be.');
    await rm(folder, { recursive: true });
  });
});

describe('npm start -- --watch', () => {
  let started: Started;
  beforeAll(async () => {
    started = local('--watch', '--port', '0');
    await until(() => started.stdout().includes('requested by'), 'the endpoints to be printed');
  });
  afterAll(() => started[Symbol.dispose]());

  test('serves a console on loopback, and takes orders for it by HTTP', async () => {
    const url = /The console: (http:\/\/127\.0\.0\.1:\d+)\n/.exec(started.stdout())?.[1] ?? '';
    const page = await (await fetch(url)).text();
    for (const queue of ['requests', 'rejected', 'exhausted', 'outcomes']) {
      expect(page).toContain(`data-queue="${queue}" data-count="0"`);
    }
    await fetch(`${url}/requests`, { method: 'POST', body: '{"identifier": 11}' });
    await until(() => /^[\d:]{8} +11 +enabled/m.test(started.stdout()), 'the request');
  });

  test('takes a message from any AWS SDK, shows it, counts it, and ends cleanly on Ctrl-C', async () => {
    const { child, stdout, stderr, ended } = started;
    const exported = Object.fromEntries(
      [...stdout().matchAll(/^ *export (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    expect(Object.keys(exported)).toEqual(
      expect.arrayContaining([
        'AWS_REGION',
        'AWS_ACCESS_KEY_ID',
        'AWS_SECRET_ACCESS_KEY',
        'AWS_ENDPOINT_URL_SQS',
        'AWS_ENDPOINT_URL_SECRETS_MANAGER',
        'SEGURA_SECRET_ID',
        'SOURCE_QUEUE_URL',
        'REJECTED_QUEUE_URL',
        'EXHAUSTED_QUEUE_URL',
        'OUTCOME_QUEUE_URL',
        'AWS_DEFAULT_REGION',
        'CONSOLE_URL',
      ]),
    );
    const client = new SQSClient({
      region: exported['AWS_REGION'] ?? '',
      endpoint: exported['AWS_ENDPOINT_URL_SQS'] ?? '',
      credentials: {
        accessKeyId: exported['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: exported['AWS_SECRET_ACCESS_KEY'] ?? '',
      },
    });
    const send = (body: unknown) =>
      client.send(
        new SendMessageCommand({ QueueUrl: exported['SOURCE_QUEUE_URL'], MessageBody: JSON.stringify(body) }),
      );
    const before = stdout().match(/^[\d:]{8} +\d+ +enabled/gm)?.length ?? 0;
    await send({ identifier: 10, requestedBy: 'ana' });
    await until(() => /^[\d:]{8} +10 +enabled .* ana$/m.test(stdout()), 'the message to be shown');
    await send({ identifier: 404 });
    await until(() => /^[\d:]{8} +404 +rejected \(1005\)/m.test(stdout()), 'the rejection to be shown');
    const counts = `enabled ${before + 1} · already enabled 0 · rejected 1 · kept 0 times`;
    await until(() => stdout().includes(counts), 'the counts');
    client.destroy();
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(stdout()).toMatch(/Stopping\.\n$/);
    expect(stderr()).toBe('');
    const stillThere = await fetch(exported['AWS_ENDPOINT_URL_SQS'] ?? '').then(
      () => true,
      () => false,
    );
    expect(stillThere).toBe(false);
  });

  test('ends where the file of endpoints cannot be written, and names it', async () => {
    const words = ['local', '--watch', '--port', '0', '--env-file=nowhere/local.env'];
    const { status, stderr } = await runCommand(words, { isProcess: false });
    expect(status).toBe(1);
    expect(stderr).toContain('ENOENT: nowhere/local.env: no such file or directory\nWhat to fix: check the path');
  });

  test('refuses a port that is in use, and options of a world that keeps running where it does not', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const refused = await runCommand(['local', '--watch', '--port', String(port)], { isProcess: false });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`port ${port} of this machine is in use`);
    taken.close();
    for (const args of [['--port', '4578'], ['--env-file=/dev/null'], ['--watch', '--port', '70000']]) {
      const { status } = await runCommand(['local', ...args], { isProcess: false });
      expect([args, status]).toEqual([args, 2]);
    }
  });
});
