/** One execution environment: the real core, put together as handler.ts does, in a process over modelled wires. */
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { createAudit, METRICS } from '../../functions/audit/line.ts';
import { createCallAws } from '../../functions/aws/call.ts';
import { createSecretReader } from '../../functions/aws/secret-value.ts';
import { createSqs } from '../../functions/aws/sqs.ts';
import { handleBatch } from '../../functions/enable-password/batch.ts';
import { createEnable } from '../../functions/enable-password/enable.ts';
import { createBreaker } from '../../functions/enable-password/gate.ts';
import { createSettle } from '../../functions/enable-password/settle.ts';
import { attemptWaitMs, createDeadline, MAX_TOKEN_ATTEMPTS } from '../../functions/enable-password/waits.ts';
import type { Answer, Call, Send } from '../../functions/http/send.ts';
import { createTokens } from '../../functions/segura/token.ts';
import { createVaults } from '../../functions/segura/vault.ts';
import { createLog } from '../../functions/telemetry/log.ts';
import { createMetrics } from '../../functions/telemetry/metrics.ts';
import type { Clock } from '../virtual-time/clock.ts';
import type { AwsDelivery } from './aws.ts';
import type { Ledger, Random, Run } from './ledger.ts';
import { MAX_REQUEST_AGE_SECONDS } from './ledger.ts';
import { createProcess } from './process.ts';
import { type Delivery, TIMED_OUT, unanswered } from './segura.ts';
import type { Witness } from './witness.ts';

export interface EnvironmentParts {
  readonly id: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly witness: Witness;
  readonly segura: (call: Call) => Promise<Delivery>;
  readonly aws: (call: Call, run: Run) => Promise<AwsDelivery>;
  readonly isFifo: boolean;
  readonly hasOutcomes: boolean;
}

const SEGURA_TIMEOUT_MS = 30_000;
export const FUNCTION_TIMEOUT_MS = 120_000;
const CONCURRENCY = 10;
const PREFETCH_TIMEOUT_MS = 3000;
/** A connection that is idle for longer may be closed when it is used again. */
const KEPT_ALIVE_MS = 60_000;
const RESET_MS = 2;

export const createEnvironment = (parts: EnvironmentParts) => {
  const { id, clock, random, ledger, witness, segura, aws, isFifo, hasOutcomes } = parts;
  const process = createProcess();
  let run = ledger.begin(id, []);
  let frozenAt = 0;
  let staleSockets = 0;

  const time = {
    now: clock.now,
    random,
    sleep: (ms: number, pending?: Promise<unknown>): Promise<void> =>
      new Promise((resolve) => {
        clock.sleep(ms, pending).then(() => process.run(resolve));
      }),
  };

  /** An answer comes to a process that runs; where it comes from a thaw, the time limit has gone off before it. */
  const wire =
    <Delivered extends { readonly answer: Answer }>(
      send: (call: Call, by: Run) => Promise<Delivered>,
      onSend: (call: Call, by: Run) => (delivered: Delivered | undefined) => void,
    ): Send =>
    (call) =>
      new Promise((resolve) => {
        if (!process.isAlive()) return;
        const startedAt = clock.now();
        const onDelivered = onSend(call, run);
        if (staleSockets > 0) {
          staleSockets -= 1;
          clock.after(RESET_MS, () =>
            process.run(() => {
              // send.ts closes the other idle ones then.
              staleSockets = 0;
              onDelivered(undefined);
              resolve(unanswered('reset', 'ECONNRESET', true));
            }),
          );
          return;
        }
        void send({ ...call, timeoutMs: Math.max(1, call.timeoutMs) }, run).then((delivered) =>
          process.run(() => {
            const isLate = clock.now() - startedAt > Math.max(1, call.timeoutMs);
            onDelivered(isLate ? undefined : delivered);
            resolve(isLate ? TIMED_OUT : delivered.answer);
          }),
        );
      });

  const suffix = isFifo ? '.fifo' : '';
  const queueUrl = (name: string): string => `https://sqs.test/0/${name}${suffix}`;
  const telemetry = { service: 'simulation', write: witness.onLines, now: clock.now };
  const log = createLog({ ...telemetry, level: 'INFO' });
  const metrics = createMetrics({ ...telemetry, namespace: 'simulation', units: METRICS });
  const audit = createAudit(log, metrics);
  const callAws = createCallAws({
    ...time,
    send: wire(aws, witness.onAwsCall),
    credentials: () => ({ accessKeyId: 'simulated', secretAccessKey: 'simulated' }),
  });
  const sqs = createSqs({ ...time, call: callAws, region: 'us-east-1', endpoints: {} });
  const vaults = createVaults({
    ...time,
    read: createSecretReader(callAws, 'us-east-1', {}, 'secret'),
    connect: () => ({ send: wire(segura, witness.onSeguraCall), close: () => undefined }),
    onFailure: (errorCode, detail) => log.error('secret not usable', { errorCode, detail }),
  });
  const tokens = createTokens({
    ...time,
    vaults,
    timeoutMs: SEGURA_TIMEOUT_MS,
    maxAttempts: MAX_TOKEN_ATTEMPTS,
    wait: (attempt) => attemptWaitMs(attempt, random()),
    onRequest: () => metrics.count('TokenRequests'),
    onRefusal: ({ cause, code }) => log.error('token refused', { cause, errorCode: code }),
  });
  const enable = createEnable({
    ...time,
    timeoutMs: SEGURA_TIMEOUT_MS,
    maxRequestAgeSeconds: MAX_REQUEST_AGE_SECONDS,
    onKept: ({ cameBack }, errorCode) => log.warn('answer is not documented', { errorCode, detail: cameBack }),
  });
  const breaker = createBreaker();
  void vaults.current(PREFETCH_TIMEOUT_MS);

  return {
    id,
    isAlive: process.isAlive,
    kill: process.kill,
    freeze: (): void => {
      frozenAt = clock.now();
      process.freeze();
    },
    thaw: (): void => {
      const frozenMs = clock.now() - frozenAt;
      if (frozenMs > KEPT_ALIVE_MS) staleSockets = Math.floor(random() * (CONCURRENCY + 1));
      process.thaw();
    },
    /** As handler.ts does it. Never resolves once the process is dead. */
    invoke: (records: readonly SQSRecord[], next: Run): Promise<SQSBatchResponse> => {
      run = next;
      const deadline = createDeadline(clock.now, FUNCTION_TIMEOUT_MS, records.length);
      const settling = {
        ...time,
        sqs,
        log,
        sourceQueueUrl: queueUrl('requests'),
        rejectedQueueUrl: queueUrl('rejected'),
        ...(hasOutcomes ? { outcomeQueueUrl: queueUrl('outcomes') } : {}),
      };
      return handleBatch(records, {
        ...time,
        concurrency: CONCURRENCY,
        enable,
        settle: createSettle(settling, deadline),
        invocation: {
          deadline,
          tokens,
          gate: breaker.beginInvocation({ ...time, deadline }),
          renewedTokens: new Set(),
        },
        audit: (outcome) => {
          audit(outcome);
          metrics.flush();
          witness.onOutcome(outcome, next);
        },
        onBug: (_, error) => ledger.violate(`a bug: ${(error as Error).stack}`),
      });
    },
  };
};

export type Environment = ReturnType<typeof createEnvironment>;
