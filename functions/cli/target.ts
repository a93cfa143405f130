/** Where the queues and the secret are: given outright, from the environment, or those of a deployed stage. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { COMMAND_PATIENCE } from '../aws/attempts.ts';
import { attempt } from '../aws/failure.ts';
import { QUEUE_URL_EXAMPLE, regionOfQueue } from '../aws/queue-url.ts';
import { createSqs, type Sqs } from '../aws/sqs.ts';
import { isHttpUrl } from '../http/url.ts';
import { sleep } from '../time/sleep.ts';
import { awsConfig, checkAwsConfig, sqsEndpoint } from './aws-config.ts';
import { longName, type OptionsOf, type WHERE } from './command.ts';
import { UsageError, VariableError } from './terminal/usage.ts';

/** The options that every command has. */
export type TargetOptions = OptionsOf<typeof WHERE>;

export interface Target {
  readonly requests?: string;
  readonly rejected?: string;
  readonly exhausted?: string;
  readonly outcomes?: string;
  readonly secretId?: string;
  readonly logGroup?: string;
  readonly enableFunction?: string;
  readonly replayFunction?: string;
}

type TargetName = keyof Target;

interface TargetNames {
  readonly output: string;
  readonly variable: string;
  readonly option?: keyof TargetOptions;
  readonly isQueue?: true;
}

/** The stack's outputs (see infra/outputs.yml), the variables, and the options that mean the same. */
const NAMES: Readonly<Record<TargetName, TargetNames>> = {
  requests: { output: 'SourceQueueUrl', variable: 'SOURCE_QUEUE_URL', option: 'requestsQueueUrl', isQueue: true },
  rejected: { output: 'RejectedQueueUrl', variable: 'REJECTED_QUEUE_URL', option: 'rejectedQueueUrl', isQueue: true },
  exhausted: {
    output: 'ExhaustedQueueUrl',
    variable: 'EXHAUSTED_QUEUE_URL',
    option: 'exhaustedQueueUrl',
    isQueue: true,
  },
  outcomes: { output: 'OutcomeQueueUrl', variable: 'OUTCOME_QUEUE_URL', isQueue: true },
  secretId: { output: 'SeguraSecretId', variable: 'SEGURA_SECRET_ID', option: 'secretId' },
  logGroup: { output: 'LogGroupName', variable: 'LOG_GROUP', option: 'logGroup' },
  enableFunction: { output: 'EnablePasswordFunctionName', variable: 'ENABLE_PASSWORD_FUNCTION' },
  replayFunction: { output: 'ReplayFunctionName', variable: 'REPLAY_FUNCTION' },
};

/** `REJECTED_QUEUE_URL (or --rejected-queue-url)` */
export const nameOfVariable = (name: TargetName): string => {
  const { variable, option } = NAMES[name];
  return option === undefined ? variable : `${variable} (or ${longName(option)})`;
};

export const stackName = (stage: string): string => `mysafe-enable-${stage}`;

/** The stack that is meant, if one is: of the stage, unless it is named. */
const stackOf = ({ stack, stage }: TargetOptions): string | undefined => stack ?? (stage && stackName(stage));

/** Why one of the queues is not known. */
export const notFound = (name: TargetName, options: TargetOptions): string => {
  const stack = stackOf(options);
  return stack === undefined
    ? `${nameOfVariable(name)} is not set`
    : `neither the stack ${stack} nor a queue of that name shows it`;
};

const QUEUE_NAMES = ['requests', 'rejected', 'exhausted'] as const;

/** Of the queues that are meant; a stage's are still to be found, and variables may be left from another. */
const regionOfQueues = (options: TargetOptions): string | undefined =>
  QUEUE_NAMES.map((name) => {
    const { variable, option } = NAMES[name];
    const given = option === undefined ? undefined : options[option];
    const url = given ?? (stackOf(options) === undefined ? process.env[variable] : undefined);
    return typeof url === 'string' ? regionOfQueue(url) : undefined;
  }).find((region) => region !== undefined);

/** Of a client that asks about queues; a queue's URL names its region itself. */
export const clientConfig = (options: TargetOptions) => awsConfig(options, regionOfQueues(options));

export const createSqsClient = (
  options: TargetOptions,
  maxAttempts: number = COMMAND_PATIENCE.maxAttempts,
): SQSClient => {
  const endpoint = sqsEndpoint(options);
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

/** AWS allows few searches of logs a second, so this one has patience. */
export const createLogsClient = async (options: TargetOptions) => {
  const { CloudWatchLogsClient } = await import('@aws-sdk/client-cloudwatch-logs');
  return new CloudWatchLogsClient({ ...clientConfig(options), maxAttempts: 8 });
};

export const createLambdaClient = async (options: TargetOptions) => {
  const { LambdaClient } = await import('@aws-sdk/client-lambda');
  return new LambdaClient(clientConfig(options));
};

const readStack = async (stack: string, options: TargetOptions): Promise<Readonly<Record<string, string>>> => {
  const { CloudFormationClient, DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient(clientConfig(options));
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    const outputs = Stacks?.[0]?.Outputs ?? [];
    return Object.fromEntries(outputs.map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? '']));
  } finally {
    client.destroy();
  }
};

/** By the names that a stage gives its queues, for whoever may not read the stack. */
const readQueueNames = async (stack: string, options: TargetOptions): Promise<Target> => {
  const { GetQueueUrlCommand } = await import('@aws-sdk/client-sqs');
  const client = createSqsClient(options);
  const find = async (queue: string): Promise<string | undefined> => {
    for (const suffix of ['', '.fifo']) {
      try {
        const QueueName = `${stack}-${queue}${suffix}`;
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

/** Of a stage that was asked for; variables may be left from another. */
const readDeployed = async (stack: string, options: TargetOptions): Promise<Target> => {
  const read = await attempt(() => readStack(stack, options));
  // Not there, or not ours to read: by name, then.
  const outputs = read.kind === 'read' ? read.value : {};
  if (Object.keys(outputs).length === 0) {
    const functions = { enableFunction: `${stack}-enable-password`, replayFunction: `${stack}-replay-dead-letters` };
    return { ...(await readQueueNames(stack, options)), ...functions };
  }
  const named = Object.entries(NAMES).map(([name, { output }]) => [name, outputs[output]] as const);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
};

const readVariables = (): Target =>
  Object.fromEntries(
    Object.entries(NAMES).flatMap(([name, { variable }]) => {
      const value = process.env[variable]?.trim();
      return value ? [[name, value]] : [];
    }),
  );

const readGiven = (options: TargetOptions): Target =>
  Object.fromEntries(
    Object.entries(NAMES).flatMap(([name, { option }]) => {
      const value = option === undefined ? undefined : options[option];
      return typeof value === 'string' && value !== '' ? [[name, value]] : [];
    }),
  );

/** Lambda writes there unless it is told otherwise. */
const withLogGroup = (target: Target): Target => {
  const { logGroup, enableFunction } = target;
  if (logGroup !== undefined || enableFunction === undefined) return target;
  const name = enableFunction.replace(/^arn:.*:function:/, '').replace(/:.*$/, '');
  return { ...target, logGroup: `/aws/lambda/${name}` };
};

const isQueue = (name: TargetName): boolean => NAMES[name].isQueue === true;

const checkQueues = (target: Target, given: Target): void => {
  for (const [name, value] of Object.entries(target) as [TargetName, string][]) {
    if (!isQueue(name) || isHttpUrl(value)) continue;
    const Fault = given[name] === undefined ? VariableError : UsageError;
    throw new Fault(`${nameOfVariable(name)} is not a queue URL such as ${QUEUE_URL_EXAMPLE}`);
  }
};

/** AWS would only say that the signature is wrong. With an endpoint of its own, what a URL names says nothing. */
const checkRegion = (target: Target, options: TargetOptions): void => {
  if (options.region === undefined || sqsEndpoint(options) !== undefined) return;
  for (const [name, value] of Object.entries(target) as [TargetName, string][]) {
    const region = isQueue(name) ? regionOfQueue(value) : undefined;
    if (region === undefined || region === options.region) continue;
    throw new UsageError(`--region ${options.region}: ${nameOfVariable(name)} names a queue in ${region}`, {
      fix: `give --region ${region}, or a queue of ${options.region}`,
    });
  }
};

/** @throws UsageError when one of `wanted` is nowhere to be found, or a URL is none */
export const findTarget = async <Wanted extends TargetName>(
  options: TargetOptions,
  ...wanted: readonly Wanted[]
): Promise<Target & { readonly [Name in Wanted]: string }> => {
  checkAwsConfig(options);
  const stack = stackOf(options);
  const given = readGiven(options);
  const found = stack === undefined ? readVariables() : await readDeployed(stack, options);
  const target = withLogGroup({ ...found, ...given });
  checkQueues(target, given);
  checkRegion(target, options);
  const missing = wanted.filter((name) => target[name] === undefined);
  if (missing.length > 0) {
    throw new UsageError(
      stack === undefined
        ? `give --stage, or set ${missing.map(nameOfVariable).join(', ')}`
        : `${options.stage === undefined ? '' : `stage ${options.stage}: `}neither the stack ${stack} nor queues of that name show ${missing.join(', ')}`,
      stack === undefined ? {} : { fix: 'check --stage, --stack, --region and --profile' },
    );
  }
  return target as Target & { readonly [Name in Wanted]: string };
};
