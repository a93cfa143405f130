/** How fast letters go back: never more than so many in any second, whatever stalled before. */

const SECOND_MS = 1000;
const MOST_AT_ONCE = 10;

export interface Pace {
  /** How long before `count` more messages may be sent; 0 for now. */
  readonly waitMs: (count: number) => number;
  /** Just before a batch is sent. */
  readonly begin: (count: number) => void;
  /** Once its call has ended: until then its messages may still arrive. */
  readonly end: (count: number) => void;
}

/** One by one at a slow rate; else as many as go evenly into a second. */
export const batchSize = (rate: number | undefined): number => {
  if (rate === undefined) return MOST_AT_ONCE;
  if (rate < MOST_AT_ONCE) return 1;
  let size = MOST_AT_ONCE;
  while (Math.floor(rate) % size !== 0) size -= 1;
  return size;
};

export const createPace = (rate: number | undefined, now: () => number): Pace => {
  if (rate === undefined) return { waitMs: () => 0, begin: () => {}, end: () => {} };
  /** Below one a second the rule holds for the time in which one may be sent. */
  const windowMs = Math.max(SECOND_MS, SECOND_MS / rate);
  const most = Math.max(1, Math.floor(rate));
  const ended: { readonly count: number; readonly at: number }[] = [];
  let nextAt = Number.NEGATIVE_INFINITY;

  /** When enough of what was sent is more than a window back. */
  const freeAt = (count: number): number => {
    let room = most - ended.reduce((sum, each) => sum + each.count, 0);
    for (const each of ended) {
      if (room >= count) break;
      room += each.count;
      if (room >= count) return each.at + windowMs;
    }
    return Number.NEGATIVE_INFINITY;
  };

  return {
    waitMs: (count) => {
      const at = now();
      while (ended[0] !== undefined && ended[0].at + windowMs <= at) ended.shift();
      return Math.max(0, nextAt - at, freeAt(count) - at);
    },
    begin: (count) => {
      // Evenly, not all at the beginning of each second.
      nextAt = now() + (count / rate) * SECOND_MS;
    },
    end: (count) => {
      ended.push({ count, at: now() });
    },
  };
};
