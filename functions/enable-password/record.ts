/** One SQS message as the function works with it: the record read, its request parsed, its deliveries gathered. */
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import type { Attributes } from '../aws/message.ts';
import { type Provenance, readProvenance } from '../requests/provenance.ts';
import { type ParsedRequest, parseRequest, requesterOf } from '../requests/request.ts';

export interface Message {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly parsed: ParsedRequest;
  readonly provenance: Provenance;
  /** From 1; SQS's own count. */
  readonly receiveCount: number;
  /** One, or more where a batch delivered the message more than once. */
  readonly receiptHandles: readonly string[];
  /** Of a FIFO queue only: on a standard queue a group orders nothing. */
  readonly groupId?: string;
  /** X-Ray's header. */
  readonly traceHeader?: string;
}

/** What every line about a message carries: SQS's id, and the requester's own where given. */
export const correlation = ({ messageId, parsed }: Message): { messageId: string; requestId?: string } => {
  const { requestId } = requesterOf(parsed);
  return requestId === undefined ? { messageId } : { messageId, requestId };
};

const isRecord = (value: unknown): value is SQSRecord => {
  if (typeof value !== 'object' || value === null) return false;
  const { eventSource, messageId, body } = value as Partial<SQSRecord>;
  return eventSource === 'aws:sqs' && typeof messageId === 'string' && messageId !== '' && typeof body === 'string';
};

/**
 * The records of an SQS event.
 * @throws TypeError for an event of any other kind, so that nothing is acknowledged unread.
 */
export const readEvent = (event: unknown): readonly SQSRecord[] => {
  const records = (event as Partial<SQSEvent> | null | undefined)?.Records;
  if (Array.isArray(records) && records.every(isRecord)) return records;
  throw new TypeError(
    'This is not an SQS event. Connect the function to the requests queue with an SQS event source mapping; for a single call send {"Records": [{"eventSource": "aws:sqs", "messageId": …, "body": …}]}.',
  );
};

const readMessage = (record: SQSRecord, receiptHandles: readonly string[], now: number): Message => {
  const { messageId, body, eventSourceARN } = record;
  // A record made by hand may lack what SQS always gives.
  const system: Partial<SQSRecord['attributes']> = record.attributes ?? {};
  const attributes: Attributes = record.messageAttributes ?? {};
  const sentAt = Number(system.SentTimestamp);
  const isFifo = eventSourceARN?.endsWith('.fifo') || system.SequenceNumber !== undefined;
  const groupId = isFifo ? system.MessageGroupId : undefined;
  const traceHeader = system.AWSTraceHeader;
  return {
    messageId,
    body,
    attributes,
    parsed: parseRequest(body),
    provenance: readProvenance(attributes, messageId, new Date(sentAt > 0 ? sentAt : now)),
    receiveCount: Math.max(1, Number(system.ApproximateReceiveCount) || 1),
    receiptHandles,
    ...(groupId === undefined ? {} : { groupId }),
    ...(traceHeader === undefined ? {} : { traceHeader }),
  };
};

/** Each message once, in the order of its first record, with the receipt handles of all its deliveries. */
export const readMessages = (records: readonly SQSRecord[], now: number): Message[] => {
  const handles = new Map<string, string[]>();
  const first: SQSRecord[] = [];
  for (const record of records) {
    const known = handles.get(record.messageId);
    if (known) known.push(record.receiptHandle);
    else {
      handles.set(record.messageId, [record.receiptHandle]);
      first.push(record);
    }
  }
  return first.map((record) => readMessage(record, handles.get(record.messageId) ?? [], now));
};
