/** One call of the command line: parse, do, print. Each command is loaded only when it is called. */
import manifest from '../../package.json' with { type: 'json' };
import { createProgram, isHelp } from './program.ts';
import { ROOMS } from './rooms.ts';
import { takeInterrupts } from './terminal/interrupt.ts';
import { note } from './terminal/print.ts';

/** What `process.argv` asks for. @returns the exit status */
export const run = async (): Promise<number> => {
  /** Also where the command line is wrong in every other way. */
  const isJson = process.argv.includes('--json');
  const endInterrupted = async (): Promise<void> => {
    const { INTERRUPTED, tellEnding } = await import('./terminal/ending.ts');
    process.exit(tellEnding(INTERRUPTED, isJson));
  };
  const interrupts = takeInterrupts(endInterrupted);

  let status = 0;
  const program = createProgram(ROOMS, manifest.version, async (command, options, words) => {
    const carryOut = await command.load();
    status = await carryOut(options, words);
  });
  try {
    await program.parseAsync();
  } catch (error) {
    if (!isHelp(error)) {
      const { INTERRUPTED, readEnding, tellEnding } = await import('./terminal/ending.ts');
      status = tellEnding(interrupts.hasCome() ? INTERRUPTED : readEnding(error), isJson);
      if (process.env['DEBUG']) note(...String((error as Error).stack).split('\n'));
    }
  }
  // What was interrupted and done all the same is done.
  return interrupts.hasCome() && status !== 0 ? 130 : status;
};
