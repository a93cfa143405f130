/** Compiles serverless.yml as `npm run package` does, once for all tests: what came out is kept by what went in. */
import { execFile, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { functionNames } from '../../infra/build.ts';
import { makeTemplate } from '../../infra/template.ts';
import { createMaker, root } from '../made-once.ts';
import type { Delivery, Order } from './osls.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: unknown;
  readonly UpdatePolicy?: unknown;
}
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}
export type Parameters = Readonly<Record<string, string>>;

/** What is deployed, and what the framework reads. */
const PARTS = ['serverless.yml', 'package.json', 'infra', ...functionNames.map((name) => `dist/${name}`)];
/** What else decides on what comes out. */
const MAKERS = ['package-lock.json', 'test/infra/osls.ts'];

export const TEMPLATE_FILE = 'cloudformation-template-update-stack.json';

const makeOnce = createMaker('packages', [...PARTS, ...MAKERS]);

/** A copy, so that nothing of a run is left in the project. Its packages are above it: the framework looks at each file in it. */
const copyProject = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-'));
  const cwd = join(folder, 'project');
  for (const part of PARTS) await cp(join(root, part), join(cwd, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return { cwd, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
};

/** No network and no credentials are there. */
const environment = (): Record<string, string | undefined> => {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE, AWS_REGION: 'eu-west-1' };
};
const argumentsOf = (parameters: Parameters, stage: string, folder: string): string[] => [
  `--package=${folder}`,
  `--stage=${stage}`,
  ...Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`),
];

const startOsls = async () => {
  const copy = await copyProject();
  const child = fork(join(import.meta.dirname, 'osls.ts'), [], { execArgv: [], env: environment() });
  const ended = once(child, 'exit').then(([code]) => ({ failure: `osls ended with ${code}` }));
  return {
    order: async (args: readonly string[]): Promise<void> => {
      child.send({ args, cwd: copy.cwd } satisfies Order);
      const answered = once(child, 'message').then(([delivery]) => delivery as Delivery);
      const { failure } = await Promise.race([answered, ended]);
      if (failure !== undefined) throw new Error(`osls package failed: ${failure}`);
    },
    end: async (): Promise<void> => {
      child.disconnect();
      await ended;
      await copy[Symbol.asyncDispose]();
    },
  };
};

type Osls = Awaited<ReturnType<typeof startOsls>>;
let running: Promise<Osls> | undefined;
let waiting = 0;
let last: Promise<unknown> = Promise.resolve();

/** One after the other, by one framework, which goes with the last that waits. */
const packageInto = (folder: string, parameters: Parameters, stage: string): Promise<void> => {
  waiting += 1;
  const done = last.then(async () => {
    running ??= startOsls();
    const osls = await running;
    try {
      await osls.order(argumentsOf(parameters, stage, folder));
    } finally {
      waiting -= 1;
      if (waiting === 0) {
        running = undefined;
        await osls.end();
      }
    }
  });
  last = done.catch(() => undefined);
  return done;
};

/** @returns the folder of what is packaged, which is not to be written into. @throws Error with what osls printed */
export const packaged = (parameters: Parameters, stage = 'dev'): Promise<string> => {
  const name = createHash('sha256')
    .update(JSON.stringify([stage, parameters]))
    .digest('hex')
    .slice(0, 16);
  return makeOnce(name, (folder) => packageInto(folder, parameters, stage));
};

/** By the framework's own command, in a process of its own, as `npm run package` does. */
export const packageByCommand = async (parameters: Parameters, folder: string): Promise<void> => {
  await using copy = await copyProject();
  const osls = join(root, 'node_modules/osls/bin/serverless.js');
  const args = [osls, 'package', ...argumentsOf(parameters, 'dev', folder)];
  await promisify(execFile)(process.execPath, args, { cwd: copy.cwd, env: environment() });
};

const readJson = async <Content>(file: string): Promise<Content> => JSON.parse(await readFile(file, 'utf8'));

/** The template that would be deployed. */
export const compile = async (parameters: Parameters): Promise<Template> =>
  readJson(join(await packaged(parameters), TEMPLATE_FILE));

/** What `npm run template` writes, by file name. */
export const openTemplateFiles = async (): Promise<ReadonlyMap<string, Uint8Array>> => {
  const folder = await makeOnce('open', async (made) => {
    await using copy = await copyProject();
    for (const [name, content] of await makeTemplate(copy.cwd)) await writeFile(join(made, name), content);
  });
  const names = await readdir(folder);
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
};
