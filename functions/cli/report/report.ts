/**
 * `mysafe-enable report`: the log joined with the queues as they are now. A request is in the report if it was delivered
 * between `from` and `to`; its fate is read from all that was written since, up to now.
 */
import { setFlagsFromString } from 'node:v8';
import type { AuditLine } from '../../audit/read.ts';
import { createRequests, fatesOf, type Request } from '../../audit/requests.ts';
import { searchParts } from '../../audit/search.ts';
import { DOCTOR_SOURCE } from '../doctor-source.ts';
import { createFile } from '../new-file.ts';
import { type QueuesRead, readQueuesNow } from '../queues-now.ts';
import { createLogsClient, findTarget, type Target } from '../target.ts';
import { EXIT } from '../terminal/exit.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { note, plural, sayJson, toJson } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';
import { csvLine } from '../terminal/spreadsheet.ts';
import { parseMoment, UsageError } from '../terminal/usage.ts';
import type { ReportOptions } from './command.ts';
import { createLettersOnly } from './letters-only.ts';
import { COLUMNS, createHours, createTotals, type Row, rowOf, type Span, type Totals } from './rows.ts';

/** What is delivered now is meant too, and clocks differ. */
const AHEAD_MS = 60_000;

type Format = 'csv' | 'jsonl';

const readFormat = (format = 'csv'): Format => {
  if (format === 'csv' || format === 'jsonl') return format;
  throw new UsageError('--format takes csv or jsonl');
};

interface Times {
  readonly from: Date;
  readonly to: Date;
  readonly now: Date;
}

const readTimes = ({ from, to }: ReportOptions): Times => {
  const now = new Date();
  if (from === undefined) throw new UsageError('give --from, such as --from 2026-10-01');
  const times = {
    from: parseMoment('--from', from, now.getTime(), -1),
    to: to === undefined ? new Date(now.getTime() + AHEAD_MS) : parseMoment('--to', to, now.getTime(), -1),
    now,
  };
  if (times.from >= times.to) throw new UsageError('--from must be before --to');
  return times;
};

const gather = async (options: ReportOptions, logGroup: string, { from, to, now }: Times, signal: AbortSignal) => {
  const requests = createRequests();
  const meant = new Set<string>();
  const hours = createHours(from, to < now ? to : now);
  const progress = await createProgress(undefined, options.json);
  let count = 0;
  const add = (line: AuditLine): void => {
    const isMeant = line.at >= from && line.at < to;
    if (isMeant) hours.add(line.at);
    if (line.source === DOCTOR_SOURCE) return;
    const key = requests.add(line);
    if (isMeant) meant.add(key);
  };
  const client = await createLogsClient(options);
  try {
    // Settled after `to`, perhaps; and nothing can be written after now.
    const until = new Date(Math.max(to.getTime(), now.getTime() + AHEAD_MS));
    const search = { logGroup, question: { kind: 'all' }, from, to: until, signal } as const;
    await searchParts(client, search, (lines) => {
      for (const line of lines) add(line);
      count += lines.length;
      progress.update(count, `${count} lines read`);
    });
  } finally {
    progress.end();
    client.destroy();
  }
  return { requests, meant, hours };
};

/** Where the report goes, one text after the other. */
interface Sink {
  readonly write: (text: string) => Promise<void>;
  readonly close: (isWhole: boolean) => Promise<void>;
}

const WRITE_AT = 65_536;

const toScreen = async (text: string): Promise<void> => {
  if (process.stdout.write(text) || process.stdout.destroyed) return;
  await new Promise((resolve) => process.stdout.once('drain', resolve).once('close', resolve));
};

const openSink = async (file: string | undefined): Promise<Sink> => {
  const target = file === undefined ? undefined : await createFile('--file', file);
  let pending = '';
  const flush = async (): Promise<void> => {
    const text = pending;
    pending = '';
    if (target) await target.append(text);
    else await toScreen(text);
  };
  return {
    write: async (text) => {
      pending += text;
      if (pending.length > WRITE_AT) await flush();
    },
    close: async (isWhole) => {
      if (isWhole) await flush();
      await target?.close();
      // Half a report must not pass for a whole one.
      if (!isWhole) await target?.remove();
    },
  };
};

interface Ending extends Totals {
  readonly from: string;
  readonly to: string;
  readonly readAt: string;
  /** Messages in `requests` now, delivered yet or not; `null` where nobody may ask. */
  readonly inRequestsNow: number | null;
  readonly notRead: readonly string[];
  readonly hoursWithoutALine: readonly Span[];
}

const KIND = 'record';

const csvTotals = (ending: Ending): string => {
  const blank = COLUMNS.slice(1).map(() => undefined);
  const row = (name: string, value: string | number): string => csvLine([name, value, ...blank]);
  return [
    row('total requests', ending.requests),
    ...Object.entries(ending.byFate).map(([fate, count]) => row(`total ${fate}`, count)),
    row('total deliveries', ending.deliveries),
    row('total replays', ending.replays),
    row('in requests now', ending.inRequestsNow ?? 'not known'),
    row('read at', ending.readAt),
    ...ending.notRead.map((queue) => row('not read', queue)),
    ...ending.hoursWithoutALine.map(({ from, to }) => row('hours without a line', `${from}/${to}`)),
  ].join('');
};

const FORMATS = {
  csv: {
    head: csvLine([KIND, ...COLUMNS]),
    row: (row: Row): string => csvLine(['request', ...COLUMNS.map((name) => row[name])]),
    end: csvTotals,
  },
  jsonl: {
    head: '',
    row: (row: Row): string => `${toJson({ [KIND]: 'request', ...row })}\n`,
    end: (ending: Ending): string => `${toJson({ [KIND]: 'totals', ...ending })}\n`,
  },
} as const;

type Gathered = Awaited<ReturnType<typeof gather>>;

/** By the first delivery; a message id decides between equals, so that two reports are the same. */
const inOrder = ({ requests, meant }: Gathered): [string, Request][] =>
  [...requests.entries()]
    .filter(([key]) => meant.has(key))
    .sort(([, a], [, b]) => a.firstAt.getTime() - b.firstAt.getTime() || (a.messageId < b.messageId ? -1 : 1));

const writeReport = async (
  sink: Sink,
  format: Format,
  gathered: Gathered,
  queues: QueuesRead,
  letters: Iterable<Row>,
  { from, to, now }: Times,
): Promise<Ending> => {
  const totals = createTotals();
  const { head, row, end } = FORMATS[format];
  const write = async (each: Row): Promise<void> => {
    totals.add(each);
    await sink.write(row(each));
  };
  await sink.write(head);
  const fateOf = fatesOf(gathered.requests.entries(), queues);
  for (const [key, request] of inOrder(gathered)) await write(rowOf(request, fateOf(key, request)));
  for (const each of letters) await write(each);
  const ending: Ending = {
    ...totals.read(),
    from: from.toISOString(),
    to: to.toISOString(),
    readAt: now.toISOString(),
    inRequestsNow: queues.waiting ?? null,
    notRead: queues.unread,
    hoursWithoutALine: gathered.hours.silent(),
  };
  await sink.write(end(ending));
  return ending;
};

const readLetters = async (
  options: ReportOptions,
  target: Target,
  gathered: Gathered,
  times: Times,
  signal: AbortSignal,
) => {
  const letters = createLettersOnly(gathered.requests, times, DOCTOR_SOURCE);
  const queues = await readQueuesNow(options, target, undefined, times.now, { signal, onLetter: letters.add });
  return { queues, rows: letters.rows() };
};

export const runReport = async (options: ReportOptions): Promise<number> => {
  // What is gathered stays to the end: to collect it again and again, as main.ts has it, would take as long as all else.
  setFlagsFromString('--no-optimize-for-size');
  const format = readFormat(options.format);
  const times = readTimes(options);
  const target = await findTarget(options, 'logGroup');
  const sink = await openSink(options.file);
  let isWhole = false;
  try {
    const signal = stopOnInterrupt(note);
    const gathered = await gather(options, target.logGroup, times, signal);
    const { queues, rows } = await readLetters(options, target, gathered, times, signal);
    signal.throwIfAborted();
    const ending = await writeReport(sink, format, gathered, queues, rows, times);
    isWhole = true;
    note(`${plural(ending.requests, 'request')}${options.file === undefined ? '' : ` written to ${options.file}`}`);
    return await finish(sink, ending, options);
  } finally {
    if (!isWhole) await sink.close(false);
  }
};

/** What was not read leaves the report with holes: it says so, and so does the exit status. */
const finish = async (sink: Sink, ending: Ending, { json = false }: ReportOptions): Promise<number> => {
  await sink.close(true);
  if (ending.notRead.length > 0)
    note(`not read: ${ending.notRead.join(', ')}; fates that only these know are waiting or unknown`);
  if (json) sayJson(ending);
  return ending.notRead.length > 0 ? EXIT.failed : EXIT.done;
};
