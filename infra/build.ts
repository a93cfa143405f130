/**
 * Bundles every folder of functions/ that has a handler.ts to dist/<folder>/index.mjs, the command line to
 * dist/cli/main.mjs, and the page of the local console to dist/console/. Run by `npm run build`; `node infra/build.ts --analyze` says what each bundle is made of.
 */
import { existsSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { analyzeMetafile, type BuildOptions, build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** The functions that are deployed, by folder name. */
export const functionNames: readonly string[] = readdirSync(join(root, 'functions')).filter((name) =>
  existsSync(join(root, 'functions', name, 'handler.ts')),
);

/**
 * What a Lambda role can never need of the AWS SDK, and what stands in its place in the deployed bundles. Whole packages
 * by their public names, nothing of the SDK's inside: an update of the SDK must not break us.
 */
const STAND_INS = [
  {
    of: '@aws-sdk/credential-provider-node',
    by: './infra/stand-ins/credential-provider-node.ts',
    reason:
      "Lambda hands its role's credentials over in the environment; SSO, STS, IMDS and profiles are 40 % of the SDK",
  },
  {
    of: '@smithy/node-http-handler',
    by: './infra/stand-ins/node-http-handler.ts',
    reason: 'each client is given our own transport: time limit, proxy, knowledge of a reused connection',
  },
  {
    of: '@smithy/core/event-streams',
    by: './infra/stand-ins/event-streams.ts',
    reason: 'neither SQS nor Secrets Manager has an event stream',
  },
] as const;

/** The SDK reads its own version from its manifest, for the user agent; the rest of that file is for npm. */
const namesOfPackages: Plugin = {
  name: 'names-of-packages',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]node_modules[\\/].*[\\/]package\.json$/ }, async ({ path }) => {
      const { name, version } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
      return { contents: JSON.stringify({ name, version }), loader: 'json' };
    });
  },
};

/** `import { createHash as sha } from "node:crypto";` */
const IMPORT_OF_NODE = /^import \{([^}]*)\} from ["'](node:[^"']+)["'];$/gm;

/** `createHash as sha` names `createHash`. */
const nameOf = (imported: string): string => imported.trim().split(' ')[0] ?? '';

/**
 * An ES module import of one of Node's own modules reads each of its exports, also those that open or load something:
 * `node:process` opens the standard streams, `node:fs` loads streams of its own. What a package imports is read where it
 * is used: of a CommonJS module, esbuild writes a name as what it is, a property; and one that is never used is never read.
 */
const namesOfNode: Plugin = {
  name: 'names-of-node',
  setup: ({ onLoad, onResolve }) => {
    onLoad({ filter: /[\\/]node_modules[\\/].*\.m?js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(
        IMPORT_OF_NODE,
        (_, names: string, module: string) =>
          `import {${names}} from 'names-of-${module}?${names.split(',').map(nameOf).filter(Boolean)}';`,
      ),
    }));
    onResolve({ filter: /^names-of-node:/ }, ({ path }) => ({
      path: path.slice('names-of-'.length),
      namespace: 'names-of-node',
      sideEffects: false,
    }));
    onLoad({ filter: /./, namespace: 'names-of-node' }, ({ path }) => {
      const [module = '', names = ''] = path.split('?');
      const getters = names
        .split(',')
        .map((name) => `get ${name}() { return process.getBuiltinModule('${module}').${name} }`);
      return { contents: `module.exports = {${getters}}` };
    });
  },
};

/** Takes off another 6 %, and Node.js reads every byte of a bundle at each cold start. */
const minifyAgain: Plugin = {
  name: 'minify-again',
  setup: ({ onEnd }) => {
    onEnd(async ({ metafile }) => {
      // Not imported: `npm start` takes this file's options for a build without this step.
      const { minify } = await import('terser');
      const bundles = Object.keys(metafile?.outputs ?? {}).filter((file) => file.endsWith('.mjs'));
      for (const bundle of bundles.map((file) => join(root, file))) {
        const [code, map] = await Promise.all([bundle, `${bundle}.map`].map((file) => readFile(file, 'utf8')));
        const smaller = await minify(code ?? '', {
          module: true,
          ecma: 2020,
          compress: { arrows: false },
          // A single other letter makes V8 hold all of it in two bytes each, which takes three times as long to decode.
          format: { ascii_only: true },
          sourceMap: { content: map ?? '', url: `${basename(bundle)}.map`, includeSources: true },
        });
        await Promise.all([writeFile(bundle, smaller.code ?? ''), writeFile(`${bundle}.map`, String(smaller.map))]);
      }
    });
  },
};

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
  // V8 skips the body of a function until it is called, but reads an arrow function in full: 11 of 31 ms.
  supported: { arrow: false },
  sourcemap: 'linked',
  plugins: [namesOfPackages, namesOfNode],
  alias: Object.fromEntries(STAND_INS.map(({ of, by }) => [of, by])),
});

/** As deployed. The local world does without the last step, which takes seconds. */
export const deployedOptions = (name: string): BuildOptions => {
  const options = functionOptions(name);
  return { ...options, plugins: [...(options.plugins ?? []), minifyAgain] };
};

export const cliOptions = {
  ...shared,
  entryPoints: { main: 'functions/cli/main.ts', 'lambda-worker': 'infra/local/lambda-worker.ts' },
  outdir: 'dist/cli',
  outExtension: { '.js': '.mjs' },
  packages: 'external',
  // A command is loaded when it is called; in one file `--help` would load the AWS SDK too.
  splitting: true,
} satisfies BuildOptions;

/** The page of the local console, for a browser: nothing in it is loaded from elsewhere. */
export const consoleOptions: BuildOptions = {
  ...shared,
  platform: 'browser',
  target: 'es2022',
  mainFields: ['browser', 'module', 'main'],
  entryPoints: [
    { in: 'infra/local/console/page/main.ts', out: 'console' },
    { in: 'infra/local/console/page/console.css', out: 'console' },
    { in: 'infra/local/console/page/index.html', out: 'index' },
  ],
  loader: { '.html': 'copy' },
  outdir: 'dist/console',
  minify: true,
};

/** Builds everything from nothing; nothing of an earlier build stays. */
const buildAll = async ({ analyze = false } = {}): Promise<void> => {
  await rm(join(root, 'dist'), { recursive: true, force: true });
  const targets = [...functionNames.map(deployedOptions), cliOptions, consoleOptions];
  for (const { metafile } of await Promise.all(targets.map((options) => build(options)))) {
    if (analyze && metafile) console.log(await analyzeMetafile(metafile));
  }
};

if (import.meta.main) await buildAll({ analyze: process.argv.includes('--analyze') });
