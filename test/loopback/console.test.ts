/** The local console over HTTP: what a page or a script can order, what it sees, and who is refused. */
import { request } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { buildConsole } from '../../functions/cli/local/build.ts';
import { createConsole } from '../../infra/local/console/console.ts';
import { FAULT_NAMES } from '../../infra/local/console/fault-names.ts';
import { createJournal } from '../../infra/local/console/journal.ts';
import { PortError, startConsoleServer } from '../../infra/local/console/server.ts';
import type { Snapshot } from '../../infra/local/console/snapshot.ts';
import type { PasswordState } from '../../infra/local/segura.ts';
import { until } from '../../infra/local/world.ts';
import { openWorld } from './in-process-lambda.ts';

/** Other tests may have the machine. */
const eventually = (condition: () => boolean, what: string): Promise<void> => until(condition, what, 70_000);
const TEST_LIMIT_MS = 120_000;

vi.setConfig({ testTimeout: TEST_LIMIT_MS });

const PASSWORDS = new Map<string, PasswordState>([
  ['50', 'active'],
  ['66', 'no-access'],
  ...Array.from({ length: 30 }, (_, index) => [String(10 + index), 'disabled'] as const),
]);

const start = async () => {
  const journal = createJournal();
  const world = await openWorld({
    tls: 'private-ca',
    outcomes: true,
    passwords: Object.fromEntries(PASSWORDS),
    timeoutMs: 8000,
    env: { SEGURA_TIMEOUT_MS: '1500' },
    delivery: { maximumConcurrency: 1 },
    // One whose environment was too slow to start comes back soon.
    sqs: { visibilitySeconds: 20 },
    onLine: journal.onLine,
    onInvocation: journal.onInvocation,
  });
  const console = createConsole({ world, journal, passwords: PASSWORDS });
  await world.mapping.enable();
  const assets = { '/': { contentType: 'text/html; charset=utf-8', content: '<!doctype html>' } };
  const server = await startConsoleServer({ console, assets, port: 0 });
  const state = (): Snapshot => console.snapshot();
  const post = async (path: string, body: unknown = {}) => {
    const response = await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, value: (await response.json()) as Record<string, unknown> };
  };
  const close = async (): Promise<void> => {
    await server.close();
    await console.close();
    await world[Symbol.asyncDispose]();
  };
  return { world, console, server, state, post, [Symbol.asyncDispose]: close };
};

const settledOf = ({ totals }: Snapshot): number => totals.enabled + totals['already-enabled'] + totals.rejected;

describe.concurrent('a request that the console sends', () => {
  test('is enabled, leaves an outcome, and has its audit line by its message id', async () => {
    await using local = await start();
    const { post, state, server } = local;
    const { value } = await post('/requests', { identifier: 10, requestId: 'RITM0012345', requestedBy: 'ana' });
    const [messageId] = value['messageIds'] as string[];
    await eventually(() => state().outcomes.count === 1 && state().requests.count === 0, 'the outcome');
    expect(state().outcomes.rows).toEqual([
      expect.objectContaining({ messageId, outcome: 'enabled', asked: '10', requestId: 'RITM0012345' }),
    ]);
    const { lines } = (await (await fetch(`${server.url}/messages/${messageId}`)).json()) as { lines: unknown[] };
    expect(lines).toEqual([expect.objectContaining({ outcome: 'enabled', messageId, requestedBy: 'ana' })]);
  });

  test('asks for a password that is disabled again, but for one that was enabled from the start', async () => {
    await using local = await start();
    const { post, state } = local;
    for (const identifier of [10, 50]) {
      await post('/requests', { identifier });
      await post('/requests', { identifier });
    }
    await eventually(() => settledOf(state()) === 4, 'all four');
    expect(state().totals['already-enabled']).toBeGreaterThanOrEqual(2);
    await post('/requests', { identifier: 10 });
    await eventually(() => settledOf(state()) === 5, 'the fifth');
    expect(state().outcomes.rows[0]).toMatchObject({ asked: '10', outcome: 'enabled' });
  });

  test('is many with a count, each for the next password', async () => {
    await using local = await start();
    const { post, state, world } = local;
    const { value } = await post('/requests', { identifier: '10', count: 25 });
    expect(new Set(value['messageIds'] as string[]).size).toBe(25);
    await eventually(() => settledOf(state()) === 25, 'all of them');
    expect(world.segura.passwords.get('34')).toBe('active');
    expect(world.segura.passwords.get('35')).toBe('disabled');
  });

  test('goes as it is where it is not an identifier, and is rejected by the function', async () => {
    await using local = await start();
    const { post, state } = local;
    await post('/requests', { identifier: '<b>x</b>' });
    await eventually(() => state().rejected.count === 1, 'the dead letter');
    expect(state().rejected.rows).toEqual([
      expect.objectContaining({ asked: '<b>x</b>', errorCode: 'InvalidMessage', outcome: 'rejected' }),
    ]);
  });
});

describe.concurrent('the group of a request', () => {
  test('is shown with it in the queue, among outcomes and dead letters, and named once it is noisy', async () => {
    await using local = await start();
    const { post, state, world } = local;
    await post('/requests', { identifier: 10, groupId: 'itsm' });
    await post('/requests', { identifier: 66, groupId: 'itsm' });
    await eventually(() => settledOf(state()) === 2 && state().rejected.count === 1, 'both');
    expect(state().outcomes.rows).toMatchObject([{ groupId: 'itsm' }, { groupId: 'itsm' }]);
    expect(state().rejected.rows).toMatchObject([{ asked: '66', groupId: 'itsm' }]);
    expect(world.segura.enableCalls(10)).toHaveLength(1);
    await post('/faults', { fault: '503' });
    await post('/requests', { identifier: 10, count: 30, groupId: 'hr' });
    await eventually(() => state().requests.noisyGroups.includes('hr'), 'so many of one group in work or kept');
    expect(state().requests.rows[0]).toMatchObject({ groupId: 'hr' });
    await post('/heal');
    await eventually(() => state().totals.enabled === 31, 'all of them');
    expect(state().requests.noisyGroups).toEqual([]);
  });
});

describe.concurrent('broken without a word more', () => {
  test('Segura answers 503 to all; requests are kept with the moment of their return; healed, they come at once', async () => {
    await using local = await start();
    const { post, state } = local;
    expect(state().segura).toBe('up');
    await post('/faults');
    expect(state().segura).toBe('503');
    await post('/requests', { identifier: 10, count: 3 });
    await eventually(() => state().requests.kept === 3, 'all to be kept');
    const { requests, answers, totals } = state();
    expect(requests).toMatchObject({ count: 3, waiting: 0, inWork: 0 });
    expect(requests.nextBackAt ?? 0).toBeGreaterThan(Date.now() + 5000);
    expect(requests.rows.every(({ outcome, backAt }) => outcome === 'kept' && backAt !== undefined)).toBe(true);
    expect(answers[0]).toMatchObject({ status: 503 });
    expect(totals.enabled).toBe(0);
    const { value } = await post('/heal');
    expect(value).toEqual({ broughtBack: 3 });
    await eventually(() => state().totals.enabled === 3, 'all to be enabled');
    expect(state()).toMatchObject({ segura: 'up', breakages: [] });
  });
});

describe.concurrent('each fault', () => {
  test.each(FAULT_NAMES.filter((name) => name !== 'slow' && name !== 'token-revoked'))(
    '%s keeps a request, and lets it go once healed',
    async (fault) => {
      await using local = await start();
      const { post, state } = local;
      // A token is there already, as at most times.
      await post('/requests', { identifier: 11 });
      await eventually(() => state().totals.enabled === 1, 'a good day');
      await post('/faults', { fault });
      expect(state().segura).toBe(fault);
      await post('/requests', { identifier: 12 });
      await eventually(() => state().totals.kept > 0, 'the request to be kept');
      await post('/heal');
      await eventually(() => state().requests.count === 0, 'the request to be settled');
      expect(state().rejected.count + state().exhausted.count).toBe(0);
    },
  );

  test('slow answers late; a revoked token costs one more call, and is over with the next token', async () => {
    await using local = await start();
    const { post, state, world } = local;
    await post('/faults', { fault: 'slow', delayMs: 300 });
    await post('/requests', { identifier: 11 });
    await eventually(() => state().totals.enabled === 1, 'the late answer');
    expect(state().answers.find(({ about }) => about === '11')?.durationMs).toBeGreaterThanOrEqual(300);
    await post('/heal');
    await post('/faults', { fault: 'token-revoked' });
    await post('/requests', { identifier: 12 });
    await eventually(() => state().totals.enabled === 2, 'the request with the new token');
    expect(world.segura.enableCalls(12).map(({ status }) => status)).toEqual([404, 200]);
    expect(state().segura).toBe('up');
  });

  test('holds for one password alone, and ends by itself after its time', async () => {
    await using local = await start();
    const { post, state } = local;
    await post('/faults', { fault: '503', identifier: 12 });
    await post('/requests', { identifier: 11, count: 3 });
    await eventually(() => state().totals.enabled === 2 && state().requests.count === 1, 'the others to be enabled');
    expect(state().requests.rows).toEqual([expect.objectContaining({ asked: '12', outcome: 'kept' })]);
    await post('/faults', { fault: '503', identifier: 12, seconds: 1 });
    expect(state().breakages).toEqual([expect.objectContaining({ fault: '503', endsAt: expect.any(Number) })]);
    await eventually(() => state().segura === 'up', 'its end');
  });

  test('for a share of the calls leaves the others alone', async () => {
    await using local = await start();
    const { post, state, world } = local;
    await post('/faults', { fault: 'reset', share: 0.3 });
    await post('/requests', { identifier: 10, count: 20 });
    await eventually(() => state().totals.enabled >= 10, 'half of them, by their next attempts');
    const failed = world.segura.enableCalls().filter(({ status }) => status === 0).length;
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThan(world.segura.enableCalls().length / 2);
  });
});

describe.concurrent('delivery', () => {
  test('paused leaves requests waiting; resumed, they are carried out', async () => {
    await using local = await start();
    const { post, state, server } = local;
    await post('/pause');
    await post('/requests', { identifier: 10, count: 2 });
    expect(state()).toMatchObject({ isPaused: true, requests: { waiting: 2, count: 2 } });
    expect(await (await fetch(`${server.url}/state`)).json()).toMatchObject({ isPaused: true });
    await post('/resume');
    await eventually(() => state().totals.enabled === 2, 'both');
  });

  test('replay puts dead letters back on requests through replay-dead-letters, and goes on with their story', async () => {
    await using local = await start();
    const { post, state, world, console } = local;
    const { value } = await post('/requests', { identifier: 66 });
    await eventually(() => state().rejected.count === 1, 'the dead letter');
    world.segura.passwords.set('66', 'disabled');
    expect(await post('/replay')).toMatchObject({ status: 200, value: { replayed: 1 } });
    await eventually(() => state().totals.enabled === 1, 'the replayed request');
    const [messageId = ''] = value['messageIds'] as string[];
    expect(console.story(messageId).map(({ outcome }) => outcome)).toEqual(['rejected', 'enabled']);
  });

  test('reset empties the queues, ends faults, and disables the passwords again', async () => {
    await using local = await start();
    const { post, state, world } = local;
    await post('/requests', { identifier: 10 });
    await post('/requests', { identifier: 404 });
    await eventually(() => settledOf(state()) === 2, 'both');
    await post('/faults');
    await post('/requests', { identifier: 11 });
    expect(await post('/reset')).toMatchObject({ status: 200 });
    expect(state()).toMatchObject({
      segura: 'up',
      isPaused: false,
      calls: 0,
      requests: { count: 0 },
      rejected: { count: 0 },
      outcomes: { count: 0, rows: [] },
    });
    expect(world.segura.passwords.get('10')).toBe('disabled');
    await post('/requests', { identifier: 10 });
    await eventually(() => state().totals.enabled === 1, 'a new start');
  });
});

describe.concurrent('what is wrong in an order', () => {
  test.each([
    ['/requests', {}, /identifier is missing/],
    ['/requests', { identifier: 10, count: 0 }, /count must be a number from 1 to 1000/],
    ['/requests', { identifer: 10 }, /"identifer" is not known; known are identifier/],
    ['/requests', { identifier: 10, reason: 5 }, /reason must be text/],
    ['/requests', { identifier: 10, groupId: 'h r' }, /groupId must be 1 to 128 letters/],
    ['/requests', [], /must be a JSON object/],
    ['/faults', { fault: '418' }, /fault must be one of 503, time-out/],
    ['/faults', { share: 2 }, /share must be a number from 0.01 to 1/],
    ['/faults', { fault: 'sqs-failing', identifier: 10 }, /sqs-failing holds for all/],
    ['/replay', { queue: 'requests' }, /queue must be rejected or exhausted/],
  ])('%s %j is told, and nothing is done', async (path, body, message) => {
    await using local = await start();
    const { status, value } = await local.post(path, body);
    expect(status).toBe(400);
    expect(value).toEqual({
      error: { code: 'INVALID_ORDER', message: expect.stringMatching(message), fix: expect.any(String) },
    });
    expect(local.state()).toMatchObject({ segura: 'up', requests: { count: 0 } });
  });

  test('no JSON is told too, and so is a path that is not there', async () => {
    await using local = await start();
    const { url } = local.server;
    const broken = await fetch(`${url}/faults`, { method: 'POST', body: '{' });
    expect([broken.status, await broken.json()]).toEqual([
      400,
      { error: expect.objectContaining({ message: expect.stringContaining('the body is not JSON') }) },
    ]);
    const missing = await fetch(`${url}/fault`, { method: 'POST' });
    expect(missing.status).toBe(404);
  });
});

/** With headers that `fetch` would not send. */
const statusWith = (url: string, method: string, path: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(url);
    const sent = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? '{"identifier": 10}' : undefined);
  });

describe.concurrent('the page of another', () => {
  test.each([
    ['a name that points here', { host: 'evil.example' }],
    ['a name that points here, with our port', { host: 'evil.example:PORT' }],
    ['another origin', { host: '127.0.0.1:PORT', origin: 'https://evil.example' }],
    ['another port of this machine', { host: '127.0.0.1:PORT', origin: 'http://127.0.0.1:3000' }],
    ['a sandboxed frame', { host: '127.0.0.1:PORT', origin: 'null' }],
  ])('is refused for reading and ordering: %s', async (_, headers) => {
    await using local = await start();
    const { server, world } = local;
    const { port } = new URL(server.url);
    const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', port)]));
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/state'],
      ['GET', '/events'],
      ['POST', '/requests'],
      ['POST', '/reset'],
    ] as const) {
      expect(await statusWith(server.url, method, path, own), `${method} ${path}`).toBe(403);
    }
    expect(world.sqs.calls('SendMessage')).toEqual([]);
  });

  test('is not refused where it is our own, by address or as localhost, or where no page asks', async () => {
    await using local = await start();
    const { url } = local.server;
    const { port } = new URL(url);
    for (const headers of [
      { host: `127.0.0.1:${port}` },
      { host: `localhost:${port}`, origin: `http://localhost:${port}` },
      { host: `127.0.0.1:${port}`, origin: url },
    ]) {
      expect(await statusWith(url, 'POST', '/requests', headers)).toBe(200);
    }
  });

  test('gets nothing to frame, and ours loads nothing from elsewhere', async () => {
    await using local = await start();
    const { headers } = await fetch(local.server.url);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("script-src-attr 'none'");
    expect(policy).not.toMatch(/https?:/);
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

test.concurrent('events bring the history, then a snapshot whenever something changed', async () => {
  await using local = await start();
  const { server, post } = local;
  const stop = new AbortController();
  const response = await fetch(`${server.url}/events`, { signal: stop.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString('utf8');
  })().catch(() => {}); // ended by us
  await eventually(() => /event: history\ndata: .*\n\nevent: snapshot\ndata: /.test(text), 'the beginning');
  await post('/requests', { identifier: 10 });
  await eventually(() => /"totals":\{"enabled":1,/.test(text), 'the outcome to be told');
  await eventually(() => /event: sample\ndata: \{"at":/.test(text), 'a sample');
  stop.abort();
  await reading;
});

test('a port that is in use is told with what to do', async () => {
  await using local = await start();
  const { console, server } = local;
  const port = Number(new URL(server.url).port);
  await expect(startConsoleServer({ console, assets: {}, port })).rejects.toThrow(PortError);
});

test('the page, its script and its style are bundled from source, and name no other host', async () => {
  const assets = await buildConsole();
  expect(Object.keys(assets).sort()).toEqual(['/', '/console.css', '/console.js']);
  for (const [path, { content }] of Object.entries(assets)) {
    const hosts = [...content.matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host]) => host);
    // A namespace is a name and is never asked for.
    expect(
      hosts.filter((host) => host !== 'www.w3.org'),
      path,
    ).toEqual([]);
    expect(content, path).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write/);
  }
});
