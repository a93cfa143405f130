/** What the queues hold now, for whoever joins it with the log: read without consuming anything. */
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type QueuesNow, requestKeyOf } from '../audit/requests.ts';
import { attempt, type Failed } from '../aws/failure.ts';
import { DEAD_LETTER_QUEUES, type DeadLetterQueue, type Letter } from '../dead-letters/letter.ts';
import { createScan, type QueueToRead } from '../dead-letters/scan.ts';
import { parseRequest, requesterOf } from '../requests/request.ts';
import { type OpenSqs, openSqs, type Target, type TargetOptions } from './target.ts';
import { explain } from './terminal/hints.ts';
import { note } from './terminal/print.ts';

export interface QueueCounts {
  /** May be received now. */
  readonly visible: number;
  /** In work, or held back until its wait is over. */
  readonly hidden: number;
  /** Sent with a delay that is not over. */
  readonly delayed: number;
  /** So long a message is hidden from its receive on. */
  readonly visibilityMs: number;
  /** Of its redrive policy, where it has one. */
  readonly maxReceiveCount: number | undefined;
}

const readMaxReceiveCount = (redrivePolicy: string | undefined): number | undefined => {
  const { maxReceiveCount } = JSON.parse(redrivePolicy ?? '{}') as { readonly maxReceiveCount?: number | string };
  return maxReceiveCount === undefined ? undefined : Number(maxReceiveCount);
};

export const countQueue = async (sqs: SQSClient, queueUrl: string): Promise<QueueCounts> => {
  const names = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
    'VisibilityTimeout',
    'RedrivePolicy',
  ] as const;
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
  );
  const [visible = 0, hidden = 0, delayed = 0, seconds = 0] = names.map((name) => Number(Attributes[name] ?? 0));
  const maxReceiveCount = readMaxReceiveCount(Attributes.RedrivePolicy);
  return { visible, hidden, delayed, visibilityMs: seconds * 1000, maxReceiveCount };
};

export const totalOf = ({ visible, hidden, delayed }: QueueCounts): number => visible + hidden + delayed;

/** The key under which the lines of the letter's request are joined. */
const keyOfLetter = ({ messageId, provenance, body }: Letter): string => {
  const parsed = parseRequest(body);
  const { originalMessageId, replayCount } = provenance;
  // A letter of ours has an id of its own; one that SQS moved has that of its message.
  const identifier = parsed.kind === 'request' ? parsed.request.identifier : undefined;
  const { requestId, requestedBy, reason, source } = requesterOf(parsed);
  const own = {
    ...(identifier === undefined ? {} : { identifier }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...(reason === undefined ? {} : { reason }),
    ...(source === undefined ? {} : { source }),
  };
  return requestKeyOf({ messageId, originalMessageId, replayCount: Math.max(1, replayCount), ...own });
};

const VISIBILITY_SECONDS = 120;
const RIGHTS = 'sqs:ReceiveMessage and sqs:ChangeMessageVisibility on it, sqs:GetQueueAttributes on requests';

export interface QueuesRead extends QueuesNow {
  /** By request, the dead-letter queue that holds it. */
  readonly foundIn: ReadonlyMap<string, DeadLetterQueue>;
  /** What could not be read, in words; a report says so. */
  readonly unread: readonly string[];
}

/** @returns why it could not be read to its end, if so */
const scanQueue = async (
  access: OpenSqs,
  queue: QueueToRead,
  wanted: ReadonlySet<string> | undefined,
  signal: AbortSignal | undefined,
  onLetter: (letter: Letter, key: string) => void,
): Promise<Failed | undefined> => {
  const scan = createScan(access, queue, { visibilitySeconds: VISIBILITY_SECONDS, now: Date.now, signal });
  const missing = wanted && new Set(wanted);
  try {
    for await (const turn of scan.turns()) {
      if (turn.kind === 'failed') return turn;
      for (const letter of turn.letters) {
        const key = keyOfLetter(letter);
        if (missing && !missing.delete(key)) continue;
        onLetter(letter, key);
      }
      if (missing?.size === 0) break;
    }
    return undefined;
  } finally {
    await scan.release();
  }
};

/**
 * @param wanted the requests that are asked for; all letters are read unless they are given, none where there are none
 * @param onLetter is told of each letter that is wanted
 */
export const readQueuesNow = async (
  options: TargetOptions,
  target: Target,
  wanted: ReadonlySet<string> | undefined,
  now: Date,
  {
    signal,
    onLetter,
  }: { signal?: AbortSignal; onLetter?: (queue: DeadLetterQueue, letter: Letter, key: string) => void } = {},
): Promise<QueuesRead> => {
  const foundIn = new Map<string, DeadLetterQueue>();
  const unread: string[] = [];
  const unasked = { waiting: undefined, visible: 0, visibilityMs: 0, maxReceiveCount: undefined, now };
  if (wanted?.size === 0) return { foundIn, unread, exhausted: new Set(), ...unasked };
  const access = openSqs(options);
  const tellUnread = (queue: string, failed: Failed): undefined => {
    unread.push(queue);
    note(`${queue} could not be read: ${explain(failed, RIGHTS)}`);
  };
  const { requests } = target;
  if (requests === undefined) unread.push('requests');
  const counted = requests === undefined ? undefined : await attempt(() => countQueue(access.client, requests));
  const counts = counted?.kind === 'failed' ? tellUnread('requests', counted) : counted?.value;
  for (const queue of DEAD_LETTER_QUEUES) {
    const url = target[queue];
    if (url === undefined) unread.push(queue);
    else {
      const failed = await scanQueue(access, { name: queue, url }, wanted, signal, (letter, key) => {
        foundIn.set(key, queue);
        onLetter?.(queue, letter, key);
      });
      if (failed) tellUnread(queue, failed);
    }
  }
  access.close();
  const exhausted = new Set([...foundIn].filter(([, queue]) => queue === 'exhausted').map(([key]) => key));
  const { visible, visibilityMs, maxReceiveCount } = counts ?? unasked;
  return {
    foundIn,
    unread,
    exhausted,
    waiting: counts && totalOf(counts),
    visible,
    visibilityMs,
    maxReceiveCount,
    now,
  };
};
