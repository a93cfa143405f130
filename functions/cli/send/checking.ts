/** A source is gone through twice: once to check all of it, once to send what is valid. */
import type { Progress } from '../terminal/progress.ts';
import type { Checked } from './check.ts';
import { createFaults } from './faults.ts';
import type { Found } from './found.ts';
import type { RequestSource } from './request-source.ts';
import type { Outgoing } from './requests.ts';

export type Check = (found: Found) => Checked;

export interface Counts {
  valid: number;
  invalid: number;
}

/** Counts into `counts` as it goes, so that also an interruption leaves what was counted. */
export const countAll = async (
  source: RequestSource,
  check: Check,
  counts: Counts,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> => {
  const faults = createFaults(progress.tell);
  try {
    for await (const portion of source.read()) {
      signal.throwIfAborted();
      for (const found of portion) {
        const checked = check(found);
        if (checked.kind === 'request') counts.valid += 1;
        else {
          counts.invalid += 1;
          faults.add(checked.place, checked.reason);
        }
      }
      const count = counts.valid + counts.invalid;
      progress.update(count, `${count} checked, ${counts.invalid} invalid`);
    }
  } finally {
    faults.end();
    progress.end();
  }
};

export async function* validOf(source: RequestSource, check: Check): AsyncGenerator<Outgoing> {
  for await (const portion of source.read()) {
    for (const found of portion) {
      const checked = check(found);
      if (checked.kind === 'request') yield checked.outgoing;
    }
  }
}
