/** The file of receipts: one line for each request, whatever happens in between, and going on from it. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openReceipts } from '../../functions/cli/send/receipts.ts';
import type { Outgoing } from '../../functions/cli/send/requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'mysafe-enable-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `receipts-${files}.jsonl`);
};
const linesOf = (file: string): unknown[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const request = (line: number, deduplicationId?: string): Outgoing => ({
  place: `line ${line}`,
  identifier: line * 10,
  body: String(line * 10),
  ...(deduplicationId ? { deduplicationId } : {}),
});
const sent = { state: 'sent' };

describe('of a standard queue', () => {
  test('a request has its line once SQS has confirmed it, and not before', () => {
    const file = newFile();
    const receipts = openReceipts(file, false);
    receipts.begin([request(1), request(2)]);
    expect(linesOf(file)).toEqual([]);
    receipts.settle([request(1), request(2)], ['m1', undefined]);
    // Written, though nothing was closed.
    expect(linesOf(file)).toEqual([
      { place: 'line 1', identifier: 10, messageId: 'm1', ...sent },
      { place: 'line 2', identifier: 20, messageId: null, state: 'failed' },
    ]);
    receipts.close();
  });

  test('what failed and is sent later keeps its one line', () => {
    const file = newFile();
    const first = openReceipts(file, false);
    first.settle([request(1), request(2), request(3)], ['m1', undefined, 'm3']);
    first.close();
    const second = openReceipts(file, true);
    expect([1, 2, 3, 4].map((line) => second.find(request(line)).kind)).toEqual(['sent', 'open', 'sent', 'new']);
    second.settle([request(2), request(4)], ['a-message-id-of-its-own', 'm4']);
    second.close();
    expect(linesOf(file)).toMatchObject([
      { place: 'line 1', messageId: 'm1', ...sent },
      { place: 'line 2', messageId: 'a-message-id-of-its-own', ...sent },
      { place: 'line 3', messageId: 'm3', ...sent },
      { place: 'line 4', messageId: 'm4', ...sent },
    ]);
  });
});

describe('of a FIFO queue', () => {
  test('the deduplication id is on the disk before the request is sent', () => {
    const file = newFile();
    const receipts = openReceipts(file, false);
    receipts.begin([request(1, 'd1')]);
    expect(linesOf(file)).toEqual([
      { place: 'line 1', identifier: 10, deduplicationId: 'd1', messageId: null, state: 'sending' },
    ]);
    receipts.settle([request(1, 'd1')], ['x'.repeat(100)]);
    expect(linesOf(file)).toEqual([
      { place: 'line 1', identifier: 10, deduplicationId: 'd1', messageId: 'x'.repeat(100), ...sent },
    ]);
    receipts.close();
  });

  test('who goes on after a kill finds the deduplication id, and keeps the line', () => {
    const file = newFile();
    const killed = openReceipts(file, false);
    killed.begin([request(1, 'd1'), request(2, 'd2')]);
    killed.close();
    const next = openReceipts(file, true);
    expect(next.find(request(2, 'another'))).toEqual({ kind: 'open', deduplicationId: 'd2' });
    next.begin([request(1, 'd1'), request(2, 'd2')]);
    next.settle([request(1, 'd1'), request(2, 'd2')], ['m1', 'm2']);
    next.close();
    expect(linesOf(file)).toMatchObject([
      { place: 'line 1', messageId: 'm1', ...sent },
      { place: 'line 2', messageId: 'm2', ...sent },
    ]);
  });
});

test('a line that a kill has cut is left out, and the next is written in its place', () => {
  const file = newFile();
  const killed = openReceipts(file, false);
  killed.settle([request(1)], ['m1']);
  killed.close();
  appendFileSync(file, '{"place":"line 2","identi');
  const next = openReceipts(file, true);
  expect(next.find(request(2))).toEqual({ kind: 'new' });
  next.settle([request(2)], ['m2']);
  next.close();
  expect(linesOf(file)).toMatchObject([{ place: 'line 1' }, { place: 'line 2', messageId: 'm2' }]);
});

test('receipts of a standard queue go on with a FIFO queue: nothing is overwritten that has another length', () => {
  const file = newFile();
  const first = openReceipts(file, false);
  first.settle([request(1), request(2)], [undefined, 'm2']);
  first.close();
  const second = openReceipts(file, true);
  second.begin([request(1, 'd1')]);
  second.settle([request(1, 'd1')], ['m1']);
  second.close();
  expect(openReceipts(file, true).find(request(1)).kind).toBe('sent');
  expect(linesOf(file)).toHaveLength(3);
});

test('a hundred thousand receipts are read back', () => {
  const file = newFile();
  const line = (number: number) => `{"place":"line ${number}","identifier":${number},"messageId":"m","state":"sent"}\n`;
  writeFileSync(file, Array.from({ length: 100_000 }, (_, index) => line(index + 1)).join(''));
  const receipts = openReceipts(file, true);
  expect(receipts.find({ place: 'line 100000', identifier: 100_000, body: '' }).kind).toBe('sent');
  expect(receipts.find({ place: 'line 100001', identifier: 1, body: '' }).kind).toBe('new');
  receipts.close();
});

describe('is refused', () => {
  test('a new file that is there already: no receipt is overwritten', () => {
    const file = newFile();
    openReceipts(file, false).close();
    expect(() => openReceipts(file, false)).toThrow(/there is such a file already: --resume goes on from it/);
  });

  test('a file to go on from that is not there', () => {
    expect(() => openReceipts(newFile(), true)).toThrow(/there is no such file/);
  });

  test.each(['oops\n', '{"identifier":10}\n', '{"place":"line 1","identifier":10,"messageId":"m","state":"lost"}\n'])(
    'a file that holds something else: %j',
    (content) => {
      const file = newFile();
      writeFileSync(file, content);
      expect(() => openReceipts(file, true)).toThrow(/line 1 is not a receipt/);
      expect(readFileSync(file, 'utf8')).toBe(content);
    },
  );

  test('to go on with other requests than before', () => {
    const file = newFile();
    const receipts = openReceipts(file, false);
    receipts.settle([request(1)], ['m1']);
    receipts.close();
    expect(() => openReceipts(file, true).find({ ...request(1), identifier: 99 })).toThrow(
      /line 1 says 99, but .* has a receipt of it for 10: --resume needs the same requests in the same order/,
    );
  });
});
