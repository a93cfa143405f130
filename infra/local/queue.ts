/**
 * One SQS queue, in real or in virtual time: visibility, receive counts, receipt handles, redrive, retention, FIFO groups.
 *
 * What AWS really does with a FIFO group (shown against AWS in localstack/localstack#13386): a receive brings up to ten
 * messages of a group, in order, up to the first one that is invisible; what comes behind that one waits, visible or not.
 * AWS's guide reads more strictly ("FIFO queue delivery logic": nothing of a group while any of it is in flight);
 * `groupLock` chooses between the two.
 */
import { createSending, createShelf, type Shelf } from './queue-shelf.ts';

export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  /** Base64. */
  readonly BinaryValue?: string;
}

export interface NewMessage {
  readonly messageId: string;
  readonly body: string;
  /** Of a standard queue it orders nothing, but gives quiet groups before noisy ones (fair queues). */
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
  readonly attributes?: Readonly<Record<string, MessageAttribute>>;
  readonly traceHeader?: string | undefined;
  readonly senderId?: string;
  readonly delaySeconds?: number | undefined;
}

export interface QueueMessage extends Omit<NewMessage, 'delaySeconds'> {
  /** Of a FIFO queue alone. */
  readonly sequenceNumber?: string;
  readonly sentAt: number;
  visibleAt: number;
  firstReceivedAt?: number;
  /** Of its last receive. */
  receivedAt: number;
  receiveCount: number;
  /** Of its last receive. */
  receiptHandle: string;
  isInFlight: boolean;
  isDeleted: boolean;
  readonly deadLetterSourceArn?: string;
}

export type GroupLock = 'first-invisible' | 'any-in-flight';

/** What SQS leaves to chance; by default it does not happen, and a standard queue takes an old receipt handle. */
export interface Luck {
  /** At-least-once: another receive gets the message after so long, whatever its visibility timeout. */
  readonly shownAgainInMs?: () => number | undefined;
  readonly losesDelete?: () => boolean;
  readonly takesOldHandle?: () => boolean;
}

export interface QueueSettings {
  visibilitySeconds: number;
  delaySeconds: number;
  retentionSeconds: number;
  redrive: { readonly maxReceiveCount: number; readonly to: (message: QueueMessage) => void } | undefined;
}

export interface QueueOptions {
  readonly arn: string;
  readonly isFifo: boolean;
  readonly now: () => number;
  readonly settings?: Partial<QueueSettings>;
  readonly groupLock?: GroupLock;
  readonly luck?: Luck;
  readonly maxInFlight?: number;
  /** Called when a message was sent, shown, hidden or deleted. */
  readonly onChange?: () => void;
}

/** Why SQS does not do what it was asked to. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** AWS: "Amazon SQS standard queue quotas" and "FIFO queue quotas", read 2026-11: the same for both. */
const MAX_IN_FLIGHT = 120_000;
const MAX_VISIBILITY_SECONDS = 43_200;

const invalidHandle = (handle: string): Refusal => ({
  code: 'ReceiptHandleIsInvalid',
  message: `The input receipt handle "${handle}" is not a valid receipt handle.`,
});
const invalidValue = (handle: string, reason: string): Refusal => ({
  code: 'InvalidParameterValue',
  message: `Value ${handle} for parameter ReceiptHandle is invalid. Reason: ${reason}`,
});

const createReceiving = (options: QueueOptions, settings: QueueSettings, shelf: Shelf) => {
  const { arn, isFifo, now, luck = {}, maxInFlight = MAX_IN_FLIGHT } = options;
  let receives = 0;

  /** @returns nothing for a message that is too old, or has gone to the dead-letter queue instead */
  const take = (message: QueueMessage, visibilitySeconds: number): QueueMessage | undefined => {
    const { redrive } = settings;
    const isSpent = redrive !== undefined && message.receiveCount >= redrive.maxReceiveCount;
    if (shelf.isTooOld(message) || isSpent) {
      const wasTooOld = shelf.isTooOld(message);
      shelf.drop(message);
      if (!wasTooOld) redrive?.to(message);
      return undefined;
    }
    receives += 1;
    message.receiveCount += 1;
    message.receivedAt = now();
    message.firstReceivedAt ??= now();
    message.receiptHandle = `${arn}#${message.messageId}#${receives}`;
    shelf.hide(message, (isFifo ? undefined : luck.shownAgainInMs?.()) ?? visibilitySeconds * 1000);
    return message;
  };

  return {
    receive: (most: number, visibilitySeconds = settings.visibilitySeconds): QueueMessage[] => {
      shelf.tick();
      const received: QueueMessage[] = [];
      const wants = (): boolean => received.length < most && shelf.inFlight() < maxInFlight;
      shelf.order.offer(now(), wants, (message) => {
        const taken = take(message, visibilitySeconds);
        if (taken) received.push(taken);
      });
      return received;
    },
    /** The message of a handle that this queue gave; without one where it is deleted. */
    find: (handle: string): { readonly message: QueueMessage | undefined; readonly isOld: boolean } | Refusal => {
      const [of, messageId = '', receive] = handle.split('#');
      if (of !== arn || !(Number(receive) <= receives)) return invalidHandle(handle);
      const message = shelf.messages.get(messageId);
      return { message, isOld: message?.receiptHandle !== handle };
    },
  };
};

type Receiving = ReturnType<typeof createReceiving>;

/** What is done with a receipt handle. */
const createReceipts = ({ isFifo, now, luck = {} }: QueueOptions, shelf: Shelf, { find }: Receiving) => {
  const takesOldHandle = (): boolean => !isFifo && (luck.takesOldHandle?.() ?? true);
  return {
    changeVisibility: (handle: string, seconds: number): Refusal | undefined => {
      shelf.tick();
      const found = find(handle);
      if ('code' in found) return found;
      const { message, isOld } = found;
      if (!message?.isInFlight || (isOld && !takesOldHandle())) {
        const reason = 'Message does not exist or is not available for visibility timeout change.';
        return invalidValue(handle, reason);
      }
      if (now() + seconds * 1000 > message.receivedAt + MAX_VISIBILITY_SECONDS * 1000) {
        const limit = `Total VisibilityTimeout for the message is beyond the limit [${MAX_VISIBILITY_SECONDS} seconds]`;
        return invalidValue(handle, limit);
      }
      shelf.hide(message, seconds * 1000);
      return undefined;
    },
    /** A message that is gone already is deleted again without a word. */
    remove: (handle: string): Refusal | undefined => {
      shelf.tick();
      const found = find(handle);
      if ('code' in found) return found;
      const { message, isOld } = found;
      if (!message) return undefined;
      if (isFifo && (isOld || !message.isInFlight)) return invalidValue(handle, 'The receipt handle has expired.');
      if ((isOld && !takesOldHandle()) || luck.losesDelete?.()) return undefined;
      shelf.drop(message);
      return undefined;
    },
  };
};

export const createQueue = (options: QueueOptions) => {
  const { arn, isFifo, now, maxInFlight = MAX_IN_FLIGHT, onChange = () => undefined } = options;
  const settings: QueueSettings = {
    visibilitySeconds: 30,
    delaySeconds: 0,
    retentionSeconds: 345_600,
    redrive: undefined,
    ...options.settings,
  };
  const shelf = createShelf(options, settings);
  const sending = createSending(options, settings, shelf);
  const receiving = createReceiving(options, settings, shelf);
  const receipts = createReceipts(options, shelf, receiving);
  /** Whoever waits for a message looks again after each of these. */
  const told =
    <Parameters extends unknown[], Result>(change: (...parameters: Parameters) => Result) =>
    (...parameters: Parameters): Result => {
      const result = change(...parameters);
      onChange();
      return result;
    };

  return {
    arn,
    isFifo,
    settings,
    size: (): number => shelf.messages.size,
    get: (messageId: string): QueueMessage | undefined => shelf.messages.get(messageId),
    inFlight: (): number => {
      shelf.tick();
      return shelf.inFlight();
    },
    noisyGroups: (): readonly string[] => {
      shelf.tick();
      return shelf.noisyGroups();
    },
    /** As many in flight as SQS allows: nothing more is received. */
    isFull: (): boolean => shelf.inFlight() >= maxInFlight,
    /** In the order of sending, whatever they are at; leaves them as they are. */
    messages: (): Iterable<QueueMessage> => {
      shelf.tick();
      return shelf.messages.values();
    },
    put: told(sending.put),
    adopt: told(sending.adopt),
    receive: receiving.receive,
    /** ms until a receive is worth while; `undefined` for a queue with nothing to come. */
    nextInMs: (): number | undefined => {
      shelf.tick();
      if (!shelf.order.isEmpty() && shelf.inFlight() < maxInFlight) return 0;
      const at = shelf.nextAt();
      return at === undefined ? undefined : Math.max(0, at - now());
    },
    changeVisibility: told(receipts.changeVisibility),
    remove: told(receipts.remove),
    purge: told((): void => {
      for (const message of [...shelf.messages.values()]) shelf.drop(message);
    }),
  };
};

export type Queue = ReturnType<typeof createQueue>;
