/** What goes back to `requests` for one dead letter, and in which batches. */
import { type Attributes, MAX_MESSAGE_BYTES, messageBytes } from '../aws/message.ts';
import type { OutgoingMessage } from '../aws/sqs.ts';
import type { Letter } from './letter.ts';

export interface Outgoing {
  readonly letter: Letter;
  readonly attributes: Attributes;
  /** Names of those that found no room. */
  readonly dropped: readonly string[];
  readonly fate: 'replayed' | 'renewed';
}

export const messageOf = ({ letter, attributes }: Outgoing, queueUrl: string): OutgoingMessage => {
  const { messageId, body, traceHeader, groupId } = letter;
  const isFifo = queueUrl.endsWith('.fifo');
  return {
    queueUrl,
    body,
    attributes,
    traceHeader,
    // A standard queue has groups too, for fairness between tenants.
    groupId: groupId ?? (isFifo ? messageId : undefined),
    // The same for a second try after a crash: SQS then takes it once. A letter that fails again has a new message id.
    deduplicationId: isFifo ? `replay-${messageId}` : undefined,
  };
};

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
