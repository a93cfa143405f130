/** The two calls by which enable-password speaks to SQS: batches of ten, and one answer for each entry. */
import { type CallAws, type EndpointSettings, isThrottling, type Json, retryWaitMs, SQS, sqsEndpoint } from './call.ts';
import { type Attributes, messageBytes } from './message.ts';

/** What SQS said of one entry; `unconfirmed` means that it may or may not have been carried out. */
export type EntryResult =
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'unconfirmed'; readonly code: string; readonly message: string };

export interface OutgoingMessage {
  readonly queueUrl: string;
  readonly body: string;
  readonly attributes: Attributes;
  /** X-Ray's header of the message that this one came from. */
  readonly traceHeader?: string | undefined;
  /** FIFO queues only. */
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
}

export interface VisibilityChange {
  readonly queueUrl: string;
  readonly receiptHandle: string;
  readonly visibilitySeconds: number;
}

export interface Sqs {
  /** At most ten messages of one queue. Never throws; one result per message, in order. */
  readonly sendMessages: (messages: readonly OutgoingMessage[], timeoutMs: number) => Promise<EntryResult[]>;
  readonly changeVisibility: (changes: readonly VisibilityChange[], timeoutMs: number) => Promise<EntryResult[]>;
}

export interface SqsParts {
  readonly call: CallAws;
  readonly region: string;
  readonly endpoints: EndpointSettings;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** AWS: entries of one batch call, and messages of one receive. */
export const MAX_BATCH_ENTRIES = 10;

const CONFIRMED: EntryResult = { kind: 'confirmed' };
const UNSAID: EntryResult = { kind: 'unconfirmed', code: 'NotInAnswer', message: 'SQS said nothing of this entry' };
const MAX_ATTEMPTS = 3;

const wireAttributes = (attributes: Attributes): Json =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      {
        DataType: dataType,
        ...(stringValue == null ? {} : { StringValue: stringValue }),
        ...(binaryValue == null ? {} : { BinaryValue: binaryValue }),
      },
    ]),
  );

const sendEntry = ({ body, attributes, traceHeader, groupId, deduplicationId }: OutgoingMessage): Json => ({
  MessageBody: body,
  ...(Object.keys(attributes).length > 0 ? { MessageAttributes: wireAttributes(attributes) } : {}),
  ...(traceHeader
    ? { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } } }
    : {}),
  ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
  ...(deduplicationId === undefined ? {} : { MessageDeduplicationId: deduplicationId }),
});

const visibilityEntry = ({ receiptHandle, visibilitySeconds }: VisibilityChange): Json => ({
  ReceiptHandle: receiptHandle,
  VisibilityTimeout: visibilitySeconds,
});

const entriesOf = (output: Json, list: 'Successful' | 'Failed'): readonly Json[] =>
  Array.isArray(output[list]) ? output[list] : [];

interface Read {
  readonly result: EntryResult;
  readonly again: boolean;
}

/** SQS answers 200 also when single entries failed: each is looked up by its Id. */
const readEntries = (output: Json): Map<unknown, Read> => {
  const read = new Map<unknown, Read>();
  for (const { Id } of entriesOf(output, 'Successful')) read.set(Id, { result: CONFIRMED, again: false });
  for (const { Id, Code, Message, SenderFault } of entriesOf(output, 'Failed')) {
    const code = String(Code ?? 'Unknown');
    const result: EntryResult = { kind: 'unconfirmed', code, message: String(Message ?? '') };
    read.set(Id, { result, again: SenderFault !== true || isThrottling(code) });
  }
  return read;
};

/** Bytes that count towards the 1 MiB of one batch. */
export const outgoingBytes = ({ body, attributes }: OutgoingMessage): number => messageBytes(body, attributes);

export const createSqs = ({ call, region, endpoints, now, random, sleep }: SqsParts): Sqs => {
  const batch = async (
    action: 'SendMessageBatch' | 'ChangeMessageVisibilityBatch',
    queueUrl: string,
    entries: readonly Json[],
    timeoutMs: number,
  ): Promise<EntryResult[]> => {
    const endsAt = now() + timeoutMs;
    const endpoint = sqsEndpoint(queueUrl, endpoints);
    const results: EntryResult[] = entries.map(() => UNSAID);
    let open = entries.map((_, index) => index);
    for (let attempt = 1; open.length > 0; attempt++) {
      const input = { QueueUrl: queueUrl, Entries: open.map((index) => ({ Id: String(index), ...entries[index] })) };
      const answer = await call(SQS, endpoint, region, action, input, endsAt - now());
      if (answer.kind === 'failed') {
        // `call` has tried again what may be tried again.
        for (const index of open) results[index] = { ...answer, kind: 'unconfirmed' };
        break;
      }
      const read = readEntries(answer.output);
      for (const index of open) results[index] = read.get(String(index))?.result ?? UNSAID;
      open = open.filter((index) => read.get(String(index))?.again);
      const wait = retryWaitMs(attempt, random());
      if (attempt === MAX_ATTEMPTS || now() + wait >= endsAt) break;
      if (open.length > 0) await sleep(wait);
    }
    return results;
  };

  return {
    sendMessages: (messages, timeoutMs) =>
      batch('SendMessageBatch', messages[0]?.queueUrl ?? '', messages.map(sendEntry), timeoutMs),
    changeVisibility: (changes, timeoutMs) =>
      batch('ChangeMessageVisibilityBatch', changes[0]?.queueUrl ?? '', changes.map(visibilityEntry), timeoutMs),
  };
};
