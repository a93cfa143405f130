/** A decision in, the decision as SQS let us carry it out back: dead letter, outcome event, or kept (postpone.ts). */

import { outcomeBody, outcomeEvent } from '../audit/line.ts';
import { MAX_MESSAGE_BYTES } from '../aws/message.ts';
import { createOutbox } from '../aws/outbox.ts';
import { type OutgoingMessage, outgoingBytes } from '../aws/sqs.ts';
import { deadLetterAttributes } from '../dead-letters/letter.ts';
import type { Effort } from './attempt.ts';
import type { Decision } from './decision.ts';
import { createPostpone, type PostponeParts } from './postpone.ts';
import { correlation, type Message } from './record.ts';
import { type Deadline, LINGER_MS } from './waits.ts';

export interface SettleParts extends PostponeParts {
  readonly rejectedQueueUrl: string;
  readonly outcomeQueueUrl?: string | undefined;
}

type Settled = Exclude<Decision, { kind: 'kept' }>;
type Rejected = Extract<Decision, { kind: 'rejected' }>;

/** At once where SQS has nothing to do with it. */
export type Settle = (message: Message, decision: Decision, effort: Effort) => Decision | Promise<Decision>;

const isFifo = (queueUrl: string): boolean => queueUrl.endsWith('.fifo');

/** Group and deduplication of a FIFO queue; of a standard one the group, which is for fairness there. */
const groupFields = (queueUrl: string, { groupId, fairGroupId, messageId }: Message, deduplicationId: string) => {
  const group = groupId ?? fairGroupId;
  if (isFifo(queueUrl)) return { groupId: group ?? messageId, deduplicationId };
  return group === undefined ? {} : { groupId: group };
};

export const createSettle = (parts: SettleParts, deadline: Deadline): Settle => {
  const { sqs, rejectedQueueUrl, outcomeQueueUrl, log, now, sleep } = parts;
  const postpone = createPostpone(parts, deadline);
  const outgoing = createOutbox<OutgoingMessage>({
    flush: (messages) => sqs.sendMessages(messages, deadline.answerLeftMs()),
    keyOf: ({ queueUrl }) => queueUrl,
    bytesOf: outgoingBytes,
    maxBytes: MAX_MESSAGE_BYTES,
    linger: () => sleep(LINGER_MS),
  });

  /** @returns whether SQS confirmed it */
  const send = async (message: Message, entry: OutgoingMessage, unconfirmed: string): Promise<boolean> => {
    const result = await outgoing.put({ ...entry, traceHeader: message.traceHeader });
    if (result.kind === 'confirmed') return true;
    log.error(unconfirmed, { ...correlation(message), errorCode: result.code, detail: result.detail });
    return false;
  };

  const sendDeadLetter = (message: Message, { errorCode, errorMessage }: Rejected): Promise<boolean> => {
    const { body, provenance, messageId } = message;
    const failure = { errorCode, errorMessage, failedAt: new Date(now()) };
    const { attributes, dropped } = deadLetterAttributes(body, message.attributes, provenance, failure);
    if (dropped.length > 0) {
      log.warn('dead letter has no room for all attributes', { ...correlation(message), droppedAttributes: dropped });
    }
    const group = groupFields(rejectedQueueUrl, message, messageId);
    const letter = { queueUrl: rejectedQueueUrl, body, attributes, ...group };
    return send(message, letter, 'dead letter not confirmed, message kept');
  };

  const sendOutcome = async (message: Message, decision: Settled, effort: Effort): Promise<boolean> => {
    if (!outcomeQueueUrl) return true;
    const event = outcomeEvent(message, decision, effort, new Date(now()));
    const group = groupFields(outcomeQueueUrl, message, event.outcomeId);
    const letter = { queueUrl: outcomeQueueUrl, body: outcomeBody(event), attributes: {}, ...group };
    return send(message, letter, 'outcome event not confirmed, message kept');
  };

  const unconfirmed = (message: Message) => postpone(message, { kind: 'kept', cause: 'unconfirmed' });

  const carryOut = async (message: Message, decision: Settled, effort: Effort): Promise<Decision> => {
    // The dead letter first: an outcome event may come twice, but must not tell of a rejection that is nowhere.
    if (decision.kind === 'rejected' && !(await sendDeadLetter(message, decision))) return unconfirmed(message);
    if (!(await sendOutcome(message, decision, effort))) return unconfirmed(message);
    return decision;
  };

  return (message, decision, effort) => {
    if (decision.kind === 'kept') return postpone(message, decision);
    return decision.kind === 'done' && !outcomeQueueUrl ? decision : carryOut(message, decision, effort);
  };
};
