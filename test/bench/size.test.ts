import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

let dist = '';
afterEach(() => rmSync(dist, { recursive: true, force: true }));

/** Random bytes do not compress: gzip adds some twenty. */
const weigh = (bundles: Readonly<Record<string, number>>) => {
  dist = mkdtempSync(join(tmpdir(), 'size-'));
  for (const [name, bytes] of Object.entries(bundles)) {
    mkdirSync(join(dist, name));
    writeFileSync(join(dist, name, 'index.mjs'), randomBytes(bytes));
    writeFileSync(join(dist, name, 'index.mjs.map'), randomBytes(100_000));
  }
  return spawnSync(process.execPath, [join(import.meta.dirname, 'size.ts'), dist], { encoding: 'utf8' });
};

test('a bundle of enable-password over 80,000 bytes gzipped fails, and is told by how much', () => {
  const { status, stderr } = weigh({ 'enable-password': 80_001 });
  expect(stderr).toMatch(/enable-password is \d+ bytes over its budget/);
  expect(status).toBe(1);
});

test('a bundle of enable-password within 80,000 bytes gzipped passes, whatever its source map and other functions weigh', () => {
  const { status, stdout } = weigh({ 'enable-password': 79_000, 'replay-dead-letters': 90_000 });
  expect(stdout).toMatch(/enable-password +79000 +790\d\d +80000/);
  expect(stdout).toMatch(/replay-dead-letters +90000 +900\d\d +none/);
  expect(status).toBe(0);
});

test('a bundle that was not built fails instead of weighing nothing', () => {
  const { status, stderr } = weigh({ 'replay-dead-letters': 10 });
  expect(stderr).toContain('enable-password is not built: run npm run build');
  expect(status).toBe(1);
});
