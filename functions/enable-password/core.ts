/**
 * The parts put together, once for all: the handler gives them real wires, the tests and the simulation modelled ones.
 * An SQS record becomes a message (record.ts), calls to Segura (enable.ts) whose answers the table judges
 * (segura/answers.ts), a decision that SQS carries out (settle.ts), an outcome that is told (audit/line.ts), and one line
 * of the batch response (batch.ts).
 */
import type { SQSBatchResponse } from 'aws-lambda';
import { createAudit, METRICS } from '../audit/line.ts';
import type { SecretValue } from '../aws/secret-value.ts';
import type { Sqs } from '../aws/sqs.ts';
import type { Cause, Row } from '../segura/answers.ts';
import { createTokens } from '../segura/token.ts';
import { createVaults, type VaultParts } from '../segura/vault.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { handleBatch, type Outcome } from './batch.ts';
import { createEnable } from './enable.ts';
import type { Environment } from './environment.ts';
import { createBreaker } from './gate.ts';
import { correlation, type Message, readEvent } from './record.ts';
import { createSettle } from './settle.ts';
import { attemptWaitMs, createDeadline, MAX_TOKEN_ATTEMPTS } from './waits.ts';

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
  /** Sees each outcome just after it was told; for those who check us. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

export interface Core {
  readonly log: Log;
  /** Reads the secret, so that it is at hand when the first message comes. A failure is told, and tried again then. */
  readonly prepare: (timeoutMs: number) => Promise<unknown>;
  /** @throws TypeError for an event that is not of SQS, so that nothing is acknowledged unread */
  readonly handle: (event: unknown, remainingMs: number) => Promise<SQSBatchResponse>;
  /** Writes the metrics that have come together. */
  readonly flush: () => void;
}

/** What has to be fixed, by the cause of a refusal: in the secret, in Segura, or on the way to it. */
const ADVICE: Partial<Record<Cause, string>> = {
  credentials: 'token refused: check accessTokenUrl, clientId, clientSecret and tokenParameters in the secret',
  tls: "TLS handshake refused: check caCertificate, clientCertificate and clientKey in the secret, and the server's certificate",
  'client-certificate':
    'a gateway wants a client certificate: set clientCertificate and clientKey in the secret, and have the gateway know them',
  proxy: 'the proxy refuses the way out: check HTTPS_PROXY and NO_PROXY',
};
const TOKEN_REFUSED_AGAIN =
  'Segura refuses even a new token: check url and referer in the secret, and in Segura the rights and addresses of the access key';
const FORBIDDEN =
  'Segura refuses us: check in Segura the rights and addresses of the access key, and referer in the secret';

/** `undefined` for an answer that no document knows. */
const adviceOn = ({ happens }: Row): string | undefined => {
  if (happens.kind === 'renew-token') return TOKEN_REFUSED_AGAIN;
  if (happens.kind !== 'keep') return undefined;
  return happens.cause === 'credentials' ? FORBIDDEN : ADVICE[happens.cause];
};

export const createCore = (parts: CoreParts): Core => {
  const { settings, time, sqs, readSecret, connect, write, onOutcome } = parts;
  const { seguraTimeoutMs, seguraConcurrency, maxRequestAgeSeconds } = settings;
  const telemetry = { service: settings.serviceName, write, now: time.now };
  const log = createLog({ ...telemetry, level: settings.logLevel });
  const metrics = createMetrics({ ...telemetry, namespace: settings.metricsNamespace, units: METRICS });
  const audit = createAudit(log, metrics);

  // Once an invocation, however many requests meet it: the alarm counts invocations, not messages.
  let hasFailed = false;
  const countCredentialFailure = (cause: Cause = 'credentials'): void => {
    // A proxy knows nothing of our credentials.
    if (cause === 'proxy') return;
    if (!hasFailed) metrics.count('CredentialFailures');
    hasFailed = true;
  };

  const vaults = createVaults({
    ...time,
    read: readSecret,
    connect,
    onFailure: (errorCode, detail) => {
      countCredentialFailure();
      log.error('secret not usable, messages are kept until it is fixed', { errorCode, detail });
    },
  });
  const tokens = createTokens({
    ...time,
    vaults,
    timeoutMs: seguraTimeoutMs,
    maxAttempts: MAX_TOKEN_ATTEMPTS,
    wait: (attempt) => attemptWaitMs(attempt, time.random()),
    onRequest: () => metrics.count('TokenRequests'),
    onRefusal: ({ cause, code: errorCode, detail }) => {
      countCredentialFailure(cause);
      log.error(ADVICE[cause] ?? 'no token', { errorCode, cause, detail });
    },
  });
  const enable = createEnable({ ...time, timeoutMs: seguraTimeoutMs, maxRequestAgeSeconds });
  const breaker = createBreaker();

  const tellPeople = (message: Message, row: Row, errorCode: string | undefined): void => {
    const identifier = message.parsed.kind === 'request' ? message.parsed.request.identifier : undefined;
    const about = { ...correlation(message), identifier, errorCode, meaning: row.means, detail: row.cameBack };
    const advice = adviceOn(row);
    if (advice === undefined) {
      log.warn('answer is not documented, message kept', about);
      return;
    }
    countCredentialFailure('cause' in row.happens ? row.happens.cause : 'credentials');
    log.error(advice, about);
  };

  const tell = (outcome: Outcome): void => {
    const { message, decision } = outcome;
    if (decision.kind === 'kept' && decision.needsPeople) {
      tellPeople(message, decision.needsPeople, decision.errorCode);
    }
    audit(outcome);
    onOutcome?.(outcome);
  };

  const onBug = (message: Message, error: unknown): void => {
    const { name, message: detail, stack } = error instanceof Error ? error : new Error(String(error));
    log.error('bug: message kept', { ...correlation(message), errorCode: name, detail, stack });
  };

  return {
    log,
    prepare: vaults.current,
    handle: (event, remainingMs) => {
      hasFailed = false;
      const records = readEvent(event);
      const deadline = createDeadline(time.now, remainingMs, records.length);
      const gate = breaker.beginInvocation({ ...time, deadline });
      return handleBatch(records, {
        ...time,
        trust: settings,
        concurrency: seguraConcurrency,
        enable,
        settle: createSettle({ ...time, ...settings, sqs, log }, deadline),
        invocation: { deadline, tokens, gate, renewedTokens: new Set() },
        tell,
        onBug,
      });
    },
    flush: metrics.flush,
  };
};
