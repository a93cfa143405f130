/** One SQS message as the function works with it: the record read, its request parsed, its deliveries gathered. */
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import type { Attributes } from '../aws/message.ts';
import { type Provenance, readProvenance, TRUST_NOBODY, type Trust } from '../requests/provenance.ts';
import { type ParsedRequest, parseRequest, requesterOf } from '../requests/request.ts';

export interface Message {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly parsed: ParsedRequest;
  readonly provenance: Provenance;
  /** SQS's own time of sending this message, in ms since the epoch. */
  readonly sentAt: number;
  /** From 1; SQS's own count. */
  readonly receiveCount: number;
  /** One, or more where a batch delivered the message more than once. */
  readonly receiptHandles: readonly string[];
  /** Of a FIFO queue only: its messages are carried out in order. */
  readonly groupId?: string;
  /** Of a standard queue, where a group orders nothing: for fairness between tenants. */
  readonly fairGroupId?: string;
  /** X-Ray's header. */
  readonly traceHeader?: string;
  /** SQS's `SenderId`, which nobody can forge: of an IAM user `AIDA…`, of a role `AROA…:session`. */
  readonly sentBy?: string;
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

/** ECMAScript: no Date is later. */
const MAX_TIMESTAMP_MS = 8.64e15;
/** X-Ray's own are well below; SQS counts it towards no limit. */
const MAX_TRACE_HEADER_CHARACTERS = 1024;

const readMessage = (record: SQSRecord, receiptHandles: readonly string[], now: number, trust: Trust): Message => {
  const { messageId, body, eventSourceARN } = record;
  // A record made by hand may lack what SQS always gives.
  const system: Partial<SQSRecord['attributes']> = record.attributes ?? {};
  const attributes: Attributes = record.messageAttributes ?? {};
  const sentMs = Number(system.SentTimestamp);
  const sentAt = new Date(sentMs > 0 && sentMs <= MAX_TIMESTAMP_MS ? sentMs : now);
  const isFifo = eventSourceARN?.endsWith('.fifo') || system.SequenceNumber !== undefined;
  const group = system.MessageGroupId;
  const traceHeader = system.AWSTraceHeader;
  const sentBy = typeof system.SenderId === 'string' ? system.SenderId : undefined;
  return {
    messageId,
    body,
    attributes,
    parsed: parseRequest(body),
    provenance: readProvenance(attributes, { messageId, sentAt, senderId: sentBy }, trust),
    sentAt: sentAt.getTime(),
    receiveCount: Math.max(1, Number(system.ApproximateReceiveCount) || 1),
    receiptHandles,
    ...(group === undefined ? {} : isFifo ? { groupId: group } : { fairGroupId: group }),
    ...(traceHeader && traceHeader.length <= MAX_TRACE_HEADER_CHARACTERS ? { traceHeader } : {}),
    ...(sentBy ? { sentBy } : {}),
  };
};

/**
 * Each message once, in the order of its first record, with the receipt handles of all its deliveries.
 * @param trust whose renewals and callers count; nobody's unless told
 */
export const readMessages = (records: readonly SQSRecord[], now: number, trust: Trust = TRUST_NOBODY): Message[] => {
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
  return first.map((record) => readMessage(record, handles.get(record.messageId) ?? [], now, trust));
};
