/** Virtual time: nothing waits, everything happens in the order in which it would. */
import { createHeap } from '../../infra/local/heap.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
  isCancelled: boolean;
}

/** So often the process hears of the outside meanwhile: of signals, of its parent. */
const STEPS_TO_BREATHE = 256;

/** A tick runs once no promise has anything left to do, and a turn of the event loop costs ten times as much. */
const settled = (steps: number): Promise<void> =>
  new Promise((resolve) => {
    if (steps % STEPS_TO_BREATHE === 0) setImmediate(resolve);
    else process.nextTick(resolve);
  });

export const createClock = (startsAt: number) => {
  // By time, then by the order of asking, so that a run is the same each time.
  const timers = createHeap<Timer>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  let time = startsAt;
  let order = 0;

  const after = (ms: number, wake: () => void): Timer => {
    order += 1;
    // Whole milliseconds, as Node's timers and `Date.now` have them.
    const timer: Timer = { at: time + Math.ceil(Math.max(0, ms)), order, wake, isCancelled: false };
    timers.push(timer);
    return timer;
  };

  return {
    now: (): number => time,
    /** Ends early when `pending` is settled. */
    sleep: (ms: number, pending?: Promise<unknown>): Promise<void> =>
      new Promise((resolve) => {
        const timer = after(ms, resolve);
        const end = (): void => {
          timer.isCancelled = true;
          resolve();
        };
        pending?.then(end, end);
      }),
    /** @returns what takes it back */
    after: (ms: number, work: () => void): (() => void) => {
      const timer = after(ms, work);
      return () => {
        timer.isCancelled = true;
      };
    },
    /** Lets time pass until `isOver`, or until nobody waits for anything any more. */
    run: async (isOver: () => boolean): Promise<void> => {
      for (let steps = 0; ; steps += 1) {
        // All that can happen now happens before time goes on.
        await settled(steps);
        if (isOver()) return;
        let next = timers.pop();
        while (next?.isCancelled) next = timers.pop();
        if (next === undefined) return;
        time = next.at;
        next.wake();
        for (let also = timers.peek(); also?.at === time; also = timers.peek()) {
          timers.pop();
          if (!also.isCancelled) also.wake();
        }
      }
    },
  };
};

export type Clock = ReturnType<typeof createClock>;
