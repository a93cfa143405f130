/** Gathers single entries into batches of ten, and tells each one's result to the one who put it in. */
import { type EntryResult, MAX_BATCH_ENTRIES } from './sqs.ts';

export interface OutboxParts<Entry> {
  /** One call for up to ten entries of one queue; one result per entry, in order. */
  readonly flush: (entries: readonly Entry[]) => Promise<readonly EntryResult[]>;
  /** Entries with different keys never share a batch. */
  readonly keyOf: (entry: Entry) => string;
  readonly bytesOf: (entry: Entry) => number;
  /** SQS limits a whole batch to what it allows one message: 1 MiB. */
  readonly maxBytes: number;
  /** How long an entry waits for company. */
  readonly linger: () => Promise<void>;
}

interface Waiting<Entry> {
  readonly entry: Entry;
  readonly bytes: number;
  readonly resolve: (result: EntryResult) => void;
  readonly reject: (error: unknown) => void;
}

export const createOutbox = <Entry>({ flush, keyOf, bytesOf, maxBytes, linger }: OutboxParts<Entry>) => {
  const open = new Map<string, Waiting<Entry>[]>();

  const send = (key: string, batch: readonly Waiting<Entry>[]): void => {
    if (open.get(key) === batch) open.delete(key);
    flush(batch.map(({ entry }) => entry)).then(
      (results) => {
        for (const [index, { resolve }] of batch.entries()) {
          resolve(
            results[index] ?? {
              kind: 'failed',
              code: 'NotInAnswer',
              detail: 'SQS said nothing of this entry',
              scope: 'entry',
            },
          );
        }
      },
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
      },
    );
  };

  return {
    /** Resolves when SQS has answered for this entry. */
    put: (entry: Entry): Promise<EntryResult> =>
      new Promise((resolve, reject) => {
        const key = keyOf(entry);
        const bytes = bytesOf(entry);
        const before = open.get(key);
        const isFull = before && before.reduce((sum, each) => sum + each.bytes, bytes) > maxBytes;
        if (before && isFull) send(key, before);
        const batch = before && !isFull ? before : [];
        batch.push({ entry, bytes, resolve, reject });
        open.set(key, batch);
        if (batch.length === MAX_BATCH_ENTRIES) send(key, batch);
        else if (batch.length === 1) {
          linger().then(() => {
            if (open.get(key) === batch) send(key, batch);
          }, reject);
        }
      }),
  };
};
