/**
 * An outage and what comes after it: so many requests wait, Segura answers 503 for so long, then it is back. How long each
 * waits from then on, what it costs in calls, and whether the contract's *Recovery* holds.
 */
import type { GroupLock } from '../../infra/local/queue.ts';
import { type Cluster, createCluster, STARTS_AT } from './cluster.ts';
import type { Environment, EnvironmentParts } from './environment.ts';
import { createRequest } from './people.ts';
import { promiseOf } from './promise.ts';
import type { SeguraFault, Weather, Window } from './weather.ts';

export interface OutageOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly backlog: number;
  readonly isFifo: boolean;
  /** Of a FIFO queue; the backlog is divided among them. */
  readonly groups?: number;
  readonly groupLock?: GroupLock;
  /** Requests come in over the whole outage instead of at its beginning. */
  readonly isSpread?: boolean;
  /** What goes wrong meanwhile, at Segura and, where not said otherwise, at its token endpoint. */
  readonly faults?: readonly SeguraFault[];
  /** Of each second seed, where not said: a gateway in front of all, or Segura alone. */
  readonly tokensFail?: boolean;
  readonly maximumConcurrency?: number;
  /** Calls that Segura works on at once. */
  readonly capacity?: number | undefined;
  readonly maxInFlight?: number;
  readonly samples?: number;
  readonly newEnvironment?: (parts: EnvironmentParts) => Environment;
}

/** One moment: where the messages are. */
export interface Sample {
  readonly atSeconds: number;
  /** In the queue, for anybody to receive. */
  readonly waiting: number;
  /** In an invocation, or kept for a while. */
  readonly kept: number;
  readonly enabled: number;
  readonly exhausted: number;
  /** To Segura and its token endpoint, since the last sample. */
  readonly calls: number;
}

export interface OutageResult {
  readonly backlog: number;
  readonly enabled: number;
  readonly exhausted: number;
  /** Seconds from the end of the outage until a request was enabled. */
  readonly waits: { readonly median: number; readonly p95: number; readonly last: number };
  readonly calls: number;
  readonly callsInOutage: number;
  /** In the busiest minute of the outage but its first. */
  readonly callsInBusiestMinute: number;
  readonly mostReceives: number;
  readonly invocations: number;
  readonly series: readonly Sample[];
  readonly violations: readonly string[];
}

const DAY = 86_400;
const ANSWERS_IN_MS = 50;
const LATE_SECONDS = 4 * DAY;
/** Of the event source mapping, and so of environments at once. */
const SHIPPED_CONCURRENCY = 5;
/** Of an environment that knows of the outage, however many requests wait: one in 10 s. */
const CALLS_PER_MINUTE = 6;
/** Of a new one: five invocations, each of which tries three times to get a token. */
const CALLS_TO_LEARN = 15;
const ENOUGH_VIOLATIONS = 20;

const weatherOf = (options: OutageOptions): Weather => {
  const { seed, seconds, faults = ['down'], tokensFail = seed % 2 === 1 } = options;
  const calmAt = STARTS_AT + seconds * 1000;
  const outage: Window<SeguraFault> = { from: STARTS_AT, to: calmAt, share: 1, faults };
  return {
    segura: [outage],
    tokens: tokensFail ? [outage] : [],
    secrets: [],
    sqs: [],
    killShare: 0,
    killsWithinMs: [],
    freezeShare: 0,
    duplicateShare: 0,
    rotations: 0,
    isOutage: true,
    calmAt,
  };
};

const callsOf = ({ calls, tokenRequests }: { readonly calls: number; readonly tokenRequests: number }): number =>
  calls + tokenRequests;

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** Takes samples until the run is over: evenly over the outage, and each second of the minutes after it. */
const createSampler = ({ clock, queues, ledger, witness, weather }: Cluster, seconds: number, samples: number) => {
  const series: Sample[] = [];
  let calls = 0;
  let isOver = false;
  const settled = { enabled: 0, exhausted: 0 };
  const take = (): void => {
    if (isOver) return;
    settled.enabled = 0;
    settled.exhausted = 0;
    for (const { isEnabled, isExhausted } of ledger.stories.values()) {
      if (isEnabled) settled.enabled += 1;
      if (isExhausted) settled.exhausted += 1;
    }
    const kept = queues.requests.inFlight();
    const waiting = queues.requests.size() - kept;
    series.push({
      atSeconds: (clock.now() - STARTS_AT) / 1000,
      waiting,
      kept,
      ...settled,
      calls: callsOf(witness.counts) - calls,
    });
    calls = callsOf(witness.counts);
    const step = clock.now() < weather.calmAt ? seconds / samples : Math.max(1, 300 / samples);
    clock.after(step * 1000, take);
  };
  if (samples > 0) take();
  return {
    series,
    stop: (): void => {
      take();
      isOver = true;
    },
  };
};

/** Calls to Segura by minute of the outage. */
const createCounter = ({ clock, witness, weather }: Cluster) => {
  let before = 0;
  let minutes = 0;
  let busiest = 0;
  let inOutage = 0;
  const count = (): void => {
    if (clock.now() > weather.calmAt) return;
    inOutage = callsOf(witness.counts);
    if (minutes > 1) busiest = Math.max(busiest, inOutage - before);
    before = inOutage;
    minutes += 1;
    clock.after(Math.max(1, Math.min(60_000, weather.calmAt - clock.now())), count);
  };
  count();
  return { busiest: () => busiest, inOutage: () => inOutage };
};

const checkPromise = (options: OutageOptions, { ledger }: Cluster, result: Omit<OutageResult, 'violations'>): void => {
  const { seconds, backlog, capacity, maximumConcurrency = SHIPPED_CONCURRENCY, faults } = options;
  const { waits, enabled, exhausted, mostReceives, callsInBusiestMinute } = result;
  // With fewer pollers than shipped there are fewer environments, which may hold no less.
  const isAsShipped = capacity === undefined && maximumConcurrency <= SHIPPED_CONCURRENCY && faults === undefined;
  if (enabled < backlog) ledger.violate(`only ${enabled} of ${backlog} were enabled`);
  if (exhausted > 0) ledger.violate(`${exhausted} messages in exhausted`);
  if (mostReceives >= 1000) ledger.violate(`a message was received ${mostReceives} times`);
  const mostCalls = maximumConcurrency * (CALLS_PER_MINUTE + CALLS_TO_LEARN);
  if (callsInBusiestMinute > mostCalls) ledger.violate(`${callsInBusiestMinute} calls in a minute of the outage`);
  // Of more, or of longer, the contract says nothing.
  if (!isAsShipped || backlog > 100 || seconds > DAY) return;
  const promise = promiseOf(seconds, backlog);
  if (waits.median > promise.median) ledger.violate(`half waited ${waits.median} s, not ${promise.median} s`);
  if (waits.last > promise.last) ledger.violate(`the last waited ${waits.last} s, not ${promise.last} s`);
};

export const runOutage = async (options: OutageOptions): Promise<OutageResult> => {
  const { seed, seconds, backlog, isFifo, groups = 20, isSpread = false, samples = 0 } = options;
  const cluster = createCluster({
    seed,
    kind: `outage of ${seconds} s, ${backlog} ${isFifo ? 'FIFO' : 'standard'}`,
    isFifo,
    groupLock: () => options.groupLock ?? 'first-invisible',
    weather: () => weatherOf(options),
    mapping: () => ({
      batchSize: 10,
      windowMs: 0,
      maximumConcurrency: options.maximumConcurrency ?? SHIPPED_CONCURRENCY,
    }),
    outcomesShare: 0,
    maxInFlight: options.maxInFlight,
    keepsTraces: backlog <= 1000,
    segura: { answersInMs: ANSWERS_IN_MS, capacity: options.capacity },
    newEnvironment: options.newEnvironment,
  });
  const { clock, ledger, lambda, witness, people, weather } = cluster;
  const request = createRequest(people);
  const send = async (): Promise<void> => {
    for (let index = 0; index < backlog; index += 1) {
      if (isSpread) await clock.sleep((seconds * 1000) / (backlog + 1));
      request(index, { groupId: `group-${index % groups}`, isPlain: true });
    }
  };
  const sampler = createSampler(cluster, seconds, samples);
  const counter = createCounter(cluster);
  // Lambda polls from the beginning; nothing is settled before the end of the outage.
  const busy = Promise.all([send(), clock.sleep(seconds * 1000)]);
  await cluster.run(
    busy,
    () => ledger.violations.length >= ENOUGH_VIOLATIONS || clock.now() > weather.calmAt + LATE_SECONDS * 1000,
  );
  sampler.stop();

  const waits: number[] = [];
  let exhausted = 0;
  let mostReceives = 0;
  for (const { settledAt, isExhausted, receives } of ledger.stories.values()) {
    if (settledAt !== undefined) waits.push(Math.max(0, settledAt - weather.calmAt) / 1000);
    if (isExhausted) exhausted += 1;
    mostReceives = Math.max(mostReceives, receives);
  }
  waits.sort((a, b) => a - b);
  const result = {
    backlog,
    enabled: waits.length,
    exhausted,
    waits: { median: quantile(waits, 0.5), p95: quantile(waits, 0.95), last: waits.at(-1) ?? 0 },
    calls: callsOf(witness.counts),
    callsInOutage: counter.inOutage(),
    callsInBusiestMinute: counter.busiest(),
    mostReceives,
    invocations: lambda.counts.invocations,
    series: sampler.series,
  };
  checkPromise(options, cluster, result);
  return { ...result, violations: ledger.violations };
};
