/** Sees to it that `local` runs the function as it stands. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildOptions } from 'esbuild';
import { bundleOf } from '../../../infra/local/lambda.ts';
import { packageRoot } from '../../../infra/local/package-root.ts';

const newestChange = async (folder: string): Promise<number> => {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const times = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).mtimeMs));
  return Math.max(0, ...times);
};

/**
 * In a clone the function is built where it is missing or older than its source; the published package brings it along.
 * Only this function: others may be running from the rest of dist/.
 */
export const buildFunction = async (name: string): Promise<void> => {
  if (import.meta.filename.endsWith('.mjs')) return;
  const builtAt = (await stat(bundleOf(name)).catch(() => undefined))?.mtimeMs ?? 0;
  const { mtimeMs: lockedAt } = await stat(join(packageRoot, 'package-lock.json'));
  if (builtAt > Math.max(lockedAt, await newestChange(join(packageRoot, 'functions')))) return;
  // By its address, so that the bundler of the command line does not follow it.
  const url = pathToFileURL(join(packageRoot, 'infra/build.ts')).href;
  const [{ functionOptions }, { build }] = (await Promise.all([import(url), import('esbuild')])) as [
    { functionOptions: (name: string) => BuildOptions },
    { build: (options: BuildOptions) => Promise<unknown> },
  ];
  await build(functionOptions(name));
};
