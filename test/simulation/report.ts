/** What a run of the simulation prints. */
import { table } from '../../functions/cli/terminal/print.ts';
import type { Summary } from './episode.ts';
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

/** `recovery`: from the end of all troubles until everything that had been sent before was settled. */
export const report = (rows: ReadonlyMap<Kind, readonly Summary[]>): string => {
  const columns = [...rows].map(([kind, summaries]) => columnOf(kind, summaries));
  const tables: string[] = [];
  for (let from = 0; from < columns.length; from += PER_TABLE) {
    const some = columns.slice(from, from + PER_TABLE);
    const lines = (some[0] ?? []).map(([name], line) => [name, ...some.map((column) => column[line]?.[1] ?? '')]);
    const [head = [], ...body] = lines;
    tables.push(table(head, body));
  }
  return tables.join('\n\n');
};
