/** Real time, for the places that put the parts together; everything else is given its sleep. */

/** Ends early when the signal is given. */
export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });

/** Ends early when `pending` is settled. For each batch: a signal of its own would cost it more. */
export const sleepWhile = (ms: number, pending?: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    pending?.then(end, end);
  });

/** Rings `ms` after it was last set. Of one timer: to make and end one for each batch costs more than to let it ring for nothing. */
export const alarm = (ms: number, ring: () => void) => {
  let timer: NodeJS.Timeout | undefined;
  return (): void => {
    if (timer) timer.refresh();
    else timer = setTimeout(ring, ms);
  };
};

/** Carries out a task `ms` after it was given, and `after` when it is done. A later task takes the place of one that is not due. */
export const later = (ms: number, after: () => void) => {
  let due = (): void => undefined;
  const set = alarm(ms, () => {
    due();
    after();
  });
  return (task: () => void): void => {
    due = task;
    set();
  };
};
