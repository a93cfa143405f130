/**
 * The parts put together, once for all: the handler gives them real wires, the tests and the simulation modelled ones.
 * An SQS record becomes a message (record.ts), calls to Segura (enable.ts) whose answers the table judges
 * (segura/answers.ts), a decision that SQS carries out (settle.ts), an outcome that is told (tell.ts), and one line of the
 * batch response (batch.ts).
 */
import type { SQSBatchResponse } from 'aws-lambda';
import { METRICS } from '../audit/line.ts';
import type { SecretValue } from '../aws/secret-value.ts';
import type { Sqs } from '../aws/sqs.ts';
import { createTokens } from '../segura/token.ts';
import { createVaults, type VaultParts } from '../segura/vault.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { handleBatch, type Outcome } from './batch.ts';
import { createBreaker } from './breaker.ts';
import { createEnable } from './enable.ts';
import type { Environment } from './environment.ts';
import { createGate } from './gate.ts';
import { createKept } from './kept.ts';
import { createRecall } from './recall.ts';
import { readEvent } from './record.ts';
import { createSettle } from './settle.ts';
import { createTelling } from './tell.ts';
import { createDeadline, MAX_TOKEN_ATTEMPTS, tokenWaitMs } from './waits.ts';

export interface CoreParts {
  readonly settings: Omit<Environment, 'secretId' | 'aws'>;
  readonly time: {
    readonly now: () => number;
    readonly random: () => number;
    /** Ends early when `pending` is settled. */
    readonly sleep: (ms: number, pending?: Promise<unknown>) => Promise<void>;
  };
  readonly sqs: Sqs;
  readonly readSecret: (timeoutMs: number) => Promise<SecretValue>;
  readonly connect: VaultParts['connect'];
  /** Takes whole lines: log, audit and metrics. */
  readonly write: (lines: string) => void;
  /** Carries out what it is given within a few milliseconds, so that outcomes are told together; at once where there is none. */
  readonly soon?: (task: () => void) => void;
  /** Sees each outcome just after it was told; for those who check us. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

export interface Core {
  readonly log: Log;
  /** Reads the secret, so that it is at hand when the first message comes. A failure is told, and tried again then. */
  readonly prepare: (timeoutMs: number) => Promise<unknown>;
  /** @throws TypeError for an event that is not of SQS, so that nothing is acknowledged unread */
  readonly handle: (event: unknown, remainingMs: number) => Promise<SQSBatchResponse>;
  /** Tells the outcomes that have not been told, and writes the metrics that have come together. */
  readonly flush: () => void;
}

export const createCore = (parts: CoreParts): Core => {
  const { settings, time, sqs, readSecret, connect, write, soon, onOutcome } = parts;
  const { seguraTimeoutMs: timeoutMs, seguraConcurrency: concurrency, maxRequestAgeSeconds } = settings;
  const telemetry = { service: settings.serviceName, write, now: time.now };
  const log = createLog({ ...telemetry, level: settings.logLevel });
  const metrics = createMetrics({ ...telemetry, namespace: settings.metricsNamespace, units: METRICS });
  const tell = createTelling({ log, metrics, soon, onOutcome });

  // What this execution environment knows from one invocation to the next.
  const vaults = createVaults({ ...time, read: readSecret, connect, onFailure: tell.secretFailure });
  const tokens = createTokens({
    ...time,
    vaults,
    timeoutMs,
    maxAttempts: MAX_TOKEN_ATTEMPTS,
    wait: (attempt) => tokenWaitMs(attempt, time.random()),
    onRequest: tell.tokenRequest,
    onRefusal: tell.tokenRefusal,
  });
  const breaker = createBreaker();
  const kept = createKept();
  const enable = createEnable({ ...time, timeoutMs, maxRequestAgeSeconds });
  const queueParts = { ...time, ...settings, sqs, kept, log };
  const { now, random, sleep } = time;

  return {
    log,
    prepare: vaults.current,
    handle: (event, remainingMs) => {
      const records = readEvent(event);
      tell.beginInvocation();
      for (const { messageId } of records) kept.forget(messageId);
      const deadline = createDeadline(now, remainingMs, records.length);
      const recall = createRecall(queueParts, deadline);
      const gate = createGate({ now, random, sleep, breaker, deadline, onBack: recall.begin });
      return handleBatch(records, {
        now,
        sleep,
        trust: settings,
        concurrency,
        enable,
        settle: createSettle(queueParts, deadline),
        invocation: { deadline, tokens, gate, renewedTokens: new Set() },
        finishBeside: recall.finished,
        tell: tell.outcome,
        onBug: tell.bug,
      });
    },
    flush: () => {
      tell.flush();
      metrics.flush();
    },
  };
};
