/** The figures of a run, for people and for machines. */
import { say, table } from '../../functions/cli/terminal/print.ts';
import { BUDGETS } from './size.ts';
import type { Summary } from './statistics.ts';

/** By the names of the table; times in ms, memory in bytes. */
export const MEASURES = [
  'coldStartMs',
  'coldStartCpuMs',
  'warmBatchMs',
  'warmBatchCpuMs',
  'largeBatchMs',
  'largeBatchCpuMs',
  'largeBatchPeakBytes',
] as const;
export type Measure = (typeof MEASURES)[number];

/** At most this many times the bare handler, by the clock; the CPU's time is steadier and has no goal of its own. */
export const GOALS: Readonly<Partial<Record<Measure, number>>> = {
  warmBatchMs: 1.5,
  largeBatchMs: 1.2,
  largeBatchPeakBytes: 1.15,
};
/** Over TLS the bare handler has Segura's handshake alone, and not that of Secrets Manager. */
export const COLD_START_GOALS = { http: 1.5, https: 2 } as const;
/** Of the better peer's cold start. */
export const PEER_GOAL = 0.75;

export interface Figures {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  readonly gzippedBytes: number;
  readonly measures: Readonly<Record<Measure, Summary>>;
  /** Medians, as multiples of the bare handler's; absent where that was not run. */
  readonly ratios?: Readonly<Record<Measure, number>>;
}

export interface Report {
  readonly rounds: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly goals: Readonly<Partial<Record<Measure, number>>> & { readonly gzippedBytes: number };
  readonly transports: readonly TransportFigures[];
}

export type Transport = 'http' | 'https';

export interface TransportFigures {
  readonly transport: Transport;
  readonly figures: readonly Figures[];
  /** Our cold start as a share of the better peer's; absent where one of the three was not run. */
  readonly toBetterPeer?: number;
}

export type Measured = Omit<Figures, 'ratios'>;

const divide = (measured: Measured, bare: Measured): Readonly<Record<Measure, number>> =>
  Object.fromEntries(
    MEASURES.map((name) => [name, measured.measures[name].median / bare.measures[name].median]),
  ) as Record<Measure, number>;

export const compare = (transport: Transport, all: readonly Measured[]): TransportFigures => {
  const byId = (id: string) => all.find((measured) => measured.id === id);
  const [bare, ours, middy, powertools] = ['bare', 'ours', 'middy', 'powertools'].map(byId);
  const coldOf = ({ measures }: Measured): number => measures.coldStartMs.median;
  return {
    transport,
    figures: all.map((measured) => (bare ? { ...measured, ratios: divide(measured, bare) } : measured)),
    ...(ours && middy && powertools
      ? { toBetterPeer: coldOf(ours) / Math.min(coldOf(middy), coldOf(powertools)) }
      : {}),
  };
};

export const goals: Report['goals'] = { ...GOALS, gzippedBytes: BUDGETS['enable-password'] ?? Number.NaN };

const ms = (digits: number) => (value: number) => `${value.toFixed(digits)} ms`;

const SHOWN: Readonly<Record<Measure, (median: number) => string>> = {
  coldStartMs: ms(0),
  coldStartCpuMs: ms(0),
  warmBatchMs: ms(2),
  warmBatchCpuMs: ms(2),
  largeBatchMs: ms(0),
  largeBatchCpuMs: ms(0),
  largeBatchPeakBytes: (bytes) => `${(bytes / 1e6).toFixed(0)} MB`,
};

const HEAD = ['cold start', 'its CPU', 'batch of 10', 'its CPU', 'batch of 1,000', 'its CPU', 'its memory', 'gzipped'];

const tableOf = ({ transport, figures, toBetterPeer }: TransportFigures): string[] => {
  const rows = figures.map(({ name, measures, ratios, gzippedBytes }) => [
    name,
    ...MEASURES.map((measure) => {
      const shown = SHOWN[measure](measures[measure].median);
      return ratios ? `${shown} (${ratios[measure].toFixed(2)})` : shown;
    }),
    `${(gzippedBytes / 1000).toFixed(1)} kB`,
  ]);
  const limitOf = (limit: number | undefined): string => (limit === undefined ? '' : `at most ${limit.toFixed(2)}`);
  const limits = [
    'goal, to the bare handler',
    ...MEASURES.map((measure) => limitOf(measure === 'coldStartMs' ? COLD_START_GOALS[transport] : goals[measure])),
    `at most ${goals.gzippedBytes / 1000} kB`,
  ];
  const share = toBetterPeer?.toFixed(2);
  return [
    table([`over ${transport}`, ...HEAD], [...rows, limits]),
    ...(share ? ['', `Cold start beside the better peer's: ${share} (goal: at most ${PEER_GOAL}).`] : []),
  ];
};

export const print = ({ transports, rounds, versions }: Report): void =>
  say(
    ...transports.flatMap((each) => [...tableOf(each), '']),
    `Medians of ${rounds} interleaved rounds, in parentheses their ratio to the bare handler over the same transport.`,
    'Cold start: process start to first answered message. Batch of 10: warm, the vault answers at once. Batch of 1,000:',
    'the vault takes 20 ms, concurrency 500. Memory: the highest resident set of that process. CPU: user and system time.',
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  );
