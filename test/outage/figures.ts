/** What a run says: the waits after the return, the calls, and whether the contract's *Recovery* held. */
import { type Promised, promiseOf } from '../simulation/promise.ts';

/** To Segura, or to its token endpoint where it names no identifier; in ms since the epoch. */
export interface Call {
  readonly at: number;
  readonly answeredAt: number;
  readonly status: number;
  readonly environment: number;
  readonly identifier?: number;
}

export interface Course {
  readonly seconds: number;
  readonly waiting: number;
  readonly isFifo: boolean;
  readonly sqs: string;
  readonly tokensFail: boolean;
  readonly calls: readonly Call[];
  readonly backAt: number;
  readonly mostReceives: number;
  readonly functionErrors: number;
  readonly environments: number;
  /** Still in the queue. */
  readonly left: number;
  readonly deadLetters: number;
}

export interface Figures extends Omit<Course, 'calls' | 'backAt'> {
  /** Seconds from the end of the outage until a request was enabled. */
  readonly waits: { readonly median: number; readonly p95: number; readonly last: number };
  readonly calls: number;
  readonly callsInOutage: number;
  /** The most in any 10 s, of each environment from when it has learnt of the outage until its next success. */
  readonly mostCallsIn10s: readonly number[];
  /** Calls for a request of a FIFO group while an earlier one of it was not yet enabled. */
  readonly overtakings: number;
  /** In the contract's words; empty where all held. */
  readonly missed: readonly string[];
}

/** In a FIFO queue the requests are in so many groups, by turns. */
const GROUPS = 20;
export const groupOf = (identifier: number): number => identifier % GROUPS;

/** "Plainly down: five failures in a row from at least three identifiers." */
const FAILURES = 5;
const IDENTIFIERS = 3;
const PACE_MS = 10_000;
/** What was on its way when the fifth failure came in. */
const ON_ITS_WAY_MS = 1000;
const MAX_RECEIVES = 1000;

const hasFailed = ({ status }: Call): boolean => status >= 500 || status === 0;

/** The calls that an environment made although it knew. */
const callsWhileDown = (calls: readonly Call[]): Call[] => {
  const made: Call[] = [];
  let failures = 0;
  let learntAt = Number.POSITIVE_INFINITY;
  let failing = new Set<number>();
  for (const call of calls) {
    // A token is no answer of Segura's: one that was issued says nothing, one that was not counts as a call.
    if (call.identifier === undefined && !hasFailed(call)) continue;
    if (call.at > learntAt + ON_ITS_WAY_MS) made.push(call);
    if (!hasFailed(call)) {
      failures = 0;
      learntAt = Number.POSITIVE_INFINITY;
      failing = new Set();
      continue;
    }
    failures += 1;
    if (call.identifier !== undefined) failing.add(call.identifier);
    if (failures >= FAILURES && failing.size >= IDENTIFIERS) learntAt = Math.min(learntAt, call.answeredAt);
  }
  return made;
};

const mostIn = (calls: readonly Call[], ms: number): number =>
  calls.reduce((most, { at }) => Math.max(most, calls.filter((each) => each.at >= at && each.at < at + ms).length), 0);

const countOvertakings = (calls: readonly Call[], waiting: number): number => {
  const enabled = new Set<number>();
  let overtakings = 0;
  for (const { identifier, status } of calls) {
    if (identifier === undefined) continue;
    for (let earlier = groupOf(identifier); earlier < identifier; earlier += GROUPS) {
      if (earlier > 0 && earlier <= waiting && !enabled.has(earlier)) {
        overtakings += 1;
        break;
      }
    }
    if (status === 200) enabled.add(identifier);
  }
  return overtakings;
};

/** The contract's figures are for a hundred waiting requests and for a single one. */
const isPromised = ({ waiting }: Course): boolean => waiting === 1 || waiting === 100;
const ANY_WAIT: Promised = { median: Number.POSITIVE_INFINITY, last: Number.POSITIVE_INFINITY };

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

const waitsOf = ({ calls, backAt }: Course): number[] => {
  const enabledAt = new Map<number, number>();
  for (const { identifier, status, answeredAt } of calls) {
    if (identifier !== undefined && status === 200 && !enabledAt.has(identifier)) enabledAt.set(identifier, answeredAt);
  }
  return [...enabledAt.values()].map((at) => Math.max(0, at - backAt) / 1000).toSorted((a, b) => a - b);
};

const missedOf = (course: Course, figures: Omit<Figures, 'missed'>): string[] => {
  const { seconds, waiting, left, deadLetters, functionErrors, mostReceives } = course;
  const { waits, mostCallsIn10s, overtakings } = figures;
  const promise = isPromised(course) ? promiseOf(seconds, waiting) : ANY_WAIT;
  const busiest = Math.max(0, ...mostCallsIn10s);
  return [
    ...(left > 0 ? [`${left} of ${waiting} are still waiting`] : []),
    ...(deadLetters > 0 ? [`${deadLetters} became dead letters`] : []),
    ...(functionErrors > 0 ? [`${functionErrors} invocations failed`] : []),
    ...(waits.median > promise.median ? [`half waited ${waits.median} s, not ${promise.median} s`] : []),
    ...(waits.last > promise.last ? [`the last waited ${waits.last} s, not ${promise.last} s`] : []),
    ...(busiest > 1 ? [`an environment that knew of the outage made ${busiest} calls in 10 s`] : []),
    ...(overtakings > 0 ? [`${overtakings} calls overtook an earlier request of their group`] : []),
    ...(mostReceives >= MAX_RECEIVES ? [`a message was received ${mostReceives} times`] : []),
  ];
};

export const figuresOf = (course: Course): Figures => {
  const { calls, backAt, ...rest } = course;
  const sorted = waitsOf(course);
  const byEnvironment = Map.groupBy(calls, ({ environment }) => environment);
  const figures = {
    ...rest,
    waits: { median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), last: sorted.at(-1) ?? 0 },
    calls: calls.length,
    callsInOutage: calls.filter(({ at }) => at < backAt).length,
    mostCallsIn10s: [...byEnvironment.values()].map((each) => mostIn(callsWhileDown(each), PACE_MS)),
    overtakings: course.isFifo ? countOvertakings(calls, course.waiting) : 0,
  };
  return { ...figures, missed: missedOf(course, figures) };
};
