/**
 * Reads a dead-letter queue as a whole, though SQS only knows receiving: each letter once, held invisible meanwhile, and
 * given back at the end unless it was deleted.
 */
import type { Failed } from '../aws/failure.ts';
import { countVisible, receiveMessages } from '../aws/receive.ts';
import { MAX_BATCH_ENTRIES, type Sqs, type SqsClient } from '../aws/sqs.ts';
import { createHolding } from './holding.ts';
import { type DeadLetterQueue, type Letter, readLetter } from './letter.ts';

/** A dead-letter queue: its name says what its letters are. */
export interface QueueToRead {
  readonly name: DeadLetterQueue;
  readonly url: string;
}

/** What reads a queue, and what deletes its letters or gives them back. */
export interface QueueAccess {
  readonly client: SqsClient;
  readonly sqs: Sqs;
}

export interface ScanOptions {
  /** How long a letter stays invisible to other readers; renewed while the scan lasts. */
  readonly visibilitySeconds: number;
  readonly now: () => number;
  /** Letters a turn; fewer where each takes long. */
  readonly atOnce?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Letters held at once before SQS's limit of 120,000 in flight comes near. */
const MAX_HELD = 100_000;
const RECEIVERS = 5;
/** Turns that bring only what was seen already, after which the queue counts as read. */
const STALE_TURNS = 3;
/** From here on letters that come in meanwhile no longer prolong the scan: a queue that fills steadily must end too. */
const PATIENCE_MS = 30_000;

/** What one turn of a scan brought; one that failed is the last. */
export type Turn = { readonly kind: 'letters'; readonly letters: readonly Letter[] } | Failed;

/** Visible letters by SQS's approximate count; `undefined` where we may not ask, for the count is an extra. */
export const countLetters = async (client: SqsClient, queueUrl: string): Promise<number | undefined> => {
  const counted = await countVisible(client, queueUrl);
  return counted.kind === 'counted' ? counted.count : undefined;
};

/** Letters of one queue, and those that are held. */
export const createScan = (access: QueueAccess, { name, url: queueUrl }: QueueToRead, options: ScanOptions) => {
  const { client, sqs } = access;
  const { visibilitySeconds, now, atOnce = RECEIVERS * MAX_BATCH_ENTRIES, signal } = options;
  const startedAt = now();
  const { hold, count, ...holding } = createHolding({ sqs, queueUrl, visibilitySeconds, now });
  const seen = new Set<string>();

  const receive = async (): Promise<Turn> => {
    const askedAt = now();
    const most = Math.min(MAX_BATCH_ENTRIES, atOnce);
    const received = await receiveMessages(client, { queueUrl, count: most, visibilitySeconds });
    if (received.kind === 'failed') return received;
    const letters = received.messages.map((message) => readLetter(message, name));
    for (const { messageId, receiptHandle } of letters) hold(messageId, receiptHandle, askedAt);
    return { kind: 'letters', letters };
  };

  const isFresh = ({ messageId }: Letter): boolean => {
    const isNew = !seen.has(messageId);
    seen.add(messageId);
    return isNew;
  };

  const prolongs = ({ sentAt }: Letter): boolean => sentAt.getTime() <= startedAt || now() - startedAt < PATIENCE_MS;

  return {
    ...holding,
    /** Each letter once, in turns; ends when the queue brings nothing new, or with the failure of a receive. */
    turns: async function* (): AsyncGenerator<Turn> {
      const most = Math.ceil(atOnce / MAX_BATCH_ENTRIES);
      let receivers = 1;
      for (let staleTurns = 0; staleTurns < STALE_TURNS && count() < MAX_HELD && !signal?.aborted; ) {
        await holding.keepHeld();
        const received = await Promise.all(Array.from({ length: receivers }, receive));
        const all = received.flatMap((turn) => (turn.kind === 'letters' ? turn.letters : []));
        const letters = all.filter(isFresh);
        // What other receives brought beside one that failed is not lost on it.
        if (letters.length > 0) yield { kind: 'letters', letters };
        const failed = received.find(({ kind }) => kind === 'failed');
        if (failed) yield failed;
        if (failed || all.length === 0) return;
        receivers = Math.min(most, letters.length < MAX_BATCH_ENTRIES ? receivers : receivers * 2);
        staleTurns = letters.some(prolongs) ? 0 : staleTurns + 1;
      }
    },
    isFull: (): boolean => count() >= MAX_HELD,
    /** Letters that no receive brought: behind another of their FIFO group, or beyond `MAX_HELD`. */
    countUnread: async (): Promise<number> =>
      // Of a standard queue the approximate count lags, and would name what is held.
      queueUrl.endsWith('.fifo') || count() >= MAX_HELD ? ((await countLetters(client, queueUrl)) ?? 0) : 0,
  };
};

export type Scan = ReturnType<typeof createScan>;
