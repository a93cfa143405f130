/**
 * An execution environment: the built bundle in a child process, called with a Lambda context, killed when its time is
 * up or a test wants it, and started anew by the next call.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
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

export interface LambdaOptions {
  readonly bundle: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly onLine?: (line: Line) => void;
}

/** In the published package this file is a part of dist/cli/main.mjs, and the worker lies beside it. */
const isBuilt = import.meta.filename.endsWith('.mjs');
const worker = join(import.meta.dirname, isBuilt ? 'lambda-worker.mjs' : 'lambda-worker.ts');

/** The bundle of a function, as `npm run build` leaves it. */
export const bundleOf = (functionName: string): string =>
  join(import.meta.dirname, isBuilt ? '..' : '../../dist', functionName, 'index.mjs');

export const createLambda = ({ bundle, env, timeoutMs = 30_000, onLine }: LambdaOptions): Lambda => {
  const lines: Line[] = [];
  const pending = new Map<string, (answer: WorkerAnswer) => void>();
  let text = '';
  let rest = '';
  let starts = 0;
  let running: Promise<ChildProcess> | undefined;

  const read = (chunk: string): void => {
    text += chunk;
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts.filter(Boolean)) {
      const line = JSON.parse(part) as Line;
      lines.push(line);
      onLine?.(line);
    }
  };

  const boot = async (): Promise<ChildProcess> => {
    starts += 1;
    rest = '';
    const child = fork(worker, [bundle], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    child.stdout?.setEncoding('utf8').on('data', read);
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const ready = Promise.withResolvers<WorkerAnswer>();
    pending.set('ready', ready.resolve);
    child.on('message', (answer: WorkerAnswer) => {
      pending.get(answer.id)?.(answer);
      pending.delete(answer.id);
    });
    child.on('exit', (code, signal) => {
      running = undefined;
      for (const [id, resolve] of pending) resolve({ id, functionError: `Runtime.ExitError: ${signal ?? code}` });
      pending.clear();
    });
    const { functionError } = await ready.promise;
    if (functionError) throw new Error(functionError);
    return child;
  };

  const invoke: Lambda['invoke'] = async (event, { remainingMs = timeoutMs } = {}) => {
    const startedAt = performance.now();
    const done = (answer: WorkerAnswer): InvocationResult => ({ ...answer, durationMs: performance.now() - startedAt });
    running ??= boot();
    let child: ChildProcess;
    try {
      child = await running;
    } catch (error) {
      running = undefined;
      return done({ id: '', functionError: (error as Error).message });
    }
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
      child.kill('SIGKILL');
    }, remainingMs);
    const answer = await answered.promise;
    clearTimeout(timer);
    return done(answer);
  };

  const kill = (): void => {
    running?.then(
      (child) => child.kill('SIGKILL'),
      () => {
        // It never started: nothing to kill.
      },
    );
  };

  return {
    invoke,
    lines,
    text: () => text,
    kill,
    starts: () => starts,
    close: async () => {
      const child = await running?.catch(() => undefined);
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
};
