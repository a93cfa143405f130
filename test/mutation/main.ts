/**
 * `npm run test:mutation`: breaks the project on purpose, in one place after the other, in copies of it, and says which
 * breaks the tests notice. Exits 1 below 95 %, or where a break no longer fits. It takes its time: not a part of `npm test`.
 *
 * The quickest tests are asked first: a break is mostly noticed by the unit tests of the broken file.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { command, flag, OUTPUT, value } from '../../functions/cli/command.ts';
import { CommandError } from '../../functions/cli/terminal/ending.ts';
import { EXIT } from '../../functions/cli/terminal/exit.ts';
import { note, say, sayJson } from '../../functions/cli/terminal/print.ts';
import { UsageError } from '../../functions/cli/terminal/usage.ts';
import { runScript } from '../script.ts';
import { AWS_BREAKS } from './aws-breaks.ts';
import type { Break } from './break.ts';
import { CORE_BREAKS } from './core-breaks.ts';
import { SEGURA_BREAKS } from './segura-breaks.ts';

const mutation = command({
  name: 'test:mutation',
  description:
    'Breaks the project in one place after the other, in copies of it, and says which breaks the tests notice. Exits 1 where fewer than 95 % are noticed, or where the text that a break replaces is no longer there.',
  options: {
    only: value('text', 'breaks alone whose file or description holds this text'),
    levels: value(
      'names',
      'tests to ask, by commas, in this order: own, unit, laws, simulation, loopback (default: all); own are the unit tests that import the broken file or are called like it',
    ),
    workers: value('count', 'breaks that are tried at once (default: one for each core)'),
    check: flag('only looks whether each break still fits'),
    ...OUTPUT,
  },
  examples: ['', '--levels own,unit', '--only breaker.ts'],
  load: async () => (options: MutationOptions) => run(options),
});

type MutationOptions = Readonly<Partial<Record<'only' | 'levels' | 'workers', string>>> &
  Readonly<Partial<Record<'check' | 'json', boolean>>>;

export const BREAKS: readonly Break[] = [...CORE_BREAKS, ...SEGURA_BREAKS, ...AWS_BREAKS];
const LEAST_SHARE = 0.95;
const ROOT = join(import.meta.dirname, '../..');
const LEFT_OUT = new Set(['node_modules', '.git', 'dist', 'coverage', '.serverless']);

type Command = readonly string[];

const vitest = (...args: readonly string[]): Command => [
  'node_modules/vitest/vitest.mjs',
  ...args,
  '--run',
  '--bail=1',
  '--maxWorkers=1',
  '--reporter=dot',
];
const FOLDERS = readdirSync(join(ROOT, 'test'));
/** Of a folder, what reaches the file at all. */
const related = (folder: string, file: string): Command =>
  vitest('related', file, ...FOLDERS.filter((each) => each !== folder).map((each) => `--exclude=test/${each}/**`));

const UNIT_TESTS = readdirSync(join(ROOT, 'test/unit'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => ({ path: `test/unit/${name}`, text: readFileSync(join(ROOT, 'test/unit', name), 'utf8') }));
/** Those that import it, and the one that carries its name. */
const testsOf = (file: string): string[] =>
  UNIT_TESTS.filter(
    ({ path, text }) => text.includes(`'../../${file}'`) || path === `test/unit/${basename(file, '.ts')}.test.ts`,
  ).map(({ path }) => path);

/** Commands of each level, by the broken file; the first that fails has noticed. */
const LEVELS: Readonly<Record<string, (file: string) => readonly Command[]>> = {
  own: (file) => {
    const tests = testsOf(file);
    return tests.length > 0 ? [vitest('run', ...tests)] : [];
  },
  unit: (file) => [related('unit', file)],
  laws: (file) => [related('laws', file)],
  simulation: () => [
    ['test/simulation/main.ts', '--messages', '6000', '--seed', '1'],
    ['test/simulation/main.ts', '--outages', '--seed', '1'],
    ['test/simulation/main.ts', '--outage', '95h', '--backlog', '3', '--seed', '2'],
  ],
  loopback: () => [
    ['infra/build.ts'],
    vitest(
      'run',
      'test/loopback/contract.test.ts',
      'test/loopback/settling.test.ts',
      'test/loopback/deadline.test.ts',
      'test/loopback/redaction.test.ts',
      'test/loopback/dead-letters.test.ts',
      'test/loopback/dead-letters-faults.test.ts',
    ),
  ],
};

/** @returns whether the command found nothing wrong */
const passes = (command: Command, cwd: string): Promise<boolean> =>
  new Promise((resolve) => {
    execFile(process.execPath, [...command], { cwd, maxBuffer: 1e8, env: { ...process.env, CI: '1' } }, (error) =>
      resolve(error === null),
    );
  });

/**
 * What notices a break. A command that would fail without any break notices nothing: it is asked of a healthy copy too,
 * once, and only when it fails.
 */
const createSearch = (healthy: string) => {
  const known = new Map<string, Promise<boolean>>();
  const isHealthy = (command: Command): Promise<boolean> => {
    const key = command.join(' ');
    const asked = known.get(key) ?? passes(command, healthy);
    known.set(key, asked);
    return asked;
  };
  /** @returns the level that noticed; `undefined` where none did. @throws CommandError */
  return async (copy: string, levels: readonly string[], file: string): Promise<string | undefined> => {
    for (const level of levels) {
      for (const command of LEVELS[level]?.(file) ?? []) {
        if (await passes(command, copy)) continue;
        if (await isHealthy(command)) return level;
        throw new CommandError('Unhealthy', `node ${command.join(' ')} fails without any break`, 'fix that first');
      }
    }
    return undefined;
  };
};
type Search = ReturnType<typeof createSearch>;

const makeCopy = async (): Promise<string> => {
  const copy = await mkdtemp(join(tmpdir(), 'mysafe-enable-mutation-'));
  const isWanted = (path: string): boolean => !LEFT_OUT.has(relative(ROOT, path).split(sep)[0] ?? '');
  await cp(ROOT, copy, { recursive: true, filter: isWanted });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
};

/** @returns what no longer fits of a break, for whoever changed the file */
export const misfitOf = async ({ file, from, why }: Break): Promise<string | undefined> => {
  const text = await readFile(join(ROOT, file), 'utf8').catch(() => undefined);
  if (text === undefined) return `${file} is not there: move the break "${why}" to where its code went`;
  const times = text.split(from).length - 1;
  return times === 1
    ? undefined
    : `${file} holds the text of the break "${why}" ${times} times, not once: write it again in test/mutation`;
};

interface Verdict extends Break {
  readonly noticedBy: string | undefined;
}

const tryBreaks = async (
  breaks: readonly Break[],
  search: (copy: string, file: string) => ReturnType<Search>,
  workers: number,
  onVerdict: (verdict: Verdict) => void,
): Promise<Verdict[]> => {
  const verdicts: Verdict[] = [];
  const waiting = breaks.entries();
  const work = async (): Promise<void> => {
    const copy = await makeCopy();
    try {
      for (const [index, each] of waiting) {
        const path = join(copy, each.file);
        const healthy = await readFile(path, 'utf8');
        await writeFile(
          path,
          healthy.replace(each.from, () => each.to),
        );
        const verdict = { ...each, noticedBy: await search(copy, each.file) };
        await writeFile(path, healthy);
        verdicts[index] = verdict;
        onVerdict(verdict);
      }
    } finally {
      await rm(copy, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, breaks.length) }, work));
  return verdicts;
};

const readLevels = (names: string | undefined): readonly string[] => {
  if (names === undefined) return Object.keys(LEVELS);
  const levels = names.split(',').map((name) => name.trim());
  const unknown = levels.find((name) => !(name in LEVELS));
  if (unknown !== undefined) throw new UsageError(`--levels ${unknown}: there are ${Object.keys(LEVELS).join(', ')}`);
  return levels;
};

const readWorkers = (text: string | undefined): number => {
  const workers = text === undefined ? availableParallelism() : Number(text);
  if (!(Number.isSafeInteger(workers) && workers > 0)) throw new UsageError('--workers must be a whole number above 0');
  return workers;
};

const run = async ({ only = '', check = false, json = false, ...options }: MutationOptions): Promise<number> => {
  const levels = readLevels(options.levels);
  const workers = readWorkers(options.workers);
  const breaks = BREAKS.filter(({ file, why }) => `${file} ${why}`.includes(only));
  if (breaks.length === 0) throw new UsageError(`--only ${only}: no break is called so`);

  const misfits = (await Promise.all(breaks.map(misfitOf))).filter((misfit) => misfit !== undefined);
  for (const misfit of misfits) note(misfit);
  if (misfits.length > 0) return EXIT.failed;
  if (check) {
    say(`${breaks.length} breaks fit.`);
    return EXIT.done;
  }
  const healthy = await makeCopy();
  const search = createSearch(healthy);
  const verdicts = await tryBreaks(
    breaks,
    (copy, file) => search(copy, levels, file),
    workers,
    ({ file, why, noticedBy }) => {
      if (!json) say(`${(noticedBy ?? 'NOT NOTICED').padEnd(11)}  ${file}: ${why}`);
    },
  ).finally(() => rm(healthy, { recursive: true }));
  const noticed = verdicts.filter(({ noticedBy }) => noticedBy !== undefined).length;
  const share = noticed / verdicts.length;
  if (json) sayJson({ breaks: verdicts.length, noticed, verdicts });
  else say('', `${noticed} of ${verdicts.length} breaks noticed, ${(100 * share).toFixed(1)} %`);
  return share >= LEAST_SHARE ? EXIT.done : EXIT.failed;
};

if (import.meta.main) await runScript('npm run test:mutation --', mutation);
