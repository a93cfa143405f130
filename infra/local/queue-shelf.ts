/** What a queue holds: each message with the time at which it is visible, and what is sent into it. */
import type { NewMessage, QueueMessage, QueueOptions, QueueSettings } from './queue.ts';
import { createFifoOrder, createStandardOrder, createTimetable, type FairShares } from './queue-order.ts';

const DEDUPLICATION_MS = 300_000;

/** Sent less than five minutes ago under the same id: SQS confirms it, and takes no second one. */
const createDeduplication = (now: () => number) => {
  const sent = new Map<string, QueueMessage>();
  return {
    find: (id: string): QueueMessage | undefined => {
      for (const [known, { sentAt }] of sent) {
        if (now() - sentAt < DEDUPLICATION_MS) break;
        sent.delete(known);
      }
      return sent.get(id);
    },
    add: (id: string, message: QueueMessage): void => {
      sent.set(id, message);
    },
  };
};

/**
 * AWS, "How Amazon SQS fair queues work" (read 2026-11): a message group is a noisy neighbour while it has more than a tenth
 * of the messages in flight, and at least 30. Its other measure, the share of processing time, is not simulated.
 */
const NOISY_SHARE = 0.1;
const NOISY_LEAST = 30;

/** How many messages are in flight: received, and neither deleted nor visible again. */
const createFlight = () => {
  const ofGroup = new Map<string, number>();
  let all = 0;
  const count = ({ groupId }: QueueMessage, change: 1 | -1): void => {
    all += change;
    if (groupId === undefined) return;
    const left = (ofGroup.get(groupId) ?? 0) + change;
    if (left > 0) ofGroup.set(groupId, left);
    else ofGroup.delete(groupId);
  };
  const inFlightOf = (groupId: string): number => ofGroup.get(groupId) ?? 0;
  const isNoisy = (groupId: string): boolean =>
    inFlightOf(groupId) >= NOISY_LEAST && inFlightOf(groupId) > all * NOISY_SHARE;
  const shares: FairShares = { inFlightOf, isNoisy };
  return {
    all: (): number => all,
    shares,
    noisyGroups: (): string[] => [...ofGroup.keys()].filter(isNoisy),
    start: (message: QueueMessage): void => count(message, 1),
    end: (message: QueueMessage): void => count(message, -1),
  };
};

/** All messages of a queue, and what they are at: visible, hidden or in flight. */
export const createShelf = ({ isFifo, now, groupLock = 'first-invisible' }: QueueOptions, settings: QueueSettings) => {
  const messages = new Map<string, QueueMessage>();
  const timetable = createTimetable();
  const flight = createFlight();
  const order = isFifo ? createFifoOrder(groupLock) : createStandardOrder(flight.shares);

  const land = (message: QueueMessage): void => {
    if (message.isInFlight) flight.end(message);
    message.isInFlight = false;
  };

  const drop = (message: QueueMessage): void => {
    if (message.isDeleted) return;
    land(message);
    message.isDeleted = true;
    messages.delete(message.messageId);
    order.forget(message);
  };

  const isTooOld = ({ sentAt }: QueueMessage): boolean => now() - sentAt > settings.retentionSeconds * 1000;

  return {
    messages,
    order,
    drop,
    inFlight: flight.all,
    /** Of a standard queue: whose messages come after those of all others. */
    noisyGroups: (): readonly string[] => (isFifo ? [] : flight.noisyGroups()),
    isTooOld,
    /** Shows what has become visible, and forgets what is too old by then. */
    tick: (): void => {
      for (let due = timetable.takeDue(now()); due; due = timetable.takeDue(now())) {
        land(due);
        if (isTooOld(due)) drop(due);
        else order.show(due);
      }
    },
    nextAt: timetable.nextAt,
    add: (message: QueueMessage): void => {
      messages.set(message.messageId, message);
      order.add(message);
      timetable.add(message);
    },
    hide: (message: QueueMessage, ms: number): void => {
      message.visibleAt = now() + ms;
      timetable.add(message);
      if (message.isInFlight || ms <= 0) return;
      message.isInFlight = true;
      flight.start(message);
    },
  };
};

export type Shelf = ReturnType<typeof createShelf>;

/** What comes in: from a sender, or from another queue. */
export const createSending = ({ isFifo, now }: QueueOptions, settings: QueueSettings, shelf: Shelf) => {
  const deduplication = createDeduplication(now);
  let sequence = 0;
  const unseen = { receivedAt: 0, receiveCount: 0, receiptHandle: '', isInFlight: false, isDeleted: false };

  return {
    /** @returns the message, or an equal one that was sent less than five minutes ago */
    put: ({ delaySeconds = settings.delaySeconds, ...sent }: NewMessage): QueueMessage => {
      const { deduplicationId } = sent;
      const before = isFifo && deduplicationId !== undefined ? deduplication.find(deduplicationId) : undefined;
      if (before) return before;
      sequence += 1;
      const sequenceNumber = isFifo ? { sequenceNumber: String(sequence).padStart(20, '0') } : {};
      const times = { sentAt: now(), visibleAt: now() + delaySeconds * 1000 };
      const message: QueueMessage = { ...sent, ...sequenceNumber, ...times, ...unseen };
      if (isFifo && deduplicationId !== undefined) deduplication.add(deduplicationId, message);
      shelf.add(message);
      return message;
    },
    /** From the redrive policy of another queue: a standard queue keeps the time of sending, a FIFO queue does not. */
    adopt: ({ receiveCount, ...message }: QueueMessage, deadLetterSourceArn: string): void => {
      const sentAt = isFifo ? now() : message.sentAt;
      shelf.add({ ...message, ...unseen, receiveCount, sentAt, visibleAt: now(), deadLetterSourceArn });
    },
  };
};
