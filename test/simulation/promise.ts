/** The contract's *Recovery*: seconds from the end of an outage until half of the waiting requests, and all, are enabled. */
export interface Promised {
  readonly median: number;
  readonly last: number;
}

const MINUTE = 60;

/** For up to a hundred waiting requests, in a FIFO queue in 20 groups, and for a single one. */
export const promiseOf = (outageSeconds: number, waiting: number): Promised => {
  if (waiting === 1) return outageSeconds <= 10 * MINUTE ? { median: 60, last: 60 } : { median: 300, last: 300 };
  // Of shorter ones it says nothing; the first wait is 30 s.
  if (outageSeconds < MINUTE) return { median: 60, last: 60 };
  if (outageSeconds === MINUTE) return { median: 10, last: 60 };
  return outageSeconds <= 10 * MINUTE ? { median: 30, last: 120 } : { median: 60, last: 300 };
};
