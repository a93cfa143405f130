/** A message as `ReceiveMessage` gives it: only the attributes that were asked for, and the digests that the SDK checks. */
import { createHash, hash } from 'node:crypto';
import type { MessageAttribute, QueueMessage } from './queue.ts';
import type { Json } from './sqs-strictness.ts';

const withLength = (bytes: Buffer): Buffer[] => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
};

/** AWS: "Calculating the MD5 message digest for message attributes" (SQS Developer Guide, "Message metadata"). */
export const md5OfAttributes = (attributes: Readonly<Record<string, MessageAttribute>>): string => {
  const digest = createHash('md5');
  for (const [name, { DataType, StringValue = '', BinaryValue = '' }] of Object.entries(attributes).toSorted(
    ([a], [b]) => (a < b ? -1 : 1),
  )) {
    const isBinary = DataType.startsWith('Binary');
    const value = isBinary ? Buffer.from(BinaryValue, 'base64') : Buffer.from(StringValue);
    for (const part of [...withLength(Buffer.from(name)), ...withLength(Buffer.from(DataType))]) digest.update(part);
    digest.update(Buffer.from([isBinary ? 2 : 1]));
    for (const part of withLength(value)) digest.update(part);
  }
  return digest.digest('hex');
};

const namesIn = (input: Json, ...lists: readonly string[]): string[] =>
  lists.flatMap((list) => (Array.isArray(input[list]) ? (input[list] as string[]) : []));

/** `All`, `.*`, a name, or `prefix.*`. */
const isAsked = (names: readonly string[], name: string): boolean =>
  names.some(
    (asked) =>
      asked === 'All' ||
      asked === '.*' ||
      asked === name ||
      (asked.endsWith('.*') && name.startsWith(asked.slice(0, -1))),
  );

const systemAttributes = (message: QueueMessage): Readonly<Record<string, string | undefined>> => ({
  SenderId: message.senderId,
  SentTimestamp: String(message.sentAt),
  ApproximateReceiveCount: String(message.receiveCount),
  ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
  MessageGroupId: message.groupId,
  MessageDeduplicationId: message.deduplicationId,
  SequenceNumber: message.sequenceNumber,
  AWSTraceHeader: message.traceHeader,
  DeadLetterQueueSourceArn: message.deadLetterSourceArn,
});

/** `input` is the receive's. */
export const asReceived = (message: QueueMessage, input: Json): Json => {
  const systemNames = namesIn(input, 'MessageSystemAttributeNames', 'AttributeNames');
  const system = Object.entries(systemAttributes(message)).filter(
    ([name, value]) => value !== undefined && isAsked(systemNames, name),
  );
  const names = namesIn(input, 'MessageAttributeNames');
  const asked = Object.entries(message.attributes ?? {}).filter(([name]) => isAsked(names, name));
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: hash('md5', message.body),
    ...(system.length > 0 ? { Attributes: Object.fromEntries(system) } : {}),
    ...(asked.length > 0
      ? {
          MessageAttributes: Object.fromEntries(asked),
          MD5OfMessageAttributes: md5OfAttributes(Object.fromEntries(asked)),
        }
      : {}),
  };
};
