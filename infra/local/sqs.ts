/** SQS over real HTTP, as strict as AWS (sqs-strictness.ts), with a journal, and failing on demand. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenOnLoopback, readText } from './loopback.ts';
import type { GroupLock, MessageAttribute, Queue } from './queue.ts';
import { createSqsActions, type SqsReply } from './sqs-actions.ts';
import { createQueues, nameAtEnd } from './sqs-queues.ts';
import { entriesOf, type Json } from './sqs-strictness.ts';

export type QueueName = 'requests' | 'rejected' | 'exhausted' | 'outcomes';

export type SqsFault =
  | { readonly kind: 'hang' }
  | { readonly kind: 'error' }
  | { readonly kind: 'throttle' }
  | { readonly kind: 'denied' }
  /** The customer key of the queue does not let the caller. */
  | { readonly kind: 'key-denied' }
  /** Answers 200 with every entry in `Failed`. */
  | { readonly kind: 'failed-entries'; readonly code?: string; readonly senderFault?: boolean }
  /** Carried out, but the answer never comes. */
  | { readonly kind: 'lost-answer' };

export interface SqsCall {
  readonly at: number;
  readonly action: string;
  readonly queue: string;
  readonly input: Json;
  /** That it was signed for. */
  readonly region: string | undefined;
}

/** A message as it is in a queue; reading it this way leaves it as it is. */
export interface MessageView {
  readonly messageId: string;
  readonly body: string;
  readonly groupId: string | undefined;
  readonly messageAttributes: Readonly<Record<string, MessageAttribute>>;
  readonly isInFlight: boolean;
  readonly receiveCount: number;
  /** ms until it is visible again; 0 for a visible one. */
  readonly visibleInMs: number;
}

export interface SqsOptions {
  readonly fifo?: boolean;
  readonly visibilitySeconds?: number;
  readonly maxReceiveCount?: number;
  readonly groupLock?: GroupLock;
  /** The real time unless told. */
  readonly now?: () => number;
}

/** From the credential scope of a signature of version 4. */
export const signerOf = ({ headers }: IncomingMessage): { readonly accessKeyId?: string; readonly region?: string } => {
  const [, accessKeyId, region] = /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(headers.authorization ?? '') ?? [];
  return { ...(accessKeyId === undefined ? {} : { accessKeyId }), ...(region === undefined ? {} : { region }) };
};

/** The error's name in the older protocol, which the SDK reads first; most have the same in both. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  ...Object.fromEntries(
    [
      'EmptyBatchRequest',
      'TooManyEntriesInBatchRequest',
      'BatchEntryIdsNotDistinct',
      'BatchRequestTooLong',
      'InvalidBatchEntryId',
    ].map((code) => [code, `AWS.SimpleQueueService.${code}`]),
  ),
};

const failedEntries = (entries: readonly Json[], code: string, senderFault: boolean) => ({
  Successful: [],
  Failed: entries.map(({ Id }) => ({ Id, Code: code, SenderFault: senderFault, Message: 'simulated' })),
});

const answer = (response: ServerResponse, status: number, output: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(output));
};

const answerReply = (response: ServerResponse, reply: SqsReply): void => {
  if (reply.kind === 'done') {
    answer(response, 200, reply.output);
    return;
  }
  const { code, message } = reply;
  response.setHeader('x-amzn-query-error', `${OLDER_NAMES[code] ?? code};Sender`);
  answer(response, code === 'OverLimit' ? 403 : 400, { __type: `com.amazonaws.sqs#${code}`, message });
};

/** @returns whether the fault answered, or made that nothing does */
const fail = (fault: SqsFault, input: Json, response: ServerResponse): boolean => {
  switch (fault.kind) {
    case 'hang':
      return true;
    case 'error':
      answer(response, 500, { __type: 'com.amazonaws.sqs#InternalFailure', message: 'simulated' });
      return true;
    case 'throttle':
      answer(response, 400, { __type: 'com.amazonaws.sqs#RequestThrottled', message: 'Request is throttled.' });
      return true;
    case 'denied':
      answer(response, 403, {
        __type: 'com.amazonaws.sqs#AccessDenied',
        message: 'Access to the resource is denied.',
      });
      return true;
    case 'key-denied':
      answer(response, 400, {
        __type: 'com.amazonaws.sqs#KmsAccessDenied',
        message: 'User is not authorized to perform: kms:GenerateDataKey on this resource.',
      });
      return true;
    case 'failed-entries':
      answer(response, 200, failedEntries(entriesOf(input), fault.code ?? 'InternalError', fault.senderFault ?? false));
      return true;
    case 'lost-answer':
      return false;
  }
};

/** Has long polls look again when a queue changed, or when a message of it becomes visible. */
const createWaiting = () => {
  const waiting = new Map<string, Set<() => void>>();
  return {
    wake: (name: string): void => {
      for (const look of waiting.get(name) ?? []) look();
    },
    wait: (name: string, ms: number, response: ServerResponse): Promise<void> =>
      new Promise((resolve) => {
        const looks = waiting.get(name) ?? new Set();
        waiting.set(name, looks);
        const look = (): void => {
          clearTimeout(timer);
          looks.delete(look);
          response.off('close', look);
          resolve();
        };
        const timer = setTimeout(look, ms);
        looks.add(look);
        response.on('close', look);
      }),
  };
};

const createApi = (urlOf: (name: string) => string, options: SqsOptions) => {
  const waiting = createWaiting();
  const { groupLock, now = Date.now } = options;
  const queues = createQueues({
    now,
    ...(groupLock === undefined ? {} : { options: { groupLock } }),
    onChange: waiting.wake,
  });
  const act = createSqsActions({ queues, urlOf, now });

  /** A receive for a client that went away would be for nobody. */
  const receive = async (input: Json, senderId: string, response: ServerResponse): Promise<SqsReply> => {
    const found = queues.find(input['QueueUrl']);
    const { WaitTimeSeconds = found?.attributes['ReceiveMessageWaitTimeSeconds'] ?? 0 } = input;
    const endsAt = Date.now() + Number(WaitTimeSeconds) * 1000;
    for (;;) {
      const reply = act('ReceiveMessage', input, senderId);
      const isEmpty = reply.kind === 'done' && !Array.isArray(reply.output['Messages']);
      if (!found || !isEmpty || response.destroyed || Date.now() >= endsAt) return reply;
      const leftMs = endsAt - Date.now();
      await waiting.wait(found.name, Math.min(leftMs, found.queue.nextInMs() ?? leftMs), response);
      if (response.destroyed) return reply;
    }
  };

  return {
    queues,
    carryOut: async (action: string, input: Json, senderId: string, response: ServerResponse): Promise<SqsReply> =>
      action === 'ReceiveMessage' ? receive(input, senderId, response) : act(action, input, senderId),
  };
};

export const startSqs = async (options: SqsOptions = {}) => {
  const { fifo = false, visibilitySeconds = 720, maxReceiveCount = 1000 } = options;
  const nameOf = (queue: QueueName): string => `${queue}${fifo ? '.fifo' : ''}`;
  const urlOf = (name: string): string => `${url}/000000000000/${name}`;
  const { queues, carryOut } = createApi((name) => urlOf(name), options);
  const common = { ...(fifo ? { FifoQueue: 'true' } : {}), MessageRetentionPeriod: '1209600' };
  for (const queue of ['rejected', 'exhausted', 'outcomes'] as const) queues.create(nameOf(queue), common);
  queues.create(nameOf('requests'), {
    ...common,
    VisibilityTimeout: String(visibilitySeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queues.arnOf(nameOf('exhausted')), maxReceiveCount }),
  });

  const journal: SqsCall[] = [];
  const script = new Map<string, SqsFault[]>();
  /** By action, or by action and queue: `SendMessageBatch rejected`. */
  const settings = { faults: new Map<string, SqsFault>() };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readText(request);
    const action = String(request.headers['x-amz-target'] ?? '').replace('AmazonSQS.', '');
    const input = (body === '' ? {} : JSON.parse(body)) as Json;
    const { accessKeyId = '', region } = signerOf(request);
    journal.push({ at: Date.now(), action, queue: nameAtEnd(input['QueueUrl']), input, region });
    const queue = nameAtEnd(input['QueueUrl']);
    const { faults } = settings;
    const fault = script.get(action)?.shift() ?? faults.get(`${action} ${queue}`) ?? faults.get(action);
    if (fault && fail(fault, input, response)) return;
    const reply = await carryOut(action, input, accessKeyId, response);
    if (fault) request.socket.destroy();
    else if (!response.destroyed) answerReply(response, reply);
  };

  const { url, close } = await listenOnLoopback(handle);

  return {
    url,
    isFifo: fifo,
    journal,
    settings,
    arnOf: (queue: QueueName): string => queues.arnOf(nameOf(queue)),
    queueUrl: (queue: QueueName): string => urlOf(nameOf(queue)),
    /** To put something in with its own id and time. */
    queueOf: (queue: QueueName): Queue | undefined => queues.find(nameOf(queue))?.queue,
    messages: (queue: QueueName): MessageView[] =>
      [...(queues.find(nameOf(queue))?.queue.messages() ?? [])].map((message) => ({
        messageId: message.messageId,
        body: message.body,
        groupId: message.groupId,
        messageAttributes: message.attributes ?? {},
        isInFlight: message.isInFlight,
        receiveCount: message.receiveCount,
        visibleInMs: message.isInFlight ? Math.max(0, message.visibleAt - Date.now()) : 0,
      })),
    noisyGroups: (queue: QueueName): readonly string[] => queues.find(nameOf(queue))?.queue.noisyGroups() ?? [],
    calls: (action: string): SqsCall[] => journal.filter((call) => call.action === action),
    next: (action: string, ...faults: SqsFault[]): void => {
      script.set(action, [...(script.get(action) ?? []), ...faults]);
    },
    close,
  };
};

export type SimulatedSqs = Awaited<ReturnType<typeof startSqs>>;
