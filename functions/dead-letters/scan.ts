/**
 * Reads a dead-letter queue as a whole, though SQS only knows receiving: each letter once, held invisible meanwhile, and
 * given back at the end unless it was deleted. Every receive asks for all attributes; what is not asked for is lost.
 */
import { GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { awsFailure } from '../aws/failure.ts';
import { type EntryResult, MAX_BATCH_ENTRIES, type Sqs, type SqsClient } from '../aws/sqs.ts';
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
/** SQS asks only some of its servers for a short poll; a second of waiting asks them all, and then nothing is nothing. */
const WAIT_SECONDS = 1;
/** Turns that bring only what was seen already, after which the queue counts as read. */
const STALE_TURNS = 3;
/** From here on letters that come in anew no longer prolong the scan: a queue that fills steadily must end too. */
const PATIENCE_MS = 30_000;

const chunks = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / MAX_BATCH_ENTRIES) }, (_, index) =>
    items.slice(index * MAX_BATCH_ENTRIES, (index + 1) * MAX_BATCH_ENTRIES),
  );

/** Batches of ten, a few at once. */
const eachChunk = async <Item>(
  items: readonly Item[],
  work: (chunk: readonly Item[]) => Promise<void>,
): Promise<void> => {
  const rest = chunks(items).values();
  const worker = async (): Promise<void> => {
    for (const chunk of rest) await work(chunk);
  };
  await Promise.all(Array.from({ length: RECEIVERS }, worker));
};

const confirmedOf = (messageIds: readonly string[], results: readonly EntryResult[]): string[] =>
  messageIds.filter((_, index) => results[index]?.kind === 'confirmed');

/** Visible letters by SQS's approximate count; `undefined` where we may not ask, for the count is an extra. */
export const countLetters = async (client: SqsClient, queueUrl: string): Promise<number | undefined> => {
  try {
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
    );
    return Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0);
  } catch (error) {
    awsFailure(error);
    return undefined;
  }
};

/** Letters of one queue, and those that are held. */
export const createScan = (
  { client, sqs }: QueueAccess,
  { name, url: queueUrl }: QueueToRead,
  options: ScanOptions,
) => {
  const { visibilitySeconds, now, atOnce = RECEIVERS * MAX_BATCH_ENTRIES, signal } = options;
  const startedAt = now();
  /** By message id, the earliest to become visible first; a letter that came round again has a new receipt handle. */
  const held = new Map<string, { readonly receiptHandle: string; readonly until: number }>();
  const seen = new Set<string>();

  const hold = (messageId: string, receiptHandle: string, from: number): void => {
    held.delete(messageId);
    held.set(messageId, { receiptHandle, until: from + visibilitySeconds * 1000 });
  };

  const addressOf = (messageId: string) => ({ queueUrl, receiptHandle: held.get(messageId)?.receiptHandle ?? '' });

  const receive = async (count: number): Promise<Letter[]> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: count,
      WaitTimeSeconds: WAIT_SECONDS,
      VisibilityTimeout: visibilitySeconds,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
      // The older name of the same: some servers know only this one.
      AttributeNames: ['All'],
    });
    const askedAt = now();
    const letters = ((await client.send(command)).Messages ?? []).map((message) => readLetter(message, name));
    // At once, so that a receive that fails beside this one does not keep these from being given back.
    for (const { messageId, receiptHandle } of letters) hold(messageId, receiptHandle, askedAt);
    return letters;
  };

  const turn = async (receivers: number): Promise<{ received: number; fresh: Letter[] }> => {
    const results = await Promise.allSettled(
      Array.from({ length: receivers }, () => receive(Math.min(MAX_BATCH_ENTRIES, atOnce))),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const letters = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    const fresh: Letter[] = [];
    for (const letter of letters) {
      if (!seen.has(letter.messageId)) fresh.push(letter);
      seen.add(letter.messageId);
    }
    return { received: letters.length, fresh };
  };

  /**
   * One failure here is harmless: the letters become visible by themselves, or stay hidden a little longer.
   * @returns the message ids of those that SQS changed
   */
  const changeVisibility = async (messageIds: readonly string[], seconds: number): Promise<string[]> => {
    const changed: string[] = [];
    await eachChunk(messageIds, async (chunk) => {
      const changes = chunk.map((messageId) => ({ ...addressOf(messageId), visibilitySeconds: seconds }));
      changed.push(...confirmedOf(chunk, await sqs.changeVisibility(changes)));
    });
    return changed;
  };

  /** Keeps what is held invisible, where half of its time is over. Call it often: before each batch, in each wait. */
  const keepHeld = async (): Promise<void> => {
    const from = now();
    const due: string[] = [];
    for (const [messageId, { until }] of held) {
      if (until - from > visibilitySeconds * 500) break;
      // What has lapsed is perhaps in other hands.
      if (until > from) due.push(messageId);
    }
    for (const messageId of await changeVisibility(due, visibilitySeconds)) {
      const { receiptHandle } = held.get(messageId) ?? {};
      if (receiptHandle !== undefined) hold(messageId, receiptHandle, from);
    }
  };

  /** @returns those that SQS did not say to have deleted: they lie there still, for the caller to count and to say */
  const deleteChunk = async (messageIds: readonly string[]): Promise<string[]> => {
    const deleted = new Set(confirmedOf(messageIds, await sqs.deleteMessages(messageIds.map(addressOf))));
    for (const messageId of deleted) held.delete(messageId);
    return messageIds.filter((messageId) => !deleted.has(messageId));
  };

  return {
    /**
     * Each letter once, in turns; ends when the queue brings nothing new.
     * @throws what the SDK throws, such as AccessDenied
     */
    letters: async function* (): AsyncGenerator<readonly Letter[]> {
      const most = Math.ceil(atOnce / MAX_BATCH_ENTRIES);
      const prolongs = ({ sentAt }: Letter): boolean =>
        sentAt.getTime() <= startedAt || now() - startedAt < PATIENCE_MS;
      let receivers = 1;
      for (let staleTurns = 0; staleTurns < STALE_TURNS && held.size < MAX_HELD && !signal?.aborted; ) {
        await keepHeld();
        const { received, fresh } = await turn(receivers);
        if (received === 0) return;
        receivers = Math.min(most, fresh.length < MAX_BATCH_ENTRIES ? receivers : receivers * 2);
        staleTurns = fresh.some(prolongs) ? 0 : staleTurns + 1;
        if (fresh.length > 0) yield fresh;
      }
    },
    keepHeld,
    /** Ours alone for now; no longer so when the program was stopped for longer than the letter was held. */
    isHeld: (messageId: string): boolean => (held.get(messageId)?.until ?? 0) > now(),
    /** @returns the message ids of those that SQS did not delete */
    remove: async (messageIds: readonly string[]): Promise<Set<string>> => {
      const left = new Set<string>();
      await eachChunk(messageIds, async (chunk) => {
        for (const messageId of await deleteChunk(chunk)) left.add(messageId);
      });
      return left;
    },
    /** Makes all that is still held visible again at once. */
    release: async (): Promise<void> => {
      await changeVisibility([...held.keys()], 0);
      held.clear();
    },
    isFull: (): boolean => held.size >= MAX_HELD,
    /** Letters that no receive brought: behind another of their FIFO group, or beyond `MAX_HELD`. */
    countUnread: async (): Promise<number> =>
      // Of a standard queue the approximate count lags, and would name what is held.
      queueUrl.endsWith('.fifo') || held.size >= MAX_HELD ? ((await countLetters(client, queueUrl)) ?? 0) : 0,
  };
};

export type Scan = ReturnType<typeof createScan>;
