/** `mysafe-enable dead-letters list`: what lies there, by error code and age; everything is given back at the end. */
import { awsFailure } from '../../aws/failure.ts';
import { countLetters, createScan, type QueueToRead } from '../../dead-letters/scan.ts';
import { codeOf, isSelected, type Selection } from '../../dead-letters/select.ts';
import { type OpenSqs, openSqs } from '../target.ts';
import { explain } from '../terminal/hints.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { columns, note, paint, plural, say, sayJson, table, wrap } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';
import type { ListOptions } from './command.ts';
import {
  age,
  codeName,
  describeLetter,
  findQueues,
  LETTER_HEAD,
  lineOfLetter,
  readSelection,
  readVisibility,
  UNREAD,
} from './letters.ts';

const HOUR_MS = 3_600_000;
/** The ages a person asks by: just now, this shift, today, within the four days a request lives, until SQS drops it. */
const AGES = [
  ['under 1 h', HOUR_MS],
  ['1 to 8 h', 8 * HOUR_MS],
  ['8 to 24 h', 24 * HOUR_MS],
  ['1 to 4 d', 96 * HOUR_MS],
  ['over 4 d', Number.POSITIVE_INFINITY],
] as const;

interface Summary {
  readonly queue: string;
  total: number;
  readonly byCode: Record<string, number>;
  readonly byAge: Record<string, number>;
  readonly oldest: Record<string, number>;
  readonly newest: Record<string, number>;
  /** Lies behind other letters and was not read (see dead-letters/scan.ts). */
  unread: number;
  /** Ended by Ctrl-C or a failure before the queue was read to its end: there may be more. */
  isCutShort: boolean;
  failure?: string;
}

interface Reading {
  readonly access: OpenSqs;
  readonly selection: Selection;
  readonly options: ListOptions;
  readonly visibilitySeconds: number;
  readonly signal: AbortSignal;
  readonly onRead: (letters: number) => void;
  readonly onLetter: (line: string) => void;
}

const add = (summary: Summary, code: string, at: number): void => {
  const { byCode, byAge, oldest, newest } = summary;
  const [ageName] = AGES.find(([, limit]) => Date.now() - at < limit) ?? ['over 4 d'];
  summary.total += 1;
  byCode[code] = (byCode[code] ?? 0) + 1;
  byAge[ageName] = (byAge[ageName] ?? 0) + 1;
  oldest[code] = Math.min(oldest[code] ?? at, at);
  newest[code] = Math.max(newest[code] ?? at, at);
};

const summarise = async (queue: QueueToRead, reading: Reading): Promise<Summary> => {
  const { access, selection, options, visibilitySeconds, signal } = reading;
  const byAge = Object.fromEntries(AGES.map(([ageName]) => [ageName, 0]));
  const summary: Summary = {
    queue: queue.name,
    total: 0,
    byCode: {},
    byAge,
    oldest: {},
    newest: {},
    unread: 0,
    isCutShort: true,
  };
  const scan = createScan(access, queue, { visibilitySeconds, now: Date.now, signal });
  try {
    for await (const letters of scan.letters()) {
      for (const letter of letters) {
        if (!isSelected(letter, selection)) continue;
        add(summary, codeOf(letter), letter.at.getTime());
        if (options.letters && options.json) sayJson({ queue: queue.name, ...describeLetter(letter) });
        else if (options.letters) reading.onLetter(lineOfLetter(letter, Date.now()));
      }
      reading.onRead(letters.length);
    }
    if (!signal.aborted) {
      summary.unread = await scan.countUnread();
      summary.isCutShort = false;
    }
  } catch (error) {
    summary.failure = explain(awsFailure(error), 'sqs:ReceiveMessage and sqs:ChangeMessageVisibility on it');
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

const printSummary = (summary: Summary, isFiltered: boolean): void => {
  const { queue, total, byCode, byAge, oldest, newest, failure } = summary;
  if (failure === undefined) say(`${paint('bold', queue)}  ${headlineOf(summary, isFiltered)}`);
  else note(`${queue}: ${paint('red', failure, process.stderr)}`);
  if (total > 0) {
    const most = Math.max(...Object.values(byCode));
    const codes = Object.entries(byCode)
      .toSorted(([, a], [, b]) => b - a)
      .map(([code, count]) => [
        codeName(code),
        String(count).padStart(COUNT_WIDTH),
        age(Date.now() - (oldest[code] ?? 0)),
        age(Date.now() - (newest[code] ?? 0)),
        paint('yellow', bar(count, most)),
      ]);
    say(`${table(['code', 'count', 'oldest', 'newest', ''], codes)}\n`);
    const mostAged = Math.max(...Object.values(byAge));
    const oldestAge = AGES.findLastIndex(([name]) => (byAge[name] ?? 0) > 0);
    const ages = AGES.slice(0, oldestAge + 1).map(([name]) => [
      name,
      String(byAge[name]).padStart(COUNT_WIDTH),
      paint('cyan', bar(byAge[name] ?? 0, mostAged)),
    ]);
    say(`${table(['age', 'count', ''], ages)}\n`);
  }
  tellUnread(summary, (text) => say(`${text}\n`));
};

/** Beside the object, which has no place for it. */
const noteSummary = (summary: Summary, isFiltered: boolean): void => {
  const { queue, isCutShort, failure } = summary;
  if (failure !== undefined) note(`${queue}: ${failure}`);
  else if (isCutShort) note(`${queue}: ${headlineOf(summary, isFiltered)}`);
  tellUnread(summary, note);
};

export const runList = async (options: ListOptions): Promise<number> => {
  const selection = readSelection(options, Date.now());
  const { codes = [], ...bounds } = selection;
  const isFiltered = codes.length > 0 || Object.keys(bounds).length > 0;
  const visibilitySeconds = readVisibility(options);
  const { queues } = await findQueues(options);
  const access = openSqs(options);
  const counts = await Promise.all(queues.map(({ url }) => countLetters(access.client, url)));
  const total = counts.reduce((sum, count) => sum + count, 0);
  // The letters themselves show how far it has come, and a bar would be drawn into their lines.
  const progress = await createProgress(total, options.json === true || options.letters === true);
  const signal = stopOnInterrupt(progress.tell);
  let read = 0;
  const onRead = (letters: number): void => {
    read += letters;
    progress.update(read, `${read} read`);
  };
  let isBegun = false;
  const onLetter = (line: string): void => {
    if (!isBegun) say(paint('bold', LETTER_HEAD));
    isBegun = true;
    say(line);
  };
  const reading = { access, selection, options, visibilitySeconds, signal, onRead, onLetter };
  const summaries = await Promise.all(queues.map((queue) => summarise(queue, reading)));
  progress.end();
  access.close();
  if (options.json) {
    for (const summary of summaries) noteSummary(summary, isFiltered);
    sayJson({ queues: summaries.map(({ queue, total: all, byCode }) => ({ queue, total: all, byCode })) });
  } else {
    if (isBegun) say('');
    for (const summary of summaries) printSummary(summary, isFiltered);
  }
  return summaries.some(({ isCutShort }) => isCutShort) ? 1 : 0;
};
