/** Where the queues and the secret are: given outright, from the environment, or those of a deployed stage. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { COMMAND_PATIENCE } from '../aws/attempts.ts';
import { SILENT } from '../aws/clients.ts';
import { awsFailure } from '../aws/failure.ts';
import { isHttpUrl, QUEUE_URL_EXAMPLE, regionOfQueue } from '../aws/queue-url.ts';
import { createSqs, type Sqs } from '../aws/sqs.ts';
import { createRequestHandler } from '../http/request-handler.ts';
import { createSend } from '../http/send.ts';
import { sleep } from '../time/sleep.ts';
import { longName, type OptionsOf, type WHERE } from './command.ts';
import { UsageError, VariableError } from './terminal/usage.ts';

/** The options that every command has. */
export type TargetOptions = OptionsOf<typeof WHERE>;

export interface Target {
  readonly requests?: string;
  readonly rejected?: string;
  readonly exhausted?: string;
  readonly secretId?: string;
}

type TargetName = keyof Target;

/** The stack's outputs (see serverless.yml), the variables, and the options that mean the same. */
const NAMES: Readonly<
  Record<TargetName, { readonly output: string; readonly variable: string; readonly option: keyof TargetOptions }>
> = {
  requests: { output: 'SourceQueueUrl', variable: 'SOURCE_QUEUE_URL', option: 'requestsQueueUrl' },
  rejected: { output: 'RejectedQueueUrl', variable: 'REJECTED_QUEUE_URL', option: 'rejectedQueueUrl' },
  exhausted: { output: 'ExhaustedQueueUrl', variable: 'EXHAUSTED_QUEUE_URL', option: 'exhaustedQueueUrl' },
  secretId: { output: 'SeguraSecretId', variable: 'SEGURA_SECRET_ID', option: 'secretId' },
};

/** `REJECTED_QUEUE_URL (or --rejected-queue-url)` */
export const nameOfVariable = (name: TargetName): string => {
  const { variable, option } = NAMES[name];
  return `${variable} (or ${longName(option)})`;
};

export const stackName = (stage: string): string => `mysafe-enable-${stage}`;

/** Why one of the queues is not known. */
export const notFound = (name: TargetName, { stage }: TargetOptions): string =>
  stage === undefined
    ? `${nameOfVariable(name)} is not set`
    : `neither the stack ${stackName(stage)} nor a queue of that name shows it`;

const QUEUE_NAMES = ['requests', 'rejected', 'exhausted'] as const;

/** Of the queues that are meant; a stage's are still to be found, and variables may be left from another. */
const regionOfQueues = (options: TargetOptions): string | undefined =>
  QUEUE_NAMES.map((name) => {
    const { variable, option } = NAMES[name];
    const url = options[option] ?? (options.stage === undefined ? process.env[variable] : undefined);
    return typeof url === 'string' ? regionOfQueue(url) : undefined;
  }).find((region) => region !== undefined);

/** More than any command has under way. */
const MAX_SOCKETS = 50;

/**
 * What the AWS SDK's clients take; the ordinary configuration (profiles, SSO, variables) holds for the rest. The AWS CLI
 * also knows `AWS_DEFAULT_REGION`, the SDK does not; and a queue's URL names its region itself.
 */
export const clientConfig = (options: TargetOptions) => {
  const { region, profile, endpointUrl } = options;
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const found = region ?? AWS_REGION ?? (profile ? undefined : (AWS_DEFAULT_REGION ?? regionOfQueues(options)));
  return {
    ...(found ? { region: found } : {}),
    ...(profile ? { profile } : {}),
    ...(endpointUrl ? { endpoint: endpointUrl } : {}),
    logger: SILENT,
    requestHandler: createRequestHandler(createSend({ maxSockets: MAX_SOCKETS })),
  };
};

/** An endpoint that was given goes before the host in a queue's URL: a VPC endpoint, a local server. */
export const createSqsClient = (
  options: TargetOptions,
  maxAttempts: number = COMMAND_PATIENCE.maxAttempts,
): SQSClient => {
  const endpoint = options.endpointUrl ?? (process.env['AWS_ENDPOINT_URL_SQS'] || process.env['AWS_ENDPOINT_URL']);
  return new SQSClient({ ...clientConfig(options), ...(endpoint ? { endpoint } : {}), maxAttempts, md5: false });
};

/** Closed when everything that was begun with it has ended. */
export interface OpenSqs {
  /** For reading: the SDK counts its attempts. */
  readonly client: SQSClient;
  /** For sending, deleting and giving back. */
  readonly sqs: Sqs;
  readonly close: () => void;
}

export const openSqs = (options: TargetOptions): OpenSqs => {
  const client = createSqsClient(options);
  // One attempt of the SDK here: sqs.ts counts them.
  const sender = createSqsClient(options, 1);
  const sqs = createSqs({ client: sender, patience: COMMAND_PATIENCE, now: Date.now, random: Math.random, sleep });
  const close = (): void => {
    client.destroy();
    sender.destroy();
  };
  return { client, sqs, close };
};

const ENDPOINT_VARIABLES = [
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_SQS',
  'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  'AWS_ENDPOINT_URL_CLOUDFORMATION',
] as const;

/** Before the SDK meets it: that one only says "Invalid URL". @throws UsageError that names what is none */
const checkEndpoints = ({ endpointUrl }: TargetOptions): void => {
  const fault = (name: string) => `${name} is no URL such as http://127.0.0.1:4566`;
  if (endpointUrl !== undefined && !isHttpUrl(endpointUrl)) throw new UsageError(fault('--endpoint-url'));
  for (const name of ENDPOINT_VARIABLES) {
    const url = process.env[name];
    if (url && !isHttpUrl(url)) throw new VariableError(fault(name));
  }
};

const readStack = async (stage: string, options: TargetOptions): Promise<Readonly<Record<string, string>>> => {
  const { CloudFormationClient, DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient(clientConfig(options));
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName(stage) }));
    const outputs = Stacks?.[0]?.Outputs ?? [];
    return Object.fromEntries(outputs.map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? '']));
  } finally {
    client.destroy();
  }
};

/** By the names that a stage gives its queues, for whoever may not read the stack. */
const readQueueNames = async (stage: string, options: TargetOptions): Promise<Target> => {
  const { GetQueueUrlCommand } = await import('@aws-sdk/client-sqs');
  const client = createSqsClient(options);
  const find = async (queue: string): Promise<string | undefined> => {
    for (const suffix of ['', '.fifo']) {
      try {
        const QueueName = `${stackName(stage)}-${queue}${suffix}`;
        return (await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
      } catch (error) {
        if (!/NonExistentQueue|QueueDoesNotExist/.test((error as Error).name)) throw error;
      }
    }
    return undefined;
  };
  const [requests, rejected, exhausted] = await Promise.all(['requests', 'rejected', 'exhausted'].map(find));
  client.destroy();
  return { ...(requests ? { requests } : {}), ...(rejected ? { rejected } : {}), ...(exhausted ? { exhausted } : {}) };
};

/** @throws UsageError when one of `wanted` is nowhere to be found, or a URL is none */
export const findTarget = async <Wanted extends TargetName>(
  options: TargetOptions,
  ...wanted: readonly Wanted[]
): Promise<Target & { readonly [Name in Wanted]: string }> => {
  checkEndpoints(options);
  const found: Partial<Record<TargetName, string>> = {};
  const { stage } = options;
  let stack: Readonly<Record<string, string>> = {};
  let named: Target = {};
  if (stage !== undefined) {
    stack = await readStack(stage, options).catch((error: unknown) => {
      awsFailure(error); // not there, or not ours to read: by name, then
      return {};
    });
    if (Object.keys(stack).length === 0) named = await readQueueNames(stage, options);
  }
  for (const [name, { output, variable, option }] of Object.entries(NAMES) as [
    TargetName,
    (typeof NAMES)[TargetName],
  ][]) {
    const given = options[option];
    // A stage that was asked for goes before variables that may be left from another.
    const value =
      (typeof given === 'string' && given) || stack[output] || named[name] || (stage ? '' : process.env[variable]);
    if (!value) continue;
    if (name !== 'secretId' && !isHttpUrl(value)) {
      const Fault = given ? UsageError : VariableError;
      throw new Fault(`${nameOfVariable(name)} is no queue URL such as ${QUEUE_URL_EXAMPLE}`);
    }
    found[name] = value;
  }
  const missing = wanted.filter((name) => found[name] === undefined);
  if (missing.length > 0) {
    throw new UsageError(
      stage
        ? `stage ${stage}: neither the stack ${stackName(stage)} nor queues of that name show ${missing.join(', ')}; check --stage, --region and --profile`
        : `give --stage, or set ${missing.map(nameOfVariable).join(', ')}`,
    );
  }
  return found as Target & { readonly [Name in Wanted]: string };
};
