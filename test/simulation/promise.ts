/** The contract's *Recovery*: seconds from the end of an outage until half of the waiting requests, and all, are enabled. */
export interface Promised {
  readonly median: number;
  readonly last: number;
}

const MINUTE = 60;

/** Of a hundred, in a FIFO queue in 20 groups; also of more. */
const ofMany = (outageSeconds: number): Promised => {
  // Of shorter ones it says nothing; the first wait is 30 s.
  if (outageSeconds < MINUTE) return { median: 60, last: 60 };
  if (outageSeconds === MINUTE) return { median: 10, last: 60 };
  return outageSeconds <= 10 * MINUTE ? { median: 30, last: 120 } : { median: 60, last: 300 };
};

const ofOne = (outageSeconds: number): number => (outageSeconds <= 10 * MINUTE ? 60 : 300);

/** The fewer wait, the later the first of them comes back by itself and finds out that Segura answers. */
const MANY = 30;

/** Between one and many the contract says nothing: half of a few do not wait longer than a single one. */
export const promiseOf = (outageSeconds: number, waiting: number): Promised => {
  const one = ofOne(outageSeconds);
  if (waiting === 1) return { median: one, last: one };
  const many = ofMany(outageSeconds);
  return waiting >= MANY ? many : { ...many, median: one };
};
