/** The figures of a run, for people and for machines. */
import { table } from '../../functions/cli/terminal/print.ts';
import { BUDGETS } from './size.ts';
import type { Summary } from './statistics.ts';

/** By the names of the table; times in ms, memory in bytes. */
export const MEASURES = ['coldStartMs', 'warmBatchMs', 'largeBatchMs', 'largeBatchPeakBytes'] as const;
export type Measure = (typeof MEASURES)[number];

/** At most this many times the bare handler. */
export const GOALS: Readonly<Record<Measure, number>> = {
  coldStartMs: 1.35,
  warmBatchMs: 1.5,
  largeBatchMs: 1.3,
  largeBatchPeakBytes: 1.25,
};

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
  readonly isSecure: boolean;
  readonly versions: Readonly<Record<string, string>>;
  readonly goals: Readonly<Record<Measure, number>> & { readonly gzippedBytes: number };
  readonly figures: readonly Figures[];
}

type Measured = Omit<Figures, 'ratios'>;

const divide = (measured: Measured, bare: Measured): Readonly<Record<Measure, number>> => {
  const ratio = (name: Measure): number => measured.measures[name].median / bare.measures[name].median;
  return {
    coldStartMs: ratio('coldStartMs'),
    warmBatchMs: ratio('warmBatchMs'),
    largeBatchMs: ratio('largeBatchMs'),
    largeBatchPeakBytes: ratio('largeBatchPeakBytes'),
  };
};

export const compare = (all: readonly Measured[], about: Pick<Report, 'rounds' | 'isSecure' | 'versions'>): Report => {
  const bare = all.find(({ id }) => id === 'bare');
  return {
    ...about,
    goals: { ...GOALS, gzippedBytes: BUDGETS['enable-password'] ?? Number.NaN },
    figures: all.map((measured) => (bare ? { ...measured, ratios: divide(measured, bare) } : measured)),
  };
};

const SHOWN: Readonly<Record<Measure, (median: number) => string>> = {
  coldStartMs: (ms) => `${ms.toFixed(0)} ms`,
  warmBatchMs: (ms) => `${ms.toFixed(2)} ms`,
  largeBatchMs: (ms) => `${ms.toFixed(0)} ms`,
  largeBatchPeakBytes: (bytes) => `${(bytes / 1e6).toFixed(0)} MB`,
};

const HEAD = ['', 'cold start', 'batch of 10', 'batch of 1,000', 'its memory', 'gzipped'];

export const print = ({ figures, goals, rounds, isSecure, versions }: Report): string => {
  const rows = figures.map(({ name, measures, ratios, gzippedBytes }) => [
    name,
    ...MEASURES.map((measure) => {
      const shown = SHOWN[measure](measures[measure].median);
      return ratios ? `${shown} (${ratios[measure].toFixed(2)})` : shown;
    }),
    `${(gzippedBytes / 1000).toFixed(1)} kB`,
  ]);
  const limits = [
    'goal, to the bare handler',
    ...MEASURES.map((measure) => `at most ${goals[measure].toFixed(2)}`),
    `at most ${goals.gzippedBytes / 1000} kB`,
  ];
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    table(HEAD, [...rows, limits]),
    '',
    `Medians of ${rounds} interleaved rounds over ${isSecure ? 'https' : 'http'}, in parentheses their ratio to the bare handler.`,
    'Cold start: process start to first answered message. Batch of 10: warm, the vault answers at once. Batch of 1,000:',
    'the vault takes 20 ms, concurrency 1,000. Memory: the highest resident set of that process.',
    packages.join(', '),
  ].join('\n');
};
