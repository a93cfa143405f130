/**
 * The recipe of docs/contributor.md, "A new answer of Segura", carried out on a copy of the tree: its snippets and its table
 * are read from the page. What it forgets fails with a message that names file and line.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSqs } from '../../infra/local/sqs.ts';
import { readPage, root } from '../docs/pages.ts';
import { environmentOf, putLetters } from '../loopback/command.ts';

const CODE = '1042';
const page = readPage('docs/contributor.md');
const steps = page.blocks.filter(({ heading }) => heading === 'A new answer of Segura');
const others = page.blocks.filter(
  ({ language, heading }) => language === 'typescript' && heading !== steps[0]?.heading,
);

const snippet = (language: string): string => {
  const found = steps.filter((block) => block.language === language);
  expect(found, `docs/contributor.md: one snippet in ${language}`).toHaveLength(1);
  // Within a list it is indented.
  return (found[0]?.text ?? '').replaceAll(/^ {3}/gm, '');
};

/** A cell of Markdown in one backtick, or in two where it holds some: then a space parts them from the inner ones. */
const unquote = (cell: string): string => {
  const [, outer = '', text = ''] = /^(`+)(.*)\1$/.exec(cell.trim()) ?? [];
  return outer.length > 1 ? text.replace(/^ (?=`)|(?<=`) $/g, '') : text;
};

interface Insertion {
  readonly file: string;
  readonly put: string;
  readonly behind: string;
}

const readInsertions = (): readonly Insertion[] => {
  const lines = page.text.split('\n').map((line) => line.trim());
  const rows = lines.slice(lines.indexOf('| in | put | behind |') + 2);
  return rows.slice(0, rows.indexOf('')).map((row) => {
    const [file = '', put = '', behind = ''] = row.split('|').slice(1, -1).map(unquote);
    return { file, put, behind };
  });
};
const insertions = readInsertions();

/** On a machine that is busy with other tests. */
const TIMEOUT_MS = 300_000;

let copy = '';

const change = async (file: string, edit: (text: string) => string): Promise<void> => {
  const path = join(copy, file);
  const before = await readFile(path, 'utf8');
  const after = edit(before);
  expect(after, `docs/contributor.md: the recipe changes nothing in ${file}`).not.toBe(before);
  await writeFile(path, after);
};
const insert = ({ file, put, behind }: Insertion): Promise<void> =>
  change(file, (text) => text.replace(behind, () => `${behind}${put}`));

/** What a program printed, whether it failed or not. */
const run = async (...command: readonly [string, ...string[]]): Promise<{ isGood: boolean; said: string }> => {
  const [program, ...args] = command;
  const path = join(root, 'node_modules/.bin');
  const env = { PATH: `${path}:${process.env['PATH']}`, HOME: process.env['HOME'], NO_COLOR: '1' };
  return promisify(execFile)(program, args, { cwd: copy, env, maxBuffer: 50_000_000 }).then(
    ({ stdout, stderr }) => ({ isGood: true, said: `${stdout}${stderr}` }),
    ({ stdout, stderr }) => ({ isGood: false, said: `${stdout}${stderr}` }),
  );
};
const runTests = (...files: readonly string[]) => run('vitest', 'run', '--no-isolate', ...files);
/** Of these files and all that they import: the whole tree takes ten times as long. */
const runTypes = async (...include: readonly string[]) => {
  await writeFile(join(copy, 'tsconfig.some.json'), JSON.stringify({ extends: './tsconfig.json', include }));
  return run('tsc', '--noEmit', '-p', 'tsconfig.some.json');
};

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'recipe-'));
  for (const name of ['functions', 'infra', 'events', 'docs', 'test']) {
    await cp(join(root, name), join(copy, name), {
      recursive: true,
      filter: (source) => !source.endsWith('node_modules'),
    });
  }
  for (const name of ['README.md', 'CHANGELOG.md', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    await cp(join(root, name), join(copy, name));
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

const TESTS = ['test/unit/answers.test.ts', 'test/unit/outcome-schema.test.ts', 'test/docs/error-codes.test.ts'];

test(
  'a real answer without its row fails, and says in which file the row is missing',
  async () => {
    await change('infra/local/answers.json', (text) => text.replace(/\n\]\s*$/, () => `,\n${snippet('json')}\n]\n`));
    const { isGood, said } = await runTests('test/unit/answers.test.ts');
    expect(isGood).toBe(false);
    expect(said).toContain('archived-1042 means archived');
    expect(said).toContain('functions/segura/answers.ts: ENABLE_TABLE has no row for it');
  },
  TIMEOUT_MS,
);

test(
  'the row without the rest fails, and each place that was forgotten is named by file and line',
  async () => {
    const row = snippet('typescript')
      .replace(/^const row: Row = /, '')
      .replace(/;\s*$/, ',');
    const [, means = ''] = /means: '([\w-]+)'/.exec(row) ?? [];
    await change('functions/segura/answers.ts', (text) =>
      text
        .replace(/^ {2}\| 'unexpected-answer';/m, (last) => `  | '${means}'\n${last}`)
        .replace(/errorCode: '1010' \},\n.*\n {2}\},\n/, (end) => `${end}${row}\n`),
    );
    const [types, tests] = [await runTypes('test/unit/answers.test.ts'), await runTests(...TESTS)];
    const linesOf = async (file: string) => (await readFile(join(copy, file), 'utf8')).split('\n');
    expect(insertions.length).toBeGreaterThan(8);
    expect(tests.said).toContain('test/unit/answers.test.ts: errorCodes and ENABLE_TABLE differ');
    expect(types.said).toMatch(/^test\/unit\/answers\.test\.ts\(\d+,\d+\): error .*archived/m);
    for (const { file, behind } of insertions.filter((each) => !each.file.startsWith('test/'))) {
      const line = (await linesOf(file)).findIndex((each) => each.includes(behind)) + 1;
      expect(tests.said).toContain(`${file}:${line}: add ${CODE} behind 1010`);
    }
    expect(tests.said).toMatch(/docs\/outcomes\.md:\d+: add a row for 1042/);
  },
  TIMEOUT_MS,
);

test(
  'after the whole recipe types and tests pass, and the command line knows the code',
  async () => {
    for (const insertion of insertions) await insert(insertion);
    await change('docs/outcomes.md', (text) =>
      text.replace(/^\| `1010`.*\n/m, (last) => `${last}${snippet('text')}\n`),
    );
    // The page's other snippets, each in a function of its own, with what they take for granted.
    const bodies = others.map(({ text }, index) => `export const snippet${index} = async () => {\n${text}\n};`);
    const imports = "import { expect } from 'vitest';\nimport { startWorld } from '../infra/local/world.ts';";
    await writeFile(join(copy, 'test/page-snippets.ts'), [imports, ...bodies].join('\n'));
    expect((await runTypes('test/unit/answers.test.ts', 'test/page-snippets.ts')).said).toBe('');
    const { isGood, said } = await runTests(...TESTS);
    expect(isGood, said).toBe(true);

    const sqs = await startSqs();
    await putLetters(sqs, 'rejected', [{ identifier: 10, code: CODE }]);
    const args = ['functions/cli/main.ts', 'dead-letters', 'list', '--queue', 'rejected', '--code', CODE, '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      cwd: copy,
      env: { PATH: process.env['PATH'], ...environmentOf(sqs) },
    });
    expect(JSON.parse(stdout)).toMatchObject({ queues: [{ queue: 'rejected', total: 1, byCode: { [CODE]: 1 } }] });
    await sqs.close();
  },
  TIMEOUT_MS,
);
