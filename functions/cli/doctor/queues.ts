/** The doctor on SQS: each queue for itself, and whether they belong together. Reads attributes alone. */
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { attempt, type Read } from '../../aws/failure.ts';
import { readFunction } from '../function.ts';
import { createSqsClient, type Target, type TargetOptions } from '../target.ts';
import { explain } from '../terminal/hints.ts';
import { type Check, failed, notChecked, ok, step } from './check.ts';
import { type Clock, readClock } from './clock.ts';

type Attributes = Readonly<Record<string, string>>;
type Found = Read<Attributes> | undefined;

const NAMES = ['requests', 'rejected', 'exhausted'] as const;
type Name = (typeof NAMES)[number];

/** What is known of all of them, for what has to fit together. */
interface Known extends Readonly<Record<Name, Attributes | undefined>> {
  readonly timeoutSeconds: number;
}

const DAY_SECONDS = 86_400;
/** SQS's longest. */
const DEAD_LETTER_DAYS = 14;
/** A request lives for four days (MAX_REQUEST_AGE_SECONDS). */
const REQUEST_DAYS = 4;
/** AWS Lambda Developer Guide, "Using Lambda with Amazon SQS". */
const TIMEOUTS_OF_VISIBILITY = 6;
/** Where it is not known: it has to hold one call to Segura. */
const LEAST_TIMEOUT_SECONDS = 30;
/** SQS's most. A request that waits out its four days takes up to 990 receives (infra/queues.yml). */
const LEAST_RECEIVES = 1000;

const readJson = (text: string | undefined): Readonly<Record<string, unknown>> =>
  text ? (JSON.parse(text) as Record<string, unknown>) : {};

/** Statements that let anyone in: a principal of `*` and no condition. */
const isOpenToAll = (policy: string | undefined): boolean => {
  const statements = readJson(policy)['Statement'];
  return (Array.isArray(statements) ? statements : []).some(
    ({ Effect, Principal, Condition }: { Effect?: string; Principal?: unknown; Condition?: unknown }) =>
      Effect === 'Allow' &&
      Condition === undefined &&
      /^("\*"|\{"AWS":(\["\*"\]|"\*")\})$/.test(JSON.stringify(Principal ?? '')),
  );
};

const days = (attributes: Attributes): number => Number(attributes['MessageRetentionPeriod'] ?? 0) / DAY_SECONDS;

const faultsOfAny = (attributes: Attributes): string[] => [
  ...(isOpenToAll(attributes['Policy'])
    ? ['its policy lets anyone in: name who may send in Principal or Condition']
    : []),
  ...(attributes['SqsManagedSseEnabled'] === 'false' && !attributes['KmsMasterKeyId']
    ? ['it is not encrypted: set SqsManagedSseEnabled to true']
    : []),
];

const faultsOfRequests = (requests: Attributes, { exhausted, timeoutSeconds }: Known): string[] => {
  const { deadLetterTargetArn, maxReceiveCount } = readJson(requests['RedrivePolicy']);
  const visibility = Number(requests['VisibilityTimeout']);
  const leastVisibility = TIMEOUTS_OF_VISIBILITY * timeoutSeconds;
  return [
    ...(deadLetterTargetArn === undefined ? ['it has no redrive policy: let it point to the exhausted queue'] : []),
    ...(deadLetterTargetArn !== undefined && exhausted && deadLetterTargetArn !== exhausted['QueueArn']
      ? [`its redrive policy points to ${deadLetterTargetArn}, not to the exhausted queue`]
      : []),
    ...(Number(maxReceiveCount) < LEAST_RECEIVES
      ? [
          `maxReceiveCount ${maxReceiveCount} can be used up while Segura is down for four days: set it to ${LEAST_RECEIVES}`,
        ]
      : []),
    ...(visibility < leastVisibility
      ? [
          `its visibility timeout of ${visibility} s is short: set six times the function's time-out, ${leastVisibility} s`,
        ]
      : []),
    ...(days(requests) < REQUEST_DAYS
      ? [`it keeps requests ${days(requests)} days: set MessageRetentionPeriod to 345600`]
      : []),
  ];
};

const faultsOfDeadLetters = (name: Name, attributes: Attributes, { requests }: Known): string[] => {
  const { redrivePermission, sourceQueueArns } = readJson(attributes['RedriveAllowPolicy']);
  const isAllowed =
    redrivePermission === undefined ||
    redrivePermission === 'allowAll' ||
    (Array.isArray(sourceQueueArns) && sourceQueueArns.includes(requests?.['QueueArn']));
  return [
    ...(days(attributes) < DEAD_LETTER_DAYS
      ? [`it keeps dead letters ${days(attributes)} days: set MessageRetentionPeriod to 1209600`]
      : []),
    ...(attributes['RedrivePolicy']
      ? [
          'it has a redrive policy of its own: each look at a letter counts as a receive, and letters would move on; take it off',
        ]
      : []),
    ...(name === 'exhausted' && requests && !isAllowed
      ? ['its RedriveAllowPolicy does not let the requests queue in']
      : []),
  ];
};

const count = ({
  ApproximateNumberOfMessages: visible,
  ApproximateNumberOfMessagesNotVisible: held,
}: Attributes): string => `${visible ?? '?'} messages, ${held ?? '?'} in flight`;

const checkQueue = (name: Name, found: Found, known: Known): Check => {
  const title = `${name} queue`;
  if (found === undefined) return notChecked(title, 'its URL is not known');
  if (found.kind === 'failed') return failed(title, explain(found, 'sqs:GetQueueAttributes on it'));
  const attributes = found.value;
  const own = name === 'requests' ? faultsOfRequests(attributes, known) : faultsOfDeadLetters(name, attributes, known);
  const faults = [...own, ...faultsOfAny(attributes)];
  if (faults.length > 0) return failed(title, faults.join('; '));
  const { maxReceiveCount } = readJson(attributes['RedrivePolicy']);
  return ok(
    title,
    name === 'requests'
      ? `${count(attributes)}; visibility ${attributes['VisibilityTimeout']} s, maxReceiveCount ${maxReceiveCount}`
      : `${count(attributes)}; kept ${days(attributes)} days`,
  );
};

/** The same account, region and kind, and three different ones. */
const checkTogether = (all: readonly Attributes[]): Check => {
  const name = 'queues together';
  const arns = all.map((attributes) => attributes['QueueArn'] ?? '');
  const places = new Set(arns.map((arn) => arn.split(':').slice(3, 5).join(', account ')));
  const isFifo = new Set(all.map((attributes) => attributes['FifoQueue'] === 'true'));
  if (new Set(arns).size < arns.length) return failed(name, 'the same queue is given twice: each has its own');
  if (isFifo.size > 1) return failed(name, 'some are FIFO, some are standard: make all of one kind');
  if (places.size > 1) return failed(name, `they are in different places: ${[...places].join(' and ')}`);
  return ok(name, `${isFifo.has(true) ? 'FIFO' : 'standard'}, in ${[...places].join()}`);
};

const readAttributes = async (sqs: SQSClient, url: string | undefined): Promise<Found> => {
  if (url === undefined) return undefined;
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
  return attempt(async () => (await sqs.send(command)).Attributes ?? {});
};

/** SQS's answers tell the time, but the SDK keeps that to itself. */
const watchClock = (sqs: SQSClient, clock: Clock): void => {
  sqs.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Record<string, string> };
      readClock(clock, 'AWS', headers?.['date'], Date.now());
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
};

const readTimeout = async (options: TargetOptions, { enableFunction }: Target): Promise<number> => {
  const found = enableFunction === undefined ? undefined : await readFunction(options, enableFunction);
  return (found?.kind === 'found' ? found.configuration.Timeout : undefined) ?? LEAST_TIMEOUT_SECONDS;
};

const checkQueues = async (options: TargetOptions, target: Target, clock: Clock): Promise<Check[]> => {
  const sqs = createSqsClient(options);
  watchClock(sqs, clock);
  const found = await Promise.all(NAMES.map((name) => readAttributes(sqs, target[name])));
  sqs.destroy();
  const [requests, rejected, exhausted] = found.map((each) => (each?.kind === 'read' ? each.value : undefined));
  const known = { requests, rejected, exhausted, timeoutSeconds: await readTimeout(options, target) };
  const readable = [requests, rejected, exhausted].filter((each) => each !== undefined);
  return [
    ...NAMES.map((name, index) => checkQueue(name, found[index], known)),
    ...(readable.length > 1 ? [checkTogether(readable)] : []),
  ];
};

export const queues = step('queues', 'queues', ['target'], async ({ target }, { options, clock }) => ({
  checks: await checkQueues(options, target, clock),
}));
