/** enable-password on Lambda: real wires for the core (core.ts), and what cuts across every invocation. */
import middy from '@middy/core';
import type { SQSBatchResponse } from 'aws-lambda';
import { FUNCTION_PATIENCE } from '../aws/attempts.ts';
import { createSecretsManagerClient, createSqsClient, openWhenUsed } from '../aws/clients.ts';
import { createSecretReader } from '../aws/secret-value.ts';
import { createSqs } from '../aws/sqs.ts';
import { createSend } from '../http/send.ts';
import { createLineWriter, openStandardOutput } from '../telemetry/log.ts';
import { flushTelemetry, logContext } from '../telemetry/middleware.ts';
import { later, sleepWhile } from '../time/sleep.ts';
import { createCore } from './core.ts';
import { readEnvironment } from './environment.ts';

/** Connections to AWS at once: ten messages go with each call. */
const AWS_SOCKETS = 20;
/** Outcomes gather this long to be told together, and lines for one write; what a kill can take with it is no older. */
const LOG_WAIT_MS = 5;
/** A read at start that takes longer is given up, and begun again by the first message. */
const PREFETCH_TIMEOUT_MS = 3000;
/** Where the context tells no time, as in a call by hand. */
const ASSUMED_REMAINING_MS = 30_000;

const settings = readEnvironment(process.env);
const { aws, proxy, secretId, seguraConcurrency } = settings;
const time = { now: Date.now, random: Math.random, sleep: sleepWhile };
const lines = createLineWriter(openStandardOutput(), LOG_WAIT_MS);
const awsConnection = createSend({ maxSockets: AWS_SOCKETS, proxy });
const attempts = { ...time, patience: FUNCTION_PATIENCE };

const core = createCore({
  settings,
  time,
  sqs: createSqs({ ...attempts, client: openWhenUsed(() => createSqsClient(aws, awsConnection)) }),
  readSecret: createSecretReader({
    ...attempts,
    client: createSecretsManagerClient(aws, secretId, awsConnection),
    secretId,
  }),
  connect: ({ caCertificate, clientCertificate, clientKey }) =>
    createSend({
      maxSockets: seguraConcurrency,
      caCertificate,
      clientCertificate,
      clientKey: clientKey?.reveal(),
      proxy,
    }),
  write: lines.write,
  soon: later(LOG_WAIT_MS, lines.flush),
});

void core.prepare(PREFETCH_TIMEOUT_MS);

// Our own deadline answers in time with what is settled; middy's would throw the whole batch away.
export const handler = middy<unknown, SQSBatchResponse>({ timeoutEarlyInMillis: 0 })
  .use(
    flushTelemetry(() => {
      core.flush();
      lines.flush();
    }),
  )
  .use(logContext(core.log, 'invocation failed, nothing is acknowledged'))
  .handler((event, context) => core.handle(event, context.getRemainingTimeInMillis?.() ?? ASSUMED_REMAINING_MS));
