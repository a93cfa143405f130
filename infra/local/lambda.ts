/**
 * An execution environment: a process that is kept warm from call to call, killed when its time is up or a test says so,
 * and started again by the next call.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { InvocationResult } from './event-source.ts';
import { type LambdaProcess, type StartProcess, startProcess } from './lambda-process.ts';
import { packageRoot } from './package-root.ts';

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
  /** Nobody reads standard output any more. */
  readonly closeOutput: () => void;
  readonly starts: () => number;
  readonly close: () => Promise<void>;
}

export interface LambdaOptions {
  readonly bundle: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly onLine?: ((line: Line) => void) | undefined;
  /** Where an environment runs: in a process of its own, unless told otherwise. */
  readonly startEnvironment?: StartProcess | undefined;
}

/** The bundle of a function, as `npm run build` leaves it. */
export const bundleOf = (functionName: string): string => join(packageRoot, 'dist', functionName, 'index.mjs');

/** What all processes of an environment wrote. */
const createOutput = (onLine: LambdaOptions['onLine']) => {
  const lines: Line[] = [];
  let text = '';
  return {
    lines,
    text: (): string => text,
    add: (chunk: string): void => {
      text += chunk;
    },
    /** Takes chunks of a stream and tells whole lines; what a kill cut off is no line. */
    createReader: () => {
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
    },
  };
};

export const createLambda = (options: LambdaOptions): Lambda => {
  const { bundle, env, timeoutMs = 30_000, onLine, startEnvironment = startProcess } = options;
  const output = createOutput(onLine);
  const living = new Set<LambdaProcess>();
  let starts = 0;
  let current: LambdaProcess | undefined;

  const start = (): LambdaProcess => {
    starts += 1;
    const started = startEnvironment({ bundle, env, onOutput: output.createReader(), onErrorOutput: output.add });
    living.add(started);
    void started.ended.then(() => living.delete(started));
    return started;
  };

  const invoke: Lambda['invoke'] = async (event, { remainingMs = timeoutMs } = {}) => {
    const startedAt = performance.now();
    if (!current || current.isOver()) current = start();
    const taken = current;
    const ready = await taken.ready;
    const isReady = ready.functionError === undefined;
    if (!isReady && current === taken) current = undefined;
    const answer = isReady ? await taken.call(event, remainingMs) : ready;
    // Lines that were written before the answer may be read after it, in the same turn.
    await setImmediate();
    return { ...answer, durationMs: performance.now() - startedAt };
  };

  const kill = (): void => {
    for (const each of living) each.kill();
  };

  return {
    invoke,
    lines: output.lines,
    text: output.text,
    kill,
    closeOutput: (): void => {
      for (const each of living) each.closeOutput();
    },
    starts: () => starts,
    close: async () => {
      kill();
      await Promise.all([...living].map(({ ended }) => ended));
    },
  };
};
