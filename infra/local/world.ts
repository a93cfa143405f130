/**
 * Everything around the built function, on loopback and port 0: SQS, Secrets Manager, Segura behind Kong, Lambda.
 *
 *     await using world = await startWorld({ passwords: { 10: 'disabled' } });
 *     await world.send(10);
 *     const { kept } = await world.deliver();          // receive, invoke the bundle, delete what is done
 *     world.segura.enableCalls(10); world.messages('rejected'); world.auditLines();
 *
 * `pump` delivers until nothing visible is left; `poll` goes on as Lambda does, an execution environment for each batch
 * under way; `kill` crashes them all. Faults and journals: `world.segura` (segura.ts), `world.sqs` (sqs.ts),
 * `world.secrets` (secrets-manager.ts).
 *
 * SQS is our own (queue.ts, sqs-actions.ts), for no embedded one does what AWS does with a FIFO group; it refuses what AWS
 * refuses (sqs-strictness.ts), and the simulation uses the same queues in virtual time.
 *
 * Where these stand-ins are still known to differ from AWS:
 * - SQS throttles and denies by a fault alone; there are no message move tasks.
 * - A message moves to the dead-letter queue only when a receive passes over it.
 * - A message group is noisy by its share of what is in flight alone, and not by its share of the processing time.
 * - A receive asks all of the queue; SQS asks a part of its servers and may come back with less than there is.
 * - The event source neither filters, nor scales by itself, nor slows down after function errors.
 * - Lambda neither freezes between invocations nor limits memory and CPU, and `invoke` by hand takes calls side by side.
 * - Secrets Manager knows GetSecretValue alone, and takes any signature.
 */
import { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse } from 'aws-lambda';
import { type Certificates, createCertificates } from './certificates.ts';
import { createEnvironments, type EnvironmentsOptions } from './environments.ts';
import { type EventSourceOptions, type InvocationResult, startEventSource } from './event-source.ts';
import { bundleOf, type Line } from './lambda.ts';
import { createMapping } from './mapping.ts';
import { createRequestsQueue, type InvokeOptions } from './requests-queue.ts';
import { startSecretsManager } from './secrets-manager.ts';
import { type PasswordState, type Segura, type SeguraOptions, startSegura } from './segura.ts';
import { type MessageView, type QueueName, type SqsOptions, startSqs } from './sqs.ts';

export interface WorldOptions
  extends Pick<EnvironmentsOptions, 'onLine' | 'onInvocation' | 'timeoutMs' | 'startEnvironment'> {
  readonly fifo?: boolean;
  readonly outcomes?: boolean;
  /** `private-ca`: Segura speaks TLS; `mutual`: it also asks for a client certificate. */
  readonly tls?: 'private-ca' | 'mutual';
  readonly passwords?: Readonly<Record<number, PasswordState>>;
  /** Added to, or taken (undefined) from, the function's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Changes to the secret. */
  readonly secret?: Readonly<Record<string, unknown>>;
  readonly segura?: SeguraOptions;
  readonly sqs?: SqsOptions;
  readonly bundle?: string;
  /** Of the event source mapping. */
  readonly delivery?: Pick<EventSourceOptions, 'batchSize' | 'windowSeconds' | 'maximumConcurrency'>;
}

export const SECRET_ID = 'mysafe/segura';
const REGION = 'us-east-1';
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

let certificatesOfAll: Promise<Certificates> | undefined;
/** The same for all worlds of a process: to make them takes longer than to start one. */
const sharedCertificates = (): Promise<Certificates> => {
  certificatesOfAll ??= createCertificates();
  return certificatesOfAll;
};

const startParts = async ({ fifo = false, tls, passwords = {}, ...options }: WorldOptions) => {
  const certificates = tls ? await sharedCertificates() : undefined;
  const clientCa = certificates && tls === 'mutual' ? { clientCa: certificates.ca } : {};
  const [segura, secrets, sqs] = await Promise.all([
    startSegura({ ...options.segura, ...(certificates ? { tls: { ...certificates.server, ...clientCa } } : {}) }),
    startSecretsManager(),
    startSqs({ ...options.sqs, fifo }),
  ]);
  for (const [identifier, state] of Object.entries(passwords)) segura.passwords.set(identifier, state);
  return { certificates, segura, secrets, sqs };
};

type Parts = Awaited<ReturnType<typeof startParts>>;

/** The secret as it ought to be. */
const rightSecret = (
  { url, tokenUrl, settings }: Segura,
  certificates: Certificates | undefined,
  isMutual: boolean,
) => ({
  url,
  accessTokenUrl: tokenUrl,
  clientId: settings.clientId,
  clientSecret: settings.clientSecret,
  ...(certificates ? { caCertificate: certificates.ca } : {}),
  ...(certificates && isMutual
    ? { clientCertificate: certificates.client.cert, clientKey: certificates.client.key }
    : {}),
});

/** Of the function, as the template would set it. */
const environmentOf = ({ secrets, sqs }: Parts, { outcomes = false, env = {} }: WorldOptions) => {
  const variables: Readonly<Record<string, string | undefined>> = {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    SEGURA_SECRET_ID: SECRET_ID,
    SOURCE_QUEUE_URL: sqs.queueUrl('requests'),
    REJECTED_QUEUE_URL: sqs.queueUrl('rejected'),
    ...(outcomes ? { OUTCOME_QUEUE_URL: sqs.queueUrl('outcomes') } : {}),
    ...env,
  };
  const set = Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(set);
};

export const startWorld = async (options: WorldOptions = {}) => {
  const parts = await startParts(options);
  const { certificates, segura, secrets, sqs } = parts;
  /** Tests change a part of it. */
  const secretValue = (changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
    ...rightSecret(segura, certificates, options.tls === 'mutual'),
    ...changes,
  });
  secrets.put(SECRET_ID, secretValue(options.secret));

  const environment = environmentOf(parts, options);
  const { bundle = bundleOf('enable-password'), timeoutMs = 30_000, onLine, onInvocation, startEnvironment } = options;
  const environments = createEnvironments({
    ...{ bundle, env: environment, timeoutMs },
    ...{ onLine, onInvocation, startEnvironment },
  });
  const { first: lambda, start: startLambda, invokeIdle, kill, lines } = environments;
  const invoke = (event: unknown, invokeOptions: InvokeOptions = {}): Promise<InvocationResult> =>
    lambda.invoke(event, invokeOptions);

  const client = new SQSClient({ endpoint: sqs.url, region: REGION, credentials: CREDENTIALS });
  const queue = { queueUrl: sqs.queueUrl('requests'), queueArn: sqs.arnOf('requests') };
  const requests = createRequestsQueue({ ...queue, client, invoke });
  /** Polls as Lambda does until stopped. */
  const poll = (pollOptions: Partial<EventSourceOptions> = {}) =>
    startEventSource({ ...queue, sqs: client, invoke: invokeIdle, ...options.delivery, ...pollOptions });
  const mapping = createMapping(poll);

  return {
    segura,
    secrets,
    sqs,
    lambda,
    startLambda,
    client,
    environment,
    certificates,
    secretValue,
    ...requests,
    invoke,
    messages: (name: QueueName): MessageView[] => sqs.messages(name),
    lines,
    auditLines: (): readonly Line[] => lines().filter(({ message }) => message === 'password enable'),
    poll,
    /** Disabled until somebody enables it. */
    mapping,
    kill,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await mapping.disable();
      await environments.close();
      client.destroy();
      await Promise.all([segura.close(), secrets.close(), sqs.close()]);
    },
  };
};

export type World = Awaited<ReturnType<typeof startWorld>>;

/** The answer of a function that did answer. */
export const batchResponse = ({ payload, functionError }: InvocationResult): SQSBatchResponse => {
  if (functionError) throw new Error(functionError);
  return payload as SQSBatchResponse;
};

/** Waits for a condition, not for a time. */
export const until = async (condition: () => boolean, what: string, limitMs = 20_000): Promise<void> => {
  const endsAt = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > endsAt) throw new Error(`waited ${limitMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
