/** `dead-letters list | replay | discard` as one calls it over the embedded SQS. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type SqsOptions, startSqs } from '../../infra/local/sqs.ts';
import { environmentOf, type LetterOptions, putLetters, runCommand } from './command.ts';

const DAY_MS = 86_400_000;
const ago = (ms: number): Date => new Date(Date.now() - ms);

/** Each test has its own SQS, so that they can wait for their long polls side by side. */
const openQueues = async (options: SqsOptions = {}) => {
  const sqs = await startSqs(options);
  return {
    sqs,
    command: (...args: string[]) => runCommand(['dead-letters', ...args], { env: environmentOf(sqs) }),
    commandWith: (changes: Record<string, string | undefined>, ...args: string[]) =>
      runCommand(['dead-letters', ...args], { env: { ...environmentOf(sqs), ...changes } }),
    bodies: (queue: 'requests' | 'rejected' | 'exhausted'): string[] =>
      sqs
        .messages(queue)
        .map(({ body: text }) => text)
        .sort(),
    attributesOf: (index = 0) => sqs.messages('requests')[index]?.messageAttributes ?? {},
    visible: (): number => sqs.messages('rejected').filter(({ isInFlight }) => !isInFlight).length,
    [Symbol.asyncDispose]: () => sqs.close(),
  };
};

const body = (identifier: number): string => JSON.stringify({ identifier });
const letters = (count: number): LetterOptions[] =>
  Array.from({ length: count }, (_, index) => ({ identifier: index + 1, code: '1006' }));

describe.concurrent('list', () => {
  const LETTERS: readonly LetterOptions[] = [
    { identifier: 1, code: '1005', failedAt: ago(2 * DAY_MS) },
    { identifier: 2, code: '1006' },
    { identifier: 3, code: '1006' },
    { body: 'nothing', code: 'InvalidMessage' },
  ];

  test('each queue is counted by error code, and what SQS moved as none', async () => {
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', LETTERS);
    await putLetters(sqs, 'exhausted', [{ identifier: 4 }]);
    const { status, json } = await command('list', '--json');
    expect(status).toBe(0);
    expect(json).toEqual({
      queues: [
        { queue: 'rejected', total: 4, byCode: { '1005': 1, '1006': 2, InvalidMessage: 1 }, unread: 0 },
        { queue: 'exhausted', total: 1, byCode: { none: 1 }, unread: 0 },
      ],
    });
  });

  test('every message is left visible, in its queue, as it was', async () => {
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', LETTERS);
    const before = sqs.messages('rejected');
    await command('list');
    const after = sqs.messages('rejected');
    expect(after.map(({ visibleInMs }) => visibleInMs)).toEqual([0, 0, 0, 0]);
    expect(after.map(({ isInFlight }) => isInFlight)).toEqual([false, false, false, false]);
    const untouched = ({ messageId, body: text, messageAttributes }: (typeof after)[number]) =>
      JSON.stringify({ messageId, text, messageAttributes });
    expect(after.map(untouched).sort()).toEqual(before.map(untouched).sort());
    expect(sqs.calls('DeleteMessageBatch')).toEqual([]);
    expect(sqs.messages('requests')).toEqual([]);
  });

  test('a person sees codes, counts and ages; with --letters one line for each', async () => {
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', LETTERS);
    const { stdout } = await command('list', '--queue', 'rejected', '--letters');
    expect(stdout).toMatch(/1006 +2 +0 min +0 min +█/);
    expect(stdout).toMatch(/1 to 4 d +1 +█/);
    expect(stdout).toMatch(/^1005 +1 +2 d/m);
    expect(stdout).toMatch(/^InvalidMessage +- +0 min/m);
    expect(stdout).not.toContain('nothing');
  });

  test('on a terminal a bar shows how far it is, but never among the lines of --letters', async () => {
    const list = async (...args: string[]) => {
      await using queues = await openQueues();
      const { sqs } = queues;
      await putLetters(sqs, 'rejected', LETTERS);
      // Slow enough for a bar.
      sqs.next('ReceiveMessage', ...Array.from({ length: 4 }, () => ({ kind: 'throttle' }) as const));
      const words = ['dead-letters', 'list', '--queue', 'rejected', ...args];
      return (await runCommand(words, { env: { ...environmentOf(sqs), NO_COLOR: '1' }, columns: 80 })).stderr;
    };
    const [counted, listed] = await Promise.all([list(), list('--letters')]);
    expect(counted).toContain('4 read');
    expect(listed).toBe('');
  });

  test('the filters of replay hold for the list too', async () => {
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', LETTERS);
    const { json } = await command('list', '--queue', 'rejected', '--before', '1d', '--json');
    expect(json).toEqual({ queues: [{ queue: 'rejected', total: 1, byCode: { '1005': 1 }, unread: 0 }] });
  });

  test('empty is only what was read to its end without a filter', async () => {
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', LETTERS);
    expect((await command('list')).stdout).toMatch(/^rejected {2}4 dead letters$.*^exhausted {2}empty$/ms);
    const filtered = await command('list', '--code', '1010');
    expect(filtered.stdout).toBe('rejected  none that match\nexhausted  none that match\n');
    expect(filtered.status).toBe(0);
    expect((await command('list', '--code', '1005')).stdout).toContain('rejected  1 matching dead letter\n');
  });

  test('what Ctrl-C cut short says so, of each queue, with 130', async () => {
    await using queues = await openQueues();
    const { sqs } = queues;
    await putLetters(sqs, 'rejected', letters(60));
    const { status, stdout } = await runCommand(['dead-letters', 'list'], {
      env: environmentOf(sqs),
      watch: () => (sqs.messages('rejected').some(({ isInFlight }) => isInFlight) ? 'SIGINT' : undefined),
    });
    expect(status).toBe(130);
    expect(stdout).toMatch(/^rejected {2}interrupted: at least \d+ dead letters$/m);
    expect(stdout).toMatch(/^exhausted {2}interrupted: at least 0 dead letters$/m);
    expect(queues.visible()).toBe(60);
  });

  test('a queue whose URL is not set is said to be left out', async () => {
    await using queues = await openQueues();
    const { status, stderr, json } = await queues.commandWith({ EXHAUSTED_QUEUE_URL: undefined }, 'list', '--json');
    expect(stderr).toBe('exhausted is left out: EXHAUSTED_QUEUE_URL (or --exhausted-queue-url) is not set\n');
    expect([status, json]).toEqual([0, { queues: [{ queue: 'rejected', total: 0, byCode: {}, unread: 0 }] }]);
  });

  test('every receive asks for all attributes', async () => {
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', LETTERS);
    await command('list');
    const receives = sqs.calls('ReceiveMessage');
    expect(receives.length).toBeGreaterThan(0);
    for (const { input } of receives) {
      expect(input).toMatchObject({ MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] });
    }
  });
});

describe.concurrent('replay', () => {
  test('a letter goes back as it was: body, attributes of every type, trace header; the failure is taken off', async () => {
    await using queues = await openQueues();
    const { sqs, command, bodies, attributesOf } = queues;
    const attributes = {
      tenant: { DataType: 'String.id', StringValue: 'acme' },
      weight: { DataType: 'Number.int', StringValue: '7' },
      blob: { DataType: 'Binary.png', BinaryValue: Buffer.from([0, 255, 10]) },
    };
    const traceHeader = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
    const text = ' { "identifier" : 7 } ';
    await putLetters(sqs, 'rejected', [
      { body: text, code: '1006', attributes, traceHeader, originalMessageId: 'first', firstSentAt: ago(DAY_MS) },
    ]);
    const { status, json } = await command(
      'replay',
      '--yes',
      '--reason',
      'shared now',
      '--replayed-by',
      'ops',
      '--json',
    );
    expect(status).toBe(0);
    expect(json).toEqual({ matched: 1, replayed: 1, duplicates: 0, expired: 0, failed: 0, unread: 0, dryRun: false });
    expect(bodies('requests')).toEqual([text]);
    expect(bodies('rejected')).toEqual([]);
    expect(attributesOf()).toMatchObject({
      tenant: { DataType: 'String.id', StringValue: 'acme' },
      weight: { DataType: 'Number.int', StringValue: '7' },
      blob: { DataType: 'Binary.png' },
      OriginalMessageId: { StringValue: 'first' },
      ReplayCount: { DataType: 'Number', StringValue: '1' },
      ReplayedBy: { StringValue: 'ops' },
      ReplayReason: { StringValue: 'shared now' },
    });
    expect(Object.keys(attributesOf())).not.toContain('ErrorCode');
    const sent = sqs.calls('SendMessageBatch').at(-1)?.input['Entries'] as Record<string, never>[];
    expect(sent[0]).toMatchObject({
      MessageAttributes: { blob: { BinaryValue: Buffer.from([0, 255, 10]).toString('base64') } },
      MessageSystemAttributes: { AWSTraceHeader: { StringValue: traceHeader } },
    });
  });

  test.each([
    [
      ['--code', '1006'],
      [2, 3],
    ],
    [
      ['--code', '1005,1010'],
      [1, 4],
    ],
    [
      ['--code', '1005', '--code', '1010'],
      [1, 4],
    ],
    [['--code', 'none'], [6]],
    [
      ['--code', 'expired, NONE'],
      [5, 6],
    ],
    [['--identifier', '3'], [3]],
    [
      ['--before', '1h'],
      [1, 5],
    ],
    [
      ['--after', '1h', '--queue', 'rejected'],
      [2, 3, 4],
    ],
    [['--before', '1h', '--after', '3d'], [1]],
    [['--queue', 'exhausted'], [6]],
    [['--queue', 'rejected', '--code', '1010', '--identifier', '9'], []],
    [[], [1, 2, 3, 4, 5, 6]],
  ])('%j moves exactly %j', async (filters, moved) => {
    await using queues = await openQueues();
    const { sqs, command, bodies } = queues;
    await putLetters(sqs, 'rejected', [
      { identifier: 1, code: '1005', failedAt: ago(2 * DAY_MS) },
      { identifier: 2, code: '1006' },
      { identifier: 3, code: '1006' },
      { identifier: 4, code: '1010' },
      { identifier: 5, code: 'Expired', failedAt: ago(3.5 * DAY_MS) },
    ]);
    await putLetters(sqs, 'exhausted', [{ identifier: 6 }]);
    const { json } = await command('replay', '--yes', ...filters, '--json');
    expect(json).toMatchObject({ matched: moved.length, replayed: moved.length });
    expect(bodies('requests')).toEqual(moved.map(body).sort());
    const all = [...bodies('requests'), ...bodies('rejected'), ...bodies('exhausted')];
    expect(all.sort()).toEqual([1, 2, 3, 4, 5, 6].map(body));
    expect([...sqs.messages('rejected'), ...sqs.messages('exhausted')].filter(({ isInFlight }) => isInFlight)).toEqual(
      [],
    );
  });

  test('a dry run moves nothing, and says of each letter what would happen', async () => {
    await using queues = await openQueues();
    const { sqs, command, bodies, visible } = queues;
    await putLetters(sqs, 'rejected', [
      { identifier: 1, code: '1006', originalMessageId: 'a' },
      { identifier: 1, code: '1006', originalMessageId: 'a' },
      { identifier: 2, code: '1006', firstSentAt: ago(9 * DAY_MS) },
    ]);
    const { status, json, stderr } = await command('replay', '--dry-run', '--json');
    expect(status).toBe(0);
    expect(json).toEqual({ matched: 3, replayed: 1, duplicates: 1, expired: 1, failed: 0, unread: 0, dryRun: true });
    expect(stderr).toMatch(/^replay +1006 +1 /m);
    expect(stderr).toMatch(/^delete +1006 +1 /m);
    expect(stderr).toMatch(/^stay +1006 +2 /m);
    expect(bodies('requests')).toEqual([]);
    expect(visible()).toBe(3);
    expect(sqs.calls('DeleteMessageBatch')).toEqual([]);
  });

  test('duplicates of one original are sent once, across both queues, and deleted', async () => {
    await using queues = await openQueues();
    const { sqs, command, bodies } = queues;
    await putLetters(sqs, 'rejected', [
      { identifier: 1, code: '1006', originalMessageId: 'a' },
      { identifier: 1, code: '1006', originalMessageId: 'a' },
    ]);
    await putLetters(sqs, 'exhausted', [
      { identifier: 1, attributes: { OriginalMessageId: { DataType: 'String', StringValue: 'a' } } },
    ]);
    const { json } = await command('replay', '--yes', '--json');
    expect(json).toMatchObject({ matched: 3, replayed: 1, duplicates: 2, failed: 0 });
    expect(bodies('requests')).toEqual([body(1)]);
    expect([...bodies('rejected'), ...bodies('exhausted')]).toEqual([]);
  });

  test('requests that claim one original but differ in their bodies are both sent', async () => {
    await using queues = await openQueues();
    const { sqs, command, bodies } = queues;
    await putLetters(sqs, 'rejected', [
      { identifier: 1, code: '1006', originalMessageId: 'a' },
      { identifier: 2, code: '1006', originalMessageId: 'a' },
    ]);
    const { json } = await command('replay', '--yes', '--json');
    expect(json).toMatchObject({ matched: 2, replayed: 2, duplicates: 0, failed: 0 });
    expect(bodies('requests')).toEqual([body(1), body(2)]);
    expect(bodies('rejected')).toEqual([]);
  });

  test('expired requests stay', async () => {
    await using queues = await openQueues();
    const { sqs, command, bodies } = queues;
    await putLetters(sqs, 'rejected', [
      { identifier: 1, code: '1006', firstSentAt: ago(5 * DAY_MS) },
      { body: JSON.stringify({ identifier: 2, notAfter: ago(1000).toISOString() }), code: 'Expired' },
      { identifier: 3, code: '1006' },
    ]);
    const { status, json } = await command('replay', '--yes', '--json');
    expect(status).toBe(0);
    expect(json).toMatchObject({ matched: 3, replayed: 1, expired: 2 });
    expect(bodies('requests')).toEqual([body(3)]);
    expect(bodies('rejected')).toHaveLength(2);
  });

  test('--max-age-seconds 0 knows no age', async () => {
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', [{ identifier: 1, code: '1006', firstSentAt: ago(50 * DAY_MS) }]);
    expect((await command('replay', '--yes', '--max-age-seconds', '0', '--json')).json).toMatchObject({ replayed: 1 });
  });

  test('--limit moves so many and gives the rest back', async () => {
    await using queues = await openQueues();
    const { sqs, command, bodies, visible } = queues;
    await putLetters(sqs, 'rejected', letters(30));
    const { json } = await command('replay', '--yes', '--limit', '7', '--json');
    expect(json).toMatchObject({ matched: 7, replayed: 7 });
    expect(bodies('requests')).toHaveLength(7);
    expect(visible()).toBe(23);
  });

  test('--rate holds from the first message to the last', async () => {
    await using queues = await openQueues();
    const { sqs, command, bodies } = queues;
    await putLetters(sqs, 'rejected', letters(5));
    sqs.journal.length = 0;
    await command('replay', '--yes', '--rate', '4');
    const sends = sqs.calls('SendMessageBatch');
    const [first, last] = [sends[0]!, sends.at(-1)!];
    expect(bodies('requests')).toHaveLength(5);
    expect(last.at - first.at).toBeGreaterThanOrEqual(950);
  });

  test('what fails again while the replay runs is neither a duplicate nor replayed forever', async () => {
    await using queues = await openQueues();
    const { sqs, bodies } = queues;
    await putLetters(sqs, 'rejected', [
      { identifier: 1, code: '1006', originalMessageId: 'a', failedAt: ago(DAY_MS) },
      { identifier: 2, code: '1006' },
    ]);
    let isBack = false;
    const { json } = await runCommand(['dead-letters', 'replay', '--yes', '--queue', 'rejected', '--json'], {
      env: environmentOf(sqs),
      meanwhile: () => {
        if (!isBack && bodies('requests').length > 0) {
          isBack = true;
          // Even where the function's clock is behind ours.
          void putLetters(sqs, 'rejected', [
            { identifier: 1, code: '1006', originalMessageId: 'a', replayCount: 1, failedAt: ago(DAY_MS / 2) },
          ]);
        }
      },
    });
    expect(json).toMatchObject({ matched: 2, replayed: 2, duplicates: 0 });
    expect(sqs.messages('rejected')).toHaveLength(1);
  });

  test('Ctrl-C ends after the batch under way, gives everything back, and says so with 130', async () => {
    await using queues = await openQueues();
    const { sqs, bodies, visible } = queues;
    await putLetters(sqs, 'rejected', letters(40));
    const { status, json, stderr } = await runCommand(['dead-letters', 'replay', '--yes', '--rate', '10', '--json'], {
      env: environmentOf(sqs),
      watch: () => (bodies('requests').length > 0 ? 'SIGINT' : undefined),
    });
    expect(status).toBe(130);
    expect(stderr).toContain('nothing is lost');
    const moved = bodies('requests').length;
    expect(json).toMatchObject({ replayed: moved, failed: 0 });
    expect(moved).toBeLessThan(40);
    expect(visible()).toBe(40 - moved);
  });
});

describe.concurrent('replay of FIFO queues', () => {
  test('each letter keeps its group, and a group its order', async () => {
    await using queues = await openQueues({ fifo: true });
    const { sqs, command } = queues;
    const grouped = letters(12).map((letter, index) => ({ ...letter, groupId: `group-${index % 2}` }));
    await putLetters(sqs, 'rejected', grouped);
    const { json } = await command('replay', '--yes', '--queue', 'rejected', '--json');
    expect(json).toMatchObject({ matched: 12, replayed: 12, failed: 0 });
    for (const groupId of ['group-0', 'group-1']) {
      const inOrder = grouped.filter((each) => each.groupId === groupId).map(({ identifier = 0 }) => body(identifier));
      const moved = sqs.messages('requests').filter((each) => each.groupId === groupId);
      expect(moved.map((each) => each.body)).toEqual(inOrder);
    }
  });

  test('after one of a group was refused, the later ones of the group wait', async () => {
    await using queues = await openQueues({ fifo: true });
    const { sqs, command } = queues;
    await putLetters(
      sqs,
      'rejected',
      letters(3).map((letter) => ({ ...letter, groupId: 'one' })),
    );
    sqs.next('SendMessageBatch', { kind: 'failed-entries', code: 'InvalidMessageContents', senderFault: true });
    const { status, json } = await command('replay', '--yes', '--queue', 'rejected', '--json');
    expect(status).toBe(1);
    expect(json).toMatchObject({ replayed: 0 });
    expect(sqs.messages('requests')).toEqual([]);
    expect(sqs.messages('rejected')).toHaveLength(3);
  });

  test('letters behind an unchosen one of their group cannot be read, and that is said', async () => {
    await using queues = await openQueues({ fifo: true });
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', [
      ...Array.from({ length: 10 }, () => ({ code: '1005', groupId: 'one' })),
      { code: '1006', groupId: 'one' },
    ]);
    const { stdout } = await command('replay', '--yes', '--queue', 'rejected', '--code', '1006');
    expect(stdout).toMatch(/\d+ letters? more could not be read/);
  });
});

describe.concurrent('discard', () => {
  const makeFolder = async () => {
    const path = await mkdtemp(join(tmpdir(), 'mysafe-enable-test-'));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
  };

  test('what is chosen is written to a file for its owner alone, then deleted', async () => {
    await using folder = await makeFolder();
    await using queues = await openQueues();
    const { sqs, command, bodies } = queues;
    await putLetters(sqs, 'rejected', [
      { body: 'please', code: 'InvalidMessage', attributes: { tenant: { DataType: 'String', StringValue: 'acme' } } },
      { identifier: 2, code: '1006' },
    ]);
    const file = join(folder.path, 'gone.jsonl');
    const { status, json } = await command('discard', '--code', 'InvalidMessage', '--file', file, '--yes', '--json');
    expect(status).toBe(0);
    expect(json).toEqual({ matched: 1, discarded: 1, failed: 0, file });
    expect(bodies('rejected')).toEqual([body(2)]);
    const [line = '', ...rest] = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(rest).toEqual([]);
    expect(JSON.parse(line)).toMatchObject({
      queue: 'rejected',
      body: 'please',
      attributes: { tenant: { stringValue: 'acme' }, ErrorCode: { stringValue: 'InvalidMessage' } },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('without --yes and without a terminal nothing is touched, with 2', async () => {
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', [{ code: '1006' }]);
    sqs.journal.length = 0;
    const { status, stderr } = await command('discard');
    expect(status).toBe(2);
    expect(stderr).toContain('--yes');
    expect(sqs.journal).toEqual([]);
  });

  test('a file that is there already is not written over, and nothing is deleted', async () => {
    await using folder = await makeFolder();
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', [{ code: '1006' }]);
    const file = join(folder.path, 'old.jsonl');
    await writeFile(file, 'older letters\n');
    const { status, stderr } = await command('discard', '--yes', '--file', file);
    expect(status).toBe(2);
    expect(stderr).toContain('there already');
    expect(await readFile(file, 'utf8')).toBe('older letters\n');
    expect(sqs.messages('rejected')).toHaveLength(1);
  });

  const bodiesIn = async (file: string): Promise<unknown[]> =>
    (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { body: string }).body);

  test('what SQS did not delete is counted as failed, stays in the file, and is still in the queue', async () => {
    await using folder = await makeFolder();
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', [{ code: '1006' }]);
    sqs.settings.faults.set('DeleteMessageBatch', { kind: 'failed-entries', code: 'InternalError' });
    const file = join(folder.path, 'x.jsonl');
    const { status, json } = await command('discard', '--yes', '--file', file, '--json');
    expect(status).toBe(1);
    expect(json).toEqual({ matched: 1, discarded: 0, failed: 1, file });
    expect(await bodiesIn(file)).toEqual([body(10)]);
    expect(sqs.messages('rejected').map(({ isInFlight }) => isInFlight)).toEqual([false]);
  });

  test('what SQS deleted without an answer is kept in the file, its only copy', async () => {
    await using folder = await makeFolder();
    await using queues = await openQueues();
    const { sqs, command } = queues;
    await putLetters(sqs, 'rejected', letters(2));
    sqs.settings.faults.set('DeleteMessageBatch', { kind: 'lost-answer' });
    const file = join(folder.path, 'x.jsonl');
    const { status, json } = await command('discard', '--yes', '--queue', 'rejected', '--file', file, '--json');
    expect(status).toBe(1);
    expect(json).toEqual({ matched: 2, discarded: 0, failed: 2, file });
    expect(sqs.messages('rejected')).toEqual([]);
    expect((await bodiesIn(file)).sort()).toEqual([body(1), body(2)]);
  });

  test('when nothing matches, no file is left behind', async () => {
    await using folder = await makeFolder();
    await using queues = await openQueues();
    const { command } = queues;
    const { json } = await command('discard', '--yes', '--file', join(folder.path, 'none.jsonl'), '--json');
    expect(json).toMatchObject({ matched: 0, discarded: 0 });
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe.concurrent('a dead-letter queue', () => {
  test.each([[['list']], [['replay', '--yes']], [['discard', '--yes']]])(
    'that is requests itself is refused by %j with 2, and nothing is touched',
    async (args) => {
      await using queues = await openQueues();
      const { sqs, commandWith } = queues;
      await putLetters(sqs, 'requests', [{ identifier: 1 }]);
      sqs.journal.length = 0;
      const { status, stderr } = await commandWith({ REJECTED_QUEUE_URL: sqs.queueUrl('requests') }, ...args);
      expect(status).toBe(2);
      expect(stderr).toContain('check REJECTED_QUEUE_URL');
      expect(sqs.journal).toEqual([]);
    },
  );

  test('that is given as an ARN is refused with 2', async () => {
    await using queues = await openQueues();
    const { status, stderr } = await queues.commandWith({ REJECTED_QUEUE_URL: queues.sqs.arnOf('rejected') }, 'list');
    expect(status).toBe(2);
    expect(stderr).toContain('REJECTED_QUEUE_URL (or --rejected-queue-url) is not a queue URL such as https://sqs.');
    expect(queues.sqs.journal).toEqual([]);
  });
});
