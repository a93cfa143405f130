/** `npm run bench`: this project beside a bare handler and two peers. A measurement, never a test: no time is asserted. */
import { parseArgs } from 'node:util';
import { createProgress } from '../../functions/cli/terminal/progress.ts';
import { print } from './report.ts';
import { runBench } from './run.ts';
import { type Contender, contenders, experiments } from './subjects.ts';

const HELP = `Usage: npm run bench -- [options]

Compares this project with a bare handler and with peers: cold start, warm batches, memory, size.

  --runs <n>        rounds; each measures every subject once (default 15)
  --only <ids>      these subjects alone, by commas: at-once, bare, ours, middy, powertools, and those in parentheses
  --http, --https   one of the two alone; both, by turns, where none is given
  --cjs             also this project as CommonJS (ours-cjs)
  --compile-cache   also this project with a V8 compile cache (ours-compile-cache)
  --lean            also the bare handler and the peers built as this project is (bare-lean, middy-lean, powertools-lean)
  --quick           a tenth of the work: to see that all of it runs, not how fast
  --json            one JSON object, with quartiles
  --help            this text`;

const OPTIONS = {
  runs: { type: 'string', default: '15' },
  only: { type: 'string' },
  http: { type: 'boolean', default: false },
  https: { type: 'boolean', default: false },
  cjs: { type: 'boolean', default: false },
  'compile-cache': { type: 'boolean', default: false },
  lean: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const TRANSPORTS = ['http', 'https'] as const;

class UsageError extends Error {}

const readOptions = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

/** @throws UsageError for a subject that is not there. */
const choose = (options: ReturnType<typeof readOptions>): readonly Contender[] => {
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

const main = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(args);
  if (options.help) return console.log(HELP);
  const rounds = Number(options.runs);
  if (!(Number.isSafeInteger(rounds) && rounds > 0)) throw new UsageError('--runs must be a whole number above 0');
  const chosen = choose(options);
  const transports = TRANSPORTS.filter((transport) => options[transport] || !(options.http || options.https));
  const progress = await createProgress(rounds * chosen.length * transports.length, options.json);
  const report = await runBench({
    rounds,
    isQuick: options.quick,
    transports,
    chosen,
    onSubject: progress.update,
  });
  progress.end();
  if (options.json) console.log(JSON.stringify(report));
  else print(report);
};

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
