/** `send --wait`: until each request is settled, by the audit log. `outcomes` is its reader's own: nothing is taken from it. */
import type { AuditLine } from '../../audit/read.ts';
import { type LogsClient, searchLines } from '../../audit/search.ts';
import type { Confirmed } from './requests.ts';

/** What became of a request: never `kept`, for that is not the end. */
export interface Settled {
  readonly request: Confirmed;
  readonly outcome: Exclude<AuditLine['outcome'], 'kept'>;
  readonly errorCode?: string | undefined;
  readonly errorMessage?: string | undefined;
}

export interface WaitParts {
  readonly client: LogsClient;
  readonly logGroup: string;
  /** By message id; what is settled is taken out. */
  readonly waiting: Map<string, Confirmed>;
  /** When the first was sent. */
  readonly since: Date;
  readonly now: () => number;
  /** Ends early when the signal is given. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onSettled: (settled: Settled) => void;
  /** After each look into the log; `keptCount` of those that wait have been delivered and kept. */
  readonly onLook: (keptCount: number) => void;
}

const LOOK_EVERY_MS = 2000;
/** Clocks differ: of this machine, of SQS, of the function. */
const CLOCKS_MS = 60_000;
/** CloudWatch shows a line some seconds after it was written; so far back each look begins before the last one. */
const LATE_LINES_MS = 300_000;

/** Ends when nothing waits any more, or when the signal is given; what is left in `waiting` is not settled. */
export const waitUntilSettled = async (parts: WaitParts): Promise<void> => {
  const { client, logGroup, waiting, since, now, sleep, signal, onSettled, onLook } = parts;
  const earliest = since.getTime() - CLOCKS_MS;
  const kept = new Set<string>();
  const [first] = waiting.keys();
  const question =
    waiting.size === 1 && first !== undefined
      ? ({ kind: 'message', messageId: first } as const)
      : ({ kind: 'all' } as const);
  const read = ({ messageId, originalMessageId, outcome, errorCode, errorMessage }: AuditLine): void => {
    const id = originalMessageId !== undefined && waiting.has(originalMessageId) ? originalMessageId : messageId;
    const request = waiting.get(id);
    if (request === undefined) return;
    if (outcome === 'kept') kept.add(id);
    else {
      kept.delete(id);
      waiting.delete(id);
      onSettled({ request, outcome, errorCode, errorMessage });
    }
  };
  let from = earliest;
  while (waiting.size > 0 && !signal.aborted) {
    const to = now() + CLOCKS_MS;
    for await (const lines of searchLines(client, {
      logGroup,
      question,
      from: new Date(from),
      to: new Date(to),
      signal,
    })) {
      for (const line of lines) read(line);
    }
    onLook(kept.size);
    from = Math.max(earliest, to - CLOCKS_MS - LATE_LINES_MS);
    if (waiting.size > 0) await sleep(LOOK_EVERY_MS, signal);
  }
};
