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

/** Carries out a task `ms` after it was given, and `after` when it is done. A later task takes the place of one that is not due. */
export const later = (ms: number, after: () => void) => {
  let timer: NodeJS.Timeout | undefined;
  return (task: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      task();
      after();
    }, ms);
  };
};
