/** Every request that reached Segura, in order, with what became of it. */
import type { IncomingMessage } from 'node:http';

export interface JournalEntry {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly identifier: string | undefined;
  /** 0 for an answer that never came. */
  status: number;
  /** Until its answer was written; 0 as long as there is none. */
  durationMs: number;
  /** Which of the issued tokens was presented, from 1; 0 for none or a foreign one. */
  readonly tokenNumber: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

type Reached = Pick<JournalEntry, 'path' | 'identifier' | 'tokenNumber' | 'body'>;

export const createJournal = () => {
  const entries: JournalEntry[] = [];
  return {
    entries,
    add: ({ method = '', headers }: IncomingMessage, reached: Reached): JournalEntry => {
      const { authorization: _, ...others } = headers;
      const entry = { at: Date.now(), method, status: 0, durationMs: 0, headers: others, ...reached };
      entries.push(entry);
      return entry;
    },
    /** The enable calls that reached it, in order. */
    enableCalls: (of?: number | string): JournalEntry[] =>
      entries.filter(({ identifier }) => identifier !== undefined && (of === undefined || identifier === String(of))),
    tokenRequests: (): JournalEntry[] => entries.filter(({ path }) => path.endsWith('/oauth2/token')),
  };
};
