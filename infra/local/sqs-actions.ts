/** SQS's JSON API on queues in memory, in real or virtual time: what goes in, what comes out, what is refused. */
import { hash, randomUUID } from 'node:crypto';
import type { MessageAttribute, Refusal } from './queue.ts';
import { asReceived, md5OfAttributes } from './sqs-message.ts';
import { type LocalQueue, type Queues, queueActions } from './sqs-queues.ts';
import {
  attributesOf,
  entriesOf,
  type Json,
  type QueueKind,
  refuseBatch,
  refuseHandle,
  refuseReceive,
  refuseSend,
  refuseVisibility,
} from './sqs-strictness.ts';

export type SqsReply = { readonly kind: 'done'; readonly output: Json } | ({ readonly kind: 'refused' } & Refusal);

export interface SqsActionsParts {
  readonly queues: Queues;
  readonly urlOf: (name: string) => string;
  readonly now: () => number;
  readonly newId?: () => string;
}

/** One message action on one entry; a batch is the same for each of its entries. */
type Act = (found: LocalQueue, entry: Json, senderId: string) => Json | Refusal;

const isRefusal = (result: Json | Refusal): result is Refusal => 'code' in result;

const kindOf = ({ queue, attributes }: LocalQueue): QueueKind => ({
  isFifo: queue.isFifo,
  deduplicatesByContent: attributes['ContentBasedDeduplication'] === 'true',
  maxBytes: Number(attributes['MaximumMessageSize']),
});

const send =
  (newId: () => string): Act =>
  (found, entry, senderId) => {
    const refusal = refuseSend(entry, kindOf(found));
    if (refusal) return refusal;
    const { queue } = found;
    const { MessageBody, MessageGroupId, MessageDeduplicationId, DelaySeconds } = entry;
    const body = String(MessageBody);
    const attributes = attributesOf(entry);
    const system = entry['MessageSystemAttributes'] as Readonly<Record<string, MessageAttribute>> | undefined;
    const { messageId, sequenceNumber } = queue.put({
      messageId: newId(),
      body,
      attributes,
      senderId,
      groupId: MessageGroupId as string | undefined,
      deduplicationId: queue.isFifo ? String(MessageDeduplicationId ?? hash('sha256', body)) : undefined,
      traceHeader: system?.['AWSTraceHeader']?.StringValue,
      delaySeconds: queue.isFifo ? undefined : (DelaySeconds as number | undefined),
    });
    return {
      MessageId: messageId,
      MD5OfMessageBody: hash('md5', body),
      ...(Object.keys(attributes).length > 0 ? { MD5OfMessageAttributes: md5OfAttributes(attributes) } : {}),
      ...(system ? { MD5OfMessageSystemAttributes: md5OfAttributes(system) } : {}),
      ...(sequenceNumber === undefined ? {} : { SequenceNumber: sequenceNumber }),
    };
  };

const remove: Act = ({ queue }, entry) => refuseHandle(entry) ?? queue.remove(String(entry['ReceiptHandle'])) ?? {};

const changeVisibility: Act = ({ queue }, entry) =>
  refuseVisibility(entry) ??
  queue.changeVisibility(String(entry['ReceiptHandle']), Number(entry['VisibilityTimeout'])) ??
  {};

const receive: Act = ({ queue }, input) => {
  const refusal = refuseReceive(input);
  if (refusal) return refusal;
  const { MaxNumberOfMessages = 1, VisibilityTimeout, WaitTimeSeconds = 0 } = input as Record<string, number>;
  const received = queue.receive(MaxNumberOfMessages, VisibilityTimeout);
  if (received.length > 0) return { Messages: received.map((message) => asReceived(message, input)) };
  // AWS: said to a short poll of a standard queue; others get nothing and are not told why.
  return queue.isFull() && !queue.isFifo && WaitTimeSeconds === 0
    ? { code: 'OverLimit', message: 'Too many messages in flight.' }
    : {};
};

/** AWS answers 200 also where single entries are refused. */
const byEntry =
  (action: string, act: Act): Act =>
  (found, input, senderId) => {
    const refusal = refuseBatch(action, input);
    if (refusal) return refusal;
    const Successful: Json[] = [];
    const Failed: Json[] = [];
    for (const entry of entriesOf(input)) {
      const { Id } = entry;
      const result = act(found, entry, senderId);
      if (isRefusal(result)) Failed.push({ Id, Code: result.code, Message: result.message, SenderFault: true });
      else Successful.push({ Id, ...result });
    }
    return { Successful, Failed };
  };

/** `senderId` is what SQS tells of whoever sends. Long polls are short ones here; whoever serves them waits. */
export const createSqsActions = ({ queues, urlOf, now, newId = randomUUID }: SqsActionsParts) => {
  const ofQueues = queueActions(queues, urlOf, now);
  const ofMessages: Readonly<Record<string, Act>> = {
    SendMessage: send(newId),
    SendMessageBatch: byEntry('SendMessageBatch', send(newId)),
    ReceiveMessage: receive,
    DeleteMessage: remove,
    DeleteMessageBatch: byEntry('DeleteMessageBatch', remove),
    ChangeMessageVisibility: changeVisibility,
    ChangeMessageVisibilityBatch: byEntry('ChangeMessageVisibilityBatch', changeVisibility),
  };

  const carryOut = (action: string, input: Json, senderId: string): Json | Refusal => {
    const ofQueue = ofQueues[action];
    if (ofQueue) return ofQueue(input);
    const act = ofMessages[action];
    if (!act) return { code: 'InvalidAction', message: `The action ${action} is not valid for this endpoint.` };
    const found = queues.find(input['QueueUrl']);
    return found
      ? act(found, input, senderId)
      : { code: 'QueueDoesNotExist', message: 'The specified queue does not exist.' };
  };

  return (action: string, input: Json, senderId: string): SqsReply => {
    const result = carryOut(action, input, senderId);
    return isRefusal(result) ? { kind: 'refused', ...result } : { kind: 'done', output: result };
  };
};

export type SqsActions = ReturnType<typeof createSqsActions>;
