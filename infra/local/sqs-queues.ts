/** The queues of one local SQS, and the actions of its API that are about queues rather than messages. */
import type { QueueMessage, QueueOptions, QueueSettings, Refusal } from './queue.ts';
import { createQueue, type Queue } from './queue.ts';
import type { Json } from './sqs-strictness.ts';

/** A queue's attributes, by AWS's names. */
export type QueueAttributes = Readonly<Record<string, string>>;

export interface LocalQueue {
  readonly name: string;
  readonly queue: Queue;
  attributes: QueueAttributes;
  readonly madeAt: number;
}

export interface QueuesParts {
  readonly now: () => number;
  readonly region?: string;
  /** What all queues have in common. */
  readonly options?: Pick<QueueOptions, 'groupLock' | 'luck' | 'maxInFlight'>;
  /** Called when a message was sent, shown, hidden or deleted. */
  readonly onChange?: (name: string) => void;
}

const ACCOUNT = '000000000000';
const DEFAULTS: QueueAttributes = {
  VisibilityTimeout: '30',
  DelaySeconds: '0',
  MaximumMessageSize: '1048576',
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  SqsManagedSseEnabled: 'true',
};
/** AWS, "SetQueueAttributes": the least and the most of each. */
const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  VisibilityTimeout: [0, 43_200],
  DelaySeconds: [0, 900],
  MaximumMessageSize: [1024, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600],
  ReceiveMessageWaitTimeSeconds: [0, 20],
};
const OTHER_ATTRIBUTES = [
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'Policy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
];

const NO_QUEUE: Refusal = { code: 'QueueDoesNotExist', message: 'The specified queue does not exist.' };

interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

const redriveOf = ({ RedrivePolicy = '' }: QueueAttributes): RedrivePolicy | undefined => {
  if (RedrivePolicy === '') return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(RedrivePolicy) as RedrivePolicy;
  return { deadLetterTargetArn, maxReceiveCount: Number(maxReceiveCount) };
};

/** The name at the end of a queue's URL or ARN. */
export const nameAtEnd = (address: unknown): string =>
  String(address ?? '')
    .split(/[/:]/)
    .at(-1) ?? '';

const refuseAttributes = (
  attributes: QueueAttributes,
  queues: ReadonlyMap<string, LocalQueue>,
): Refusal | undefined => {
  for (const [name, value] of Object.entries(attributes)) {
    const range = RANGES[name];
    if (!range && !OTHER_ATTRIBUTES.includes(name))
      return { code: 'InvalidAttributeName', message: `Unknown Attribute ${name}.` };
    const [least, most] = range ?? [];
    if (least !== undefined && most !== undefined && !(Number(value) >= least && Number(value) <= most)) {
      return { code: 'InvalidAttributeValue', message: `Invalid value for the parameter ${name}.` };
    }
  }
  const redrive = redriveOf(attributes);
  if (!redrive) return undefined;
  if (!queues.has(nameAtEnd(redrive.deadLetterTargetArn))) {
    return {
      code: 'InvalidParameterValue',
      message: `Value ${attributes['RedrivePolicy']} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.`,
    };
  }
  return redrive.maxReceiveCount >= 1 && redrive.maxReceiveCount <= 1000
    ? undefined
    : {
        code: 'InvalidParameterValue',
        message: `Value ${attributes['RedrivePolicy']} for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount: ${redrive.maxReceiveCount}, valid values are from 1 to 1000 both inclusive.`,
      };
};

export const createQueues = ({ now, region = 'us-east-1', options, onChange = () => undefined }: QueuesParts) => {
  const queues = new Map<string, LocalQueue>();
  const arnOf = (name: string): string => `arn:aws:sqs:${region}:${ACCOUNT}:${name}`;

  const settingsOf = (attributes: QueueAttributes, arn: string): QueueSettings => {
    const all = { ...DEFAULTS, ...attributes };
    const redrive = redriveOf(all);
    const moveTo = (message: QueueMessage): void =>
      queues.get(nameAtEnd(redrive?.deadLetterTargetArn))?.queue.adopt(message, arn);
    return {
      visibilitySeconds: Number(all['VisibilityTimeout']),
      delaySeconds: Number(all['DelaySeconds']),
      retentionSeconds: Number(all['MessageRetentionPeriod']),
      redrive: redrive ? { maxReceiveCount: redrive.maxReceiveCount, to: moveTo } : undefined,
    };
  };

  const create = (name: string, attributes: QueueAttributes = {}): Refusal | LocalQueue => {
    const refusal = refuseAttributes(attributes, queues);
    if (refusal) return refusal;
    if (
      !/^[\w-]{1,80}$/.test(name.replace(/\.fifo$/, '')) ||
      (attributes['FifoQueue'] === 'true') !== name.endsWith('.fifo')
    ) {
      return {
        code: 'InvalidParameterValue',
        message: 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
      };
    }
    const known = queues.get(name);
    if (known) {
      const differs = Object.entries(attributes).some(([key, value]) => known.attributes[key] !== value);
      return differs
        ? {
            code: 'QueueNameExists',
            message: 'A queue already exists with the same name and a different value for an attribute.',
          }
        : known;
    }
    const arn = arnOf(name);
    const queue = createQueue({
      ...options,
      arn,
      isFifo: name.endsWith('.fifo'),
      now,
      settings: settingsOf(attributes, arn),
      onChange: () => onChange(name),
    });
    const made: LocalQueue = { name, queue, attributes: { ...DEFAULTS, ...attributes }, madeAt: now() };
    queues.set(name, made);
    return made;
  };

  const setAttributes = (found: LocalQueue, changes: QueueAttributes): Refusal | Json => {
    const refusal = refuseAttributes(changes, queues);
    if (refusal) return refusal;
    found.attributes = { ...found.attributes, ...changes };
    Object.assign(found.queue.settings, settingsOf(found.attributes, found.queue.arn));
    return {};
  };

  return {
    arnOf,
    create,
    setAttributes,
    /** By its URL, whatever the host. */
    find: (url: unknown): LocalQueue | undefined => queues.get(nameAtEnd(url)),
    all: (): Iterable<LocalQueue> => queues.values(),
    remove: ({ name }: LocalQueue): void => {
      queues.delete(name);
    },
  };
};

export type Queues = ReturnType<typeof createQueues>;

const countsOf = ({ queue }: LocalQueue, now: number): Readonly<Record<string, string>> => {
  const counts = { visible: 0, inFlight: 0, delayed: 0 };
  for (const { isInFlight, visibleAt } of queue.messages()) {
    if (isInFlight) counts.inFlight += 1;
    else if (visibleAt > now) counts.delayed += 1;
    else counts.visible += 1;
  }
  return {
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
  };
};

/** By action; `undefined` for one that is not about queues. */
export const queueActions = (queues: Queues, urlOf: (name: string) => string, now: () => number) => {
  const withQueue =
    (act: (found: LocalQueue, input: Json) => Json | Refusal) =>
    (input: Json): Json | Refusal => {
      const found = queues.find(input['QueueUrl']);
      return found ? act(found, input) : NO_QUEUE;
    };
  const actions: Readonly<Record<string, (input: Json) => Json | Refusal>> = {
    CreateQueue: ({ QueueName, Attributes }) => {
      const made = queues.create(String(QueueName), (Attributes ?? {}) as QueueAttributes);
      return 'queue' in made ? { QueueUrl: urlOf(made.name) } : made;
    },
    GetQueueUrl: ({ QueueName }) => {
      const found = queues.find(QueueName);
      return found ? { QueueUrl: urlOf(found.name) } : NO_QUEUE;
    },
    ListQueues: ({ QueueNamePrefix = '' }) => ({
      QueueUrls: [...queues.all()]
        .filter(({ name }) => name.startsWith(String(QueueNamePrefix)))
        .map(({ name }) => urlOf(name)),
    }),
    GetQueueAttributes: withQueue((found, { AttributeNames = [] }) => {
      const names = AttributeNames as readonly string[];
      const times = String(Math.floor(found.madeAt / 1000));
      const all = {
        ...found.attributes,
        ...countsOf(found, now()),
        QueueArn: found.queue.arn,
        CreatedTimestamp: times,
        LastModifiedTimestamp: times,
      };
      const asked = Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name));
      return asked.length > 0 ? { Attributes: Object.fromEntries(asked) } : {};
    }),
    SetQueueAttributes: withQueue((found, { Attributes }) =>
      queues.setAttributes(found, (Attributes ?? {}) as QueueAttributes),
    ),
    PurgeQueue: withQueue(({ queue }) => {
      queue.purge();
      return {};
    }),
    DeleteQueue: withQueue((found) => {
      queues.remove(found);
      return {};
    }),
    ListDeadLetterSourceQueues: withQueue(({ queue }) => ({
      queueUrls: [...queues.all()]
        .filter(({ attributes }) => redriveOf(attributes)?.deadLetterTargetArn === queue.arn)
        .map(({ name }) => urlOf(name)),
    })),
    ListQueueTags: withQueue(() => ({})),
  };
  return actions;
};
