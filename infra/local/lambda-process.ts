/** The process of one execution environment: the built bundle, called by messages, killed when its time is up. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

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

export interface ProcessOptions {
  readonly bundle: string;
  readonly env: Readonly<Record<string, string>>;
  /** Given what it writes, as it comes. */
  readonly onOutput: (chunk: string) => void;
  readonly onErrorOutput: (chunk: string) => void;
}

/** One execution environment, wherever it runs. */
export type LambdaProcess = ReturnType<typeof startProcess>;
export type StartProcess = (options: ProcessOptions) => LambdaProcess;

/** In the published package this file is a part of dist/cli/main.mjs, and the worker is beside it. */
const isBuilt = import.meta.filename.endsWith('.mjs');
const worker = join(import.meta.dirname, isBuilt ? 'lambda-worker.mjs' : 'lambda-worker.ts');

/** Answers by the id of their call; an exit answers all that are open. */
const createPending = () => {
  const pending = new Map<string, (answer: WorkerAnswer) => void>();
  const settle = (answer: WorkerAnswer): void => {
    pending.get(answer.id)?.(answer);
    pending.delete(answer.id);
  };
  return {
    settle,
    answerTo: (id: string): Promise<WorkerAnswer> =>
      new Promise((resolve) => {
        pending.set(id, resolve);
      }),
    settleAll: (functionError: string): void => {
      for (const id of [...pending.keys()]) settle({ id, functionError });
    },
  };
};

/** Of this process alone what finds and starts the other one: an environment sees nothing else of where it runs. */
const inherited = (): Record<string, string | undefined> => {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE };
};

export const startProcess = ({ bundle, env, onOutput, onErrorOutput }: ProcessOptions) => {
  const child = fork(worker, [bundle], {
    env: { ...inherited(), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  });
  child.stdout?.setEncoding('utf8').on('data', onOutput);
  child.stderr?.setEncoding('utf8').on('data', onErrorOutput);
  const { settle, answerTo, settleAll } = createPending();
  const ready = answerTo('ready');
  child.on('message', settle);
  // What it still had to say comes in after its exit: its streams and its channel are read to the end first.
  const closed = once(child, 'close') as Promise<[code: number | null, signal: string | null]>;
  const ended = Promise.all([closed, once(child, 'disconnect')]).then(([[code, signal]]) =>
    settleAll(`Runtime.ExitError: ${signal ?? code}`),
  );
  const kill = (): void => void child.kill('SIGKILL');

  return {
    /** The bundle is loaded, or why it cannot be. */
    ready,
    /** The process is gone, and all it wrote is read. */
    ended,
    kill,
    /** Nobody reads its standard output any more: what it writes from now on breaks the pipe. */
    closeOutput: (): void => void child.stdout?.destroy(),
    /** It takes no more calls, though it may take a moment to go. */
    isOver: (): boolean => child.killed || child.exitCode !== null || child.signalCode !== null,
    call: async (event: unknown, remainingMs: number): Promise<WorkerAnswer> => {
      const id = crypto.randomUUID();
      const answered = answerTo(id);
      child.send({ id, event, remainingMs } satisfies WorkerCall, () => {
        // An error here is an exit, which answers all that is pending.
      });
      // What Lambda does at the time-out: the environment is gone.
      const timer = setTimeout(() => {
        kill();
        settle({ id, functionError: `Sandbox.Timedout: ${remainingMs} ms` });
      }, remainingMs);
      const answer = await answered;
      clearTimeout(timer);
      return answer;
    },
  };
};
