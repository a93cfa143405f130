/** Batches of ten, of one queue, of at most 1 MiB; and each one's own result. */
import { describe, expect, test } from 'vitest';
import { createOutbox } from '../../functions/aws/outbox.ts';
import type { EntryResult } from '../../functions/aws/sqs.ts';

interface Entry {
  readonly queue: string;
  readonly name: string;
  readonly bytes: number;
}

const entry = (name: string, queue = 'a', bytes = 1): Entry => ({ name, queue, bytes });
const confirmed: EntryResult = { kind: 'confirmed' };

/** `letGo` ends the wait for company. */
const open = (flush?: (entries: readonly Entry[]) => Promise<readonly EntryResult[]>) => {
  const batches: string[][] = [];
  const lingering = Promise.withResolvers<void>();
  const outbox = createOutbox<Entry>({
    flush: (entries) => {
      batches.push(entries.map(({ name }) => name));
      return flush ? flush(entries) : Promise.resolve(entries.map(() => confirmed));
    },
    keyOf: ({ queue }) => queue,
    bytesOf: ({ bytes }) => bytes,
    maxBytes: 100,
    linger: () => lingering.promise,
  });
  return { put: outbox.put, batches, letGo: lingering.resolve, failLinger: lingering.reject };
};

describe('an outbox', () => {
  test('waits for company, and then sends what has come together, in order', async () => {
    const { put, batches, letGo } = open();
    const results = Promise.all([put(entry('1')), put(entry('2')), put(entry('3'))]);
    expect(batches).toEqual([]);
    letGo();
    expect(await results).toEqual([confirmed, confirmed, confirmed]);
    expect(batches).toEqual([['1', '2', '3']]);
  });

  test('sends ten at once without waiting, and the eleventh by itself', async () => {
    const { put, batches, letGo } = open();
    const results = Promise.all(Array.from({ length: 11 }, (_, index) => put(entry(String(index)))));
    expect(batches.map(({ length }) => length)).toEqual([10]);
    letGo();
    await results;
    expect(batches.map(({ length }) => length)).toEqual([10, 1]);
  });

  test('never puts two queues into one batch', async () => {
    const { put, batches, letGo } = open();
    const results = Promise.all([put(entry('1', 'a')), put(entry('2', 'b')), put(entry('3', 'a'))]);
    letGo();
    await results;
    expect(batches).toEqual([['1', '3'], ['2']]);
  });

  test('never puts more into one batch than SQS takes, and sends what is too large by itself', async () => {
    const { put, batches, letGo } = open();
    const results = Promise.all([
      put(entry('60', 'a', 60)),
      put(entry('40', 'a', 40)),
      put(entry('1', 'a', 1)),
      put(entry('200', 'a', 200)),
      put(entry('2', 'a', 2)),
    ]);
    letGo();
    await results;
    expect(batches).toEqual([['60', '40'], ['1'], ['200'], ['2']]);
  });

  test('tells each one its own result', async () => {
    const { put, letGo } = open(async (entries) =>
      entries.map(({ name }) =>
        name === '2' ? { kind: 'failed', code: 'X', detail: 'no', scope: 'entry' } : confirmed,
      ),
    );
    const results = Promise.all([put(entry('1')), put(entry('2')), put(entry('3'))]);
    letGo();
    expect((await results).map(({ kind }) => kind)).toEqual(['confirmed', 'failed', 'confirmed']);
  });

  test('an entry of which nothing was said has failed', async () => {
    const { put, letGo } = open(async () => [confirmed]);
    const results = Promise.all([put(entry('1')), put(entry('2'))]);
    letGo();
    expect(await results).toEqual([
      confirmed,
      { kind: 'failed', code: 'NotInAnswer', detail: 'SQS said nothing of this entry', scope: 'entry' },
    ]);
  });

  test('a bug in sending reaches all of the batch, and no other', async () => {
    const { put, letGo } = open(async ([first]) => {
      if (first?.queue === 'a') throw new TypeError('ours');
      return [confirmed];
    });
    const results = Promise.allSettled([put(entry('1')), put(entry('2')), put(entry('3', 'b'))]);
    letGo();
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });

  test('takes entries again after a batch has gone', async () => {
    const { put, batches, letGo } = open();
    letGo();
    await put(entry('1'));
    await put(entry('2'));
    expect(batches).toEqual([['1'], ['2']]);
  });

  test('an entry that comes as a full batch goes out is not lost with the wait of that batch', async () => {
    const { put, batches, letGo } = open();
    const first = Array.from({ length: 10 }, (_, index) => put(entry(`a${index}`)));
    const second = Array.from({ length: 10 }, (_, index) => put(entry(`b${index}`)));
    letGo();
    await Promise.all([...first, ...second]);
    expect(batches.map(({ length }) => length)).toEqual([10, 10]);
  });
});
