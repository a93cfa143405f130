/**
 * Reads a dead-letter queue as a whole, though SQS only knows receiving: each letter once, held invisible meanwhile, and
 * given back at the end unless it was deleted. Every receive asks for all attributes; what is not asked for is lost.
 */
import { GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { awsFailure } from '../aws/failure.ts';
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
/** SQS asks only some of its servers for a short poll; a second of waiting asks them all, and then nothing is nothing. */
const WAIT_SECONDS = 1;
/** Turns that bring only what was seen already, after which the queue counts as read. */
const STALE_TURNS = 3;
/** From here on letters that come in meanwhile no longer prolong the scan: a queue that fills steadily must end too. */
const PATIENCE_MS = 30_000;

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

const receiveCommand = (queueUrl: string, count: number, visibilitySeconds: number): ReceiveMessageCommand =>
  new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: count,
    WaitTimeSeconds: WAIT_SECONDS,
    VisibilityTimeout: visibilitySeconds,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
    // The older name of the same: some servers know only this one.
    AttributeNames: ['All'],
  });

/** What several receives brought. @throws what one of them threw, when all have ended */
const allOf = (results: readonly PromiseSettledResult<Letter[]>[]): Letter[] =>
  results.flatMap((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });

/** Letters of one queue, and those that are held. */
export const createScan = (access: QueueAccess, { name, url: queueUrl }: QueueToRead, options: ScanOptions) => {
  const { client, sqs } = access;
  const { visibilitySeconds, now, atOnce = RECEIVERS * MAX_BATCH_ENTRIES, signal } = options;
  const startedAt = now();
  const { hold, count, ...holding } = createHolding({ sqs, queueUrl, visibilitySeconds, now });
  const seen = new Set<string>();

  const receive = async (): Promise<Letter[]> => {
    const askedAt = now();
    const command = receiveCommand(queueUrl, Math.min(MAX_BATCH_ENTRIES, atOnce), visibilitySeconds);
    const letters = ((await client.send(command)).Messages ?? []).map((message) => readLetter(message, name));
    // At once, so that a receive that fails beside this one does not keep these from being given back.
    for (const { messageId, receiptHandle } of letters) hold(messageId, receiptHandle, askedAt);
    return letters;
  };

  const isFresh = ({ messageId }: Letter): boolean => {
    const isNew = !seen.has(messageId);
    seen.add(messageId);
    return isNew;
  };

  const prolongs = ({ sentAt }: Letter): boolean => sentAt.getTime() <= startedAt || now() - startedAt < PATIENCE_MS;

  return {
    ...holding,
    /**
     * Each letter once, in turns; ends when the queue brings nothing new.
     * @throws what the SDK throws, such as AccessDenied
     */
    letters: async function* (): AsyncGenerator<readonly Letter[]> {
      const most = Math.ceil(atOnce / MAX_BATCH_ENTRIES);
      let receivers = 1;
      for (let staleTurns = 0; staleTurns < STALE_TURNS && count() < MAX_HELD && !signal?.aborted; ) {
        await holding.keepHeld();
        const received = allOf(await Promise.allSettled(Array.from({ length: receivers }, receive)));
        if (received.length === 0) return;
        const fresh = received.filter(isFresh);
        receivers = Math.min(most, fresh.length < MAX_BATCH_ENTRIES ? receivers : receivers * 2);
        staleTurns = fresh.some(prolongs) ? 0 : staleTurns + 1;
        if (fresh.length > 0) yield fresh;
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
