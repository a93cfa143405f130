/**
 * The command line without a process of its own: the same code, evaluated again for each call, with arguments, environment,
 * streams, folder and exit status of its own. A call takes a tenth of what a process takes, and there are hundreds.
 * What only a process has (signals, a terminal, memory, its end) it has not: see command.ts for which calls get one.
 */
import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { pathToFileURL } from 'node:url';
import { constants, Script } from 'node:vm';
import { build } from 'esbuild';
import { cliOptions } from '../../infra/build.ts';
import type { createMaker } from '../made-once.ts';

type Evaluate = (
  module: { exports: { run?: () => Promise<number> } },
  require: (name: string) => unknown,
  ownProcess: unknown,
) => void;

export interface Call {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string | undefined;
  readonly input: string | AsyncIterable<string> | undefined;
  /** Called often while it runs and once when it has ended, with what it has printed so far. */
  readonly meanwhile: ((stdout: string, stderr: string) => void) | undefined;
}

export const LOOK_EVERY_MS = 5;

const requireOfNode = createRequire(import.meta.url);

const compile = async (makeOnce: ReturnType<typeof createMaker>): Promise<Evaluate> => {
  const folder = await makeOnce('function', async (made) => {
    const { splitting, outExtension, outdir, ...options } = cliOptions;
    await build({
      ...options,
      entryPoints: ['functions/cli/run.ts'],
      packages: 'bundle',
      // Of the local world alone, which is always a process.
      external: ['esbuild'],
      format: 'cjs',
      define: {
        'import.meta.url': '__url',
        'import.meta.filename': '__filename',
        'import.meta.dirname': '__dirname',
      },
      outfile: join(made, 'run.cjs'),
    });
  });
  const file = join(folder, 'run.cjs');
  const places = `const __filename = ${JSON.stringify(file)}, __dirname = ${JSON.stringify(folder)}, __url = ${JSON.stringify(pathToFileURL(file).href)};`;
  const code = `(function (module, require, process) { ${places} ${await readFile(file, 'utf8')}\n})`;
  const script = new Script(code, {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return script.runInThisContext() as Evaluate;
};

const createOutput = () => {
  const decoder = new StringDecoder('utf8');
  const output = {
    text: '',
    stream: new Writable({
      write: (chunk: Buffer, _, done) => {
        output.text += decoder.write(chunk);
        done();
      },
    }),
  };
  return output;
};

/** A file system whose relative paths begin in a folder. Of those with two paths the command line uses none. */
const inFolder = (module: object, folder: string): object =>
  new Proxy(module, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name === 'promises') return inFolder(value as object, folder);
      if (typeof value !== 'function') return value;
      return (path: unknown, ...rest: unknown[]) =>
        value.call(target, typeof path === 'string' && !isAbsolute(path) ? join(folder, path) : path, ...rest);
    },
  });

/** What the code sees as its process: all that is not the call's own is this one's. */
const createProcess = ({ args, env, input, cwd = process.cwd() }: Call, stdout: Writable, stderr: Writable) => {
  const events = new EventEmitter();
  const own = {
    argv: [process.execPath, 'mysafe-enable', ...args],
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    stdin: Readable.from(typeof input === 'string' ? [Buffer.from(input)] : (input ?? []), { objectMode: false }),
    stdout,
    stderr,
    cwd: () => cwd,
    exitCode: undefined,
    exit: () => {
      throw new Error('process.exit ends what is under way, which only a process can: run this command with isProcess');
    },
    ...Object.fromEntries(
      (['on', 'once', 'off', 'emit', 'addListener', 'removeListener', 'listeners', 'listenerCount'] as const).map(
        (name) => [name, (events[name] as (...values: unknown[]) => unknown).bind(events)],
      ),
    ),
  };
  return Object.create(
    process,
    Object.fromEntries(Object.entries(own).map(([name, value]) => [name, { value, writable: true }])),
  ) as Omit<typeof own, 'exitCode'> & { readonly emit: (name: string, ...values: unknown[]) => void };
};

const createRequireOf = (ownProcess: object, cwd: string | undefined) => {
  const replaced: Readonly<Record<string, (module: object) => object>> = {
    process: () => ownProcess,
    // It is about memory, and of the whole process.
    v8: (module) => ({ ...module, setFlagsFromString: () => {} }),
    ...(cwd === undefined
      ? {}
      : { fs: (module) => inFolder(module, cwd), 'fs/promises': (module) => inFolder(module, cwd) }),
  };
  return (name: string): unknown => {
    const module = requireOfNode(name) as object;
    return replaced[name.replace(/^node:/, '')]?.(module) ?? module;
  };
};

/** @param makeOnce keeps what is compiled */
export const createInProcess = (makeOnce: ReturnType<typeof createMaker>) => {
  let compiled: Promise<Evaluate> | undefined;
  return async (call: Call): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> => {
    compiled ??= compile(makeOnce);
    const evaluate = await compiled;
    const stdout = createOutput();
    const stderr = createOutput();
    const ownProcess = createProcess(call, stdout.stream, stderr.stream);
    const module: Parameters<Evaluate>[0] = { exports: {} };
    evaluate(module, createRequireOf(ownProcess, call.cwd), ownProcess);
    if (!module.exports.run) throw new Error('functions/cli/run.ts exports no run');
    const { meanwhile } = call;
    const timer = meanwhile && setInterval(() => meanwhile(stdout.text, stderr.text), LOOK_EVERY_MS);
    try {
      const status = await module.exports.run();
      ownProcess.emit('exit', status);
      return { status, stdout: stdout.text, stderr: stderr.text };
    } finally {
      clearInterval(timer);
      meanwhile?.(stdout.text, stderr.text);
    }
  };
};
