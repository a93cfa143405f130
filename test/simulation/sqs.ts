/** SQS's `requests` in virtual time: visibility, receive counts, receipt handles, redrive, FIFO groups, duplicates. */
import type { SQSRecord } from 'aws-lambda';
import type { Clock } from '../virtual-time/clock.ts';
import { createHeap } from './heap.ts';
import type { Random } from './ledger.ts';

export interface QueuedMessage {
  readonly messageId: string;
  readonly body: string;
  readonly groupId: string;
  readonly attributes: SQSRecord['messageAttributes'];
  readonly sentAt: number;
  visibleAt: number;
  receiveCount: number;
  receiptHandle: string;
  isDeleted: boolean;
}

export interface QueueParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly isFifo: boolean;
  readonly visibilityMs: number;
  readonly maxReceiveCount: number;
  /** At-least-once: how many receives leave the message where others can receive it too; how many deletes are lost. */
  readonly duplicateShare: () => number;
  readonly onExhausted: (messageId: string) => void;
}

interface Ticket {
  readonly at: number;
  readonly message: QueuedMessage;
}

export const createQueue = (parts: QueueParts) => {
  const { clock, random, isFifo, visibilityMs, maxReceiveCount, duplicateShare, onExhausted } = parts;
  const groups = new Map<string, QueuedMessage[]>();
  const byHandle = new Map<string, QueuedMessage>();
  /** When to look at what; a ticket is void once its message is visible at another time. */
  const tickets = createHeap<Ticket>((a, b) => a.at < b.at);
  let changed = Promise.withResolvers<void>();
  let handles = 0;
  let size = 0;

  const wake = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };

  const show = (message: QueuedMessage, at: number): void => {
    message.visibleAt = at;
    tickets.push({ at, message });
    wake();
  };

  const drop = (message: QueuedMessage): void => {
    if (message.isDeleted) return;
    message.isDeleted = true;
    size -= 1;
    if (!isFifo) return;
    const group = groups.get(message.groupId)?.filter((each) => each !== message) ?? [];
    groups.set(message.groupId, group);
    // Its group may be free now.
    for (const each of group) show(each, each.visibleAt);
  };

  const isVoid = ({ at, message }: Ticket): boolean => message.isDeleted || message.visibleAt !== at;

  /** @returns the record for Lambda; `undefined` for a message that has gone to `exhausted` instead */
  const take = (message: QueuedMessage): SQSRecord | undefined => {
    const { messageId, body, groupId, sentAt, attributes } = message;
    if (message.receiveCount >= maxReceiveCount) {
      drop(message);
      onExhausted(messageId);
      return undefined;
    }
    handles += 1;
    message.receiveCount += 1;
    message.receiptHandle = `handle-${handles}`;
    byHandle.set(message.receiptHandle, message);
    const isDoubled = !isFifo && random() < duplicateShare();
    show(message, clock.now() + (isDoubled ? random() * 1000 : visibilityMs));
    return {
      messageId,
      receiptHandle: message.receiptHandle,
      body,
      attributes: {
        ApproximateReceiveCount: String(message.receiveCount),
        SentTimestamp: String(sentAt),
        SenderId: 'sender',
        ApproximateFirstReceiveTimestamp: String(sentAt),
        ...(isFifo ? { MessageGroupId: groupId, SequenceNumber: messageId } : {}),
      },
      messageAttributes: attributes,
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:us-east-1:0:requests${isFifo ? '.fifo' : ''}`,
      awsRegion: 'us-east-1',
    };
  };

  /** A group gives nothing while any of its messages is in flight or hidden, and then its first ones in order. */
  const takeGroup = (groupId: string, most: number): (SQSRecord | undefined)[] => {
    const group = groups.get(groupId) ?? [];
    return group.some(({ visibleAt }) => visibleAt > clock.now()) ? [] : group.slice(0, most).map(take);
  };

  return {
    size: (): number => size,
    /** Has whoever waits for a change look again. */
    wake,
    /** Resolves when something was sent, shown or hidden. */
    changed: (): Promise<void> => changed.promise,
    put: (message: Pick<QueuedMessage, 'messageId' | 'body' | 'groupId' | 'attributes'>): void => {
      const queued = {
        ...message,
        sentAt: clock.now(),
        visibleAt: 0,
        receiveCount: 0,
        receiptHandle: '',
        isDeleted: false,
      };
      size += 1;
      if (isFifo) groups.set(message.groupId, [...(groups.get(message.groupId) ?? []), queued]);
      show(queued, clock.now());
    },
    receive: (most: number): SQSRecord[] => {
      const records: SQSRecord[] = [];
      for (let next = tickets.peek(); next && next.at <= clock.now() && records.length < most; next = tickets.peek()) {
        tickets.pop();
        if (isVoid(next)) continue;
        const taken = isFifo ? takeGroup(next.message.groupId, most - records.length) : [take(next.message)];
        records.push(...taken.filter((record) => record !== undefined));
      }
      return records;
    },
    /** ms until a receive is worth while; `undefined` for a queue with nothing to come. */
    nextInMs: (): number | undefined => {
      let next = tickets.peek();
      while (next && isVoid(next)) {
        tickets.pop();
        next = tickets.peek();
      }
      return next && Math.max(0, next.at - clock.now());
    },
    /** @returns why SQS refuses it, if it does: the message is gone or visible, the handle is of an older receive. */
    changeVisibility: (receiptHandle: string, seconds: number): string | undefined => {
      const message = byHandle.get(receiptHandle);
      if (!message) return 'ReceiptHandleIsInvalid';
      const isStale = message.receiptHandle !== receiptHandle && (isFifo || random() < 0.5);
      if (message.isDeleted || isStale || message.visibleAt <= clock.now()) return 'InvalidParameterValue';
      show(message, clock.now() + seconds * 1000);
      return undefined;
    },
    /** @returns whether it is gone: an older receive's handle may not do, and now and then a delete gets lost. */
    remove: ({ receiptHandle }: SQSRecord): boolean => {
      const message = byHandle.get(receiptHandle);
      if (!message) return false;
      const isOld = message.receiptHandle !== receiptHandle;
      if (isFifo ? isOld || message.visibleAt <= clock.now() : isOld && random() < 0.5) return false;
      if (random() < duplicateShare()) return false;
      drop(message);
      return true;
    },
  };
};

export type Queue = ReturnType<typeof createQueue>;
