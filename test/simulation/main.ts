/**
 * `npm run simulate`: the real core through bad days and outages in virtual time. Prints what happened; exits 1 and names
 * the seed if an invariant broke. The same seed gives the same run.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { note, say, sayJson } from '../../functions/cli/terminal/print.ts';
import { createProgress } from '../../functions/cli/terminal/progress.ts';
import type { Course } from '../pictures/specs.ts';
import type { EpisodeOptions, Summary } from './episode.ts';
import type { OutageOptions, OutageResult } from './outage.ts';
import { PEERS, simulatePeer } from './peers.ts';
import { type Job, outagePlan, plan, readLength } from './plan.ts';
import { report, reportOutages } from './report.ts';
import { KINDS, type Kind } from './weather.ts';

const HELP = `Usage: npm run simulate -- [options]

Runs the core of enable-password through bad days in virtual time, and checks after each message that nothing was lost,
rejected without a verdict, overtaken, or called more often than promised. Exits 1 if an invariant broke.

  --messages <n>       messages in all (default 10000)
  --seed <n>           the same seed gives the same run (default: by the clock)
  --kind <kind>        one episode of this kind alone: ${KINDS.join(', ')}

Outages, held against the contract's Recovery:

  --outages            10 s, 1 min, 10 min, 3 h and a day, standard and FIFO, with 1 and with 100 waiting requests
  --outage <length>    one outage of this length: 10s, 1m, 3h, 1d
  --backlog <n>        requests that wait in it (default 100)
  --fifo               on a FIFO queue, the backlog in 20 groups
  --spread             requests come in over the whole outage, not at its beginning
  --capacity <n>       calls that Segura works on at once (default: any number)
  --concurrency <n>    maximum concurrency of the event source mapping (default 5, as shipped)

  --peers              beside it, what becomes of the same requests with middy + axios and with Powertools Batch
  --svg <file>         draws the outage (npm ci --prefix test/pictures brings what draws)

  --json               one JSON object; of an outage with a time series: waiting, kept, enabled, exhausted, calls
  --help               this text`;

const OPTIONS = {
  messages: { type: 'string', default: '10000' },
  seed: { type: 'string' },
  kind: { type: 'string' },
  outages: { type: 'boolean', default: false },
  outage: { type: 'string' },
  backlog: { type: 'string', default: '100' },
  fifo: { type: 'boolean', default: false },
  spread: { type: 'boolean', default: false },
  peers: { type: 'boolean', default: false },
  svg: { type: 'string' },
  capacity: { type: 'string' },
  concurrency: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const SHOWN_VIOLATIONS = 10;
const SAMPLES = 300;

class UsageError extends Error {}

const readOptions = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};
type Options = ReturnType<typeof readOptions>;

/** @throws UsageError */
const readNumber = (name: string, value: string, least: number): number => {
  const number = Number(value);
  if (!(Number.isSafeInteger(number) && number >= least)) {
    throw new UsageError(`--${name} must be a whole number of at least ${least}, not ${value}`);
  }
  return number;
};

/** Each worker takes the next piece of work when it has finished one; the order of the results is that of the plan. */
const runAll = async <Result>(jobs: readonly Job[], onDone: () => void): Promise<Result[]> => {
  const results: Result[] = [];
  const waiting = jobs.entries();
  const run = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    for (const [index, job] of waiting) {
      worker.postMessage(job);
      const [result] = (await once(worker, 'message')) as [Result];
      results[index] = result;
      onDone();
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(jobs.length, availableParallelism()) }, run));
  return results;
};

const tellViolations = (violations: readonly string[], again: string): void => {
  if (violations.length === 0) return;
  for (const violation of violations.slice(0, SHOWN_VIOLATIONS)) note('', ...`VIOLATION ${violation}`.split('\n'));
  note('', `${violations.length} violations: repeat with npm run simulate -- ${again}`);
};

const runEpisodes = async ({ messages: given, kind, json }: Options, seed: number): Promise<number> => {
  const only = KINDS.find((each) => each === kind);
  if (only !== kind) throw new UsageError(`--kind ${kind}: there are ${KINDS.join(', ')}`);
  const messages = readNumber('messages', given, 1);
  const startedAt = performance.now();
  const progress = await createProgress(messages, json);
  const episodes: readonly EpisodeOptions[] = only ? [{ seed, kind: only, messages }] : plan(messages, seed);
  let done = 0;
  const summaries = await runAll<Summary>(
    episodes.map((episode): Job => ({ work: 'episode', ...episode })),
    () => {
      done += 1;
      progress.update(Math.floor((messages * done) / episodes.length), `${done} of ${episodes.length} episodes`);
    },
  );
  progress.end();
  const rows = new Map<Kind, Summary[]>();
  for (const [index, summary] of summaries.entries()) {
    const { kind: of = 'ordinary' } = episodes[index] ?? {};
    rows.set(of, [...(rows.get(of) ?? []), summary]);
  }
  if (json)
    sayJson({ seed, messages, episodes: episodes.map((episode, index) => ({ ...episode, ...summaries[index] })) });
  else
    say(
      ...report(rows),
      `seed ${seed}, ${messages} messages, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
    );
  let violations = 0;
  for (const [index, summary] of summaries.entries()) {
    const episode = episodes[index];
    violations += summary.violations.length;
    const again = `--messages ${episode?.messages} --seed ${episode?.seed} --kind ${episode?.kind}`;
    tellViolations(summary.violations, again);
  }
  return violations;
};

type Outage = Omit<OutageOptions, 'newEnvironment'>;

const outageOf = (options: Options, seed: number): Outage => {
  const seconds = readLength(options.outage ?? '');
  if (seconds === undefined)
    throw new UsageError(`--outage ${options.outage}: give a length such as 10s, 1m, 3h or 1d`);
  return {
    seed,
    seconds,
    backlog: readNumber('backlog', options.backlog, 1),
    isFifo: options.fifo,
    isSpread: options.spread || options.peers,
    ...(options.capacity === undefined ? {} : { capacity: readNumber('capacity', options.capacity, 1) }),
    ...(options.concurrency === undefined
      ? {}
      : { maximumConcurrency: readNumber('concurrency', options.concurrency, 1) }),
    samples: options.json || options.svg !== undefined ? SAMPLES : 0,
  };
};

/** The same requests, sent at the same moments. */
const runPeers = ({ seconds, backlog }: Outage): Course[] => {
  const sentAt = Array.from({ length: backlog }, (_, index) => ((index + 1) * seconds) / (backlog + 1));
  return PEERS.map((peer) => ({ name: peer.name, series: simulatePeer(peer, sentAt, seconds, SAMPLES) }));
};

const drawOutage = async (file: string, courses: readonly Course[], seconds: number): Promise<void> => {
  const [{ draw }, { outageSpec }] = await Promise.all([import('../pictures/draw.ts'), import('../pictures/specs.ts')]);
  await writeFile(file, await draw(outageSpec(courses, seconds / 3600)));
};

const runOutages = async (options: Options, seed: number): Promise<number> => {
  if (options.outages && (options.peers || options.svg !== undefined)) {
    throw new UsageError('--peers and --svg go with --outage, which names one length');
  }
  const outages = options.outages ? outagePlan(seed) : [outageOf(options, seed)];
  const progress = await createProgress(outages.length, options.json);
  let done = 0;
  const results = await runAll<OutageResult>(
    outages.map((outage): Job => ({ work: 'outage', ...outage })),
    () => {
      done += 1;
      progress.update(done, 'outages');
    },
  );
  progress.end();
  const [first] = outages;
  const peers = options.peers && first ? runPeers(first) : [];
  if (options.svg !== undefined && first) {
    const ours = { name: 'mysafe-enable', series: results[0]?.series ?? [] };
    await drawOutage(options.svg, [ours, ...peers], first.seconds);
  }
  if (options.json)
    sayJson({ seed, outages: outages.map((outage, index) => ({ ...outage, ...results[index] })), peers });
  else say(reportOutages(outages, results), '', `seed ${seed}`);
  let violations = 0;
  for (const [index, { violations: found }] of results.entries()) {
    const { seconds, backlog, isFifo } = outages[index] ?? {};
    violations += found.length;
    tellViolations(found, `--seed ${seed} --outage ${seconds}s --backlog ${backlog}${isFifo ? ' --fifo' : ''}`);
  }
  return violations;
};

const main = async (args: readonly string[]): Promise<number> => {
  const options = readOptions(args);
  if (options.help) {
    say(...HELP.split('\n'));
    return 0;
  }
  const seed = options.seed === undefined ? Date.now() % 1_000_000 : readNumber('seed', options.seed, 0);
  const isOutage = options.outages || options.outage !== undefined;
  const violations = isOutage ? await runOutages(options, seed) : await runEpisodes(options, seed);
  if (!options.json)
    say(violations === 0 ? 'Every invariant held.' : `${violations} violations: repeat with --seed ${seed}`);
  return violations === 0 ? 0 : 1;
};

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    note(error.message, '', ...HELP.split('\n'));
    process.exitCode = 2;
  }
}
