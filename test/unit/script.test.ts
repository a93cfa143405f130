/** What measures this project has the help, the wrong usage and the exit statuses of its commands. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { drawn } from '../depth.ts';
import { root } from '../made-once.ts';

const SCRIPTS = ['simulate', 'bench', 'outage'] as const;
const PLACES = { simulate: 'simulation', bench: 'bench', outage: 'outage' } as const;

/** @param reads whether somebody reads its standard output */
const run = async (script: (typeof SCRIPTS)[number], args: readonly string[], reads = true) => {
  const child = spawn(process.execPath, [join(root, 'test', PLACES[script], 'main.ts'), ...args]);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  if (!reads) child.stdout.destroy();
  const [stdout, stderr] = await Promise.all([reads ? text(child.stdout) : '', text(child.stderr)]);
  return { status: await ended, stdout, stderr };
};

describe.concurrent.each(SCRIPTS)('npm run %s', (script) => {
  test('--help tells usage, options and examples, and ends with 0', async () => {
    const { status, stdout, stderr } = await run(script, ['--help']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Usage: npm run ${script} -- \\[options\\]\n`));
    expect(stdout).toMatch(/\n +--json +one JSON object/);
    expect(stdout).toMatch(new RegExp(`\nExamples:\n  npm run ${script}`));
  });

  test('with an option that there is not is wrong usage, for machines too', async () => {
    const { status, stdout, stderr } = await run(script, ['--nonsense', '--json']);
    expect(status).toBe(2);
    expect(stderr).toContain("unknown option '--nonsense'");
    expect(JSON.parse(stdout)).toMatchObject({ error: { fix: `npm run ${script} -- --help shows how it is used` } });
  });
});

test.concurrent.each(drawn(SCRIPTS))('npm run %s -- --help ends quietly where nobody reads it', async (script) => {
  expect(await run(script, ['--help'], false)).toEqual({ status: 0, stdout: '', stderr: '' });
});
