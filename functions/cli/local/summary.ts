/** The state of the local world in a few lines of text; each number says what it counts. */
import { type Breakage, describeBreakage } from '../../../infra/local/console/fault-names.ts';
import type { Snapshot } from '../../../infra/local/console/snapshot.ts';
import { fairnessState, requestsState } from '../../../infra/local/console/view.ts';

const seguraState = (breakages: readonly Breakage[]): string =>
  breakages.length === 0 ? 'up' : breakages.map(describeBreakage).join('; ');

/** What became of the messages so far: the same text as long as nothing new was settled or kept. */
export const countsLine = ({ totals, rejected, exhausted, outcomes }: Snapshot): string =>
  [
    `enabled ${totals.enabled}`,
    `already enabled ${totals['already-enabled']}`,
    `rejected ${totals.rejected}`,
    `kept ${totals.kept} times`,
    `in the queues: rejected ${rejected.count}, exhausted ${exhausted.count}, outcomes ${outcomes.count}`,
  ].join(' · ');

export const summaryLines = (snapshot: Snapshot): readonly string[] => {
  const { requests, breakages, isPaused, at } = snapshot;
  const delivery = isPaused ? ' · delivery paused' : '';
  const fairness = fairnessState(requests);
  return [
    `requests: ${requestsState(requests, at)} · Segura: ${seguraState(breakages)}${delivery}`,
    countsLine(snapshot),
    ...(fairness === '' ? [] : [fairness]),
  ];
};
