/** The package as npm would publish it, in a folder that holds nothing else. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

let folder = '';

/** As `npm install` would leave it, but with the dependencies of this checkout instead of the registry's. */
const install = async (): Promise<void> => {
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true });
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await run('tar', ['-xzf', join(folder, filename), '-C', folder]);
  await rename(join(folder, 'package'), join(modules, 'mysafe-enable'));
  const installed = await readdir(join(root, 'node_modules'));
  for (const name of installed) {
    if (name.startsWith('.') || name === 'mysafe-enable') continue;
    await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  const { bin } = JSON.parse(await readFile(join(modules, 'mysafe-enable/package.json'), 'utf8')) as {
    bin: { 'mysafe-enable': string };
  };
  await symlink(join('../mysafe-enable', bin['mysafe-enable']), join(modules, '.bin/mysafe-enable'));
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packed-'));
  await install();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const command = (...args: readonly string[]) => run('npx', ['mysafe-enable', ...args], { cwd: folder });

test('brings no source and no test', async () => {
  const files = await readdir(join(folder, 'node_modules/mysafe-enable'), { recursive: true });
  expect(files.filter((file) => /(^|\/)test\//.test(file) || /(?<!\.d)\.ts$/.test(file))).toEqual([]);
  expect(files).toContain('dist/enable-password/index.mjs');
});

test('npx mysafe-enable says its version and its commands', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  expect((await command('--version')).stdout.trim()).toBe(version);
  const { stdout } = await command('--help');
  for (const name of ['send', 'dead-letters', 'doctor']) expect(stdout).toContain(name);
});

test('npx mysafe-enable local runs everything from the bundles', async () => {
  const { stdout } = await command('local', '--json');
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ ok: true });
});
