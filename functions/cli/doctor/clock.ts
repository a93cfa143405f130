/** What every part of the doctor tells the time by. */
import { type Check, failed, notChecked, ok } from './check.ts';

/** How far others' clocks are ahead of ours, by the `Date` header of their answers. */
export interface Clock {
  aheadMs?: number;
  whose?: string;
}

/** A `Date` header tells whole seconds, and the answer took its time. */
const TOLERANCE_MS = 30_000;

/** The first to tell the time is believed; ask AWS before Segura. */
export const readClock = (clock: Clock, whose: string, date: string | undefined, now: number): void => {
  const theirs = Date.parse(date ?? '');
  if (clock.whose !== undefined || Number.isNaN(theirs)) return;
  clock.whose = whose;
  clock.aheadMs = theirs - now;
};

export const checkClock = ({ whose, aheadMs = 0 }: Clock, now: number): Check => {
  if (whose === undefined) return notChecked('clock', 'nobody answered with a time to compare with');
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (Math.abs(aheadMs) <= TOLERANCE_MS) return ok('clock', `within ${seconds + 1} s of ${whose}'s`);
  const direction = aheadMs > 0 ? 'behind' : 'ahead of';
  return failed(
    'clock',
    `${new Date(now).toISOString()} is ${seconds} s ${direction} ${whose}'s: set it (AWS refuses signatures 5 minutes off; notAfter and ages go wrong)`,
  );
};
