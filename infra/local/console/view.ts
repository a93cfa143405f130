/** What the page says, in words: pure, so that it is tested without a browser. */
import type { Line } from '../lambda.ts';
import { describeBreakage } from './fault-names.ts';
import type { MessageRow, RequestsView, RowOutcome, SeguraAnswer, Snapshot } from './snapshot.ts';

const plural = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;

/** `24 s`, `3 min`; never below zero, for clocks differ. */
export const timeLeft = (ms: number): string => {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
};

/** `18:42:07`, on the reader's clock. */
export const clockTime = (ms: number): string => {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((each) => String(each).padStart(2, '0')).join(':');
};

const OUTCOME_WORDS: Readonly<Record<RowOutcome, string>> = {
  waiting: 'waiting',
  'in-work': 'in work',
  kept: 'kept',
  enabled: 'enabled',
  'already-enabled': 'already enabled',
  rejected: 'rejected',
  exhausted: 'given up',
};

/** What stands at the end of a row. */
export const rowState = ({ outcome, errorCode, backAt }: MessageRow, now: number): string => {
  const words = errorCode === undefined ? OUTCOME_WORDS[outcome] : `${OUTCOME_WORDS[outcome]} (${errorCode})`;
  return backAt === undefined ? words : `${words}, ${timeLeft(backAt - now)}`;
};

/** What stands in the middle of a row: whose it is, and the ticket or, where there is none, the moment. */
export const rowNote = ({ requestId, groupId, settledAt }: MessageRow): string => {
  const ticket = requestId ?? (settledAt === undefined ? undefined : clockTime(settledAt));
  return [groupId, ticket].filter((part) => part !== undefined).join(' · ');
};

export const requestsState = ({ waiting, inWork, kept, nextBackAt }: RequestsView, now: number): string => {
  const next = nextBackAt === undefined ? '' : `, next in ${timeLeft(nextBackAt - now)}`;
  return `${waiting} waiting · ${inWork} in work · ${kept} kept${next}`;
};

/** Fair queues, in words; nothing where no group is noisy. */
export const fairnessState = ({ noisyGroups }: RequestsView): string =>
  noisyGroups.length === 0 ? '' : `${noisyGroups.join(', ')}: so many at once that those of others come first`;

export const answerState = ({ status, durationMs }: SeguraAnswer): string =>
  status === 0 ? 'no answer' : `${status} in ${durationMs} ms`;

const sum = ({ totals }: Snapshot): string => {
  const parts = [
    `${totals.enabled + totals['already-enabled']} enabled`,
    ...(totals.rejected > 0 ? [`${totals.rejected} rejected`] : []),
  ];
  return parts.join(', ');
};

/** One sentence or two for somebody who looks for the first time. */
export const headline = (snapshot: Snapshot): string => {
  const { requests, breakages, isPaused, exhausted } = snapshot;
  const left =
    requests.count === 0 ? 'Nothing waits.' : `${plural(requests.count, 'request')} in the queue, none lost.`;
  if (isPaused) return `Delivery is paused. ${left}`;
  const [breakage] = breakages;
  if (breakage) return `Broken: ${describeBreakage(breakage)}. ${left}`;
  if (requests.kept > 0) return `All is well again. ${plural(requests.kept, 'kept request')} still to come back.`;
  if (requests.count > 0) return `${plural(requests.count, 'request')} under way.`;
  if (exhausted.count > 0) return `Settled: ${sum(snapshot)}; ${exhausted.count} given up.`;
  const isNew = snapshot.totals.enabled + snapshot.totals['already-enabled'] + snapshot.totals.rejected === 0;
  return isNew
    ? 'No request yet. Send one, then break something and see what happens.'
    : `All settled: ${sum(snapshot)}. Nothing waits.`;
};

/** One delivery of a message in words: `18:42:07 kept (HTTP503), attempt 1 to 6 in 9.3 s, receive 1` */
export const storyLine = (line: Line): string => {
  const at = Date.parse(String(line['timestamp']));
  const outcome = String(line['outcome']) as RowOutcome;
  const code = line['errorCode'] === undefined ? '' : ` (${line['errorCode']})`;
  const attempts = Number(line['attempts'] ?? 0);
  const called = attempts === 0 ? 'Segura not called' : `${plural(attempts, 'call')} to Segura`;
  const took = `${(Number(line['durationMs'] ?? 0) / 1000).toFixed(1)} s`;
  return [
    `${Number.isNaN(at) ? '' : `${clockTime(at)} `}${OUTCOME_WORDS[outcome] ?? outcome}${code}`,
    `receive ${line['receiveCount']}`,
    called,
    took,
  ].join(' · ');
};

/** For those who do not see the chart. */
export const chartText = (title: string, values: readonly (number | null)[], unit: string): string => {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined) return `${title}: nothing yet`;
  return `${title}: now ${Math.round(last)}${unit}, at most ${Math.round(Math.max(...known))}${unit}`;
};
