/**
 * `npm run simulate -- --messages 100000 --seed 1`: the real core through bad days in virtual time. Prints what happened;
 * exits 1 and names the seed if an invariant broke. The same seed gives the same run. `--kind bad-day` runs one
 * episode of that kind alone.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createProgress } from '../../functions/cli/terminal/progress.ts';
import type { EpisodeOptions, Summary } from './episode.ts';
import { report } from './report.ts';
import { KINDS, type Kind } from './weather.ts';

const PER_EPISODE = 1000;
const OUTAGES: readonly Kind[] = ['day-long-outage', 'day-long-outage-fifo'];
/** A day's outage costs as much as ten bad days: each message comes back a hundred times. */
const OUTAGE_SHARE = 0.02;
const MAX_OUTAGE_MESSAGES = 500;
const DAYS = KINDS.filter((kind) => !OUTAGES.includes(kind));
const SHOWN_VIOLATIONS = 10;

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

/** Each worker takes the next episode when it has finished one; the order of the results is that of the plan. */
const runAll = async (episodes: readonly EpisodeOptions[], onProgress: (done: number) => void): Promise<Summary[]> => {
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

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      kind: { type: 'string' },
    },
  });
  const messages = Number(values.messages);
  const seed = Number(values.seed);
  const only = KINDS.find((kind) => kind === values.kind);
  if (!(Number.isSafeInteger(messages) && messages > 0 && Number.isSafeInteger(seed)) || only !== values.kind) {
    console.error(`usage: npm run simulate -- --messages 100000 --seed 1 [--kind ${KINDS.join('|')}]`);
    return 2;
  }
  const startedAt = performance.now();
  const progress = await createProgress(messages);
  const episodes = only ? [{ seed, kind: only, messages }] : plan(messages, seed);
  const summaries = await runAll(episodes, (done) => progress.update(done, `${done} messages`));
  progress.end();
  const rows = new Map<Kind, Summary[]>();
  for (const [index, summary] of summaries.entries()) {
    const kind = episodes[index]?.kind ?? 'ordinary';
    rows.set(kind, [...(rows.get(kind) ?? []), summary]);
  }
  console.log(report(rows));
  console.log(`\nseed ${seed}, ${messages} messages, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  let violations = 0;
  for (const [index, summary] of summaries.entries()) {
    const episode = episodes[index];
    violations += summary.violations.length;
    for (const violation of summary.violations.slice(0, SHOWN_VIOLATIONS)) console.error(`\nVIOLATION ${violation}`);
    if (summary.violations.length > 0) {
      const again = `--messages ${episode?.messages} --seed ${episode?.seed} --kind ${episode?.kind}`;
      console.error(`\n${summary.violations.length} in this episode: repeat with npm run simulate -- ${again}`);
    }
  }
  console.log(violations === 0 ? 'Every invariant held.' : `${violations} violations: repeat with --seed ${seed}`);
  return violations === 0 ? 0 : 1;
};

if (import.meta.main) process.exitCode = await main();
