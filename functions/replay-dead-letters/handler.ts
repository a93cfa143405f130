/**
 * replay-dead-letters: `dead-letters replay` as a function. Its event holds the same options (options.ts), the work is
 * the same code (dead-letters/replay.ts); when its time is nearly up it answers with a cursor to go on from.
 */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { COMMAND_PATIENCE } from '../aws/attempts.ts';
import { createSqsClient } from '../aws/clients.ts';
import { createSqs } from '../aws/sqs.ts';
import { type ReplayCounts, replay } from '../dead-letters/replay.ts';
import { createSend } from '../http/send.ts';
import { createLog, openStandardOutput } from '../telemetry/log.ts';
import { logContext } from '../telemetry/middleware.ts';
import { sleep } from '../time/sleep.ts';
import { readEnvironment } from './environment.ts';
import { type Cursor, cursorAfter, readOptions } from './options.ts';

/** The counts of the contract; `cursor` where the run did not come to its end, `error` where a failure ended it. */
export interface ReplayAnswer extends ReplayCounts {
  readonly dryRun: boolean;
  /** Letters behind others of their message group, which only another run can reach. */
  readonly unread?: number;
  readonly cursor?: Cursor;
  readonly error?: string;
}

/** For the batch under way, and for giving back what is held. */
const RESERVE_MS = 10_000;
const ASSUMED_REMAINING_MS = 60_000;
const SOCKETS = 20;
/** As a command's, but for an attempt that must fit into the reserve. */
const PATIENCE = { ...COMMAND_PATIENCE, attemptTimeoutMs: 5000 };

const environment = readEnvironment(process.env);
const connection = createSend({ maxSockets: SOCKETS, proxy: environment.proxy });
const client = createSqsClient(environment.aws, connection, PATIENCE.maxAttempts);
const sender = createSqsClient(environment.aws, connection);
const sqs = createSqs({ client: sender, patience: PATIENCE, now: Date.now, random: Math.random, sleep });
const log = createLog({
  service: environment.serviceName,
  level: environment.logLevel,
  write: openStandardOutput(),
  now: Date.now,
});

const handleEvent = async (event: unknown, context: Partial<Context>): Promise<ReplayAnswer> => {
  const { queues, options } = readOptions(event, environment.maxRequestAgeSeconds);
  const { replayedBy, reason } = options;
  const startedAt = new Date();
  const remainingMs = context.getRemainingTimeInMillis?.() ?? ASSUMED_REMAINING_MS;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), Math.max(remainingMs / 2, remainingMs - RESERVE_MS));
  const { rejectedQueueUrl, exhaustedQueueUrl, requestsQueueUrl } = environment;
  const urls = { rejected: rejectedQueueUrl, exhausted: exhaustedQueueUrl };
  const result = await replay(
    {
      client,
      sqs,
      deadLetterQueues: queues.map((name) => ({ name, url: urls[name] })),
      queueUrl: requestsQueueUrl,
      now: Date.now,
      sleep,
      signal: stop.signal,
      onFate: ({ messageId, provenance }, fate) =>
        log.audit('dead letter', {
          outcome: options.dryRun ? `${fate} (dry run)` : fate,
          messageId,
          originalMessageId: provenance.originalMessageId,
          replayCount: provenance.replayCount,
          replayedBy,
          replayReason: reason,
        }),
      onNotice: ({ messageId }, detail) => log.warn('dead letter', { messageId, detail }),
    },
    options,
  );
  clearTimeout(timer);
  const { isInterrupted: _, stop: error, unread, ...counts } = result;
  if (error !== undefined) log.error('replay ended early, nothing is lost', { detail: error });
  const cursor = cursorAfter(result, options, startedAt);
  return {
    ...counts,
    ...(unread > 0 ? { unread } : {}),
    ...(cursor ? { cursor } : {}),
    ...(error === undefined ? {} : { error }),
  };
};

export const handler = middy<unknown, ReplayAnswer>({ timeoutEarlyInMillis: 0 })
  .use(logContext(log, 'replay failed, nothing is lost'))
  .handler(handleEvent);
