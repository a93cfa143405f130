/** SQS in virtual time: visibility, receive counts, redrive, FIFO groups, and the calls of the core on it. */
import type { SQSRecord } from 'aws-lambda';
import type { AwsResult, CallAws } from '../../functions/aws/call.ts';
import type { Clock } from './clock.ts';

export interface QueuedMessage {
  readonly messageId: string;
  readonly body: string;
  readonly groupId: string;
  readonly sentAt: number;
  visibleAt: number;
  receiveCount: number;
  receiptHandle: string;
  isInFlight: boolean;
}

export interface DeadLetter {
  readonly originalMessageId: string;
  readonly errorCode: string;
}

export interface SqsParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly isFifo: boolean;
  readonly visibilityMs: number;
  readonly maxReceiveCount: number;
  /** How often a call fails, an entry fails, an answer is lost. */
  readonly faultShare: () => number;
  readonly onDeadLetter: (letter: DeadLetter) => void;
  readonly onVisibility: (seconds: number) => void;
}

const NEVER = new Promise<never>(() => {
  // What a dead process waits for.
});

export const createSqsModel = (parts: SqsParts) => {
  const { clock, random, isFifo, visibilityMs, maxReceiveCount, faultShare, onDeadLetter, onVisibility } = parts;
  /** In the order of sending. */
  const messages = new Map<string, QueuedMessage>();
  const exhausted: QueuedMessage[] = [];
  const byHandle = new Map<string, QueuedMessage>();
  let handles = 0;

  const refresh = (): void => {
    for (const message of messages.values()) {
      if (message.isInFlight && message.visibleAt <= clock.now()) message.isInFlight = false;
    }
  };

  const receive = (max: number): QueuedMessage[] => {
    refresh();
    const received: QueuedMessage[] = [];
    const lockedGroups = new Set<string>();
    if (isFifo) for (const { groupId, isInFlight } of messages.values()) if (isInFlight) lockedGroups.add(groupId);
    for (const message of messages.values()) {
      if (received.length === max) break;
      if (message.isInFlight || message.visibleAt > clock.now()) {
        if (isFifo) lockedGroups.add(message.groupId);
        continue;
      }
      if (isFifo && lockedGroups.has(message.groupId)) continue;
      if (message.receiveCount >= maxReceiveCount) {
        messages.delete(message.messageId);
        exhausted.push(message);
        continue;
      }
      handles += 1;
      message.receiveCount += 1;
      message.isInFlight = true;
      message.visibleAt = clock.now() + visibilityMs;
      byHandle.delete(message.receiptHandle);
      message.receiptHandle = String(handles);
      byHandle.set(message.receiptHandle, message);
      received.push(message);
    }
    return received;
  };

  const send = (entries: readonly Record<string, unknown>[]): AwsResult => {
    const Successful: unknown[] = [];
    const Failed: unknown[] = [];
    for (const { Id, MessageAttributes } of entries) {
      if (random() < faultShare()) {
        Failed.push({ Id, Code: 'InternalError', SenderFault: false });
        continue;
      }
      const attributes = MessageAttributes as Record<string, { StringValue: string }>;
      onDeadLetter({
        originalMessageId: attributes['OriginalMessageId']?.StringValue ?? '',
        errorCode: attributes['ErrorCode']?.StringValue ?? '',
      });
      Successful.push({ Id });
    }
    return { kind: 'ok', output: { Successful, Failed } };
  };

  const changeVisibility = (entries: readonly Record<string, unknown>[]): AwsResult => {
    for (const { ReceiptHandle, VisibilityTimeout } of entries) {
      onVisibility(Number(VisibilityTimeout));
      const message = byHandle.get(String(ReceiptHandle));
      if (message?.isInFlight) message.visibleAt = clock.now() + Number(VisibilityTimeout) * 1000;
    }
    return { kind: 'ok', output: { Successful: entries.map(({ Id }) => ({ Id })), Failed: [] } };
  };

  return {
    messages,
    exhausted,
    receive,
    put: (message: Pick<QueuedMessage, 'messageId' | 'body' | 'groupId'>): void => {
      messages.set(message.messageId, {
        ...message,
        sentAt: clock.now(),
        visibleAt: clock.now(),
        receiveCount: 0,
        receiptHandle: '',
        isInFlight: false,
      });
    },
    /** Deletes only by the latest receipt handle, as SQS does for a FIFO queue. */
    remove: (messageId: string, receiptHandle: string): boolean => {
      const message = messages.get(messageId);
      if (message === undefined || (isFifo && message.receiptHandle !== receiptHandle)) return false;
      return messages.delete(messageId);
    },
    /** ms until a message can be received; undefined for an empty queue. */
    nextInMs: (): number | undefined => {
      let next: number | undefined;
      for (const { visibleAt } of messages.values()) next = Math.min(next ?? visibleAt, visibleAt);
      return next === undefined ? undefined : Math.max(0, next - clock.now());
    },
    toRecord: ({ messageId, receiptHandle, body, groupId, sentAt, receiveCount }: QueuedMessage): SQSRecord => ({
      messageId,
      receiptHandle,
      body,
      attributes: {
        ApproximateReceiveCount: String(receiveCount),
        SentTimestamp: String(sentAt),
        SenderId: 'x',
        ApproximateFirstReceiveTimestamp: String(sentAt),
        ...(isFifo ? { MessageGroupId: groupId, SequenceNumber: '1' } : {}),
      },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:us-east-1:0:requests${isFifo ? '.fifo' : ''}`,
      awsRegion: 'us-east-1',
    }),
    call:
      (isAlive: () => boolean): CallAws =>
      async (_api, _endpoint, _region, action, input, timeoutMs) => {
        if (!isAlive()) return NEVER;
        await clock.sleep(Math.min(timeoutMs, 3 + random() * 15));
        const entries = input['Entries'] as Record<string, unknown>[];
        const fault = random() < faultShare() ? (random() < 0.5 ? 'failed' : 'lost') : undefined;
        if (fault === 'failed') return { kind: 'failed', code: 'RequestThrottled', message: 'simulated' };
        const result = action === 'SendMessageBatch' ? send(entries) : changeVisibility(entries);
        if (!isAlive()) return NEVER;
        return fault === 'lost' ? { kind: 'failed', code: 'ECONNRESET', message: 'simulated' } : result;
      },
  };
};

export type SqsModel = ReturnType<typeof createSqsModel>;
