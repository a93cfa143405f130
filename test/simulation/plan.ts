/** What a run of the simulation consists of: episodes of each kind, and outages of each length. */
import type { EpisodeOptions } from './episode.ts';
import { HISTORY_KINDS, type HistoryOptions } from './history.ts';
import type { OutageOptions } from './outage.ts';
import { KINDS, type Kind } from './weather.ts';

/** One piece of work for a worker. */
export type Job =
  | ({ readonly work: 'episode' } & EpisodeOptions)
  | ({ readonly work: 'outage' } & Outage)
  | ({ readonly work: 'history' } & HistoryOptions);

const PER_EPISODE = 1000;
const OUTAGES: readonly Kind[] = ['day-long-outage', 'day-long-outage-fifo'];
/** A day's outage costs as much as ten other episodes: each message comes back hundreds of times. */
const OUTAGE_SHARE = 0.02;
const MAX_OUTAGE_MESSAGES = 500;
const DAYS = KINDS.filter((kind) => !OUTAGES.includes(kind));

/** A day-long outage of either queue in each run, and first, for they take longest; the rest is divided among the kinds. */
export const plan = (messages: number, seed: number): EpisodeOptions[] => {
  const outage = Math.min(MAX_OUTAGE_MESSAGES, Math.max(1, Math.round(messages * OUTAGE_SHARE)));
  const episodes = OUTAGES.map((kind, index) => ({ seed: seed + index, kind, messages: outage }));
  const left = Math.max(0, messages - outage * OUTAGES.length);
  const count = Math.max(DAYS.length, Math.ceil(left / PER_EPISODE));
  for (let index = 0; index < count; index += 1) {
    const share = Math.floor((left * (index + 1)) / count) - Math.floor((left * index) / count);
    const kind = DAYS[index % DAYS.length] ?? 'bad-day';
    if (share > 0) episodes.push({ seed: seed + OUTAGES.length + index, kind, messages: share });
  }
  return episodes;
};

/** Histories of each kind, of at most a thousand requests, that are the ledger of one report. */
export const historyPlan = (requests: number, seed: number): HistoryOptions[] => {
  const count = Math.max(HISTORY_KINDS.length, Math.ceil(requests / PER_EPISODE));
  return Array.from({ length: count }, (_, index) => ({
    seed: seed + index,
    kind: HISTORY_KINDS[index % HISTORY_KINDS.length] ?? 'bad-day',
    requests: Math.floor((requests * (index + 1)) / count) - Math.floor((requests * index) / count),
    name: `day-${index + 1}`,
  })).filter((history) => history.requests > 0);
};

const MINUTE = 60;
const HOUR = 3600;
export const OUTAGE_LENGTHS: readonly number[] = [10, MINUTE, 10 * MINUTE, 3 * HOUR, 24 * HOUR];

export type Outage = Omit<OutageOptions, 'newEnvironment'>;

/** The lengths of the contract's *Recovery*, on either queue, with a hundred waiting requests and with one. */
export const outagePlan = (seed: number): Outage[] =>
  OUTAGE_LENGTHS.flatMap((seconds) =>
    [false, true].flatMap((isFifo) => [1, 100].map((backlog) => ({ seed, seconds, backlog, isFifo }))),
  );

/** More than a queue likes to hold: what is called must not grow with what waits. */
export const backlogPlan = (seed: number): Outage[] => [
  ...[10_000, 100_000].flatMap((backlog) =>
    [false, true].map((isFifo) => ({ seed, seconds: 10 * MINUTE, backlog, isFifo })),
  ),
  { seed, seconds: 24 * HOUR, backlog: 10_000, isFifo: false },
];

/** Each outage with so many seeds, from its own on. */
export const withSeeds = (outages: readonly Outage[], seeds: number): Outage[] =>
  outages.flatMap((outage) => Array.from({ length: seeds }, (_, index) => ({ ...outage, seed: outage.seed + index })));

const UNITS: Readonly<Record<string, number>> = { s: 1, m: MINUTE, h: HOUR, d: 24 * HOUR };

/** `10s`, `1m`, `3h`, `1d`; in seconds. `undefined` for what is none. */
export const readLength = (text: string): number | undefined => {
  const [, amount, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const seconds = Number(amount) * (UNITS[unit] ?? Number.NaN);
  return seconds > 0 ? seconds : undefined;
};
