/**
 * An execution environment without a process of its own: the built bundle, evaluated again with the environment's variables
 * and output. It cannot be killed in the middle of its work, and says so: a test about that gives it a process.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { transform } from 'esbuild';
import { bundleOf } from '../../infra/local/lambda.ts';
import type { LambdaProcess, ProcessOptions, StartProcess, WorkerAnswer } from '../../infra/local/lambda-process.ts';
import { startWorld, type World, type WorldOptions } from '../../infra/local/world.ts';
import { compileCode, createOutput, evaluateFor } from './own-process.ts';

type Handler = (event: unknown, context: object) => Promise<unknown>;

const compiled = new Map<string, Promise<ReturnType<typeof compileCode>>>();
const compile = (bundle: string): Promise<ReturnType<typeof compileCode>> => {
  const made =
    compiled.get(bundle) ??
    readFile(bundle, 'utf8').then(async (code) => {
      const { code: commonJs } = await transform(code, { format: 'cjs', target: 'node24' });
      return compileCode(commonJs, bundle);
    });
  compiled.set(bundle, made);
  return made;
};

/** As it goes from process to process. */
const copyOf = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

const load = async ({ bundle, env, onOutput, onErrorOutput }: ProcessOptions): Promise<Handler> => {
  const { exported } = evaluateFor(await compile(bundle), {
    argv: [],
    env: { PATH: process.env['PATH'], ...env },
    cwd: undefined,
    stdin: Readable.from([]),
    stdout: createOutput(onOutput),
    stderr: createOutput(onErrorOutput),
  });
  return exported['handler'] as Handler;
};

export const startInProcess: StartProcess = (options): LambdaProcess => {
  const loaded = load(options);
  const ended = Promise.withResolvers<void>();
  let isOver = false;
  let underWay = 0;
  const end = (): void => {
    isOver = true;
    ended.resolve();
  };
  const onlyAProcess = (what: string): never => {
    throw new Error(`only a process can be ${what}: start this world with startWorld, not with openWorld`);
  };

  return {
    ready: loaded.then(
      () => ({ id: 'ready' }),
      (error: unknown) => {
        end();
        return { id: 'ready', functionError: String(error) };
      },
    ),
    ended: ended.promise,
    kill: () => {
      if (underWay > 0) onlyAProcess('killed in the middle of its work');
      end();
    },
    closeOutput: () => onlyAProcess('left without a reader of its output'),
    isOver: () => isOver,
    call: async (event, remainingMs): Promise<WorkerAnswer> => {
      const id = crypto.randomUUID();
      const handler = await loaded;
      const endsAt = Date.now() + remainingMs;
      const timedOut = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => timedOut.reject(new Error('only a process can be ended at its time-out')),
        remainingMs,
      );
      const context = {
        awsRequestId: id,
        functionName: 'enable-password',
        getRemainingTimeInMillis: () => endsAt - Date.now(),
      };
      underWay += 1;
      try {
        const handled = handler(copyOf(event), context).then(
          (payload) => ({ id, payload: copyOf(payload) }),
          (error: Error) => ({ id, functionError: `${error.name}: ${error.message}` }),
        );
        return await Promise.race([handled, timedOut.promise]);
      } finally {
        clearTimeout(timer);
        underWay -= 1;
      }
    },
  };
};

/** What Node.js itself reads of an environment, or is no file: that wants a process. */
const needsProcess = ({ env = {}, bundle }: WorldOptions): boolean =>
  bundle !== undefined || Object.keys(env).some((name) => name.startsWith('NODE_') || name === 'TZ');

/**
 * A world whose environments run in this process where they can. `kill`, time-outs and closed outputs want `startWorld`.
 * @throws Error where nothing is built, of which a world itself says only that no environment starts
 */
export const openWorld = async (options: WorldOptions = {}): Promise<World> => {
  const built = bundleOf('enable-password');
  if (!existsSync(built)) throw new Error(`there is no ${built}: run npm run build first`);
  return startWorld(
    needsProcess(options) || 'startEnvironment' in options ? options : { ...options, startEnvironment: startInProcess },
  );
};
