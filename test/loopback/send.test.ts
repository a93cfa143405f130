/** `send` as one calls it over the embedded SQS. */
import { readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type SqsOptions, startSqs } from '../../infra/local/sqs.ts';
import { runs } from '../depth.ts';
import { environmentOf, runCommand } from './command.ts';

const openQueue = async (options: SqsOptions = {}) => {
  const sqs = await startSqs(options);
  const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-test-'));
  return {
    sqs,
    folder,
    send: (args: readonly string[], input?: string | AsyncIterable<string>, isProcess = false) =>
      runCommand(['send', ...args], {
        env: environmentOf(sqs),
        cwd: folder,
        isProcess,
        ...(input === undefined ? {} : { input }),
      }),
    sendFile: async (name: string, content: string, ...args: string[]) => {
      await writeFile(join(folder, name), content);
      return runCommand(['send', '--file', name, '--json', ...args], { env: environmentOf(sqs), cwd: folder });
    },
    requests: (): unknown[] =>
      sqs
        .messages('requests')
        .map(({ body }) => JSON.parse(body) as { identifier: number })
        .sort((a, b) => a.identifier - b.identifier),
    [Symbol.asyncDispose]: async () => {
      await sqs.close();
      await rm(folder, { recursive: true });
    },
  };
};

/** The ids of what was sent, of which a command names a hundred at most. */
const listOf = (count: number) =>
  Array.from({ length: count }, () => ({
    place: expect.any(String),
    identifier: expect.any(Number),
    messageId: expect.any(String),
  }));

describe.concurrent('what is sent', () => {
  test('identifiers as arguments, with what the options say of each', async () => {
    await using queue = await openQueue();
    const before = Date.now();
    const { status, json } = await queue.send([
      ...['10', '9007199254740991', '--requested-by', 'ana', '--reason', 'on-call', '--request-id', 'RITM1'],
      ...['--source', 'cli', '--not-after', '8h', '--json'],
    ]);
    expect(status).toBe(0);
    expect(json).toEqual({ sent: 2, invalid: 0, failed: 0, notTried: 0, messages: listOf(2) });
    const common = { requestedBy: 'ana', reason: 'on-call', requestId: 'RITM1', source: 'cli' };
    expect(queue.requests()).toMatchObject([
      { identifier: 10, ...common },
      { identifier: Number.MAX_SAFE_INTEGER, ...common },
    ]);
    const [{ notAfter } = { notAfter: '' }] = queue.requests() as { notAfter: string }[];
    expect(Date.parse(notAfter) - before).toBeGreaterThanOrEqual(8 * 3_600_000);
    expect(Date.parse(notAfter) - Date.now()).toBeLessThanOrEqual(8 * 3_600_000);
  });

  test('JSON Lines in every form of the contract; what a line says goes before the options', async () => {
    await using queue = await openQueue();
    const lines = [
      '1',
      '"2"',
      '{"identifier": "3", "requestedBy": "bob", "ticket": {"own": true}}',
      '',
      JSON.stringify({ Type: 'Notification', Message: '{"identifier": 4, "reason": "sns"}' }),
      JSON.stringify({ 'detail-type': 'x', detail: { identifier: 5, notAfter: '2099-01-01T00:00:00+01:00' } }),
    ];
    const { json } = await queue.sendFile('requests.jsonl', `\ufeff${lines.join('\r\n')}`, '--requested-by', 'ana');
    expect(json).toEqual({ sent: 5, invalid: 0, failed: 0, notTried: 0, messages: listOf(5) });
    expect(queue.requests()).toEqual([
      { identifier: 1, requestedBy: 'ana' },
      { identifier: 2, requestedBy: 'ana' },
      { identifier: 3, requestedBy: 'bob', ticket: { own: true } },
      { identifier: 4, requestedBy: 'ana', reason: 'sns' },
      { identifier: 5, requestedBy: 'ana', notAfter: '2098-12-31T23:00:00.000Z' },
    ]);
  });

  test.each([
    ['a header and commas', 'identifier,requestedBy,reason\n1,ana,"on-call, again"\n2,,\n'],
    [
      'semicolons, a byte order mark and CRLF, as spreadsheets write',
      '\ufeffIdentifier;Requested By;Reason\r\n1;ana;"on-call, again"\r\n2;;\r\n',
    ],
    ['tabs, and columns in another order', 'reason\trequested_by\tidentifier\non-call, again\tana\t1\n\t\t2\n'],
  ])('CSV with %s', async (_, content) => {
    await using queue = await openQueue();
    const { json } = await queue.sendFile('requests.csv', content);
    expect(json).toEqual({ sent: 2, invalid: 0, failed: 0, notTried: 0, messages: listOf(2) });
    expect(queue.requests()).toEqual([
      { identifier: 1, requestedBy: 'ana', reason: 'on-call, again' },
      { identifier: 2 },
    ]);
  });

  test('CSV with a single column needs no header; columns that mean nothing are named and left out', async () => {
    await using queue = await openQueue();
    expect((await queue.sendFile('plain.csv', '1\n2\n')).json).toMatchObject({ sent: 2 });
    const { json, stderr } = await queue.sendFile('more.csv', 'identifier,colour\n3,red\n');
    expect(json).toMatchObject({ sent: 1 });
    expect(stderr).toContain('not sent: colour');
    expect(queue.requests()).toEqual([{ identifier: 1 }, { identifier: 2 }, { identifier: 3 }]);
  });

  test('standard input tells its format itself', async () => {
    await using queue = await openQueue();
    expect((await queue.send(['--file', '-', '--json'], '{"identifier": 1}\n2\n')).json).toMatchObject({ sent: 2 });
    expect((await queue.send(['--file', '-', '--json'], 'identifier,reason\n3,x\n')).json).toMatchObject({ sent: 1 });
    expect(queue.requests()).toEqual([{ identifier: 1 }, { identifier: 2 }, { identifier: 3, reason: 'x' }]);
  });

  test('on a FIFO queue the identifier is the group; a request with an id sent twice is taken once', async () => {
    await using queue = await openQueue({ fifo: true });
    await queue.send(['10', '11', '--request-id', 'R1']);
    await queue.send(['10', '11', '--request-id', 'R1']);
    await queue.send(['10', '--group-id', 'mine']);
    await queue.send(['10', '--group-id', 'mine']);
    expect(
      queue.sqs
        .messages('requests')
        .map(({ groupId }) => groupId)
        .sort(),
    ).toEqual(['10', '11', 'mine', 'mine']);
  });
});

describe.concurrent('what is not sent', () => {
  test('one bad line, and nothing is sent; each is named by its number', async () => {
    await using queue = await openQueue();
    const lines = ['{"identifier": 1}', '{"identifier": 0}', 'oops', '{"identifier": 2, "reason": 5}', '1e1'];
    const { status, json, stderr } = await queue.sendFile('requests.jsonl', lines.join('\n'));
    expect(status).toBe(1);
    expect(json).toEqual({ sent: 0, invalid: 4, failed: 0, notTried: 1 });
    for (const line of [2, 3, 4, 5]) expect(stderr).toMatch(new RegExp(`✗ line ${line}: `));
    expect(stderr).not.toMatch(/line 1:/);
    expect(queue.sqs.journal).toEqual([]);
  });

  test('a bad line of CSV is named and costs no other line', async () => {
    await using queue = await openQueue();
    const content = 'identifier,reason\n1,x\n2,y,z\nno,x\n3,"quoted\nover two lines"\n5,x\n';
    const { status, json, stderr } = await queue.sendFile('requests.csv', content, '--skip-invalid');
    expect(status).toBe(1);
    expect(json).toEqual({ sent: 3, invalid: 2, failed: 0, notTried: 0, messages: listOf(3) });
    for (const line of [3, 4]) expect(stderr).toMatch(new RegExp(`✗ line ${line}: `));
    expect(queue.requests()).toMatchObject([{ identifier: 1 }, { identifier: 3 }, { identifier: 5 }]);
  });

  test('CSV with a quotation mark too many, for nobody knows where its lines end', async () => {
    await using queue = await openQueue();
    const content = 'identifier,reason\n1,x\n2,"bro"ken\n3,x\n4,x\n';
    const { status, stderr } = await queue.sendFile('requests.csv', content, '--skip-invalid');
    expect(status).toBe(1);
    expect(stderr).toMatch(/line 3: a quotation mark/);
    expect(queue.sqs.journal).toEqual([]);
  });

  test('a request that has passed', async () => {
    await using queue = await openQueue();
    const { stderr } = await queue.sendFile('r.jsonl', '{"identifier": 1, "notAfter": "2020-01-01T00:00:00Z"}');
    expect(stderr).toMatch(/line 1: notAfter has passed/);
    expect(queue.requests()).toEqual([]);
  });

  test('anything, in a dry run', async () => {
    await using queue = await openQueue();
    const { status, json, stderr } = await queue.send(['1', '2', '--dry-run', '--json']);
    expect([status, json]).toEqual([0, { sent: 0, invalid: 0, failed: 0, notTried: 2 }]);
    expect(stderr).toContain('2 valid, 0 invalid: nothing was sent');
    expect(queue.sqs.journal).toEqual([]);
  });

  test.each([
    [[], 'give one identifier'],
    [['1', '--file', 'x.csv'], 'not both'],
    [['--file', 'nowhere.csv'], 'no such file'],
    [['--file', '.'], 'not an ordinary file; pipe it in with --file -'],
    [['--file', '/dev/null'], 'not an ordinary file'],
    [['1', '--not-after', 'soon'], '--not-after takes'],
    [['1', '--not-after', '2099-01-31T17:00:00'], 'a moment with its offset'],
    [['1', '--not-after', '2099-02-30T17:00:00Z'], '--not-after takes'],
    [['1', '--not-after', '2020-01-01T00:00:00+01:00'], 'has passed'],
    [['1', '--reason', 'x'.repeat(257)], 'at most 256'],
    [['1', '--format', 'xml'], '--format takes'],
    [['1', '--nonsense'], 'unknown option'],
  ])('wrong usage %j ends with 2', async (args, words) => {
    await using queue = await openQueue();
    const { status, stderr } = await queue.send(args);
    expect(stderr).toContain(words);
    expect(status).toBe(2);
    expect(queue.sqs.journal).toEqual([]);
  });

  test.each([
    ['empty.jsonl', ''],
    ['blank.jsonl', '\n\n'],
    ['empty.csv', ''],
    ['header.csv', 'identifier,reason\n'],
  ])('%s, for it holds no request, with 2', async (name, content) => {
    await using queue = await openQueue();
    const { status, stderr } = await queue.sendFile(name, content);
    expect([status, stderr]).toEqual([2, `mysafe-enable: --file ${name} holds no request\n`]);
    expect(queue.sqs.journal).toEqual([]);
  });

  test('without a queue the message says what to set', async () => {
    const { status, stderr } = await runCommand(['send', '1']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/--stage.*SOURCE_QUEUE_URL.*--requests-queue-url/);
  });
});

describe.concurrent('what SQS refuses', () => {
  test('is tried again where it may pass', async () => {
    await using queue = await openQueue();
    queue.sqs.next('SendMessageBatch', { kind: 'failed-entries' }, { kind: 'throttle' }, { kind: 'error' });
    expect((await queue.send(['1', '2', '--json'])).json).toMatchObject({
      sent: 2,
      invalid: 0,
      failed: 0,
      notTried: 0,
    });
    expect(queue.requests()).toHaveLength(2);
  });

  test('is named and counted where it does not pass', async () => {
    await using queue = await openQueue();
    const fault = { kind: 'failed-entries', code: 'InvalidMessageContents', senderFault: true } as const;
    queue.sqs.settings.faults.set('SendMessageBatch', fault);
    const { status, json, stderr } = await queue.send(['1', '2', '--json']);
    expect([status, json]).toEqual([1, { sent: 0, invalid: 0, failed: 2, notTried: 0 }]);
    expect(stderr).toMatch(/argument 1: InvalidMessageContents/);
    expect(stderr).toMatch(/argument 2: InvalidMessageContents/);
  });

  test('for good, such as a denied access, ends the sending; what was not tried has failed too', async () => {
    await using queue = await openQueue();
    queue.sqs.settings.faults.set('SendMessageBatch', { kind: 'denied' });
    const lines = Array.from({ length: 500 }, (_, index) => String(index + 1)).join('\n');
    const { status, json, stderr } = await queue.sendFile('r.jsonl', lines);
    const { failed, notTried } = json as { failed: number; notTried: number };
    expect([status, json]).toEqual([1, { sent: 0, invalid: 0, failed, notTried: 500 - failed }]);
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThanOrEqual(40);
    expect(stderr).toContain(`${failed} failed, ${notTried} not tried after AccessDenied`);
    expect(stderr).toContain('What to fix: your role needs sqs:SendMessage on requests.');
    expect(queue.sqs.calls('SendMessageBatch').length).toBeLessThan(10);
  });
});

describe.concurrent('Ctrl-C', () => {
  test('while standard input is read leaves nothing of it on the disk, sends nothing, and ends with 130', async () => {
    await using queue = await openQueue();
    const ended = Promise.withResolvers<void>();
    async function* unending() {
      yield '{"identifier": 1}\n';
      await ended.promise;
    }
    const isPutAside = (): boolean =>
      readdirSync(queue.folder, { recursive: true }).some((path) => String(path).endsWith('standard-input'));
    let wasPutAside = false;
    const { status, json } = await runCommand(['send', '--file', '-', '--json'], {
      env: { ...environmentOf(queue.sqs), TMPDIR: queue.folder },
      input: unending(),
      watch: () => {
        wasPutAside ||= isPutAside();
        return wasPutAside ? 'SIGINT' : undefined;
      },
    });
    ended.resolve();
    expect(wasPutAside).toBe(true);
    expect([status, json]).toEqual([130, { sent: 0, invalid: 0, failed: 0, notTried: 0 }]);
    expect(await readdir(queue.folder)).toEqual([]);
    expect(queue.sqs.journal).toEqual([]);
  });
});

test('a long file takes no more memory than a short one', async () => {
  await using queue = await openQueue();
  async function* lines(count: number) {
    for (let from = 0; from < count; from += 1000) {
      yield Array.from({ length: 1000 }, (_, index) => `{"identifier": ${from + index + 1}, "reason": "long"}\n`).join(
        '',
      );
    }
  }
  const few = await queue.send(['--file', '-', '--dry-run', '--json'], lines(1000), true);
  const count = runs(300_000, 100_000);
  const many = await queue.send(['--file', '-', '--dry-run', '--json'], lines(count), true);
  expect(many.stderr).toContain(`${count} valid, 0 invalid`);
  expect(many.maxRssMiB - few.maxRssMiB).toBeLessThan(40);
  const sentCount = runs(20_000, 5000);
  const sent = await queue.send(['--file', '-', '--json'], lines(sentCount), true);
  expect(sent.json).toEqual({ sent: sentCount, invalid: 0, failed: 0, notTried: 0, messages: listOf(100) });
  expect(sent.maxRssMiB).toBeLessThan(150);
  console.log(
    `1,000 lines ${few.maxRssMiB.toFixed(0)} MiB, ${count} ${many.maxRssMiB.toFixed(0)} MiB, ${sentCount} sent ${sent.maxRssMiB.toFixed(0)} MiB`,
  );
});
