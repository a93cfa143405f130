/** Virtual time: nothing waits, everything happens in the order in which it would. */

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
  isCancelled: boolean;
}

/** A binary heap by time, then by the order of asking, so that a run is the same each time. */
const createHeap = () => {
  const heap: Timer[] = [];
  const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
  const swap = (i: number, j: number): void => {
    const kept = heap[i]!;
    heap[i] = heap[j]!;
    heap[j] = kept;
  };
  return {
    push: (timer: Timer): void => {
      heap.push(timer);
      for (let i = heap.length - 1; i > 0; ) {
        const parent = (i - 1) >> 1;
        if (!isBefore(heap[i]!, heap[parent]!)) break;
        swap(i, parent);
        i = parent;
      }
    },
    peek: (): Timer | undefined => heap[0],
    pop: (): Timer | undefined => {
      const first = heap[0];
      const last = heap.pop();
      if (first === undefined || last === undefined || heap.length === 0) return first;
      heap[0] = last;
      for (let i = 0; ; ) {
        const left = 2 * i + 1;
        let least = i;
        if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
        if (left + 1 < heap.length && isBefore(heap[left + 1]!, heap[least]!)) least = left + 1;
        if (least === i) return first;
        swap(i, least);
        i = least;
      }
    },
  };
};

export const createClock = (startsAt: number) => {
  const heap = createHeap();
  let time = startsAt;
  let order = 0;

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      order += 1;
      const timer: Timer = { at: time + Math.max(0, ms), order, wake: resolve, isCancelled: false };
      heap.push(timer);
      signal?.addEventListener('abort', () => {
        timer.isCancelled = true;
        resolve();
      });
    });

  return {
    now: (): number => time,
    sleep,
    /** Lets time pass until `isOver`, or until nobody waits for anything any more. */
    run: async (isOver: () => boolean): Promise<void> => {
      for (;;) {
        // All that can happen now happens before time goes on.
        await new Promise((resolve) => setImmediate(resolve));
        if (isOver()) return;
        let next = heap.pop();
        while (next?.isCancelled) next = heap.pop();
        if (next === undefined) return;
        time = next.at;
        next.wake();
        for (let also = heap.peek(); also !== undefined && also.at === time; also = heap.peek()) {
          heap.pop();
          if (!also.isCancelled) also.wake();
        }
      }
    },
  };
};

export type Clock = ReturnType<typeof createClock>;
