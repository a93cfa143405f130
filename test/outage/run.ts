/**
 * One outage in real time: so many requests wait, Segura answers 503 for so long, then it is back. The built function runs
 * as shipped (infra/parameters.yml), each execution environment in a process of its own, fed as Lambda feeds it.
 */
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { startEventSource } from '../../infra/local/event-source.ts';
import type { Fault } from '../../infra/local/faults.ts';
import { bundleOf, createLambda, type Lambda } from '../../infra/local/lambda.ts';
import { startSecretsManager } from '../../infra/local/secrets-manager.ts';
import { type Segura, startSegura } from '../../infra/local/segura.ts';
import { startSqs } from '../../infra/local/sqs.ts';
import { DEFAULTS, visibilitySeconds } from '../../infra/parameters.ts';
import { type Call, type Figures, figuresOf, groupOf } from './figures.ts';
import { startStranger } from './stranger.ts';

/** `aws`: as AWS does; `strict`: of a FIFO group nothing while any of it is in flight; `stranger`: see stranger.ts. */
export const SQS_KINDS = ['aws', 'strict', 'stranger'] as const;
export type SqsKind = (typeof SQS_KINDS)[number];

export interface OutageOptions {
  readonly seconds: number;
  readonly waiting: number;
  readonly isFifo: boolean;
  readonly sqs: SqsKind;
  /** The gateway is down as a whole: the token endpoint too. */
  readonly tokensFail: boolean;
  /** Told now and then how many are enabled. */
  readonly onTick: (enabled: number) => void;
}

const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
const DOWN: Fault = { kind: 'kong', status: 503 };
/** Segura is up, and takes its time. */
const UP: Fault = { kind: 'slow', ms: 50 };
const LAMBDA_POLL_SECONDS = 20;
/** After this it is a failure of its own, and told as one. */
const PATIENCE_MS = 900_000;
const TICK_MS = 250;

const shipped = (name: string): number => Number(DEFAULTS[name]);

const startParts = async ({ isFifo, sqs: kind }: OutageOptions, stack: AsyncDisposableStack) => {
  const [segura, secrets, sqs] = await Promise.all([
    startSegura(),
    startSecretsManager(),
    startSqs({
      fifo: isFifo,
      visibilitySeconds: visibilitySeconds(DEFAULTS),
      groupLock: kind === 'aws' ? 'first-invisible' : 'any-in-flight',
    }),
  ]);
  for (const part of [segura, secrets, sqs]) stack.defer(part.close);
  const stranger = kind === 'stranger' ? await startStranger(sqs.url) : undefined;
  if (stranger) stack.defer(stranger.close);
  const endpoint = stranger?.url ?? sqs.url;
  const client = new SQSClient({ endpoint, region: 'us-east-1', credentials: CREDENTIALS });
  stack.defer(() => client.destroy());
  return { segura, secrets, sqs, endpoint, client };
};
type Parts = Awaited<ReturnType<typeof startParts>>;

/** An environment has a secret of its own, whose `referer` tells its calls from those of the others. */
const refererOf = (environment: number): string => `https://environment-${environment}.example`;
const environmentOf = (referer: unknown): number => Number(/environment-(\d+)/.exec(String(referer))?.[1] ?? 0);

/** As Lambda does: a warm environment that has nothing to do, else a new one. */
const createEnvironments = ({ segura, secrets, sqs, endpoint }: Parts, stack: AsyncDisposableStack) => {
  const environments: Lambda[] = [];
  const idle: Lambda[] = [];
  const counts = { mostReceives: 0, functionErrors: 0 };
  stack.defer(async () => void (await Promise.all(environments.map(({ close }) => close()))));

  const start = (): Lambda => {
    const number = environments.length + 1;
    const secretId = `mysafe/segura-${number}`;
    secrets.put(secretId, {
      url: segura.url,
      accessTokenUrl: segura.tokenUrl,
      clientId: segura.settings.clientId,
      clientSecret: segura.settings.clientSecret,
      referer: refererOf(number),
    });
    const lambda = createLambda({
      bundle: bundleOf('enable-password'),
      timeoutMs: shipped('timeoutSeconds') * 1000,
      env: {
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
        AWS_ENDPOINT_URL_SQS: endpoint,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
        SEGURA_SECRET_ID: secretId,
        SOURCE_QUEUE_URL: sqs.queueUrl('requests'),
        REJECTED_QUEUE_URL: sqs.queueUrl('rejected'),
        SEGURA_TIMEOUT_MS: String(shipped('seguraTimeoutMs')),
        SEGURA_CONCURRENCY: String(shipped('seguraConcurrency')),
        MAX_REQUEST_AGE_SECONDS: String(shipped('maxRequestAgeSeconds')),
      },
    });
    environments.push(lambda);
    return lambda;
  };

  return {
    counts,
    size: (): number => environments.length,
    invoke: async (event: SQSEvent) => {
      for (const { attributes } of event.Records) {
        counts.mostReceives = Math.max(counts.mostReceives, Number(attributes.ApproximateReceiveCount));
      }
      const environment = idle.pop() ?? start();
      const result = await environment.invoke(event);
      idle.push(environment);
      if (result.functionError) counts.functionErrors += 1;
      return result;
    },
  };
};

const sendAll = async ({ segura, sqs, client }: Parts, { waiting, isFifo }: OutageOptions): Promise<void> => {
  for (let identifier = 1; identifier <= waiting; identifier += 1) {
    segura.passwords.set(String(identifier), 'disabled');
    const order = { MessageGroupId: `group-${groupOf(identifier)}`, MessageDeduplicationId: String(identifier) };
    await client.send(
      new SendMessageCommand({
        QueueUrl: sqs.queueUrl('requests'),
        MessageBody: JSON.stringify({ identifier }),
        ...(isFifo ? order : {}),
      }),
    );
  }
};

const callsOf = ({ journal }: Segura): Call[] =>
  journal.map(({ at, durationMs, identifier, status, headers }) => ({
    at,
    answeredAt: at + durationMs,
    status,
    environment: environmentOf(headers['referer']),
    ...(identifier === undefined ? {} : { identifier: Number(identifier) }),
  }));

export const runOutage = async (options: OutageOptions): Promise<Figures> => {
  const { onTick, ...asked } = options;
  await using stack = new AsyncDisposableStack();
  const parts = await startParts(options, stack);
  const { segura, sqs, client } = parts;
  const environments = createEnvironments(parts, stack);
  await sendAll(parts, options);

  const backAt = Date.now() + options.seconds * 1000;
  segura.settings.faultFor = (identifier) => {
    if (Date.now() >= backAt) return UP;
    return identifier !== undefined || options.tokensFail ? DOWN : undefined;
  };
  const source = startEventSource({
    sqs: client,
    queueUrl: sqs.queueUrl('requests'),
    queueArn: sqs.arnOf('requests'),
    invoke: environments.invoke,
    batchSize: shipped('batchSize'),
    windowSeconds: shipped('batchWindowSeconds'),
    maximumConcurrency: shipped('maximumConcurrency'),
    pollSeconds: LAMBDA_POLL_SECONDS,
  });
  stack.defer(source.stop);
  while (sqs.messages('requests').length > 0 && Date.now() < backAt + PATIENCE_MS) {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    onTick([...segura.passwords.values()].filter((state) => state === 'active').length);
  }
  return figuresOf({
    ...asked,
    ...environments.counts,
    calls: callsOf(segura),
    backAt,
    environments: environments.size(),
    left: sqs.messages('requests').length,
    deadLetters: sqs.messages('rejected').length + sqs.messages('exhausted').length,
  });
};
