/** A sample a second of the last quarter of an hour, for the two charts. */
import type { Journal } from './journal.ts';
import type { Snapshot } from './snapshot.ts';

export interface Sample {
  /** Epoch seconds, as uPlot takes them. */
  readonly at: number;
  readonly waiting: number;
  readonly inWork: number;
  readonly kept: number;
  /** Seconds from sending to the outcome, of the request that waited longest among those settled since the last. */
  readonly longestWait: number | null;
}

const HISTORY_SECONDS = 900;

export const createHistory = (journal: Journal) => {
  let samples: Sample[] = [];
  let sampledAt = 0;
  return {
    samples: (): readonly Sample[] => samples,
    take: ({ at, requests }: Snapshot): Sample => {
      const waits = journal
        .settled()
        .filter((each) => each.at > sampledAt)
        .map(({ waitedMs }) => waitedMs / 1000);
      sampledAt = at;
      const sample: Sample = {
        at: Math.round(at / 1000),
        waiting: requests.waiting,
        inWork: requests.inWork,
        kept: requests.kept,
        longestWait: waits.length > 0 ? Math.max(...waits) : null,
      };
      samples = [...samples, sample].slice(-HISTORY_SECONDS);
      return sample;
    },
    clear: (): void => {
      samples = [];
    },
  };
};

export type History = ReturnType<typeof createHistory>;
