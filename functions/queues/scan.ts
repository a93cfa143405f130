/**
 * Reads a dead-letter queue as a whole, though SQS only knows receiving: each letter once, held invisible meanwhile, and
 * given back at the end unless it was deleted. Every receive asks for all attributes; what is not asked for is lost.
 */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { type Attributes, type Failure, type Provenance, readFailure, readProvenance } from './dead-letters.ts';

/** What the SDK's client is used for. */
export type SqsClient = Pick<SQSClient, 'send'>;

export interface Letter {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly provenance: Provenance;
  /** `undefined` for what SQS itself moved. */
  readonly failure: Failure | undefined;
  /** When it failed or, where SQS moved it, was sent. */
  readonly at: Date;
  readonly groupId: string | undefined;
  readonly traceHeader: string | undefined;
}

export interface ScanOptions {
  /** How long a letter stays invisible to other readers. */
  readonly visibilitySeconds: number;
  /** Letters a turn; fewer where each takes long. */
  readonly atOnce?: number;
  readonly signal?: AbortSignal;
}

/** Letters held at once before SQS's limit of 120,000 in flight comes near. */
export const MAX_HELD = 100_000;
const RECEIVERS = 5;
const BATCH = 10;
/** SQS asks only some of its servers for a short poll; a second of waiting asks them all. */
const WAIT_SECONDS = 1;
/** Turns without a new letter after which the queue counts as read. */
const EMPTY_TURNS = 2;

const readAttributes = (message: Message): Attributes =>
  Object.fromEntries(
    Object.entries(message.MessageAttributes ?? {}).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        dataType: DataType ?? 'String',
        ...(StringValue === undefined ? {} : { stringValue: StringValue }),
        ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
      },
    ]),
  );

export const readLetter = (message: Message): Letter => {
  const attributes = readAttributes(message);
  const system = message.Attributes ?? {};
  const messageId = message.MessageId ?? '';
  const sentAt = new Date(Number(system['SentTimestamp'] ?? 0));
  const failure = readFailure(attributes);
  return {
    messageId,
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes,
    provenance: readProvenance(attributes, messageId, sentAt),
    failure,
    at: failure?.failedAt ?? sentAt,
    groupId: system['MessageGroupId'],
    traceHeader: system['AWSTraceHeader'],
  };
};

const chunks = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / BATCH) }, (_, index) =>
    items.slice(index * BATCH, (index + 1) * BATCH),
  );

/** @returns the receipt handles that SQS did not delete */
export const deleteLetters = async (
  sqs: SqsClient,
  queueUrl: string,
  receiptHandles: readonly string[],
): Promise<string[]> => {
  const left: string[] = [];
  for (const chunk of chunks(receiptHandles)) {
    const Entries = chunk.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
    try {
      const { Failed = [] } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
      left.push(...Failed.map(({ Id }) => chunk[Number(Id)] ?? ''));
    } catch {
      left.push(...chunk); // sent, but not deleted: the caller counts and says it
    }
  }
  return left;
};

/** Makes letters visible again at once. A failure is harmless: they come back by themselves. */
export const giveBack = async (sqs: SqsClient, queueUrl: string, receiptHandles: readonly string[]): Promise<void> => {
  const rest = chunks(receiptHandles).values();
  const worker = async (): Promise<void> => {
    for (const chunk of rest) {
      const Entries = chunk.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
      try {
        await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
      } catch {
        // Harmless, as said above.
      }
    }
  };
  await Promise.all(Array.from({ length: RECEIVERS }, worker));
};

/** Letters of one queue, and those that are held. */
export const createScan = (sqs: SqsClient, queueUrl: string, options: ScanOptions) => {
  const { visibilitySeconds, atOnce = RECEIVERS * BATCH, signal } = options;
  /** Latest receipt handle by message id; a letter that came round again has a new one. */
  const held = new Map<string, string>();
  const seen = new Set<string>();

  const receive = async (count: number): Promise<Message[]> => {
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
    return (await sqs.send(command)).Messages ?? [];
  };

  const turn = async (): Promise<Letter[]> => {
    const counts = Array.from({ length: Math.ceil(atOnce / BATCH) }, () => Math.min(BATCH, atOnce));
    const received = (await Promise.all(counts.map(receive))).flat().map(readLetter);
    const fresh = received.filter(({ messageId }) => !seen.has(messageId));
    for (const { messageId, receiptHandle } of received) {
      held.set(messageId, receiptHandle);
      seen.add(messageId);
    }
    return fresh;
  };

  return {
    /** Each letter once, in turns; ends when the queue brings nothing new. */
    letters: async function* (): AsyncGenerator<readonly Letter[]> {
      for (let emptyTurns = 0; emptyTurns < EMPTY_TURNS && held.size < MAX_HELD; ) {
        if (signal?.aborted) return;
        const fresh = await turn();
        emptyTurns = fresh.length === 0 ? emptyTurns + 1 : 0;
        if (fresh.length > 0) yield fresh;
      }
    },
    /** @returns those that SQS did not delete, by message id */
    remove: async (messageIds: readonly string[]): Promise<Set<string>> => {
      const handles = new Map(messageIds.map((messageId) => [held.get(messageId) ?? '', messageId]));
      const left = new Set(await deleteLetters(sqs, queueUrl, [...handles.keys()]));
      for (const [handle, messageId] of handles) if (!left.has(handle)) held.delete(messageId);
      return new Set([...left].map((handle) => handles.get(handle) ?? ''));
    },
    /** Gives back all that is still held. */
    release: async (): Promise<void> => {
      await giveBack(sqs, queueUrl, [...held.values()]);
      held.clear();
    },
    isFull: (): boolean => held.size >= MAX_HELD,
  };
};

export type Scan = ReturnType<typeof createScan>;
