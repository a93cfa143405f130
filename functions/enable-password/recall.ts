/** Segura is back: what this execution environment has kept comes back at once, instead of sitting out its wait. */
import { MAX_BATCH_ENTRIES, type Sqs, type VisibilityChange } from '../aws/sqs.ts';
import type { KeptMessages } from './kept.ts';
import type { Deadline } from './waits.ts';

export interface RecallParts {
  readonly sqs: Sqs;
  readonly sourceQueueUrl: string;
  readonly kept: KeptMessages;
  readonly now: () => number;
}

/** Calls to SQS at once: ten messages go with each. */
const CALLS_AT_ONCE = 5;
/** Of one call: later it could meet the message's next receive (kept.ts leaves the margin). */
const CALL_LIMIT_MS = 2500;
/** So many come back at once; more than that over two seconds. */
const AT_ONCE = 100;
const SPREAD_SECONDS = 2;

export const createRecall = ({ sqs, sourceQueueUrl, kept, now }: RecallParts, deadline: Deadline) => {
  const changesOf = (): VisibilityChange[] => {
    const startedAt = now();
    const away = kept.takeAll(startedAt);
    return away.flatMap(({ receiptHandles, notBefore }, index) => {
      const spread = away.length > AT_ONCE ? Math.round((SPREAD_SECONDS * index) / away.length) : 0;
      const visibilitySeconds = Math.max(spread, Math.ceil((notBefore - startedAt) / 1000));
      return receiptHandles
        .filter(Boolean)
        .map((receiptHandle) => ({ queueUrl: sourceQueueUrl, receiptHandle, visibilitySeconds }));
    });
  };

  /** In order: a group's messages stand in theirs. Whom it does not reach comes back after its own wait. */
  const recall = async (): Promise<void> => {
    const changes = changesOf();
    const batches: VisibilityChange[][] = [];
    for (let from = 0; from < changes.length; from += MAX_BATCH_ENTRIES) {
      batches.push(changes.slice(from, from + MAX_BATCH_ENTRIES));
    }
    const waiting = batches.values();
    const work = async (): Promise<void> => {
      for (const batch of waiting) {
        const leftMs = Math.min(CALL_LIMIT_MS, deadline.answerLeftMs());
        if (leftMs > 0) await sqs.changeVisibility(batch, leftMs);
      }
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
  };

  let running: Promise<unknown> = Promise.resolve();
  return {
    begin: (): void => {
      running = Promise.all([running, recall()]);
    },
    /** The answer must not go out before: nothing is carried out after it. */
    finished: (): Promise<unknown> => running,
  };
};
