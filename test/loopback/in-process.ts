/**
 * The command line without a process of its own. What only a process has (signals, a terminal, memory, its end) it has
 * not: see command.ts for which calls get one.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { build } from 'esbuild';
import { cliOptions } from '../../infra/build.ts';
import { type createMaker, root } from '../made-once.ts';
import { asTerminal } from './at-terminal.ts';
import { compileCode, createOutput, evaluateFor } from './own-process.ts';

export interface Call {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string | undefined;
  readonly input: string | AsyncIterable<string> | undefined;
  /** Of the terminal that its outputs say they are. */
  readonly columns: number | undefined;
  /** Called often while it runs and once when it has ended, with what it has printed so far. */
  readonly meanwhile: ((stdout: string, stderr: string) => void) | undefined;
}

export const LOOK_EVERY_MS = 5;
/** Of the published package: the local world looks for its functions and its page beside it. */
const PLACE = join(root, 'dist/cli/main.mjs');

const compile = async (makeOnce: ReturnType<typeof createMaker>) => {
  const folder = await makeOnce('function', async (made) => {
    const { splitting, outExtension, outdir, ...options } = cliOptions;
    await build({
      ...options,
      entryPoints: ['functions/cli/run.ts'],
      packages: 'bundle',
      // Of the local world in a clone alone.
      external: ['esbuild'],
      format: 'cjs',
      define: { 'import.meta.url': '__url', 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
      outfile: join(made, 'run.cjs'),
    });
  });
  const file = join(folder, 'run.cjs');
  return compileCode(await readFile(file, 'utf8'), file, PLACE);
};

const inputOf = (input: Call['input']): Readable =>
  Readable.from(typeof input === 'string' ? [Buffer.from(input)] : (input ?? []), { objectMode: false });

/** @param makeOnce keeps what is compiled */
export const createInProcess = (makeOnce: ReturnType<typeof createMaker>) => {
  let compiled: ReturnType<typeof compile> | undefined;
  return async ({ args, env, cwd, input, columns, meanwhile }: Call) => {
    compiled ??= compile(makeOnce);
    const evaluate = await compiled;
    let [stdout, stderr] = ['', ''];
    const outputFor = (onText: (text: string) => void) => {
      const output = createOutput(onText);
      return columns === undefined ? output : asTerminal(output, columns, env);
    };
    const { exported, end } = evaluateFor(evaluate, {
      argv: args,
      env,
      cwd,
      stdin: inputOf(input),
      stdout: outputFor((text) => {
        stdout += text;
      }),
      stderr: outputFor((text) => {
        stderr += text;
      }),
    });
    const { run } = exported as { run: () => Promise<number> };
    const timer = meanwhile && setInterval(() => meanwhile(stdout, stderr), LOOK_EVERY_MS);
    try {
      const status = await run();
      end(status);
      return { status, stdout, stderr };
    } finally {
      clearInterval(timer);
      meanwhile?.(stdout, stderr);
    }
  };
};
