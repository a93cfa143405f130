/** What a run of the simulation prints. */
import { table } from '../../functions/cli/terminal/print.ts';
import type { Summary } from './episode.ts';
import type { Evidence } from './evidence.ts';
import type { OutageResult } from './outage.ts';
import type { Outage } from './plan.ts';
import type { Kind } from './weather.ts';

const add = (sums: Record<string, number>, more: Readonly<Record<string, number>>): void => {
  for (const [key, value] of Object.entries(more)) sums[key] = (sums[key] ?? 0) + value;
};

const NUMBERS = [
  'messages',
  'enabled',
  'exhausted',
  'invocations',
  'starts',
  'kills',
  'receives',
  'calls',
  'tokenRequests',
  'secretReads',
  'virtualHours',
] as const;

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, count]) => `${name} ${count}`)
    .join('\n');

const columnOf = (kind: Kind, summaries: readonly Summary[]): readonly (readonly [string, string])[] => {
  const sums = Object.fromEntries(NUMBERS.map((name) => [name, 0])) as Record<(typeof NUMBERS)[number], number>;
  const rejected: Record<string, number> = {};
  const keptBy: Record<string, number> = {};
  let longestRecovery = 0;
  for (const summary of summaries) {
    for (const name of NUMBERS) sums[name] += summary[name];
    add(rejected, summary.rejected);
    add(keptBy, summary.keptBy);
    longestRecovery = Math.max(longestRecovery, summary.recoverySeconds);
  }
  const text = (name: (typeof NUMBERS)[number]): string => sums[name].toFixed(0);
  return [
    ['', kind.replaceAll('-', ' ')],
    ['messages', text('messages')],
    ['enabled', text('enabled')],
    ['rejected', list(rejected)],
    ['exhausted', text('exhausted')],
    ['invocations', text('invocations')],
    ['cold / killed', `${text('starts')} / ${text('kills')}`],
    ['receives', text('receives')],
    ['kept, by cause', list(keptBy)],
    ['calls to Segura', text('calls')],
    ['token requests', text('tokenRequests')],
    ['secret reads', text('secretReads')],
    ['longest recovery', `${longestRecovery.toFixed(0)} s`],
    ['virtual time', `${text('virtualHours')} h`],
  ];
};

/** Kinds that went alike stand side by side, so that a table is no wider than a terminal. */
const PER_TABLE = 4;

/** A row for each line of a cell that holds a list. */
const rowsOf = (cells: readonly string[]): string[][] => {
  const lists = cells.map((cell) => cell.split('\n'));
  const height = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => lists.map((list) => list[line] ?? ''));
};

/** `recovery`: from the end of all troubles until everything that had been sent before was settled. One text a table. */
export const report = (rows: ReadonlyMap<Kind, readonly Summary[]>): string[] => {
  const columns = [...rows].map(([kind, summaries]) => columnOf(kind, summaries));
  const tables: string[] = [];
  for (let from = 0; from < columns.length; from += PER_TABLE) {
    const some = columns.slice(from, from + PER_TABLE);
    const lines = (some[0] ?? []).map(([name], line) => [name, ...some.map((column) => column[line]?.[1] ?? '')]);
    const [head = [], ...body] = lines;
    tables.push(table(head, body.flatMap(rowsOf)), '');
  }
  return tables;
};

const lengthOf = (seconds: number): string => {
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
  ] as const) {
    if (seconds >= size && seconds % size === 0) return `${seconds / size} ${unit}`;
  }
  return `${seconds} s`;
};

/** The same outage with several seeds: in the middle, and at worst where that is another. */
const range = (values: readonly number[], text: (value: number) => string): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const [middle, worst] = [sorted[Math.floor(sorted.length / 2)] ?? 0, sorted.at(-1) ?? 0];
  return text(middle) === text(worst) ? text(middle) : `${text(middle)} (${text(worst)})`;
};
const seconds = (value: number): string => `${value.toFixed(1)} s`;

/** How long requests waited once Segura was back. */
export const reportOutages = (outages: readonly Outage[], results: readonly OutageResult[]): string => {
  const rows = Map.groupBy(results.entries(), ([index, { backlog }]) => {
    const outage = outages[index];
    return [lengthOf(outage?.seconds ?? 0), outage?.isFifo ? 'FIFO' : 'standard', String(backlog)].join('\n');
  });
  return table(
    [
      'outage',
      'queue',
      'waiting',
      'median',
      '95 %',
      'last',
      'calls in it',
      'busiest minute',
      'most receives',
      'exhausted',
    ],
    [...rows].map(([name, entries]) => {
      const same = entries.map(([, result]) => result);
      return [
        ...name.split('\n'),
        ...(['median', 'p95', 'last'] as const).map((wait) =>
          range(
            same.map(({ waits }) => waits[wait]),
            seconds,
          ),
        ),
        ...(['callsInOutage', 'callsInBusiestMinute', 'mostReceives', 'exhausted'] as const).map((what) =>
          range(
            same.map((result) => result[what]),
            String,
          ),
        ),
      ];
    }),
  );
};

/** What the command said of all, and what it took. */
export const reportEvidence = (evidence: Omit<Evidence, 'differences'>): string[] => {
  const { requests, lines, byFate, cpuSeconds, wallSeconds, maxRssMiB } = evidence;
  const fates = Object.entries(byFate).map(([fate, count]) => [fate, String(count)]);
  return [
    table(['fate', 'requests'], fates),
    '',
    `${requests} requests reported from ${lines} lines in ${wallSeconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU), ${maxRssMiB.toFixed(0)} MiB at most`,
  ];
};
