/** What is compared, and how each is bundled: ours is the bundle that infra/build.ts deploys, to the byte. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { deployedOptions } from '../../infra/build.ts';
import type { Subject } from './sample.ts';
import { gzippedBytes } from './size.ts';

export interface Contender {
  readonly id: string;
  readonly name: string;
  readonly entry: string;
  /** Packages whose versions belong beside the figures. */
  readonly packages: readonly string[];
  readonly options?: BuildOptions;
  readonly hasLeanHttp?: boolean;
  readonly hasCompileCache?: boolean;
  readonly callsSegura?: boolean;
}

const OURS = 'functions/enable-password/handler.ts';
const AWS = ['@aws-sdk/client-secrets-manager'];

/** axios brings CommonJS that asks for Node's modules by `require`; esbuild's own advice for an ES module. */
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** What infra/build.ts does beyond bundling is this project's own idea, and in no documentation of the peers'. */
const PLAIN: BuildOptions = { alias: {}, plugins: [], supported: {} };

export const contenders: readonly Contender[] = [
  {
    id: 'at-once',
    name: 'returns at once',
    entry: 'test/bench/subjects/at-once.ts',
    packages: [],
    options: PLAIN,
    callsSegura: false,
  },
  { id: 'bare', name: 'bare handler', entry: 'test/bench/subjects/bare.ts', packages: [], options: PLAIN },
  { id: 'ours', name: 'this project', entry: OURS, packages: ['@middy/core'] },
  {
    id: 'middy',
    name: 'middy, its middlewares, axios',
    entry: 'test/bench/subjects/middy.ts',
    packages: ['@middy/core', '@middy/secrets-manager', '@middy/sqs-partial-batch-failure', 'axios', ...AWS],
    options: { ...PLAIN, banner: { js: REQUIRE } },
  },
  {
    id: 'powertools',
    name: 'Powertools',
    entry: 'test/bench/subjects/powertools.ts',
    packages: [...['batch', 'logger', 'metrics', 'parameters'].map((name) => `@aws-lambda-powertools/${name}`), ...AWS],
    options: PLAIN,
  },
];

/** Ways worth a look, by the option of the command line that adds each to the table. */
export const experiments: Readonly<Record<'cjs' | 'compileCache' | 'lean', readonly Contender[]>> = {
  cjs: [
    {
      id: 'ours-cjs',
      name: 'this project, CommonJS',
      entry: OURS,
      packages: [],
      options: { format: 'cjs', outExtension: { '.js': '.cjs' } },
    },
  ],
  compileCache: [
    { id: 'ours-compile-cache', name: 'this project, compile cache', entry: OURS, packages: [], hasCompileCache: true },
  ],
  lean: [
    {
      id: 'bare-lean',
      name: 'bare handler, lean http',
      entry: 'test/bench/subjects/bare.ts',
      packages: [],
      hasLeanHttp: true,
    },
    {
      id: 'middy-lean',
      name: 'middy, our build',
      entry: 'test/bench/subjects/middy.ts',
      packages: [],
      options: { banner: { js: REQUIRE } },
      hasLeanHttp: true,
    },
    {
      id: 'powertools-lean',
      name: 'Powertools, our build',
      entry: 'test/bench/subjects/powertools.ts',
      packages: [],
      hasLeanHttp: true,
    },
  ],
};

/** A vault that is spoken to over TLS is asked by `node:https`: only where a subject itself asks, not in the AWS SDK. */
const secureHttp: Plugin = {
  name: 'secure-http',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^node:http$/ }, ({ importer }) =>
      importer.endsWith('post.ts') ? { path: 'node:https', external: true } : undefined,
    );
  },
};

const NAMES = ['Agent', 'METHODS', 'STATUS_CODES', 'IncomingMessage', 'createServer', 'get', 'globalAgent', 'request'];

/**
 * An ES module import of node:http reads each export, among them a lazy one that loads 20 ms of WebSocket code; this one
 * does not. What functions/http/send.ts does by hand.
 */
const leanHttp: Plugin = {
  name: 'lean-http',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^(node:)?http$/ }, () => ({ path: 'node:http', namespace: 'lean-http' }));
    onLoad({ filter: /./, namespace: 'lean-http' }, () => ({
      contents: `const http = process.getBuiltinModule('node:http'); export default http; export const { ${NAMES} } = http;`,
    }));
  },
};

export interface Built {
  readonly contender: Contender;
  readonly subject: Subject;
  readonly bytes: number;
  readonly gzippedBytes: number;
}

export const buildLauncher = async (folder: string): Promise<string> => {
  const outfile = join(folder, 'launcher.mjs');
  const entry = join(import.meta.dirname, 'launcher.ts');
  await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node', target: 'node24' });
  return outfile;
};

export const buildContender = async (
  contender: Contender,
  { folder, launcher, isSecure }: { readonly folder: string; readonly launcher: string; readonly isSecure: boolean },
): Promise<Built> => {
  const outdir = join(folder, contender.id);
  const options = { ...deployedOptions('enable-password'), ...contender.options };
  const plugins = [
    ...(options.plugins ?? []),
    ...(isSecure ? [secureHttp] : []),
    ...(contender.hasLeanHttp ? [leanHttp] : []),
  ];
  await build({ ...options, entryPoints: { index: contender.entry }, outdir, plugins });
  const bundle = join(outdir, contender.options?.format === 'cjs' ? 'index.cjs' : 'index.mjs');
  const content = await readFile(bundle);
  const cache = { NODE_COMPILE_CACHE: join(outdir, 'cache'), NODE_COMPILE_CACHE_PORTABLE: '1' };
  return {
    contender,
    subject: {
      launcher,
      bundle,
      environment: contender.hasCompileCache ? cache : {},
      callsSegura: contender.callsSegura ?? true,
    },
    bytes: content.length,
    gzippedBytes: gzippedBytes(content),
  };
};
