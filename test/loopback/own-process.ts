/**
 * Code that was built for a process of its own, evaluated in this one: what it sees as its process (arguments, environment,
 * streams, folder, exit) is its own, and so is the state of its modules; the rest is this process. That takes a tenth of
 * what it takes to start one, and the tests need hundreds.
 */
import { Console } from 'node:console';
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { type Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { pathToFileURL } from 'node:url';
import { constants, Script } from 'node:vm';

type Evaluate = (
  module: { exports: Record<string, unknown> },
  require: (name: string) => unknown,
  ownProcess: unknown,
  ownConsole: Console,
) => void;

export interface OwnProcess {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string | undefined;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/**
 * @param code CommonJS in which `import.meta` is replaced by the names that are declared here
 * @param place where it takes itself to be, so that it finds what is beside it
 */
export const compileCode = (code: string, file: string, place = file): Evaluate => {
  const names = { __filename: place, __dirname: dirname(place), __url: pathToFileURL(place).href };
  const places = Object.entries(names).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
  const script = new Script(
    `(function (module, require, process, console) { const exports = module.exports; ${places.join(' ')} ${code}\n})`,
    {
      filename: file,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    },
  );
  return script.runInThisContext() as Evaluate;
};

/** @param onText given what is written, in whole characters */
export const createOutput = (onText: (text: string) => void): Writable => {
  const decoder = new StringDecoder('utf8');
  return new Writable({
    write: (chunk: Buffer, _, done) => {
      onText(decoder.write(chunk));
      done();
    },
  });
};

/** A file system whose relative paths begin in a folder. Of those with two paths our code uses none. */
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

const requireOfNode = createRequire(import.meta.url);

/** Node.js's own modules, but for those through which one reaches the process. */
const createRequireOf = (ownProcess: () => object, cwd: string | undefined) => {
  const replaced: Readonly<Record<string, (module: object) => object>> = {
    process: ownProcess,
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

const EVENTS = ['on', 'once', 'off', 'emit', 'addListener', 'removeListener', 'listeners', 'listenerCount'] as const;

/** @returns what the code exports, and `end`, which tells it that its process exits */
export const evaluateFor = (evaluate: Evaluate, { argv, env, cwd, ...streams }: OwnProcess) => {
  const events = new EventEmitter();
  const requireOf = createRequireOf(() => ownProcess, cwd);
  const own = {
    ...streams,
    argv: [process.execPath, 'mysafe-enable', ...argv],
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    cwd: () => cwd ?? process.cwd(),
    getBuiltinModule: requireOf,
    exitCode: undefined,
    exit: () => {
      throw new Error('process.exit ends what is under way, which only a process can: give this code one of its own');
    },
    ...Object.fromEntries(
      EVENTS.map((name) => [name, (events[name] as (...values: unknown[]) => unknown).bind(events)]),
    ),
  };
  const ownProcess: object = Object.create(
    process,
    Object.fromEntries(Object.entries(own).map(([name, value]) => [name, { value, writable: true }])),
  );
  const module: Parameters<Evaluate>[0] = { exports: {} };
  evaluate(module, requireOf, ownProcess, new Console(streams.stdout, streams.stderr));
  return { exported: module.exports, end: (status: number): void => void events.emit('exit', status) };
};
