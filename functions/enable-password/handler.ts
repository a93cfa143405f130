/**
 * enable-password: the parts put together. An SQS record becomes a message (record.ts), a request (request.ts), calls to
 * Segura (enable.ts) whose answers the table judges (segura/answers.ts), a decision that SQS carries out (settle.ts), an
 * outcome that is told (audit.ts), and one line of the batch response (batch.ts).
 */
import middy from '@middy/core';
import type { Context, SQSBatchResponse } from 'aws-lambda';
import { createAudit, METRICS } from '../audit/line.ts';
import { createCallAws } from '../aws/call.ts';
import { readCredentials } from '../aws/environment-credentials.ts';
import { createSecretReader } from '../aws/secret-value.ts';
import { createSqs } from '../aws/sqs.ts';
import { createSend } from '../http/send.ts';
import { createTokens } from '../segura/token.ts';
import { createVaults } from '../segura/vault.ts';
import { createLineWriter, createLog } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { flushTelemetry, logContext } from '../telemetry/middleware.ts';
import { sleepWhile } from '../time/sleep.ts';
import { handleBatch } from './batch.ts';
import { createEnable, type Invocation } from './enable.ts';
import { readEnvironment } from './environment.ts';
import { createBreaker } from './gate.ts';
import { correlation, readEvent } from './record.ts';
import { createSettle } from './settle.ts';
import { attemptWaitMs, createDeadline, MAX_TOKEN_ATTEMPTS } from './waits.ts';

/** Connections to AWS at once: ten messages go with each call. */
const AWS_SOCKETS = 20;
/** Lines gather this long for one write; what a kill can take with it is no older. */
const LOG_WAIT_MS = 5;
/** A read at start that takes longer is given up, and begun anew by the first message. */
const PREFETCH_TIMEOUT_MS = 3000;
/** Where the context tells no time, as in a call by hand. */
const ASSUMED_REMAINING_MS = 30_000;

const REFUSALS = {
  gateway: 'the token endpoint cannot be reached',
  'rate-limited': 'the token endpoint asks for fewer requests',
  'client-certificate':
    'a gateway wants a client certificate: set clientCertificate and clientKey in the secret, and have the gateway know them',
  proxy: 'the proxy refuses the way out: check HTTPS_PROXY and NO_PROXY',
  credentials: 'token refused: check accessTokenUrl, clientId, clientSecret and tokenParameters in the secret',
  tls: "TLS handshake refused: check caCertificate, clientCertificate and clientKey in the secret, and the server's certificate",
  request:
    'Segura refuses even a new token: check url and referer in the secret, and in Segura the rights and addresses of the access key',
};

const clock = { now: Date.now, random: Math.random, sleep: sleepWhile };

const environment = readEnvironment(process.env);
const { region, endpoints, seguraTimeoutMs, seguraConcurrency } = environment;

const lines = createLineWriter(
  (text) => process.stdout.write(text),
  (flush) => setTimeout(flush, LOG_WAIT_MS),
);
const telemetry = { service: environment.serviceName, write: lines.write, now: clock.now };
const log = createLog({ ...telemetry, level: environment.logLevel });
const metrics = createMetrics({ ...telemetry, namespace: environment.metricsNamespace, units: METRICS });

const callAws = createCallAws({
  ...clock,
  send: createSend({ maxSockets: AWS_SOCKETS }).send,
  credentials: () => readCredentials(process.env),
});
const sqs = createSqs({ ...clock, call: callAws, region, endpoints });

const vaults = createVaults({
  ...clock,
  read: createSecretReader(callAws, region, endpoints, environment.secretId),
  connect: ({ caCertificate, clientCertificate, clientKey }) =>
    createSend({ maxSockets: seguraConcurrency, caCertificate, clientCertificate, clientKey: clientKey?.reveal() }),
  onFailure: (errorCode, detail) => {
    metrics.count('CredentialFailures');
    log.error('secret not usable, messages are kept until it is mended', { errorCode, detail });
  },
});

const tokens = createTokens({
  ...clock,
  vaults,
  timeoutMs: seguraTimeoutMs,
  maxAttempts: MAX_TOKEN_ATTEMPTS,
  wait: (attempt) => attemptWaitMs(attempt, clock.random()),
  onRequest: () => metrics.count('TokenRequests'),
  onRefusal: ({ cause, code: errorCode, detail }) => {
    metrics.count('CredentialFailures');
    log.error(REFUSALS[cause], { errorCode, cause, detail });
  },
});

const enable = createEnable({
  ...clock,
  timeoutMs: seguraTimeoutMs,
  maxRequestAgeSeconds: environment.maxRequestAgeSeconds,
  onKept: ({ cameBack, means, happens }, errorCode, { identifier, requestId }, { messageId }) => {
    const about = { identifier, errorCode, messageId, requestId };
    const refusal = means === 'tls' ? REFUSALS.tls : happens.kind === 'renew-token' ? REFUSALS.request : undefined;
    if (refusal === undefined) {
      log.warn('answer is not documented, message kept', { ...about, meaning: means, detail: cameBack });
      return;
    }
    metrics.count('CredentialFailures');
    log.error(refusal, { ...about, meaning: means, detail: cameBack });
  },
});

const breaker = createBreaker();
const audit = createAudit(log, metrics);

const handleEvent = (event: unknown, context: Partial<Context>): Promise<SQSBatchResponse> => {
  const records = readEvent(event);
  const remainingMs = context.getRemainingTimeInMillis?.() ?? ASSUMED_REMAINING_MS;
  const deadline = createDeadline(clock.now, remainingMs, records.length);
  const invocation: Invocation = {
    deadline,
    tokens,
    gate: breaker.beginInvocation({ ...clock, deadline }),
    renewedTokens: new Set(),
  };
  return handleBatch(records, {
    ...clock,
    concurrency: seguraConcurrency,
    enable,
    settle: createSettle({ ...clock, ...environment, sqs, log }, deadline),
    invocation,
    audit,
    onBug: (message, error) => {
      const { name, message: detail, stack } = error instanceof Error ? error : new Error(String(error));
      log.error('bug: message kept', { ...correlation(message), errorCode: name, detail, stack });
    },
  });
};

// Ready when the first message comes. A failure is told by onFailure and tried again then.
void vaults.current(PREFETCH_TIMEOUT_MS);

// Our own deadline answers in time with what is settled; middy's would throw the whole batch away.
export const handler = middy<unknown, SQSBatchResponse>({ timeoutEarlyInMillis: 0 })
  .use(
    flushTelemetry(() => {
      metrics.flush();
      lines.flush();
    }),
  )
  .use(logContext(log, 'invocation failed, nothing is acknowledged'))
  .handler(handleEvent);
