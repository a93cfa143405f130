/**
 * `npm run simulate`: the real core through faults and outages in virtual time. Prints what happened; exits 1 and names
 * the seed if an invariant broke. The same seed gives the same run.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { command, flag, OUTPUT, value } from '../../functions/cli/command.ts';
import { EXIT } from '../../functions/cli/terminal/exit.ts';
import { note, say, sayJson } from '../../functions/cli/terminal/print.ts';
import { createProgress } from '../../functions/cli/terminal/progress.ts';
import { UsageError } from '../../functions/cli/terminal/usage.ts';
import type { Course } from '../pictures/specs.ts';
import { runScript } from '../script.ts';
import type { EpisodeOptions, Summary } from './episode.ts';
import { holdReport } from './evidence.ts';
import type { History } from './history.ts';
import type { OutageResult } from './outage.ts';
import { simulatePeers } from './peers.ts';
import { backlogPlan, historyPlan, type Job, type Outage, outagePlan, plan, readLength, withSeeds } from './plan.ts';
import { report, reportEvidence, reportOutages } from './report.ts';
import { KINDS, type Kind } from './weather.ts';

const outages = { group: 'Outages, held against the contract’s Recovery:' };

const simulate = command({
  name: 'simulate',
  description:
    'Runs the core of enable-password through faults and outages in virtual time, and checks after each message that nothing was lost, rejected without a verdict, overtaken, or called more often than promised. Exits with 1 if an invariant broke.',
  options: {
    messages: value('count', 'messages in all (default: 10000)'),
    seed: value('number', 'the same seed gives the same run (default: by the clock)'),
    kind: value('kind', `one episode of this kind alone: ${KINDS.join(', ')}`, { choices: KINDS }),
    report: flag('instead, what mysafe-enable report says of so many requests, held against what became of each'),
    outages: flag(
      '10 s, 1 min, 10 min, 3 h and a day, standard and FIFO, with 1 and with 100 waiting requests',
      outages,
    ),
    backlogs: flag(
      '10 min with 10,000 and with 100,000 waiting requests, and a day with 10,000: takes an hour',
      outages,
    ),
    seeds: value(
      'count',
      'each outage with so many seeds, told with the median and the worst of them (default: 1)',
      outages,
    ),
    outage: value('length', 'one outage of this length, such as 10s, 1m, 3h or 1d', outages),
    backlog: value('count', 'requests that wait in it (default: 100)', outages),
    fifo: flag('on a FIFO queue, the backlog in 20 groups', outages),
    spread: flag('requests come in over the whole outage, not at its beginning', outages),
    capacity: value('count', 'calls that Segura works on at once (default: any number)', outages),
    concurrency: value('count', 'maximum concurrency of the event source mapping (default: 5, as shipped)', outages),
    peers: flag('beside it, what becomes of the same requests with middy + axios and with Powertools Batch', outages),
    svg: value('file', 'draws the outage (npm ci --prefix test/pictures brings what draws)', outages),
    ...OUTPUT,
  },
  examples: [
    '--messages 100000 --seed 7',
    '--kind bad-day --messages 1000',
    '--messages 100000 --report',
    '--outages --seeds 20',
    '--outage 3h --backlog 500 --fifo --json',
  ],
  load: async () => (options: SimulateOptions) => run(withDefaults(options)),
});

type SimulateOptions = Readonly<
  Partial<Record<'messages' | 'seed' | 'kind' | 'outage' | 'backlog' | 'capacity', string>>
> &
  Readonly<Partial<Record<'concurrency' | 'seeds' | 'svg', string>>> &
  Readonly<Partial<Record<'report' | 'outages' | 'backlogs' | 'fifo' | 'spread' | 'peers' | 'json', boolean>>>;

const withDefaults = (options: SimulateOptions) => ({
  ...{
    messages: '10000',
    backlog: '100',
    report: false,
    outages: false,
    backlogs: false,
    fifo: false,
    spread: false,
    peers: false,
  },
  seeds: '1',
  json: false,
  ...options,
});
type Options = ReturnType<typeof withDefaults>;

const SHOWN_VIOLATIONS = 10;
const SAMPLES = 300;

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

const drawOutage = async (file: string, courses: readonly Course[], seconds: number): Promise<void> => {
  const [{ draw }, { outageSpec }] = await Promise.all([import('../pictures/draw.ts'), import('../pictures/specs.ts')]);
  await writeFile(file, await draw(outageSpec(courses, seconds / 3600)));
};

const outagesOf = (options: Options, seed: number): Outage[] => {
  const isPlan = options.outages || options.backlogs;
  if (isPlan && (options.peers || options.svg !== undefined)) {
    throw new UsageError('--peers and --svg go with --outage, which names one length');
  }
  const plans = [...(options.outages ? outagePlan(seed) : []), ...(options.backlogs ? backlogPlan(seed) : [])];
  return withSeeds(isPlan ? plans : [outageOf(options, seed)], readNumber('seeds', options.seeds, 1));
};

const runOutages = async (options: Options, seed: number): Promise<number> => {
  const outages = outagesOf(options, seed);
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
  const peers = options.peers && first ? simulatePeers(first.seconds, first.backlog, SAMPLES) : [];
  if (options.svg !== undefined && first) {
    const ours = { name: 'mysafe-enable', series: results[0]?.series ?? [] };
    await drawOutage(options.svg, [ours, ...peers], first.seconds);
  }
  if (options.json)
    sayJson({ seed, outages: outages.map((outage, index) => ({ ...outage, ...results[index] })), peers });
  else say(reportOutages(outages, results), '', `seed ${seed}`);
  let violations = 0;
  for (const [index, { violations: found }] of results.entries()) {
    const { seed: its, seconds, backlog, isFifo } = outages[index] ?? {};
    violations += found.length;
    tellViolations(found, `--seed ${its} --outage ${seconds}s --backlog ${backlog}${isFifo ? ' --fifo' : ''}`);
  }
  return violations;
};

/** The command as a person runs it, over what so many requests have left behind. */
const runReport = async ({ messages, json }: Options, seed: number): Promise<number> => {
  const requests = readNumber('messages', messages, 1);
  const histories = historyPlan(requests, seed);
  const progress = await createProgress(requests, json);
  let done = 0;
  const results = await runAll<History>(
    histories.map((history): Job => ({ work: 'history', ...history })),
    () => {
      done += 1;
      progress.update(Math.floor((requests * done) / histories.length), `${done} of ${histories.length} days`);
    },
  );
  progress.end();
  const { differences, ...evidence } = await holdReport(results);
  if (json) sayJson({ seed, ...evidence, differences: differences.length });
  else say(...reportEvidence(evidence), '', `seed ${seed}`);
  const violations = [...results.flatMap((result) => result.violations), ...differences];
  tellViolations(violations, `--report --messages ${messages} --seed ${seed}`);
  return violations.length;
};

const run = async (options: Options): Promise<number> => {
  const seed = options.seed === undefined ? Date.now() % 1_000_000 : readNumber('seed', options.seed, 0);
  const carryOut = (): Promise<number> => {
    if (options.report) return runReport(options, seed);
    const isOutage = options.outages || options.backlogs || options.outage !== undefined;
    return isOutage ? runOutages(options, seed) : runEpisodes(options, seed);
  };
  const violations = await carryOut();
  if (!options.json)
    say(violations === 0 ? 'Every invariant held.' : `${violations} violations: repeat with --seed ${seed}`);
  return violations === 0 ? EXIT.done : EXIT.failed;
};

if (import.meta.main) await runScript('npm run simulate --', simulate);
