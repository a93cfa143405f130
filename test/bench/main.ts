/** `npm run bench`: this project beside a bare handler and two peers. A measurement, never a test: no time is asserted. */
import { writeFile } from 'node:fs/promises';
import { command, flag, OUTPUT, value } from '../../functions/cli/command.ts';
import { EXIT } from '../../functions/cli/terminal/exit.ts';
import { sayJson } from '../../functions/cli/terminal/print.ts';
import { createProgress } from '../../functions/cli/terminal/progress.ts';
import { UsageError } from '../../functions/cli/terminal/usage.ts';
import { runScript } from '../script.ts';
import { drawBench } from './picture.ts';
import { print } from './report.ts';
import { runBench } from './run.ts';
import { type Contender, contenders, experiments } from './subjects.ts';

const subjects = { group: 'Subjects:' };

const bench = command({
  name: 'bench',
  description:
    'Measures the deployed function beside a bare handler and what one would otherwise write: cold start, warm batches, a batch of a thousand, memory, size. The subjects take turns; times are told as ratios to the bare handler.',
  options: {
    runs: value('count', 'rounds; each measures every subject once (default: 15)'),
    http: flag('over http alone; both by turns where none is given'),
    https: flag('over https alone'),
    quick: flag('a tenth of the work: to see that all of it runs, not how fast'),
    svg: value('file', 'draws cold start and warm batch (npm ci --prefix test/pictures brings what draws)'),
    only: value(
      'ids',
      'these alone, with commas between: at-once, bare, ours, middy, powertools, and those below',
      subjects,
    ),
    cjs: flag('also this project as CommonJS (ours-cjs)', subjects),
    compileCache: flag('also this project with a V8 compile cache (ours-compile-cache)', subjects),
    lean: flag('also the others built as this project is (bare-lean, middy-lean, powertools-lean)', subjects),
    ...OUTPUT,
  },
  examples: ['', '--runs 5 --http', '--only bare,ours,powertools --json', '--svg docs/pictures/bench.svg'],
  load: async () => (options: BenchOptions) => run(options),
});

type BenchOptions = Readonly<Partial<Record<'runs' | 'svg' | 'only', string>>> &
  Readonly<Partial<Record<'http' | 'https' | 'quick' | 'cjs' | 'compileCache' | 'lean' | 'json', boolean>>>;

const TRANSPORTS = ['http', 'https'] as const;
const ROUNDS = 15;

const readRounds = (text: string | undefined): number => {
  const rounds = text === undefined ? ROUNDS : Number(text);
  if (!(Number.isSafeInteger(rounds) && rounds > 0)) throw new UsageError('--runs must be a whole number above 0');
  return rounds;
};

/** @throws UsageError for a subject that is not there. */
const choose = (options: BenchOptions): readonly Contender[] => {
  const added = Object.entries(experiments).flatMap(([option, more]) =>
    options[option as keyof typeof experiments] ? more : [],
  );
  if (options.only === undefined) return [...contenders, ...added];
  const all = [...contenders, ...Object.values(experiments).flat()];
  return options.only.split(',').map((id) => {
    const found = all.find((each) => each.id === id.trim());
    if (!found) throw new UsageError(`--only ${id}: there are ${all.map((each) => each.id).join(', ')}`);
    return found;
  });
};

const run = async (options: BenchOptions): Promise<number> => {
  const { svg, json = false, quick: isQuick = false } = options;
  const rounds = readRounds(options.runs);
  const chosen = choose(options);
  const transports = TRANSPORTS.filter((transport) => options[transport] || !(options.http || options.https));
  if (svg !== undefined && options.only !== undefined) {
    throw new UsageError('--svg draws all subjects: leave out --only');
  }
  // What draws may be missing: better known before the measurement than after it.
  if (svg !== undefined) await drawBench({ transports: [] });
  const progress = await createProgress(rounds * chosen.length * transports.length, json);
  const report = await runBench({ rounds, isQuick, transports, chosen, onSubject: progress.update });
  progress.end();
  if (json) sayJson(report);
  else print(report);
  if (svg !== undefined) await writeFile(svg, await drawBench(report));
  return EXIT.done;
};

if (import.meta.main) await runScript('npm run bench --', bench);
