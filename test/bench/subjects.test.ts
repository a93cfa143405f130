/** What `npm run bench` measures is what is deployed. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { deployedOptions } from '../../infra/build.ts';
import { buildContender, contenders } from './subjects.ts';

const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-bench-'));
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ['http', false],
  ['https', true],
])('the bundle that is measured over %s is the deployed one, byte for byte', async (transport, isSecure) => {
  const ours = contenders.find(({ id }) => id === 'ours');
  if (!ours) throw new Error('there is no contender of this project');
  const outdir = join(folder, 'deployed');
  await build({ ...deployedOptions('enable-password'), outdir });
  const built = await buildContender(ours, { folder: join(folder, transport), launcher: '', isSecure });
  expect(await readFile(built.subject.bundle, 'utf8')).toBe(await readFile(join(outdir, 'index.mjs'), 'utf8'));
});
