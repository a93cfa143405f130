/** What waits in a dead-letter queue, by error code and age: read without consuming it, and shown. */
import type { Letter } from '../../dead-letters/letter.ts';
import { createScan, type QueueToRead } from '../../dead-letters/scan.ts';
import { codeOf, isSelected, type Selection } from '../../dead-letters/select.ts';
import type { OpenSqs } from '../target.ts';
import { explain } from '../terminal/hints.ts';
import { age, columns, note, paint, plural, say, table, wrap } from '../terminal/print.ts';
import { codeName, UNREAD } from './tell.ts';

const HOUR_MS = 3_600_000;
/** The ages a person asks by: just now, this shift, today, within the four days a request lives, until SQS drops it. */
const AGES = [
  ['under 1 h', HOUR_MS],
  ['1 to 8 h', 8 * HOUR_MS],
  ['8 to 24 h', 24 * HOUR_MS],
  ['1 to 4 d', 96 * HOUR_MS],
  ['over 4 d', Number.POSITIVE_INFINITY],
] as const;

/** Of the letters of one error code. */
interface CodeSummary {
  count: number;
  oldest: number;
  newest: number;
}

export interface Summary {
  readonly queue: string;
  total: number;
  /** A Map, for an error code may be any word that an object knows already. */
  readonly byCode: Map<string, CodeSummary>;
  readonly byAge: Map<string, number>;
  /** Is behind other letters and was not read (see dead-letters/scan.ts). */
  unread: number;
  /** Ended by Ctrl-C or a failure before the queue was read to its end: there may be more. */
  isCutShort: boolean;
  failure?: string;
}

export interface Reading {
  readonly access: OpenSqs;
  readonly selection: Selection;
  readonly visibilitySeconds: number;
  readonly signal: AbortSignal;
  readonly onRead: (letters: number) => void;
  readonly onLetter?: (letter: Letter) => void;
}

const add = ({ byCode, byAge }: Summary, code: string, at: number): void => {
  const [ageName] = AGES.find(([, limit]) => Date.now() - at < limit) ?? ['over 4 d'];
  byAge.set(ageName, (byAge.get(ageName) ?? 0) + 1);
  const known = byCode.get(code);
  if (known === undefined) byCode.set(code, { count: 1, oldest: at, newest: at });
  else {
    known.count += 1;
    known.oldest = Math.min(known.oldest, at);
    known.newest = Math.max(known.newest, at);
  }
};

const RIGHTS = 'sqs:ReceiveMessage and sqs:ChangeMessageVisibility on it';

/** Reads the letters that are meant, and gives all back. */
export const summarise = async (queue: QueueToRead, reading: Reading): Promise<Summary> => {
  const { access, selection, visibilitySeconds, signal, onRead, onLetter } = reading;
  const summary: Summary = {
    queue: queue.name,
    total: 0,
    byCode: new Map(),
    byAge: new Map(),
    unread: 0,
    isCutShort: true,
  };
  const scan = createScan(access, queue, { visibilitySeconds, now: Date.now, signal });
  try {
    for await (const turn of scan.turns()) {
      if (turn.kind === 'failed') {
        summary.failure = explain(turn, RIGHTS);
        return summary;
      }
      for (const letter of turn.letters) {
        if (!isSelected(letter, selection)) continue;
        summary.total += 1;
        add(summary, codeOf(letter), letter.at.getTime());
        onLetter?.(letter);
      }
      onRead(turn.letters.length);
    }
    if (!signal.aborted) {
      summary.unread = await scan.countUnread();
      summary.isCutShort = false;
    }
  } finally {
    await scan.release();
  }
  return summary;
};

const COUNT_WIDTH = 5;

/** As wide as the terminal allows. */
const bar = (count: number, most: number): string =>
  '█'.repeat(Math.max(count > 0 ? 1 : 0, Math.round((count / most) * Math.min(40, columns() - 56))));

const headlineOf = ({ total, unread, isCutShort }: Summary, isFiltered: boolean): string => {
  const count = plural(total, isFiltered ? 'matching dead letter' : 'dead letter');
  if (isCutShort) return `interrupted: at least ${count}`;
  if (total > 0) return count;
  if (unread > 0) return 'none that could be read';
  return isFiltered ? 'none that match' : 'empty';
};

const tellUnread = ({ queue, unread }: Summary, tell: (text: string) => void): void => {
  if (unread > 0) tell(wrap(`${plural(unread, 'letter')} of ${queue} could not be read: ${UNREAD}.`));
};

const printCodes = ({ byCode }: Summary): void => {
  const codes = [...byCode].toSorted(([, a], [, b]) => b.count - a.count);
  const most = Math.max(...codes.map(([, { count }]) => count));
  const rows = codes.map(([code, { count, oldest, newest }]) => [
    codeName(code),
    String(count).padStart(COUNT_WIDTH),
    age(Date.now() - oldest),
    age(Date.now() - newest),
    paint('yellow', bar(count, most)),
  ]);
  say(`${table(['code', 'count', 'oldest', 'newest', ''], rows)}\n`);
};

const printAges = ({ byAge }: Summary): void => {
  const most = Math.max(...byAge.values());
  const oldest = AGES.findLastIndex(([name]) => byAge.has(name));
  const rows = AGES.slice(0, oldest + 1).map(([name]) => {
    const count = byAge.get(name) ?? 0;
    return [name, String(count).padStart(COUNT_WIDTH), paint('cyan', bar(count, most))];
  });
  say(`${table(['age', 'count', ''], rows)}\n`);
};

export const printSummary = (summary: Summary, isFiltered: boolean): void => {
  const { queue, total, failure } = summary;
  if (failure === undefined) say(`${paint('bold', queue)}  ${headlineOf(summary, isFiltered)}`);
  else note(`${queue}: ${paint('red', failure)}`);
  if (total > 0) {
    printCodes(summary);
    printAges(summary);
  }
  tellUnread(summary, (text) => say(`${text}\n`));
};

/** Beside the object, which has no place for it. */
export const noteSummary = (summary: Summary, isFiltered: boolean): void => {
  const { queue, isCutShort, failure } = summary;
  if (failure !== undefined) note(`${queue}: ${failure}`);
  else if (isCutShort) note(`${queue}: ${headlineOf(summary, isFiltered)}`);
  tellUnread(summary, note);
};
