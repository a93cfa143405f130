/** One execution environment: the real core, in a process over modelled wires. */
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { FUNCTION_PATIENCE } from '../../functions/aws/attempts.ts';
import { createSecretsManagerClient, createSqsClient } from '../../functions/aws/clients.ts';
import { createSecretReader } from '../../functions/aws/secret-value.ts';
import { createSqs } from '../../functions/aws/sqs.ts';
import { createCore } from '../../functions/enable-password/core.ts';
import type { Answer, Call, Send } from '../../functions/http/send.ts';
import type { Clock } from '../virtual-time/clock.ts';
import type { AwsDelivery } from './aws.ts';
import { AWS, createPlainClient, stripped } from './aws-clients.ts';
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
  readonly isSqsWell: boolean;
}

const SEGURA_TIMEOUT_MS = 30_000;
export const FUNCTION_TIMEOUT_MS = 120_000;
const CONCURRENCY = 10;
const PREFETCH_TIMEOUT_MS = 3000;
/** A connection that is idle for longer may be closed when it is used again. */
const KEPT_ALIVE_MS = 60_000;
const RESET_MS = 2;
/** Of replay-dead-letters and of the HTTPS way in, by SQS's `SenderId`. */
export const RENEWAL_SENDER = 'AROAREPLAY';
export const CALLER_SENDER = 'AROAHTTPS';
const SIMULATED_BUG = 'a bug on purpose';

export const createEnvironment = (parts: EnvironmentParts) => {
  const { id, clock, random, ledger, witness, segura, aws, isFifo, hasOutcomes, isSqsWell } = parts;
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
    <Delivered extends { readonly answer: Answer; readonly isBroken?: 'deaf' | 'bug' }>(
      send: (call: Call, by: Run) => Promise<Delivered>,
      onSend: (call: Call, by: Run, isStale: boolean) => (delivered: Delivered | undefined) => void,
    ): Send =>
    (call) =>
      new Promise((resolve, reject) => {
        if (!process.isAlive()) return;
        const startedAt = clock.now();
        const by = run;
        const isStale = staleSockets > 0;
        const onDelivered = onSend(call, by, isStale);
        if (isStale) {
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
            if (delivered.isBroken === 'bug') reject(new TypeError(SIMULATED_BUG));
            else if (delivered.isBroken === 'deaf') by.wasDeaf = true;
            else resolve(isLate ? TIMED_OUT : delivered.answer);
          }),
        );
      });

  const suffix = isFifo ? '.fifo' : '';
  const queueUrl = (name: string): string => `https://sqs.test/0/${name}${suffix}`;
  const connection = { send: wire(aws, witness.onAwsCall), close: () => undefined };
  const attempts = { ...time, patience: FUNCTION_PATIENCE };
  const core = createCore({
    settings: {
      sourceQueueUrl: queueUrl('requests'),
      rejectedQueueUrl: queueUrl('rejected'),
      ...(hasOutcomes ? { outcomeQueueUrl: queueUrl('outcomes') } : {}),
      seguraTimeoutMs: SEGURA_TIMEOUT_MS,
      seguraConcurrency: CONCURRENCY,
      maxRequestAgeSeconds: MAX_REQUEST_AGE_SECONDS,
      renewalSenders: [RENEWAL_SENDER],
      callerSenders: [CALLER_SENDER],
      serviceName: 'simulation',
      logLevel: 'INFO',
      metricsNamespace: 'simulation',
    },
    time,
    sqs: createSqs({
      ...attempts,
      client: isSqsWell ? createPlainClient(connection) : stripped(createSqsClient(AWS, connection)),
    }),
    readSecret: createSecretReader({
      ...attempts,
      client: stripped(createSecretsManagerClient(AWS, 'secret', connection)),
      secretId: 'secret',
    }),
    connect: () => ({ send: wire(segura, witness.onSeguraCall), close: () => undefined }),
    write: (lines) => {
      witness.onLines(lines);
      if (lines.includes('"bug: message kept"') && !lines.includes(SIMULATED_BUG)) ledger.violate(lines);
    },
    onOutcome: (outcome) => {
      core.flush();
      witness.onOutcome(outcome, run);
    },
  });
  void core.prepare(PREFETCH_TIMEOUT_MS);

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
    /** Never resolves once the process is dead. */
    invoke: (records: readonly SQSRecord[], next: Run): Promise<SQSBatchResponse> => {
      run = next;
      return core.handle({ Records: records }, FUNCTION_TIMEOUT_MS);
    },
  };
};

export type Environment = ReturnType<typeof createEnvironment>;
