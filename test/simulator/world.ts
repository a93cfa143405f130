/**
 * Everything around the built function, on loopback and port 0: SQS, Secrets Manager, Segura behind Kong, Lambda.
 *
 *     await using world = await startWorld({ passwords: { 10: 'disabled' } });
 *     await world.send(10);
 *     const { kept } = await world.deliver();          // receive, invoke the bundle, delete what is done
 *     world.segura.enableCalls(10); world.messages('rejected'); world.auditLines();
 *
 * Where these stand-ins are known to differ from AWS:
 * - The embedded SQS returns message attributes nobody asked for, so the command line's receives are checked for asking.
 * - It takes more than ten attributes and FIFO sends without a group; the proxy in sqs.ts refuses both.
 * - It loses `AWSTraceHeader`: tests look for it in the journal of what was sent.
 * - It has no retention, no throttling of its own, no permissions, and moves to the dead-letter queue only when a
 *   receive passes over a message.
 * - Deleting with an unknown receipt handle succeeds.
 * - Lambda neither freezes between invocations nor limits memory and CPU.
 */
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { createCertificates } from './certificates.ts';
import { deleteAll, type InvocationResult, keptIds, receive, startEventSource, toRecord } from './event-source.ts';
import { bundleOf, createLambda, type Lambda, type Line } from './lambda.ts';
import { startSecretsManager } from './secrets-manager.ts';
import { type PasswordState, type SeguraOptions, startSegura } from './segura.ts';
import { type LyingMessage, type QueueName, type SqsOptions, startSqs } from './sqs.ts';

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
}

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

  /** One turn of the event source mapping: what is visible is received, given to the function, and deleted if done. */
  const deliver = async (
    deliverOptions: { max?: number; remainingMs?: number } = {},
  ): Promise<{ records: readonly SQSRecord[]; kept: readonly string[]; result: InvocationResult }> => {
    const records = await receiveRecords(deliverOptions.max);
    const result = await invoke({ Records: records }, deliverOptions);
    const kept = keptIds(
      result,
      records.map(({ messageId }) => messageId),
    );
    await deleteAll(
      client,
      queueUrl,
      records.filter(({ messageId }) => !kept.includes(messageId)),
    );
    return { records, kept, result };
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
    messages: (queue: QueueName): LyingMessage[] => sqs.messages(queue),
    lines: (): readonly Line[] => lambdas.flatMap(({ lines }) => lines),
    auditLines: (): readonly Line[] =>
      lambdas.flatMap(({ lines }) => lines.filter(({ message }) => message === 'password enable')),
    /** Polls as Lambda does until stopped. */
    poll: (pollOptions: Partial<Parameters<typeof startEventSource>[0]> = {}) =>
      startEventSource({ sqs: client, queueUrl, queueArn, invoke, ...pollOptions }),
    [Symbol.asyncDispose]: async (): Promise<void> => {
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
