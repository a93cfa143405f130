/** The one sender to SQS, for functions and commands alike: batches of ten over the SDK, and one result for each entry. */
import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type MessageAttributeValue,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { type AttemptParts, createAttempts } from './attempts.ts';
import { type Failed, isThrottling, readFailure } from './failure.ts';
import { type Attributes, messageBytes } from './message.ts';

/** What the SDK's client is used for; of `createSqsClient` in clients.ts. */
export type SqsClient = Pick<SQSClient, 'send'>;

/** An entry that SQS did not confirm: it may or may not have been carried out. */
export interface FailedEntry extends Failed {
  /** `call`: all of the call failed, after all attempts; every other call would meet the same (no right, no network). */
  readonly scope: 'entry' | 'call';
}

/** What SQS said of one entry; `messageId` of a message that was sent. */
export type EntryResult = { readonly kind: 'confirmed'; readonly messageId?: string } | FailedEntry;

export interface OutgoingMessage {
  readonly queueUrl: string;
  readonly body: string;
  readonly attributes: Attributes;
  /** X-Ray's header of the message that this one came from. */
  readonly traceHeader?: string | undefined;
  readonly groupId?: string | undefined;
  /** FIFO queues only. */
  readonly deduplicationId?: string | undefined;
}

export interface Deletion {
  readonly queueUrl: string;
  readonly receiptHandle: string;
}

export interface VisibilityChange extends Deletion {
  readonly visibilitySeconds: number;
}

/**
 * At most ten entries of one queue, and for messages at most 1 MiB (see `outgoingBytes`). Never throws; one result for
 * each entry, in order. `timeoutMs` limits all attempts together; without it there is only that of each attempt.
 */
export type SendBatch<Entry> = (entries: readonly Entry[], timeoutMs?: number) => Promise<EntryResult[]>;

export interface Sqs {
  readonly sendMessages: SendBatch<OutgoingMessage>;
  readonly deleteMessages: SendBatch<Deletion>;
  readonly changeVisibility: SendBatch<VisibilityChange>;
}

export interface SqsParts extends AttemptParts {
  readonly client: SqsClient;
}

/** AWS: entries of one batch call, and messages of one receive. */
export const MAX_BATCH_ENTRIES = 10;

/** Bytes that count towards the 1 MiB of one batch. */
export const outgoingBytes = ({ body, attributes }: OutgoingMessage): number => messageBytes(body, attributes);

/** What all three batch calls answer. */
interface BatchAnswer {
  readonly Successful: readonly Successful[] | undefined;
  readonly Failed: readonly BatchResultErrorEntry[] | undefined;
}

interface Successful {
  readonly Id: string | undefined;
  readonly MessageId?: string | undefined;
  readonly MD5OfMessageBody?: string | undefined;
}

/** An entry with its place in the batch, which is its Id on the wire. */
interface Numbered<Entry> {
  readonly Id: string;
  readonly entry: Entry;
}

interface Read {
  readonly result: EntryResult;
  readonly again: boolean;
}

const failed = (code: string, detail: string): FailedEntry => ({ kind: 'failed', code, detail, scope: 'entry' });
const UNSAID = failed('NotInAnswer', 'SQS said nothing of this entry');
const NO_TIME: EntryResult = { kind: 'failed', code: 'ETIMEDOUT', detail: 'no time left', scope: 'call' };

const wireAttributes = (attributes: Attributes): Record<string, MessageAttributeValue> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      {
        DataType: dataType,
        ...(stringValue == null ? {} : { StringValue: stringValue }),
        ...(binaryValue == null ? {} : { BinaryValue: Buffer.from(binaryValue, 'base64') }),
      },
    ]),
  );

const sendEntry = ({ Id, entry }: Numbered<OutgoingMessage>): SendMessageBatchRequestEntry => {
  const { body, attributes, traceHeader, groupId, deduplicationId } = entry;
  return {
    Id,
    MessageBody: body,
    ...(Object.keys(attributes).length > 0 ? { MessageAttributes: wireAttributes(attributes) } : {}),
    ...(traceHeader
      ? { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } } }
      : {}),
    ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
    ...(deduplicationId === undefined ? {} : { MessageDeduplicationId: deduplicationId }),
  };
};

const isOther = (body: string, md5: string): boolean => {
  const { getFips, hash } = process.getBuiltinModule('node:crypto');
  // In OpenSSL's FIPS mode there is no MD5 to compare with.
  return getFips() === 0 && hash('md5', body) !== md5;
};

const readSuccessful = ({ MessageId, MD5OfMessageBody }: Successful, body: string | undefined): EntryResult =>
  body !== undefined && MD5OfMessageBody !== undefined && isOther(body, MD5OfMessageBody)
    ? failed('BodyChanged', 'SQS took another body than the one that was sent: its MD5 differs')
    : { kind: 'confirmed', ...(MessageId === undefined ? {} : { messageId: MessageId }) };

const listOf = <Item>(list: readonly Item[] | undefined): readonly Item[] => (Array.isArray(list) ? list : []);

/** SQS answers 200 also when single entries failed: each is looked up by its Id. */
const readEntry = ({ Successful, Failed }: BatchAnswer, id: string, body: string | undefined): Read => {
  const refused = listOf(Failed).find(({ Id }) => Id === id);
  if (refused) {
    const { Code = 'Unknown', Message = '', SenderFault } = refused;
    return { result: failed(Code, Message), again: SenderFault !== true || isThrottling(Code) };
  }
  const successful = listOf(Successful).find(({ Id }) => Id === id);
  return { result: successful ? readSuccessful(successful, body) : UNSAID, again: false };
};

/** One call for the entries that are still open. */
type BatchCall<Entry> = (
  queueUrl: string,
  open: readonly Numbered<Entry>[],
  options: { readonly requestTimeout: number },
) => Promise<BatchAnswer>;

export const createSqs = ({ client, ...parts }: SqsParts): Sqs => {
  const repeat = createAttempts(parts);

  const batch =
    <Entry extends { readonly queueUrl: string; readonly body?: string }>(call: BatchCall<Entry>): SendBatch<Entry> =>
    async (entries, timeoutMs = Number.POSITIVE_INFINITY) => {
      const results = new Map<string, EntryResult>();
      let open = entries.map((entry, index): Numbered<Entry> => ({ Id: String(index), entry }));
      const queueUrl = entries[0]?.queueUrl;
      const attempt = async (requestTimeout: number): Promise<'done' | 'again'> => {
        try {
          const answer = await call(queueUrl ?? '', open, { requestTimeout });
          open = open.filter(({ Id, entry }) => {
            const { result, again } = readEntry(answer, Id, entry.body);
            results.set(Id, result);
            return again;
          });
          return open.length > 0 ? 'again' : 'done';
        } catch (error) {
          const { failed: refused, again } = readFailure(error);
          for (const { Id } of open) results.set(Id, { ...refused, scope: 'call' });
          return again ? 'again' : 'done';
        }
      };
      if (queueUrl !== undefined) await repeat(timeoutMs, attempt);
      return entries.map((_, index) => results.get(String(index)) ?? NO_TIME);
    };

  return {
    sendMessages: batch((QueueUrl, open, options) =>
      client.send(new SendMessageBatchCommand({ QueueUrl, Entries: open.map(sendEntry) }), options),
    ),
    deleteMessages: batch((QueueUrl, open, options) => {
      const Entries = open.map(({ Id, entry }) => ({ Id, ReceiptHandle: entry.receiptHandle }));
      return client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }), options);
    }),
    changeVisibility: batch((QueueUrl, open, options) => {
      const Entries = open.map(({ Id, entry: { receiptHandle: ReceiptHandle, visibilitySeconds } }) => ({
        Id,
        ReceiptHandle,
        VisibilityTimeout: visibilitySeconds,
      }));
      return client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }), options);
    }),
  };
};
