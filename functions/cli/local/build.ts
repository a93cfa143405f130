/** Sees to it that `local` runs the function as it stands. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildOptions, BuildResult } from 'esbuild';
import type { Asset, Assets } from '../../../infra/local/console/server.ts';
import { bundleOf } from '../../../infra/local/lambda.ts';
import { packageRoot } from '../../../infra/local/package-root.ts';

const isPublished = import.meta.filename.endsWith('.mjs');

interface Tools {
  readonly functionOptions: (name: string) => BuildOptions;
  readonly consoleOptions: BuildOptions;
  readonly build: (options: BuildOptions) => Promise<BuildResult>;
}

const loadTools = async (): Promise<Tools> => {
  // By its address, so that the bundler of the command line does not follow it.
  const url = pathToFileURL(join(packageRoot, 'infra/build.ts')).href;
  const [options, { build }] = (await Promise.all([import(url), import('esbuild')])) as [
    Omit<Tools, 'build'>,
    Pick<Tools, 'build'>,
  ];
  const { functionOptions, consoleOptions } = options;
  return { functionOptions, consoleOptions, build };
};

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
  if (isPublished) return;
  const builtAt = (await stat(bundleOf(name)).catch(() => undefined))?.mtimeMs ?? 0;
  const { mtimeMs: lockedAt } = await stat(join(packageRoot, 'package-lock.json'));
  if (builtAt > Math.max(lockedAt, await newestChange(join(packageRoot, 'functions')))) return;
  const { build, functionOptions } = await loadTools();
  await build(functionOptions(name));
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

const asset = (file: string, content: string): readonly [string, Asset] => {
  const name = basename(file);
  return [
    name === 'index.html' ? '/' : `/${name}`,
    { contentType: CONTENT_TYPES[extname(name)] ?? 'text/plain', content },
  ];
};

/** The console's page: of the published package as it was packed, of a clone as its source is now. */
export const buildConsole = async (): Promise<Assets> => {
  if (isPublished) {
    const folder = join(packageRoot, 'dist/console');
    const files = (await readdir(folder)).filter((file) => extname(file) in CONTENT_TYPES);
    const read = async (file: string) => asset(file, await readFile(join(folder, file), 'utf8'));
    return Object.fromEntries(await Promise.all(files.map(read)));
  }
  const { build, consoleOptions } = await loadTools();
  const { outputFiles = [] } = await build({ ...consoleOptions, write: false });
  return Object.fromEntries(outputFiles.map(({ path, text }) => asset(path, text)));
};
