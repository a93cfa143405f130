/** A kept message: its visibility timeout, and whether it is remembered, so that it can come back early. */
import { createOutbox } from '../aws/outbox.ts';
import type { EntryResult, Sqs, VisibilityChange } from '../aws/sqs.ts';
import type { Log } from '../telemetry/log.ts';
import type { Kept, KeptCause } from './decision.ts';
import type { KeptMessages } from './kept.ts';
import { correlation, type Message } from './record.ts';
import { type Deadline, keptWaitSeconds, LINGER_MS } from './waits.ts';

export interface PostponeParts {
  readonly sqs: Sqs;
  readonly sourceQueueUrl: string;
  /** Of this execution environment: whom it can have come back early. */
  readonly kept: KeptMessages;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Kept for Segura's sake, or behind such a one: with the first success after an outage it need not wait any longer. */
const comesBackEarly = (cause: KeptCause): boolean => !OWN_CAUSES.includes(cause);
const OWN_CAUSES: readonly KeptCause[] = ['deadline', 'unconfirmed', 'bug'];

export const createPostpone = (
  { sqs, sourceQueueUrl, kept, log, now, random, sleep }: PostponeParts,
  { answerLeftMs }: Deadline,
) => {
  const visibility = createOutbox<VisibilityChange>({
    flush: (changes) => sqs.changeVisibility(changes, answerLeftMs()),
    keyOf: ({ queueUrl }) => queueUrl,
    bytesOf: () => 0,
    maxBytes: Number.POSITIVE_INFINITY,
    linger: () => sleep(LINGER_MS),
  });

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
    const backAt = kept.farthestFromOthers(() => startedAt + keptWaitSeconds(options, random()) * 1000);
    return Math.round((backAt - startedAt) / 1000);
  };

  /** Of each delivery. @returns whether all of them have it */
  const setTimeouts = async (message: Message, visibilitySeconds: number): Promise<boolean> => {
    const handles = message.receiptHandles.filter(Boolean);
    const results = await Promise.all(
      handles.map((receiptHandle) => visibility.put({ queueUrl: sourceQueueUrl, receiptHandle, visibilitySeconds })),
    );
    for (const result of results) tellFailure(message, result);
    return handles.length > 0 && results.every(({ kind }) => kind === 'confirmed');
  };

  const tellFailure = (message: Message, result: EntryResult): void => {
    if (result.kind === 'confirmed') return;
    // Harmless: the message comes back after the queue's own visibility timeout instead.
    const { code: errorCode, detail } = result;
    log.warn('visibility timeout not changed', { ...correlation(message), errorCode, detail });
  };

  /** @returns the decision with the wait, where SQS took it */
  return async (message: Message, decision: Kept): Promise<Kept> => {
    // Behind one whose own wait is not known: untouched, for it was not its turn.
    if (decision.cause === 'fifo-order' && decision.waitSeconds === undefined) return decision;
    const seconds = waitSeconds(message, decision);
    const startedAt = now();
    if (!(await setTimeouts(message, seconds))) return decision;
    if (comesBackEarly(decision.cause)) {
      const notBefore = startedAt + (decision.retryAfterSeconds ?? 0) * 1000;
      kept.remember(message, { backAt: startedAt + seconds * 1000, notBefore }, startedAt);
    }
    return { ...decision, waitSeconds: seconds };
  };
};
