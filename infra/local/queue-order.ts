/** What of a queue can be received, and in which order: by time of becoming visible, or by FIFO group. */
import { createHeap } from './heap.ts';
import type { GroupLock, QueueMessage } from './queue.ts';

/** Of what is done with, before it is thrown away. */
const MANY = 1000;

type Take = (message: QueueMessage) => void;

/** What can be received now. */
export interface Order {
  readonly add: Take;
  readonly show: Take;
  readonly forget: Take;
  readonly isEmpty: () => boolean;
  /** Hands out what is visible for as long as the receive wants more. */
  readonly offer: (now: number, wants: () => boolean, take: Take) => void;
}

/** Messages, as they became visible. */
export const createStandardOrder = (): Order => {
  let visible: QueueMessage[] = [];
  let taken = 0;
  return {
    add: () => undefined,
    show: (message) => {
      visible.push(message);
    },
    forget: () => undefined,
    isEmpty: () => taken === visible.length,
    offer: (now, wants, take) => {
      for (; taken < visible.length && wants(); taken += 1) {
        const message = visible[taken];
        if (message && !message.isDeleted && message.visibleAt <= now) take(message);
      }
      if (taken < MANY && taken < visible.length) return;
      visible = visible.slice(taken);
      taken = 0;
    },
  };
};

/** Of one group, in the order of sending. */
const offerGroup = (group: readonly QueueMessage[], now: number, wants: () => boolean, take: Take): void => {
  for (let index = 0; wants(); ) {
    const message = group[index];
    if (!message || message.visibleAt > now) return;
    take(message);
    // One that went to the dead-letter queue is no longer here.
    if (group[index] === message) index += 1;
  }
};

/** Groups, as something of them became visible. */
export const createFifoOrder = (lock: GroupLock): Order => {
  const groups = new Map<string, QueueMessage[]>();
  /** Worth a look; whether a group gives anything is found out then. */
  const waiting = new Set<string>();
  const nameOf = ({ groupId = '' }: QueueMessage): string => groupId;

  return {
    add: (message) => {
      const group = groups.get(nameOf(message));
      if (group) group.push(message);
      else groups.set(nameOf(message), [message]);
    },
    show: (message) => {
      waiting.add(nameOf(message));
    },
    forget: (message) => {
      const group = groups.get(nameOf(message)) ?? [];
      group.splice(group.indexOf(message), 1);
      if (group.length === 0) groups.delete(nameOf(message));
      else waiting.add(nameOf(message));
    },
    isEmpty: () => waiting.size === 0,
    offer: (now, wants, take) => {
      for (const name of waiting) {
        if (!wants()) return;
        waiting.delete(name);
        const group = groups.get(name) ?? [];
        if (lock === 'any-in-flight' && group.some(({ isInFlight }) => isInFlight)) continue;
        offerGroup(group, now, wants, take);
      }
    },
  };
};

interface Ticket {
  readonly at: number;
  readonly order: number;
  readonly message: QueueMessage;
}

/** When which message becomes visible; a ticket is void once its message is visible at another time. */
export const createTimetable = () => {
  const tickets = createHeap<Ticket>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  let order = 0;
  const isVoid = ({ at, message }: Ticket): boolean => message.isDeleted || message.visibleAt !== at;
  const peek = (): Ticket | undefined => {
    let next = tickets.peek();
    while (next && isVoid(next)) {
      tickets.pop();
      next = tickets.peek();
    }
    return next;
  };
  return {
    add: (message: QueueMessage): void => {
      order += 1;
      tickets.push({ at: message.visibleAt, order, message });
    },
    nextAt: (): number | undefined => peek()?.at,
    /** The next message that is visible by now, if any. */
    takeDue: (now: number): QueueMessage | undefined => {
      const next = peek();
      if (!next || next.at > now) return undefined;
      tickets.pop();
      return next.message;
    },
  };
};
