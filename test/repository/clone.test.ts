/** The command as a clone has it after `npm ci`: every page writes `npx mysafe-enable`. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');

test('npx mysafe-enable runs in a clone, without a network', { timeout: 240_000 }, async () => {
  // A cache of its own, so that no earlier run helps; with the rules of `.npmrc`, as a reader has them.
  const cache = await mkdtemp(join(tmpdir(), 'npx-'));
  try {
    const { stdout } = await promisify(execFile)('npx', ['--offline', 'mysafe-enable', '--version'], {
      cwd: root,
      env: { ...process.env, npm_config_cache: cache },
    });
    expect(stdout).toBe(`${manifest.version}\n`);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
});

test('the package has no script of its own that an installation runs', () => {
  // `strict-allow-scripts` would have npx refuse the clone for it.
  const names = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
  expect(names.filter((name) => name in manifest.scripts)).toEqual([]);
});
