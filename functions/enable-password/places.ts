/**
 * The places for calls to Segura of one invocation. A place is held by a call, not by a wait: a request that waits for its
 * next attempt leaves it to another.
 */
export interface Places {
  /** `undefined` where there is one at once. */
  readonly take: () => Promise<void> | undefined;
  readonly leave: () => void;
  readonly isFree: () => boolean;
}

/** `onFree` is called when a place becomes free that nobody waits for. */
export const createPlaces = (count: number, onFree: () => void): Places => {
  let free = count;
  /** In the order of asking. */
  const waiting: (() => void)[] = [];
  return {
    isFree: () => free > 0,
    take: () => {
      if (free > 0) {
        free -= 1;
        return undefined;
      }
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
    leave: () => {
      const next = waiting.shift();
      if (next) {
        next();
        return;
      }
      free += 1;
      onFree();
    },
  };
};
