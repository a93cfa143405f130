/** `send --receipts`, killed at any moment, and gone on with `--resume`, over the embedded SQS. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startSqs } from '../../infra/local/sqs.ts';
import { runs } from '../depth.ts';
import { environmentOf, runCommand } from './command.ts';

const LINES = 2000;
const KILLS = runs(15, 2);
/** Four batches of ten are under way at once; in a FIFO queue one. */
const UNDER_WAY = 40;

interface Receipt {
  readonly place: string;
  readonly identifier: number;
  readonly messageId: string | null;
  readonly deduplicationId?: string;
  readonly state: string;
}

const open = async (isFifo: boolean) => {
  const sqs = await startSqs({ fifo: isFifo });
  const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-test-'));
  const run = (args: readonly string[], watch?: () => NodeJS.Signals | undefined) =>
    runCommand(['send', ...args], { env: environmentOf(sqs), cwd: folder, ...(watch ? { watch } : {}) });
  return {
    sqs,
    folder,
    run,
    callCount: () => sqs.calls('SendMessageBatch').length,
    receipts: async (): Promise<Receipt[]> =>
      (await readFile(join(folder, 'r.jsonl'), 'utf8'))
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    [Symbol.asyncDispose]: async () => {
      await sqs.close();
      await rm(folder, { recursive: true });
    },
  };
};

describe.concurrent('killed at random moments and gone on', () => {
  test.each([
    ['a standard queue', false],
    ['a FIFO queue', true],
  ])(
    '%s has each request, at most the batches under way twice, and none twice in FIFO',
    async (_, isFifo) => {
      await using queue = await open(isFifo);
      const lines = Array.from({ length: LINES }, (_, index) => `{"identifier":${index + 1}}`);
      await writeFile(join(queue.folder, 'requests.jsonl'), lines.join('\n'));
      let kills = 0;
      for (let round = 0; round < KILLS; round += 1) {
        const until = queue.callCount() + 1 + Math.floor(Math.random() * 8);
        const how = round === 0 ? '--receipts' : '--resume';
        const { status } = await queue.run(['--file', 'requests.jsonl', how, 'r.jsonl', '--json'], () =>
          queue.callCount() >= until ? 'SIGKILL' : undefined,
        );
        if (status === 0) break;
        expect(status).toBeNull();
        kills += 1;
      }
      expect(kills).toBeGreaterThanOrEqual(Math.min(KILLS, 4));
      const last = await queue.run(['--file', 'requests.jsonl', '--resume', 'r.jsonl', '--json']);
      expect([last.status, last.json]).toMatchObject([0, { invalid: 0, failed: 0, notTried: 0 }]);

      const bodies = queue.sqs.messages('requests').map(({ body }) => JSON.parse(body).identifier as number);
      expect(new Set(bodies).size).toBe(LINES);
      expect(bodies.length - LINES).toBeLessThanOrEqual(isFifo ? 0 : kills * UNDER_WAY);
      const receipts = await queue.receipts();
      expect(receipts.map(({ state }) => state)).toEqual(receipts.map(() => 'sent'));
      expect(new Set(receipts.map(({ place }) => place)).size).toBe(LINES);
      expect(receipts).toHaveLength(LINES);
      const messageIds = new Set(queue.sqs.messages('requests').map(({ messageId }) => messageId));
      for (const { messageId } of receipts) expect(messageIds).toContain(messageId);
      console.log(`${isFifo ? 'FIFO' : 'standard'}: ${kills} kills, ${bodies.length - LINES} of ${LINES} sent twice`);
    },
    240_000,
  );
});

describe('Ctrl-C', () => {
  test('ends with 130, says what was not tried, and how to go on', async () => {
    await using queue = await open(false);
    const lines = Array.from({ length: 20_000 }, (_, index) => String(index + 1)).join('\n');
    await writeFile(join(queue.folder, 'requests.jsonl'), lines);
    const { status, json, stderr } = await queue.run(
      ['--file', 'requests.jsonl', '--receipts', 'r.jsonl', '--json'],
      () => (queue.callCount() >= 3 ? 'SIGINT' : undefined),
    );
    const { sent, notTried } = json as { sent: number; notTried: number };
    expect(status).toBe(130);
    expect(json).toMatchObject({ sent, invalid: 0, failed: 0, notTried: 20_000 - sent });
    expect(notTried).toBeGreaterThan(0);
    expect(stderr).toContain('--resume r.jsonl');
    expect(await queue.receipts()).toHaveLength(sent);
  });
});

test('each request of up to a hundred is told with its message id', async () => {
  await using queue = await open(false);
  const machine = await queue.run(['10', '11', '10', '--json']);
  const ids = queue.sqs.messages('requests').map(({ messageId }) => messageId);
  const { messages } = machine.json as { messages: { place: string; identifier: number; messageId: string }[] };
  expect(messages.map(({ place, identifier }) => [place, identifier])).toEqual([
    ['argument 1', 10],
    ['argument 2', 11],
    ['argument 3', 10],
  ]);
  expect(messages.map(({ messageId }) => messageId).sort()).toEqual([...ids].sort());
  const person = await queue.run(['12']);
  const [{ messageId } = { messageId: '' }] = queue.sqs.messages('requests').slice(-1);
  expect(person.stdout).toContain(`12          ${messageId}`);
});

test('what SQS did not confirm is sent by --resume alone', async () => {
  await using queue = await open(false);
  const fault = { kind: 'failed-entries', code: 'InvalidMessageContents', senderFault: true } as const;
  queue.sqs.settings.faults.set('SendMessageBatch', fault);
  expect((await queue.run(['10', '11', '--receipts', 'r.jsonl'])).status).toBe(1);
  expect(await queue.receipts()).toMatchObject([{ state: 'failed' }, { state: 'failed' }]);
  queue.sqs.settings.faults.delete('SendMessageBatch');
  const next = await queue.run(['10', '11', '--resume', 'r.jsonl', '--json']);
  expect([next.status, next.json]).toMatchObject([0, { sent: 2 }]);
  const again = await queue.run(['10', '11', '--resume', 'r.jsonl', '--json']);
  expect([again.status, again.json]).toEqual([0, { sent: 0, invalid: 0, failed: 0, notTried: 0 }]);
  expect(again.stderr).toContain('2 sent before');
  expect(queue.sqs.messages('requests')).toHaveLength(2);
});

test('an argument that is not an identifier is said before a queue is asked for', async () => {
  const { status, json, stderr } = await runCommand(['send', '10,11', '--json']);
  expect([status, stderr]).toEqual([2, expect.stringContaining('separate them by spaces: send 10 11')]);
  expect(json).toMatchObject({ error: { code: 'WrongUsage' } });
});

test.each([
  [['1', '--receipts', '.'], 'there is such a file already'],
  [['1', '--resume', 'nowhere.jsonl'], 'there is no such file'],
  [['1', '--receipts', 'a', '--resume', 'b'], 'leave --receipts out'],
])('wrong usage %j ends with 2', async (args, words) => {
  await using queue = await open(false);
  const { status, stderr } = await queue.run(args);
  expect([status, stderr]).toEqual([2, expect.stringContaining(words)]);
  expect(queue.sqs.journal).toEqual([]);
});
