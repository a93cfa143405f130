/** A source is gone through twice: once to check all of it, once to send what is valid. */
import type { Progress } from '../terminal/progress.ts';
import type { Checked } from './check.ts';
import { createFaults } from './faults.ts';
import type { Found } from './found.ts';
import type { Receipts } from './receipts.ts';
import type { RequestSource } from './request-source.ts';
import type { Outgoing } from './requests.ts';

export type Check = (found: Found) => Checked;

export interface Counts {
  /** To be sent. */
  valid: number;
  invalid: number;
  /** Sent before, by the receipts that are gone on from. */
  sentBefore: number;
}

/** @returns the request as it is to be sent; `undefined` where it was sent before. @throws UsageError for other requests than before */
const leftOf = (request: Outgoing, receipts: Receipts | undefined): Outgoing | undefined => {
  if (receipts === undefined) return request;
  const known = receipts.find(request);
  if (known.kind === 'sent') return undefined;
  // Perhaps SQS has it already: under the same id it takes it once.
  return known.kind === 'open' && known.deduplicationId && request.deduplicationId
    ? { ...request, deduplicationId: known.deduplicationId }
    : request;
};

/** Counts into `counts` as it goes, so that also an interruption leaves what was counted. */
export const countAll = async (
  source: RequestSource,
  check: Check,
  counts: Counts,
  receipts: Receipts | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> => {
  const faults = createFaults(progress.tell);
  try {
    for await (const portion of source.read()) {
      signal.throwIfAborted();
      for (const found of portion) {
        const checked = check(found);
        if (checked.kind === 'request') {
          if (leftOf(checked.outgoing, receipts)) counts.valid += 1;
          else counts.sentBefore += 1;
        } else {
          counts.invalid += 1;
          faults.add(checked.place, checked.reason);
        }
      }
      const count = counts.valid + counts.invalid + counts.sentBefore;
      progress.update(count, `${count} checked, ${counts.invalid} invalid`);
    }
  } finally {
    faults.end();
    progress.end();
  }
};

export async function* validOf(
  source: RequestSource,
  check: Check,
  receipts: Receipts | undefined,
): AsyncGenerator<Outgoing> {
  for await (const portion of source.read()) {
    for (const found of portion) {
      const checked = check(found);
      const left = checked.kind === 'request' ? leftOf(checked.outgoing, receipts) : undefined;
      if (left) yield left;
    }
  }
}
