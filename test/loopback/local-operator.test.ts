/** In another terminal beside `npm start -- --watch`: the commands of an operator, with the endpoints from its file. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Snapshot } from '../../infra/local/console/snapshot.ts';
import { until } from '../../infra/local/world.ts';
import manifest from '../../package.json' with { type: 'json' };
import { runCommand, shell } from './command.ts';

const cwd = join(import.meta.dirname, '../..');
/** On a machine that may be busy. */
const LIMIT_MS = 180_000;

/** What a shell has that has read the file, and had not before. A profile of its own would win over the file's keys. */
const readByShell = async (file: string): Promise<Record<string, string>> => {
  const command = [
    '-c',
    'AWS_PROFILE=prod; export AWS_PROFILE; . "$1"; exec "$2" -p "JSON.stringify(process.env)"',
    'sh',
    file,
    process.execPath,
  ];
  const { stdout } = await promisify(execFile)('sh', command, { cwd, env: shell() });
  const variables = Object.entries(JSON.parse(stdout) as Record<string, string>);
  return Object.fromEntries(variables.filter(([name]) => !(name in shell() || /^(?:PWD|OLDPWD|SHLVL|_)$/.test(name))));
};

/** The local world, kept running, and a shell that has read its file. */
const start = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-'));
  const file = join(folder, 'local.env');
  // Without the two dashes Node.js takes the option for its own, and finds no such file yet.
  expect(manifest.scripts.start).toMatch(/^node -- /);
  const words = [...manifest.scripts.start.split(' ').slice(1), '--watch', '--port', '0', '--env-file', file];
  const child = spawn(process.execPath, words, { cwd, stdio: ['ignore', 'pipe', 'inherit'], env: shell() });
  const closed = once(child, 'close');
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk;
  });
  await until(() => shown.includes('requested by'), 'the local world', LIMIT_MS);
  const env = await readByShell(file);
  const run = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await runCommand(args, { env });
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
    return stdout;
  };
  return {
    env,
    run,
    /** As one types it there, with a process of its own. */
    runInShell: async (...args: readonly string[]): Promise<string> => {
      const command = ['-c', '. "$1"; shift; exec "$@"', 'sh', file, process.execPath, '--', 'functions/cli/bin.mjs'];
      const { stdout } = await promisify(execFile)('sh', [...command, ...args], { cwd, env: shell() });
      return stdout;
    },
    shown: () => shown,
    /** Its last line, of a command with --json. */
    json: async (...args: readonly string[]): Promise<unknown> =>
      JSON.parse((await run(...args, '--json')).trimEnd().split('\n').at(-1) ?? ''),
    state: async (): Promise<Snapshot> => (await (await fetch(`${env['CONSOLE_URL']}/state`)).json()) as Snapshot,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      child.kill('SIGINT');
      await closed;
      await rm(folder, { recursive: true });
    },
  };
};

let local: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  local = await start();
}, LIMIT_MS);
afterAll(() => local[Symbol.asyncDispose]());

test('a shell reads the endpoints from the file, which names no profile', async () => {
  const { env } = local;
  expect(env).toMatchObject({
    AWS_DEFAULT_REGION: 'us-east-1',
    SOURCE_QUEUE_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/000000000000\/requests$/),
  });
  expect(env).not.toHaveProperty('AWS_PROFILE');
  expect(await (await fetch(`${env['CONSOLE_URL']}/faults`)).text()).toBe('{"faults":[]}\n');
});

test(
  'an operator sends, looks where requests are, pauses delivery and lets it go on',
  async () => {
    const { run, runInShell, json, state } = local;
    expect(await json('send', '10', '50', '--requested-by', 'ana', '--wait')).toMatchObject({
      sent: 2,
      messages: [{ outcome: 'enabled' }, { outcome: 'already-enabled' }],
    });
    await runInShell('send', '404', '--requested-by', 'ana');
    await until(() => / 404 +rejected \(1005\)/.test(local.shown()), 'the rejection', LIMIT_MS);

    const { requests } = (await json('trace', '--identifier', '404')) as { requests: unknown[] };
    expect(requests).toEqual([
      expect.objectContaining({ identifier: 404, requestedBy: 'ana', fate: 'rejected', foundIn: 'rejected' }),
    ]);
    expect(await run('trace', '--identifier', '10')).toMatch(/delivery 1, 1 call to Segura, .*: enabled/);
    expect(await json('status')).toMatchObject({
      requests: { waiting: 0, inWork: 0 },
      rejected: 1,
      exhausted: 0,
      paused: false,
      lastQuarterOfAnHour: { enabled: 1, 'already-enabled': 1, rejected: 1, kept: 0 },
    });

    // Its visibility timeout is short for a deployed function, and right for this one.
    expect(await json('doctor')).toMatchObject({ ok: true });

    await run('pause', '--yes');
    expect((await state()).isPaused).toBe(true);
    await run('send', '11', '--group-id', 'hr');
    await run('send', '12', '--not-after', '1s');
    const expiresAt = Date.now() + 1000;
    expect(await json('status')).toMatchObject({ paused: true, requests: { waiting: 2, inWork: 0 } });
    expect((await state()).requests).toMatchObject({
      waiting: 2,
      rows: [{ asked: '11', groupId: 'hr' }, { asked: '12' }],
    });

    await until(() => Date.now() > expiresAt, 'the moment until which the second may be carried out');
    await run('resume');
    expect((await state()).isPaused).toBe(false);
    await until(() => / 11 +enabled .* hr$/m.test(local.shown()), 'what waited, with its group', LIMIT_MS);
    expect(await json('status')).toMatchObject({ paused: false, requests: { waiting: 0 } });

    await until(() => / 12 +rejected \(Expired\)/.test(local.shown()), 'the one that came too late', LIMIT_MS);
    await run('dead-letters', 'replay', '--code', 'Expired', '--renew', '--reason', 'approved again');
    await until(() => / 12 +enabled /.test(local.shown()), 'the renewed one', LIMIT_MS);
  },
  LIMIT_MS,
);
