/**
 * `npm run simulate -- --messages 100000 --seed 1`: the real core through bad days in virtual time. Prints what happened;
 * exits 1 and names the seed if an invariant broke. The same seed gives the same run.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { table } from '../../functions/cli/print.ts';
import { createProgress } from '../../functions/cli/progress.ts';
import type { Kind, Summary } from './episode.ts';

const PER_EPISODE = 1000;
const MAX_OUTAGE_MESSAGES = 500;

/** One day-long outage in each run; the rest is divided among the other kinds. */
export const plan = (messages: number, seed: number): { seed: number; kind: Kind; messages: number }[] => {
  const outage = Math.min(MAX_OUTAGE_MESSAGES, Math.ceil(messages / 20));
  const episodes: { seed: number; kind: Kind; messages: number }[] = [
    { seed, kind: 'day-long-outage', messages: outage },
  ];
  const kinds: readonly Kind[] = ['bad-day', 'fifo', 'bad-day', 'ordinary'];
  for (let left = messages - outage, index = 0; left > 0; left -= PER_EPISODE, index += 1) {
    episodes.push({
      seed: seed + 1 + index,
      kind: kinds[index % kinds.length] ?? 'bad-day',
      messages: Math.min(left, PER_EPISODE),
    });
  }
  return episodes;
};

const add = (sums: Record<string, number>, more: Readonly<Record<string, number>>): void => {
  for (const [key, value] of Object.entries(more)) sums[key] = (sums[key] ?? 0) + value;
};

interface Episode {
  readonly seed: number;
  readonly kind: Kind;
  readonly messages: number;
}

/** Each worker takes the next episode when it has finished one; the order of the results is that of the plan. */
const runAll = async (episodes: readonly Episode[], onProgress: (done: number) => void): Promise<Summary[]> => {
  const results: Summary[] = [];
  const waiting = episodes.entries();
  let done = 0;
  const run = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    for (const [index, episode] of waiting) {
      worker.postMessage(episode);
      const [summary] = (await once(worker, 'message')) as [Summary];
      results[index] = summary;
      done += episode.messages;
      onProgress(done);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(episodes.length, availableParallelism()) }, run));
  return results;
};

export const simulate = async (
  messages: number,
  seed: number,
  onProgress: (done: number) => void = () => undefined,
) => {
  const episodes = plan(messages, seed);
  const summaries = await runAll(episodes, onProgress);
  const rows = new Map<Kind, Summary[]>();
  for (const [index, summary] of summaries.entries()) {
    const kind = episodes[index]?.kind ?? 'ordinary';
    rows.set(kind, [...(rows.get(kind) ?? []), summary]);
  }
  return { rows, violations: summaries.flatMap((summary) => summary.violations) };
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    },
  });
  const messages = Number(values.messages);
  const seed = Number(values.seed);
  if (!(Number.isSafeInteger(messages) && messages > 0 && Number.isSafeInteger(seed))) {
    console.error('usage: npm run simulate -- --messages 100000 --seed 1');
    return 2;
  }
  const startedAt = performance.now();
  const progress = await createProgress(messages);
  const { rows, violations } = await simulate(messages, seed, (done) => progress.update(done, `${done} messages`));
  progress.end();
  const columns = [...rows].map(([kind, summaries]) => {
    const sum = (
      key:
        | 'messages'
        | 'enabled'
        | 'exhausted'
        | 'invocations'
        | 'kills'
        | 'receives'
        | 'calls'
        | 'tokenRequests'
        | 'secretReads'
        | 'virtualHours',
    ) => summaries.reduce((total, summary) => total + summary[key], 0);
    const rejected: Record<string, number> = {};
    const keptBy: Record<string, number> = {};
    for (const summary of summaries) {
      add(rejected, summary.rejected);
      add(keptBy, summary.keptBy);
    }
    const list = (counts: Record<string, number>) =>
      Object.entries(counts)
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([name, count]) => `${name} ${count}`)
        .join('\n');
    return [
      kind,
      String(sum('messages')),
      String(sum('enabled')),
      list(rejected),
      String(sum('exhausted')),
      `${sum('invocations')} (${sum('kills')} killed)`,
      String(sum('receives')),
      list(keptBy),
      String(sum('calls')),
      `${sum('tokenRequests')} / ${sum('secretReads')}`,
      kind === 'day-long-outage'
        ? `${Math.max(...summaries.map(({ recoverySeconds }) => recoverySeconds)).toFixed(0)} s`
        : '',
      `${sum('virtualHours').toFixed(0)} h`,
    ];
  });
  const names = [
    '',
    'messages',
    'enabled',
    'rejected',
    'exhausted',
    'invocations',
    'receives',
    'kept by cause',
    'calls to Segura',
    'tokens / secret reads',
    'recovery after 24 h',
    'virtual time',
  ];
  const [head = [], ...body] = names.map((name, index) => [name, ...columns.map((column) => column[index] ?? '')]);
  console.log(table(head, body));
  console.log(`\nseed ${seed}, ${messages} messages, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  for (const violation of violations.slice(0, 20)) console.error(`VIOLATION ${violation}`);
  console.log(
    violations.length === 0
      ? 'Every invariant held.'
      : `${violations.length} violations: repeat with --messages ${messages} --seed ${seed}`,
  );
  return violations.length === 0 ? 0 : 1;
};

if (import.meta.main) process.exitCode = await main();
