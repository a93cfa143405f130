/** What ends a command before its time: Ctrl-C, or a reader of its output that has gone away. */

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

/**
 * Ctrl-C and a closed pipe end after the batch under way, so that everything held is given back; a second Ctrl-C ends at
 * once.
 */
export const stopOnInterrupt = (tell: (text: string) => void): AbortSignal => {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      tell('Stopping after the batch under way …');
      stop.abort();
    });
  }
  // Anew with each write: none is missed that failed before this.
  for (const output of OUTPUTS) {
    output.once('error', () => stop.abort());
  }
  return stop.signal;
};
