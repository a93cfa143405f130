/** What goes wrong, when and how often, drawn from the seed for each kind of episode. */
import type { Random } from './ledger.ts';

export const KINDS = [
  'quiet',
  'ordinary',
  'bad-day',
  'fifo',
  'credentials',
  'big-batches',
  'half-confirmed',
  'crash-loop',
  'day-long-outage',
  'day-long-outage-fifo',
] as const;
export type Kind = (typeof KINDS)[number];

export type SeguraFault =
  /** 503 of the gateway, as short as it comes. */
  | 'down'
  | 'hang'
  | 'refused'
  | 'reset'
  | 'dns'
  | 'unreachable'
  | 'tls'
  | 'slow'
  /** Carried out, but the answer is a time-out of the gateway, a reset, or never comes. */
  | 'lost-answer'
  /** Never answers, not even when the time limit of the call is over. */
  | 'deaf'
  /** A bug of ours: the call throws. */
  | 'bug'
  /** Looks like a verdict or a success, and is none. */
  | 'deception'
  /** The rest are meanings of infra/local/answers.json. */
  | 'invalid-upstream-response'
  | 'upstream-timeout'
  | 'unavailable'
  | 'request-timeout'
  | 'server-error'
  | 'rate-limited'
  | 'unauthorized'
  | 'unroutable'
  | 'redirect'
  | 'forbidden'
  | 'gateway-refused'
  | 'unexpected-answer';

export type AwsFault = 'hang' | 'refused' | 'throttled' | 'error' | 'denied' | 'lost-answer' | 'failed-entries';

/** A stretch of time in which a share of the calls fails, each in one of these ways. */
export interface Window<Fault> {
  readonly from: number;
  readonly to: number;
  readonly share: number;
  readonly faults: readonly Fault[];
}

export interface Weather {
  readonly segura: readonly Window<SeguraFault>[];
  readonly tokens: readonly Window<SeguraFault>[];
  readonly secrets: readonly Window<AwsFault>[];
  readonly sqs: readonly Window<AwsFault>[];
  /** Of the invocations, how many are killed in the middle, or stand still for a while. */
  readonly killShare: number;
  readonly killsWithinMs: readonly number[];
  readonly freezeShare: number;
  /** At-least-once: how many receives leave the message where others can receive it too; how many deletes are lost. */
  readonly duplicateShare: number;
  /** Tokens revoked, client secrets rotated. */
  readonly rotations: number;
  /** Segura is down for everybody, and nothing else is wrong. */
  readonly isOutage: boolean;
  /** From here on all is well. */
  readonly calmAt: number;
}

export const HOUR = 3_600_000;
export const OUTAGE_MS = 24 * HOUR;
/** Of any day but that of an outage: all is sent in this time, and all troubles are over at its end. */
export const TROUBLE_MS = 1.5 * HOUR;

const DOWN: readonly SeguraFault[] = [
  'hang',
  'refused',
  'unavailable',
  'upstream-timeout',
  'invalid-upstream-response',
];
const PASSING: readonly SeguraFault[] = [
  ...DOWN,
  'reset',
  'dns',
  'unreachable',
  'slow',
  'lost-answer',
  'request-timeout',
  'server-error',
  'rate-limited',
];
const STRANGE: readonly SeguraFault[] = [
  'tls',
  'deception',
  'unauthorized',
  'unroutable',
  'redirect',
  'forbidden',
  'gateway-refused',
  'unexpected-answer',
];
const AWS: readonly AwsFault[] = ['hang', 'refused', 'throttled', 'error', 'denied', 'lost-answer', 'failed-entries'];

export const pick = <Item>(random: Random, items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
export const between = (random: Random, from: number, to: number): number => from + random() * (to - from);

/** No trouble of this kind between two moments. */
export const isCalm = <Fault>(windows: readonly Window<Fault>[], from: number, to: number): boolean =>
  windows.every((window) => window.to <= from || window.from > to);

/** The fault that a call meets now, if any. */
export const faultAt = <Fault>(windows: readonly Window<Fault>[], now: number, random: Random): Fault | undefined => {
  for (const { from, to, share, faults } of windows) {
    if (now >= from && now < to && random() < share) return pick(random, faults);
  }
  return undefined;
};

export const drawWeather = (kind: Kind, startsAt: number, random: Random): Weather => {
  const troubleEndsAt = startsAt + TROUBLE_MS;
  const windows = <Fault>(count: number, faults: readonly Fault[], shares: readonly number[]): Window<Fault>[] =>
    Array.from({ length: count }, () => {
      const from = between(random, startsAt, troubleEndsAt);
      const to = Math.min(troubleEndsAt, from + between(random, 10_000, 0.6 * HOUR));
      // Most troubles have one face, some have all.
      const faces = random() < 0.7 ? [pick(random, faults)] : faults;
      return { from, to, share: pick(random, shares), faults: faces };
    });
  /** A little of everything, all the time. */
  const drizzle = <Fault>(faults: readonly Fault[], share = 0.02): Window<Fault> => ({
    from: startsAt,
    to: troubleEndsAt,
    share,
    faults,
  });
  const quiet: Weather = {
    segura: [],
    tokens: [],
    secrets: [],
    sqs: [],
    killShare: 0,
    killsWithinMs: [50, 300, 2000, 20_000],
    freezeShare: 0,
    duplicateShare: 0.005,
    rotations: 0,
    isOutage: false,
    calmAt: troubleEndsAt,
  };

  switch (kind) {
    case 'quiet':
      return { ...quiet, duplicateShare: 0 };
    case 'half-confirmed':
      return { ...quiet, sqs: [drizzle<AwsFault>(['failed-entries'], 0.5)] };
    case 'ordinary':
      return {
        ...quiet,
        segura: [{ from: startsAt, to: troubleEndsAt, share: 0.02, faults: ['upstream-timeout', 'slow', 'reset'] }],
      };
    case 'crash-loop':
      return { ...quiet, killShare: 0.8, killsWithinMs: [50, 300], duplicateShare: 0 };
    case 'credentials':
      return {
        ...quiet,
        segura: windows(1, ['unauthorized', 'unroutable', 'forbidden', 'tls'], [0.3, 1]),
        tokens: windows(3, [...PASSING, 'unauthorized', 'tls', 'unexpected-answer'], [0.3, 1]),
        secrets: windows(2, AWS, [0.3, 1]),
        killShare: 0.01,
        rotations: 8,
      };
    case 'bad-day':
    case 'fifo':
    case 'big-batches':
      return {
        ...quiet,
        segura: [
          ...windows(2 + Math.floor(random() * 3), PASSING, [0.05, 0.3, 0.7, 1]),
          ...windows(2, STRANGE, [0.05, 0.3, 1]),
          drizzle(['deception', 'lost-answer', ...STRANGE]),
          drizzle(['deaf', 'bug'], 0.01),
        ],
        tokens: windows(kind === 'big-batches' ? 2 : Math.floor(random() * 3), PASSING, [0.3, 1]),
        secrets: windows(Math.floor(random() * 2), AWS, [0.3, 1]),
        sqs: [...windows(Math.floor(random() * 4), AWS, [0.02, 0.2, 1]), drizzle(['failed-entries', ...AWS])],
        killShare: 0.02,
        freezeShare: 0.02,
        rotations: 4,
      };
    case 'day-long-outage':
    case 'day-long-outage-fifo': {
      const to = startsAt + OUTAGE_MS;
      const down = { from: startsAt, to, share: 1, faults: random() < 0.8 ? [pick(random, DOWN)] : DOWN };
      return { ...quiet, segura: [down], tokens: random() < 0.5 ? [down] : [], isOutage: true, calmAt: to };
    }
  }
};
