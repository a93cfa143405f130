/** A decision in, the decision as SQS let us carry it out back: dead letter, outcome event, visibility timeout. */

import { outcomeBody, outcomeEvent } from '../audit/line.ts';
import { MAX_MESSAGE_BYTES } from '../aws/message.ts';
import { createOutbox } from '../aws/outbox.ts';
import { type EntryResult, type OutgoingMessage, outgoingBytes, type Sqs, type VisibilityChange } from '../aws/sqs.ts';
import { deadLetterAttributes } from '../dead-letters/letter.ts';
import type { Log } from '../telemetry/log.ts';
import type { Decision, Effort, Kept, KeptCause } from './enable.ts';
import type { KeptMessages } from './kept.ts';
import { correlation, type Message } from './record.ts';
import { type Deadline, keptWaitSeconds, LINGER_MS } from './waits.ts';

export interface SettleParts {
  readonly sqs: Sqs;
  readonly sourceQueueUrl: string;
  readonly rejectedQueueUrl: string;
  readonly outcomeQueueUrl?: string | undefined;
  /** Of this execution environment: whom it can have come back early. */
  readonly kept: KeptMessages;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

type Settled = Exclude<Decision, { kind: 'kept' }>;
type Rejected = Extract<Decision, { kind: 'rejected' }>;

/** At once where SQS has nothing to do with it. */
export type Settle = (message: Message, decision: Decision, effort: Effort) => Decision | Promise<Decision>;

/** Kept for Segura's sake, or behind such a one: with the first success after an outage it need not wait any longer. */
const comesBackEarly = (cause: KeptCause): boolean => !OWN_CAUSES.includes(cause);
const OWN_CAUSES: readonly KeptCause[] = ['deadline', 'unconfirmed', 'bug'];

const isFifo = (queueUrl: string): boolean => queueUrl.endsWith('.fifo');

/** Group and deduplication of a FIFO queue; of a standard one the group, which is for fairness there. */
const groupFields = (queueUrl: string, { groupId, fairGroupId, messageId }: Message, deduplicationId: string) => {
  const group = groupId ?? fairGroupId;
  if (isFifo(queueUrl)) return { groupId: group ?? messageId, deduplicationId };
  return group === undefined ? {} : { groupId: group };
};

export const createSettle = (
  { sqs, sourceQueueUrl, rejectedQueueUrl, outcomeQueueUrl, kept, log, now, random, sleep }: SettleParts,
  { answerLeftMs }: Deadline,
): Settle => {
  const linger = () => sleep(LINGER_MS);
  const outgoing = createOutbox<OutgoingMessage>({
    flush: (messages) => sqs.sendMessages(messages, answerLeftMs()),
    keyOf: ({ queueUrl }) => queueUrl,
    bytesOf: outgoingBytes,
    maxBytes: MAX_MESSAGE_BYTES,
    linger,
  });
  const visibility = createOutbox<VisibilityChange>({
    flush: (changes) => sqs.changeVisibility(changes, answerLeftMs()),
    keyOf: ({ queueUrl }) => queueUrl,
    bytesOf: () => 0,
    maxBytes: Number.POSITIVE_INFINITY,
    linger,
  });

  const tellUnconfirmed = (what: string, message: Message, result: EntryResult): void => {
    if (result.kind === 'failed') {
      log.error(what, { ...correlation(message), errorCode: result.code, detail: result.detail });
    }
  };

  const sendDeadLetter = async (message: Message, { errorCode, errorMessage }: Rejected): Promise<boolean> => {
    const { body, provenance, traceHeader, messageId } = message;
    const failure = { errorCode, errorMessage, failedAt: new Date(now()) };
    const { attributes, dropped } = deadLetterAttributes(body, message.attributes, provenance, failure);
    if (dropped.length > 0) {
      log.warn('dead letter has no room for all attributes', { ...correlation(message), droppedAttributes: dropped });
    }
    const result = await outgoing.put({
      queueUrl: rejectedQueueUrl,
      body,
      attributes,
      traceHeader,
      ...groupFields(rejectedQueueUrl, message, messageId),
    });
    tellUnconfirmed('dead letter not confirmed, message kept', message, result);
    return result.kind === 'confirmed';
  };

  const sendOutcome = async (message: Message, decision: Settled, effort: Effort): Promise<boolean> => {
    if (!outcomeQueueUrl) return true;
    const event = outcomeEvent(message, decision, effort, new Date(now()));
    const result = await outgoing.put({
      queueUrl: outcomeQueueUrl,
      body: outcomeBody(event),
      attributes: {},
      traceHeader: message.traceHeader,
      ...groupFields(outcomeQueueUrl, message, event.outcomeId),
    });
    tellUnconfirmed('outcome event not confirmed, message kept', message, result);
    return result.kind === 'confirmed';
  };

  /** Spread over the time in which others are back; with those before it in its group. */
  const waitSeconds = ({ receiveCount, sentAt }: Message, { waitSeconds: given, retryAfterSeconds }: Kept): number => {
    if (given !== undefined) return given;
    const startedAt = now();
    const options = {
      receiveCount,
      ageSeconds: (startedAt - sentAt) / 1000,
      askedSeconds: retryAfterSeconds,
      isOneOfMany: kept.size() > 0,
    };
    const backAt = kept.loneliest(() => startedAt + keptWaitSeconds(options, random()) * 1000);
    return Math.round((backAt - startedAt) / 1000);
  };

  const keep = async (message: Message, decision: Kept): Promise<Decision> => {
    // Behind one whose own wait is not known: untouched, for it was not its turn.
    if (decision.cause === 'fifo-order' && decision.waitSeconds === undefined) return decision;
    const seconds = waitSeconds(message, decision);
    const startedAt = now();
    const handles = message.receiptHandles.filter(Boolean);
    const results = await Promise.all(
      handles.map((receiptHandle) =>
        visibility.put({ queueUrl: sourceQueueUrl, receiptHandle, visibilitySeconds: seconds }),
      ),
    );
    let isSet = handles.length > 0;
    for (const result of results) {
      // Harmless: the message comes back after the queue's own visibility timeout instead.
      if (result.kind === 'failed') {
        isSet = false;
        const { code: errorCode, detail } = result;
        log.warn('visibility timeout not changed', { ...correlation(message), errorCode, detail });
      }
    }
    if (!isSet) return decision;
    if (comesBackEarly(decision.cause)) {
      const notBefore = startedAt + (decision.retryAfterSeconds ?? 0) * 1000;
      kept.remember(message, { backAt: startedAt + seconds * 1000, notBefore }, startedAt);
    }
    return { ...decision, waitSeconds: seconds };
  };

  const unconfirmed = (message: Message) => keep(message, { kind: 'kept', cause: 'unconfirmed' });

  const carryOut = async (message: Message, decision: Settled, effort: Effort): Promise<Decision> => {
    // The dead letter first: an outcome event may come twice, but must not tell of a rejection that is nowhere.
    if (decision.kind === 'rejected' && !(await sendDeadLetter(message, decision))) return unconfirmed(message);
    if (!(await sendOutcome(message, decision, effort))) return unconfirmed(message);
    return decision;
  };

  return (message, decision, effort) => {
    if (decision.kind === 'kept') return keep(message, decision);
    return decision.kind === 'done' && !outcomeQueueUrl ? decision : carryOut(message, decision, effort);
  };
};
