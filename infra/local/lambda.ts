/**
 * An execution environment: the built bundle in a child process, called with a Lambda context, killed when its time is
 * up or a test wants it, and started again by the next call.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { InvocationResult } from './event-source.ts';

export interface WorkerCall {
  readonly id: string;
  readonly event: unknown;
  readonly remainingMs: number;
}
export interface WorkerAnswer {
  readonly id: string;
  readonly payload?: unknown;
  readonly functionError?: string;
}

/** One parsed line of the function's standard output. */
export type Line = Readonly<Record<string, unknown>>;

export interface Lambda {
  readonly invoke: (event: unknown, options?: { remainingMs?: number }) => Promise<InvocationResult>;
  /** What the function wrote to standard output, a JSON object a line. */
  readonly lines: readonly Line[];
  /** Everything it wrote, as text: both streams. */
  readonly text: () => string;
  /** SIGKILL, now; calls under way end in a function error. */
  readonly kill: () => void;
  readonly starts: () => number;
  readonly close: () => Promise<void>;
}

interface Environment {
  readonly child: ChildProcess;
  readonly pending: Map<string, (answer: WorkerAnswer) => void>;
  /** The process is gone, and all it wrote is read. */
  readonly ended: Promise<void>;
}

export interface LambdaOptions {
  readonly bundle: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly onLine?: (line: Line) => void;
}

/** In the published package this file is a part of dist/cli/main.mjs, and the worker is beside it. */
const isBuilt = import.meta.filename.endsWith('.mjs');
const worker = join(import.meta.dirname, isBuilt ? 'lambda-worker.mjs' : 'lambda-worker.ts');

/** The bundle of a function, as `npm run build` leaves it. */
export const bundleOf = (functionName: string): string =>
  join(import.meta.dirname, isBuilt ? '..' : '../../dist', functionName, 'index.mjs');

export const createLambda = ({ bundle, env, timeoutMs = 30_000, onLine }: LambdaOptions): Lambda => {
  const lines: Line[] = [];
  const living = new Set<Environment>();
  let text = '';
  let starts = 0;
  let current: Promise<Environment> | undefined;

  /** Takes chunks of a stream and tells whole lines; what a kill cut off is no line. */
  const createReader = () => {
    let rest = '';
    return (chunk: string): void => {
      text += chunk;
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts.filter(Boolean)) {
        const line = JSON.parse(part) as Line;
        lines.push(line);
        onLine?.(line);
      }
    };
  };

  const boot = async (): Promise<Environment> => {
    starts += 1;
    const child = fork(worker, [bundle], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    child.stdout?.setEncoding('utf8').on('data', createReader());
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const ready = Promise.withResolvers<WorkerAnswer>();
    const pending = new Map([['ready', ready.resolve]]);
    child.on('message', (answer: WorkerAnswer) => {
      pending.get(answer.id)?.(answer);
      pending.delete(answer.id);
    });
    // What it still had to say comes in after its exit: its streams and its channel are read to the end first.
    const closed = once(child, 'close') as Promise<[code: number | null, signal: string | null]>;
    const ended = Promise.all([closed, once(child, 'disconnect')]).then(([[code, signal]]) => {
      living.delete(environment);
      for (const [id, resolve] of pending) resolve({ id, functionError: `Runtime.ExitError: ${signal ?? code}` });
      pending.clear();
    });
    const environment: Environment = { child, pending, ended };
    living.add(environment);
    const { functionError } = await ready.promise;
    if (functionError) throw new Error(functionError);
    return environment;
  };

  /** The environment is gone at once for whoever comes next, though the process takes a moment. */
  const forget = (booting: Promise<Environment>): void => {
    if (current === booting) current = undefined;
  };

  const invoke: Lambda['invoke'] = async (event, { remainingMs = timeoutMs } = {}) => {
    const startedAt = performance.now();
    const done = (answer: WorkerAnswer): InvocationResult => ({ ...answer, durationMs: performance.now() - startedAt });
    current ??= boot();
    const booting = current;
    const started = await booting.catch((error: Error) => error);
    if (started instanceof Error) {
      forget(booting);
      return done({ id: '', functionError: started.message });
    }
    const { child, pending, ended } = started;
    ended.then(() => forget(booting));
    const id = crypto.randomUUID();
    const answered = Promise.withResolvers<WorkerAnswer>();
    pending.set(id, answered.resolve);
    child.send({ id, event, remainingMs } satisfies WorkerCall, () => {
      // An error here is an exit, which answers all that is pending.
    });
    // What Lambda does at the time-out: the environment is gone.
    const timer = setTimeout(() => {
      pending.delete(id);
      answered.resolve({ id, functionError: `Sandbox.Timedout: ${remainingMs} ms` });
      forget(booting);
      child.kill('SIGKILL');
    }, remainingMs);
    const answer = await answered.promise;
    clearTimeout(timer);
    // Lines that were written before the answer may be read after it, in the same turn.
    await setImmediate();
    return done(answer);
  };

  const kill = (): void => {
    current = undefined;
    for (const { child } of living) child.kill('SIGKILL');
  };

  return {
    invoke,
    lines,
    text: () => text,
    kill,
    starts: () => starts,
    close: async () => {
      kill();
      await Promise.all([...living].map(({ ended }) => ended));
    },
  };
};
