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
 * - A receive asks all of the queue; SQS asks a part of its servers and may come back with less than there is.
 * - The event source neither filters, nor scales by itself, nor slows down after function errors.
 * - Lambda neither freezes between invocations nor limits memory and CPU, and `invoke` by hand takes calls side by side.
 * - Secrets Manager knows GetSecretValue alone, and takes any signature.
 */
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { createCertificates } from './certificates.ts';
import {
  carryOut,
  type EventSourceOptions,
  type InvocationResult,
  keptIds,
  receive,
  startEventSource,
  toRecord,
} from './event-source.ts';
import { bundleOf, createLambda, type Lambda, type Line } from './lambda.ts';
import { createMapping } from './mapping.ts';
import { startSecretsManager } from './secrets-manager.ts';
import { type PasswordState, type SeguraOptions, startSegura } from './segura.ts';
import { type MessageView, type QueueName, type SqsOptions, startSqs } from './sqs.ts';

export interface WorldOptions {
  readonly fifo?: boolean;
  readonly outcomes?: boolean;
  /** `private-ca`: Segura speaks TLS; `mutual`: it also asks for a client certificate. */
  readonly tls?: 'private-ca' | 'mutual';
  readonly passwords?: Readonly<Record<number, PasswordState>>;
  /** Added to, or taken (undefined) from, the function's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Changes to the secret. */
  readonly secret?: Readonly<Record<string, unknown>>;
  readonly timeoutMs?: number;
  readonly segura?: SeguraOptions;
  readonly sqs?: SqsOptions;
  readonly bundle?: string;
  readonly onLine?: (line: Line) => void;
  /** Of the event source mapping: who looks on sees what is in work. */
  readonly onInvocation?: (invocation: Invocation) => void;
  /** Of the event source mapping. */
  readonly delivery?: Pick<EventSourceOptions, 'batchSize' | 'windowSeconds' | 'maximumConcurrency'>;
}

export type Invocation =
  | { readonly kind: 'begins'; readonly records: readonly SQSRecord[] }
  | { readonly kind: 'ends'; readonly records: readonly SQSRecord[]; readonly kept: readonly string[] };

export interface SendOptions {
  readonly attributes?: Readonly<Record<string, { DataType: string; StringValue?: string; BinaryValue?: Uint8Array }>>;
  readonly groupId?: string;
}

export const SECRET_ID = 'mysafe/segura';
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export const startWorld = async (options: WorldOptions = {}) => {
  const { fifo = false, outcomes = false, tls, env = {}, secret = {}, timeoutMs = 30_000 } = options;
  const certificates = tls ? await createCertificates() : undefined;
  const [segura, secrets, sqs] = await Promise.all([
    startSegura({
      ...options.segura,
      ...(certificates
        ? { tls: { ...certificates.server, ...(tls === 'mutual' ? { clientCa: certificates.ca } : {}) } }
        : {}),
    }),
    startSecretsManager(),
    startSqs({ ...options.sqs, fifo }),
  ]);
  for (const [identifier, state] of Object.entries(options.passwords ?? {})) segura.passwords.set(identifier, state);

  /** The secret as it ought to be; tests change a part of it. */
  const secretValue = (changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
    url: segura.url,
    accessTokenUrl: segura.tokenUrl,
    clientId: segura.settings.clientId,
    clientSecret: segura.settings.clientSecret,
    ...(certificates ? { caCertificate: certificates.ca } : {}),
    ...(certificates && tls === 'mutual'
      ? { clientCertificate: certificates.client.cert, clientKey: certificates.client.key }
      : {}),
    ...changes,
  });
  secrets.put(SECRET_ID, secretValue(secret));

  const environment: Record<string, string> = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    SEGURA_SECRET_ID: SECRET_ID,
    SOURCE_QUEUE_URL: sqs.queueUrl('requests'),
    REJECTED_QUEUE_URL: sqs.queueUrl('rejected'),
    ...(outcomes ? { OUTCOME_QUEUE_URL: sqs.queueUrl('outcomes') } : {}),
  };
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) delete environment[name];
    else environment[name] = value;
  }

  const bundle = options.bundle ?? bundleOf('enable-password');
  const lambdas: Lambda[] = [];
  const startLambda = (): Lambda => {
    const { onLine } = options;
    const lambda = createLambda({ bundle, env: environment, timeoutMs, ...(onLine ? { onLine } : {}) });
    lambdas.push(lambda);
    return lambda;
  };
  const lambda = startLambda();
  const client = new SQSClient({ endpoint: sqs.url, region: 'us-east-1', credentials: CREDENTIALS });
  const queueUrl = sqs.queueUrl('requests');
  const queueArn = sqs.arnOf('requests');

  const send = async (body: unknown, { attributes, groupId = 'group-1' }: SendOptions = {}): Promise<string> => {
    const { MessageId } = await client.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: typeof body === 'string' ? body : JSON.stringify(body),
        ...(attributes ? { MessageAttributes: { ...attributes } } : {}),
        ...(fifo ? { MessageGroupId: groupId, MessageDeduplicationId: crypto.randomUUID() } : {}),
      }),
    );
    return MessageId ?? '';
  };

  const receiveRecords = async (max = 10): Promise<SQSRecord[]> => {
    const records: SQSRecord[] = [];
    while (records.length < max) {
      const more = await receive(client, queueUrl, max - records.length, 0);
      if (more.length === 0) break;
      records.push(...more.map((message) => toRecord(message, queueArn)));
    }
    return records;
  };

  const invoke = (event: unknown, invokeOptions: { remainingMs?: number } = {}): Promise<InvocationResult> =>
    lambda.invoke(event, invokeOptions);

  const idle: Lambda[] = [lambda];
  /** As Lambda does: a warm environment that has nothing to do, else a new one. */
  const invokeIdle = async (event: SQSEvent): Promise<InvocationResult> => {
    const { Records: records } = event;
    const taken = idle.pop() ?? startLambda();
    options.onInvocation?.({ kind: 'begins', records });
    try {
      const result = await taken.invoke(event);
      const ids = records.map(({ messageId }) => messageId);
      options.onInvocation?.({ kind: 'ends', records, kept: keptIds(result, ids) });
      return result;
    } finally {
      idle.push(taken);
    }
  };

  /** Polls as Lambda does until stopped. */
  const poll = (pollOptions: Partial<EventSourceOptions> = {}) =>
    startEventSource({ sqs: client, queueUrl, queueArn, invoke: invokeIdle, ...options.delivery, ...pollOptions });
  const mapping = createMapping(poll);

  /** One turn of the event source mapping: what is visible is received, given to the function, and deleted if done. */
  const deliver = async ({
    max,
    ...invokeOptions
  }: {
    max?: number;
    remainingMs?: number;
  } = {}): ReturnType<typeof carryOut> =>
    carryOut(client, queueUrl, await receiveRecords(max), (event) => invoke(event, invokeOptions));

  /** Delivers until nothing visible is left. @returns how many receives that took, counted by message */
  const pump = async (): Promise<number> => {
    for (let total = 0; ; ) {
      const records = await receiveRecords();
      if (records.length === 0) return total;
      await carryOut(client, queueUrl, records, invoke);
      total += records.length;
    }
  };

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
    send,
    receiveRecords,
    invoke,
    deliver,
    pump,
    messages: (queue: QueueName): MessageView[] => sqs.messages(queue),
    lines: (): readonly Line[] => lambdas.flatMap(({ lines }) => lines),
    auditLines: (): readonly Line[] =>
      lambdas.flatMap(({ lines }) => lines.filter(({ message }) => message === 'password enable')),
    poll,
    /** Disabled until somebody enables it. */
    mapping,
    /** SIGKILL to every environment, now; the next invocation starts a new one. */
    kill: (): void => {
      for (const each of lambdas) each.kill();
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await mapping.disable();
      await Promise.all(lambdas.map((each) => each.close()));
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
