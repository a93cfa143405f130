/** What goes back to `requests` for one dead letter, and in which batches. */
import { type Attributes, MAX_MESSAGE_BYTES, messageBytes } from '../aws/message.ts';
import type { SendEntry } from '../aws/send-batch.ts';
import type { Letter } from './letter.ts';

export interface Outgoing {
  readonly letter: Letter;
  readonly attributes: Attributes;
  readonly fate: 'replayed' | 'renewed';
}

const wireAttributes = (attributes: Attributes): NonNullable<SendEntry['MessageAttributes']> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      {
        DataType: dataType,
        ...(stringValue === undefined ? {} : { StringValue: stringValue }),
        ...(binaryValue === undefined ? {} : { BinaryValue: Buffer.from(binaryValue, 'base64') }),
      },
    ]),
  );

export const entryOf = ({ letter, attributes }: Outgoing, isFifo: boolean): SendEntry => ({
  MessageBody: letter.body,
  MessageAttributes: wireAttributes(attributes),
  ...(letter.traceHeader
    ? { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: letter.traceHeader } } }
    : {}),
  // A standard queue has groups too, for fairness between tenants.
  ...(letter.groupId === undefined && !isFifo ? {} : { MessageGroupId: letter.groupId ?? letter.messageId }),
  // The same for a second try after a crash: SQS then takes it once. A letter that fails again has a new message id.
  ...(isFifo ? { MessageDeduplicationId: `replay-${letter.messageId}` } : {}),
});

/**
 * Batches of at most `most` that SQS's limit for one call allows; of a FIFO group one a batch, so that one that fails
 * stops those after it.
 */
export const batchesOf = (messages: readonly Outgoing[], isFifo: boolean, most: number): Outgoing[][] => {
  const batches: Outgoing[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = messageBytes(message.letter.body, message.attributes);
    const last = batches.at(-1);
    const isGroupIn = isFifo && last?.some(({ letter }) => letter.groupId === message.letter.groupId);
    if (last && last.length < most && bytes + size <= MAX_MESSAGE_BYTES && !isGroupIn) {
      last.push(message);
      bytes += size;
    } else {
      batches.push([message]);
      bytes = size;
    }
  }
  return batches;
};
