/**
 * The messages that this execution environment has kept and that are still away: it alone holds their receipt handles, so
 * it alone can have them come back early. A handle is forgotten when its wait ends, and when the message is received
 * again: from then on it would change the wait of another receive.
 */
import type { Message } from './record.ts';
import { mayComeBackEarly } from './waits.ts';

export interface Away {
  readonly receiptHandles: readonly string[];
  /** When it comes back by itself, at the earliest; in ms since the epoch. */
  readonly backAt: number;
  /** `Retry-After`: not before this moment, or 0. */
  readonly notBefore: number;
  /** Whether it has receives to spare. */
  readonly mayComeEarly: boolean;
}

/** A change that takes longer than this on its way could meet the next receive. */
const MARGIN_MS = 3000;
/** Of some 300 bytes each. */
const MAX_MESSAGES = 20_000;
/** With more than this they are spread well enough by chance. */
const MAX_COMPARED = 200;
const CANDIDATES = 4;

export const createKept = () => {
  // In the order of keeping, so that a group's messages are in their order.
  const away = new Map<string, Away>();
  let prunedSize = 0;

  const prune = (now: number): void => {
    for (const [messageId, { backAt }] of away) if (backAt <= now) away.delete(messageId);
    prunedSize = away.size;
  };

  return {
    size: (): number => away.size,
    remember: (
      { messageId, receiveCount, receiptHandles, sentAt }: Message,
      waits: Omit<Away, 'receiptHandles' | 'mayComeEarly'>,
      now: number,
    ): void => {
      if (away.size >= Math.min(MAX_MESSAGES, 2 * prunedSize + 100)) prune(now);
      if (away.size >= MAX_MESSAGES) return;
      away.set(messageId, {
        ...waits,
        receiptHandles,
        mayComeEarly: mayComeBackEarly(receiveCount, (now - sentAt) / 1000),
      });
    },
    /** It was received again, or settled. */
    forget: (messageId: string): void => {
      if (away.size > 0) away.delete(messageId);
    },
    /** Of some moments, the one that is farthest from those at which others come back. */
    farthestFromOthers: (draw: () => number): number => {
      let best = draw();
      if (away.size === 0 || away.size > MAX_COMPARED) return best;
      let farthest = -1;
      for (let tried = 0; tried < CANDIDATES; tried += 1) {
        const candidate = tried === 0 ? best : draw();
        let nearest = Number.POSITIVE_INFINITY;
        for (const { backAt } of away.values()) nearest = Math.min(nearest, Math.abs(backAt - candidate));
        if (nearest > farthest) [best, farthest] = [candidate, nearest];
      }
      return best;
    },
    /** Takes out all whose wait can still be cut short, in the order of keeping. */
    takeAll: (now: number): Away[] => {
      const taken: Away[] = [];
      for (const [messageId, message] of away) {
        if (message.backAt > now + MARGIN_MS && message.mayComeEarly) {
          taken.push(message);
          away.delete(messageId);
        }
      }
      prune(now);
      return taken;
    },
  };
};

export type KeptMessages = ReturnType<typeof createKept>;
