/** Server-sent events: the history to begin with, a snapshot whenever something changed, a sample each second. */
import type { ServerResponse } from 'node:http';
import type { Console } from './console.ts';

const SNAPSHOT_EVERY_MS = 150;
const SAMPLE_EVERY_MS = 1000;
/** A reader that does not read is let go; the page comes back by itself. */
const MAX_UNREAD_BYTES = 1_048_576;

export interface Stream {
  readonly open: (response: ServerResponse, headers: Readonly<Record<string, string>>) => void;
  readonly close: () => void;
}

const encode = (event: string, value: unknown): string => `event: ${event}\ndata: ${JSON.stringify(value)}\n\n`;

export const createStream = (console: Console): Stream => {
  const readers = new Set<ServerResponse>();
  let last = '';

  const tell = (text: string): void => {
    for (const reader of readers) {
      if (reader.writableLength > MAX_UNREAD_BYTES) reader.destroy();
      else reader.write(text);
    }
  };

  const look = (): void => {
    if (readers.size === 0) return;
    const snapshot = console.snapshot();
    const { at: _, ...rest } = snapshot;
    const now = JSON.stringify(rest);
    if (now === last) return;
    last = now;
    tell(encode('snapshot', snapshot));
  };

  const timers = [
    setInterval(look, SNAPSHOT_EVERY_MS),
    setInterval(() => tell(encode('sample', console.takeSample())), SAMPLE_EVERY_MS),
  ];
  // An open console holds nobody's process.
  for (const timer of timers) timer.unref();

  return {
    open: (response, headers) => {
      response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
      response.write(encode('history', console.samples()));
      response.write(encode('snapshot', console.snapshot()));
      readers.add(response);
      response.on('close', () => readers.delete(response));
    },
    close: () => {
      for (const timer of timers) clearInterval(timer);
      for (const reader of readers) reader.destroy();
    },
  };
};
