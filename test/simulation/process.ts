/** A process that can be frozen and killed: what it waits for reaches it only while it lives and runs. */

export const createProcess = () => {
  let isAlive = true;
  let isFrozen = false;
  let waiting: (() => void)[] = [];

  return {
    isAlive: (): boolean => isAlive,
    /** Carries out what came in, at once or at the next thaw; never in a dead process. */
    run: (work: () => void): void => {
      if (!isAlive) return;
      if (isFrozen) waiting.push(work);
      else work();
    },
    freeze: (): void => {
      isFrozen = true;
    },
    thaw: (): void => {
      isFrozen = false;
      const due = waiting;
      waiting = [];
      for (const work of due) work();
    },
    kill: (): void => {
      isAlive = false;
      waiting = [];
    },
  };
};
