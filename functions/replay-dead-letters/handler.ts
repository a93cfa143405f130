/**
 * replay-dead-letters: `dead-letters replay` as a function. Its event holds the same options (options.ts), the work is
 * the same code (queues/replay.ts); when its time is nearly up it answers with a cursor to go on from.
 */
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { type ReplayResult, replay } from '../queues/replay.ts';
import { createLog } from '../telemetry/log.ts';
import { readEnvironment } from './environment.ts';
import { type Cursor, readOptions } from './options.ts';

/** The counts of the contract; `cursor` where the run did not come to its end. */
export interface ReplayAnswer extends Omit<ReplayResult, 'isInterrupted'> {
  readonly cursor?: Cursor;
}

/** For the batch under way, and for giving back what is held. */
const RESERVE_MS = 10_000;
const ASSUMED_REMAINING_MS = 60_000;

const environment = readEnvironment(process.env);
const sqs = new SQSClient({ maxAttempts: 5 });
const log = createLog({
  service: environment.serviceName,
  level: environment.logLevel,
  write: (lines) => process.stdout.write(lines),
  now: Date.now,
});

const handleEvent = async (event: unknown, context: Partial<Context>): Promise<ReplayAnswer> => {
  const { queue, options } = readOptions(event, environment.maxRequestAgeSeconds);
  const startedAt = new Date();
  const remainingMs = context.getRemainingTimeInMillis?.() ?? ASSUMED_REMAINING_MS;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), Math.max(remainingMs / 2, remainingMs - RESERVE_MS));
  const { isInterrupted, ...counts } = await replay(
    {
      sqs,
      deadLetterQueueUrl: queue === 'rejected' ? environment.rejectedQueueUrl : environment.exhaustedQueueUrl,
      requestsQueueUrl: environment.requestsQueueUrl,
      now: Date.now,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      signal: stop.signal,
      onNotice: ({ messageId }, detail) => log.warn('dead letter', { messageId, detail }),
    },
    options,
  );
  clearTimeout(timer);
  log.audit('dead letters replayed', {
    detail: `${queue}: ${counts.matched} matched, ${counts.replayed} replayed, ${counts.duplicates} duplicates, ${counts.expired} expired, ${counts.failed} failed`,
    replayedBy: options.replayedBy,
    replayReason: options.reason,
    outcome: counts.dryRun ? 'dry-run' : 'replayed',
  });
  const before = options.before ?? startedAt;
  return { ...counts, ...(isInterrupted ? { cursor: { before: before.toISOString() } } : {}) };
};

export const handler = middy<unknown, ReplayAnswer>({ timeoutEarlyInMillis: 0 })
  .use({
    before: ({ context }) => log.setContext({ function_request_id: context.awsRequestId }),
    onError: ({ error }) => {
      log.error('replay failed, nothing is lost', {
        errorCode: error?.name,
        detail: error?.message,
        stack: error?.stack,
      });
    },
  })
  .handler(handleEvent);
