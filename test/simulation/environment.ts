/** One execution environment: the real core, put together as handler.ts does, over virtual time and modelled wires. */
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { createAudit, METRICS, type Outcome } from '../../functions/enable-password/audit.ts';
import { handleBatch } from '../../functions/enable-password/batch.ts';
import { createEnable } from '../../functions/enable-password/enable.ts';
import { createBreaker } from '../../functions/enable-password/gate.ts';
import { createSettle } from '../../functions/enable-password/settle.ts';
import { attemptWaitMs, createDeadline, MAX_TOKEN_ATTEMPTS } from '../../functions/enable-password/waits.ts';
import { createSqs } from '../../functions/queues/sqs.ts';
import { createTokens } from '../../functions/segura/token.ts';
import { createVaults } from '../../functions/segura/vault.ts';
import { createLog } from '../../functions/telemetry/log.ts';
import { createMetrics } from '../../functions/telemetry/metrics.ts';
import type { Clock } from './clock.ts';
import type { SeguraModel } from './segura.ts';
import type { SqsModel } from './sqs.ts';

export interface EnvironmentParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly segura: SeguraModel;
  readonly sqs: SqsModel;
  readonly isFifo: boolean;
  readonly maxRequestAgeSeconds: number;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly onBug: (error: unknown) => void;
}

const SEGURA_TIMEOUT_MS = 30_000;
export const FUNCTION_TIMEOUT_MS = 120_000;
const CONCURRENCY = 10;

export const createEnvironment = (parts: EnvironmentParts) => {
  const { clock, random, segura, sqs, isFifo, maxRequestAgeSeconds, onOutcome, onBug } = parts;
  let isAlive = true;
  const alive = () => isAlive;
  const time = { now: clock.now, random, sleep: clock.sleep };
  const suffix = isFifo ? '.fifo' : '';
  const silent = { service: 'simulation', write: () => undefined, now: clock.now };
  const log = createLog({ ...silent, level: 'SILENT' });
  const metrics = createMetrics({ ...silent, namespace: 'simulation', units: METRICS });
  const audit = createAudit(log, metrics);

  const vaults = createVaults({
    ...time,
    read: segura.readSecret(alive),
    connect: () => ({ send: segura.send(alive), close: () => undefined }),
    onFailure: () => undefined,
  });
  const tokens = createTokens({
    ...time,
    vaults,
    timeoutMs: SEGURA_TIMEOUT_MS,
    maxAttempts: MAX_TOKEN_ATTEMPTS,
    wait: (attempt) => attemptWaitMs(attempt, random()),
    onRequest: () => undefined,
    onRefusal: () => undefined,
  });
  const enable = createEnable({
    ...time,
    timeoutMs: SEGURA_TIMEOUT_MS,
    maxRequestAgeSeconds,
    onUnknown: () => undefined,
  });
  const breaker = createBreaker();
  const wire = createSqs({ ...time, call: sqs.call(alive), region: 'us-east-1', endpoints: {} });

  return {
    kill: (): void => {
      isAlive = false;
    },
    isAlive: alive,
    /** As handler.ts does it. Never resolves once the environment is dead. */
    invoke: (records: readonly SQSRecord[]): Promise<SQSBatchResponse> => {
      const deadline = createDeadline(clock.now, FUNCTION_TIMEOUT_MS, records.length);
      return handleBatch(records, {
        ...time,
        concurrency: CONCURRENCY,
        enable,
        settle: createSettle(
          {
            ...time,
            sqs: wire,
            sourceQueueUrl: `https://sqs.test/0/requests${suffix}`,
            rejectedQueueUrl: `https://sqs.test/0/rejected${suffix}`,
            log,
          },
          deadline,
        ),
        invocation: {
          deadline,
          tokens,
          gate: breaker.beginInvocation({ ...time, deadline }),
          renewedTokens: new Set(),
        },
        audit: (outcome) => {
          if (!isAlive) return;
          audit(outcome);
          metrics.flush();
          onOutcome(outcome);
        },
        onBug: (_, error) => onBug(error),
      });
    },
  };
};

export type Environment = ReturnType<typeof createEnvironment>;
