/**
 * Bundles every folder of functions/ that has a handler.ts to dist/<folder>/index.mjs, and the command line to
 * dist/cli/main.mjs. Run by `npm run build`; `node infra/build.ts --analyze` says what each bundle is made of.
 */
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { analyzeMetafile, type BuildOptions, build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** The functions that are deployed, by folder name. */
export const functionNames: readonly string[] = readdirSync(join(root, 'functions')).filter((name) =>
  existsSync(join(root, 'functions', name, 'handler.ts')),
);

const shared: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // esbuild's default for node takes the AWS SDK's CommonJS build: half as large again, and slower to start.
  mainFields: ['module', 'main'],
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
};

export const functionOptions = (name: string): BuildOptions => ({
  ...shared,
  entryPoints: { index: `functions/${name}/handler.ts` },
  outdir: `dist/${name}`,
  outExtension: { '.js': '.mjs' },
  minify: true,
  sourcemap: 'linked',
  // Lambda hands its role's credentials over in the environment: the SDK's provider chain (SSO, STS, IMDS, ini files)
  // would be 40 % of the bundle and a third of its start.
  alias: { '@aws-sdk/credential-provider-node': './functions/aws/environment-credentials.ts' },
});

const cliOptions: BuildOptions = {
  ...shared,
  entryPoints: { main: 'functions/cli/main.ts', 'lambda-worker': 'infra/local/lambda-worker.ts' },
  outdir: 'dist/cli',
  outExtension: { '.js': '.mjs' },
  packages: 'external',
  // A command is loaded when it is called; in one file `--help` would load the AWS SDK too.
  splitting: true,
};

/** Builds everything anew; nothing of an earlier build stays. */
export const buildAll = async ({ analyze = false } = {}): Promise<void> => {
  await rm(join(root, 'dist'), { recursive: true, force: true });
  const targets = [...functionNames.map(functionOptions), cliOptions];
  for (const { metafile } of await Promise.all(targets.map((options) => build(options)))) {
    if (analyze && metafile) console.log(await analyzeMetafile(metafile));
  }
};

if (import.meta.main) await buildAll({ analyze: process.argv.includes('--analyze') });
