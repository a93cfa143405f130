/** What ends a command before its time: Ctrl-C, or a reader of its output that has gone away. */
import { EXIT } from './exit.ts';

const OUTPUTS = [process.stdout, process.stderr] as const;

/**
 * Without this, a pipe that closes (`… | head` has read enough) ends the process with a stack trace, in the middle of its
 * work. What is written after that is lost; what the command does is not.
 */
export const outliveClosedPipes = (): void => {
  for (const output of OUTPUTS) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
};

/** A process has one keyboard, so what Ctrl-C means is kept once: who wants to finish, and how often it came. */
const keyboard = {
  count: 0,
  finishers: new Set<() => void>(),
  end: (): void => process.exit(EXIT.interrupted),
};

const onSignal = (): void => {
  keyboard.count += 1;
  if (keyboard.count > 1 || keyboard.finishers.size === 0) keyboard.end();
  else for (const finish of keyboard.finishers) finish();
};

const listen = (): void => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    if (!process.listeners(signal).includes(onSignal)) process.on(signal, onSignal);
  }
};

/** @param end what the first Ctrl-C does while no command has work under way, and the second in any case */
export const takeInterrupts = (end: () => void): { readonly hasCome: () => boolean } => {
  keyboard.end = end;
  listen();
  return { hasCome: () => keyboard.count > 0 };
};

/**
 * Ctrl-C and a closed pipe end after the batch under way, so that everything held is given back; a second Ctrl-C ends at
 * once.
 */
export const stopOnInterrupt = (tell: (text: string) => void): AbortSignal => {
  const stop = new AbortController();
  listen();
  keyboard.finishers.add(() => {
    tell('Stopping after the batch under way …');
    stop.abort();
  });
  // Once more with each write: none is missed that failed before this.
  for (const output of OUTPUTS) {
    output.once('error', () => stop.abort());
  }
  return stop.signal;
};
