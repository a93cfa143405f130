/** A script that is declared as a command of ours is: its help, its wrong usage and its exit status are theirs too. */
import type { Command } from '../functions/cli/command.ts';
import { createScript, isHelp } from '../functions/cli/program.ts';
import { CommandError, readEnding, tellEnding } from '../functions/cli/terminal/ending.ts';
import { outliveClosedPipes } from '../functions/cli/terminal/interrupt.ts';
import { UsageError } from '../functions/cli/terminal/usage.ts';

/** @param path how it is called, such as `npm run simulate --` */
export const runScript = async (path: string, script: Command): Promise<void> => {
  outliveClosedPipes();
  const program = createScript(path, script, async ({ load }, options) => {
    process.exitCode = await (await load())(options, []);
  });
  try {
    await program.parseAsync();
  } catch (error) {
    const isKnown = error instanceof UsageError || error instanceof CommandError;
    if (!isKnown && !isHelp(error)) throw error;
    if (isKnown) process.exitCode = tellEnding(readEnding(error), process.argv.includes('--json'));
  }
};
