/** What of a queue can be received, and in which order: by time of becoming visible and fairly, or by FIFO group. */
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

/** Messages in the order in which they came. */
const createLine = () => {
  let messages: QueueMessage[] = [];
  let taken = 0;
  return {
    push: (message: QueueMessage): void => {
      messages.push(message);
    },
    isEmpty: (): boolean => taken === messages.length,
    offer: (wants: () => boolean, take: Take): void => {
      for (; taken < messages.length && wants(); taken += 1) {
        const message = messages[taken];
        if (message) take(message);
      }
      if (taken < MANY && taken < messages.length) return;
      messages = messages.slice(taken);
      taken = 0;
    },
  };
};

/** How many messages of a group are in flight, for fairness between them. */
export interface FairShares {
  readonly inFlightOf: (groupId: string) => number;
  readonly isNoisy: (groupId: string) => boolean;
}

/** Messages as they became visible; those of a noisy group when no others are left, of the quietest of them first. */
export const createStandardOrder = ({ inFlightOf, isNoisy }: FairShares): Order => {
  const visible = createLine();
  /** By group, what waits for the quiet ones. */
  const passedOver = new Map<string, ReturnType<typeof createLine>>();

  const passOver = (groupId: string, message: QueueMessage): void => {
    const line = passedOver.get(groupId) ?? createLine();
    passedOver.set(groupId, line);
    line.push(message);
  };
  const groupsPassedOver = (): string[] => [...passedOver.keys()].sort((a, b) => inFlightOf(a) - inFlightOf(b));

  return {
    add: () => undefined,
    show: visible.push,
    forget: () => undefined,
    isEmpty: () => visible.isEmpty() && passedOver.size === 0,
    offer: (now, wants, take) => {
      const offerLine = (groupId: string): void => {
        const line = passedOver.get(groupId);
        line?.offer(wants, takeVisible);
        if (line?.isEmpty()) passedOver.delete(groupId);
      };
      const takeVisible = (message: QueueMessage): void => {
        if (!message.isDeleted && message.visibleAt <= now) take(message);
      };
      // Those that are noisy no more have waited longest.
      for (const groupId of groupsPassedOver()) if (!isNoisy(groupId)) offerLine(groupId);
      visible.offer(wants, (message) => {
        const { groupId } = message;
        if (groupId !== undefined && isNoisy(groupId)) passOver(groupId, message);
        else takeVisible(message);
      });
      for (const groupId of groupsPassedOver()) offerLine(groupId);
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
