#!/usr/bin/env node
/** The command line: parse, do, print. Each command is loaded only when it is called. */
import { setFlagsFromString } from 'node:v8';
import manifest from '../../package.json' with { type: 'json' };
import { createProgram, isHelp } from './program.ts';
import { ROOMS } from './rooms.ts';
import { outliveClosedPipes, takeInterrupts } from './terminal/interrupt.ts';
import { note } from './terminal/print.ts';

// V8 collects late where memory is plenty. So it is told to collect sooner: ten thousand letters take 120 MiB instead of 190.
setFlagsFromString('--optimize-for-size');
outliveClosedPipes();

/** Also where the command line is wrong in every other way. */
const isJson = process.argv.includes('--json');

const endInterrupted = async (): Promise<void> => {
  const { INTERRUPTED, tellEnding } = await import('./terminal/ending.ts');
  process.exit(tellEnding(INTERRUPTED, isJson));
};
const interrupts = takeInterrupts(endInterrupted);

let status = 0;
const program = createProgram(ROOMS, manifest.version, async (command, options, words) => {
  const run = await command.load();
  status = await run(options, words);
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
process.exitCode = interrupts.hasCome() && status !== 0 ? 130 : status;
