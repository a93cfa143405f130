/** Ctrl-C ends after the batch under way, so that everything held is given back; a second one ends at once. */
export const stopOnInterrupt = (tell: (text: string) => void): AbortSignal => {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      tell('Stopping after the batch under way …');
      stop.abort();
    });
  }
  return stop.signal;
};
