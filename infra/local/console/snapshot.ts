/** What the page shows: the state of everything at one moment, as plain data. */
import type { Line } from '../lambda.ts';
import type { JournalEntry } from '../segura-journal.ts';
import type { MessageView, QueueName } from '../sqs.ts';
import type { Breakage, FaultName } from './fault-names.ts';
import type { Journal, Settled, Totals } from './journal.ts';

export type RowOutcome = 'waiting' | 'in-work' | 'kept' | 'enabled' | 'already-enabled' | 'rejected' | 'exhausted';

/** One message as a line of the page. */
export interface MessageRow {
  /** SQS's, of the request: a dead letter and an outcome carry it too. */
  readonly messageId: string;
  readonly outcome: RowOutcome;
  /** What was asked for, or the beginning of a body that asks for nothing. */
  readonly asked: string;
  readonly requestId?: string;
  /** Whose it is, on a standard queue; what it comes in order with, on a FIFO queue. */
  readonly groupId?: string;
  readonly errorCode?: string;
  /** Epoch ms: of a kept one, when it comes back; of a settled one, when it was. */
  readonly backAt?: number;
  readonly settledAt?: number;
  readonly receiveCount?: number;
}

export interface QueueView {
  readonly count: number;
  readonly rows: readonly MessageRow[];
}

export interface RequestsView extends QueueView {
  readonly waiting: number;
  readonly inWork: number;
  readonly kept: number;
  /** Epoch ms at which the next kept one comes back. */
  readonly nextBackAt?: number;
  /** Groups that have so many in work or kept that those of others come first. */
  readonly noisyGroups: readonly string[];
}

export interface SeguraAnswer {
  readonly at: number;
  /** A password's identifier, or `token`. */
  readonly about: string;
  /** 0 where none came (yet). */
  readonly status: number;
  readonly durationMs: number;
}

export interface Snapshot {
  readonly at: number;
  readonly isPaused: boolean;
  readonly segura: 'up' | FaultName;
  readonly breakages: readonly Breakage[];
  readonly answers: readonly SeguraAnswer[];
  readonly calls: number;
  readonly requests: RequestsView;
  readonly rejected: QueueView;
  readonly exhausted: QueueView;
  readonly outcomes: QueueView;
  readonly totals: Totals;
  /** The function's last warning or error. */
  readonly remark?: string;
}

/** Rows of one queue; the count tells the rest. */
export const SHOWN_ROWS = 6;
const SHOWN_ANSWERS = 6;
const ASKED_CHARACTERS = 40;

interface Asked {
  readonly asked: string;
  readonly requestId?: string;
}

/** Read as leniently as can be: the page shows what is there, whatever it is. */
const readAsked = (body: string): Asked => {
  const asIs = { asked: body.slice(0, ASKED_CHARACTERS) };
  try {
    const value = JSON.parse(body) as unknown;
    if (typeof value !== 'object' || value === null) return asIs;
    const { identifier, requestId } = value as Readonly<Record<string, unknown>>;
    if (identifier === undefined || identifier === null) return asIs;
    return {
      asked: String(identifier).slice(0, ASKED_CHARACTERS),
      ...(typeof requestId === 'string' ? { requestId: requestId.slice(0, ASKED_CHARACTERS) } : {}),
    };
  } catch {
    return asIs;
  }
};

const textOf = (message: MessageView, name: string): string | undefined => message.messageAttributes[name]?.StringValue;

const groupOf = (groupId: string | undefined): Pick<MessageRow, 'groupId'> =>
  groupId === undefined ? {} : { groupId: groupId.slice(0, ASKED_CHARACTERS) };

const RANK: Readonly<Partial<Record<RowOutcome, number>>> = { 'in-work': 0, waiting: 1, kept: 2 };

const requestsView = ({ lying, noisyGroups, journal, at }: Facts): RequestsView => {
  const rows = lying('requests').map((message): MessageRow => {
    const { messageId, isInFlight, receiveCount, visibleInMs } = message;
    const isKept = isInFlight && !journal.isInWork(messageId) && journal.wasKept(messageId, receiveCount);
    return {
      messageId,
      outcome: isKept ? 'kept' : isInFlight ? 'in-work' : 'waiting',
      ...readAsked(message.body),
      ...groupOf(message.groupId),
      // To the second: a moment that is measured again would differ each time.
      ...(isKept ? { backAt: Math.round((at + visibleInMs) / 1000) * 1000 } : {}),
      receiveCount,
    };
  });
  rows.sort((a, b) => (RANK[a.outcome] ?? 0) - (RANK[b.outcome] ?? 0) || (a.backAt ?? 0) - (b.backAt ?? 0));
  const count = (outcome: RowOutcome): number => rows.filter((row) => row.outcome === outcome).length;
  const nextBackAt = rows.find(({ outcome }) => outcome === 'kept')?.backAt;
  return {
    count: rows.length,
    waiting: count('waiting'),
    inWork: count('in-work'),
    kept: count('kept'),
    ...(nextBackAt === undefined ? {} : { nextBackAt }),
    noisyGroups,
    rows: rows.slice(0, SHOWN_ROWS),
  };
};

const letterRow = (outcome: 'rejected' | 'exhausted', message: MessageView): MessageRow => {
  const errorCode = textOf(message, 'ErrorCode');
  return {
    messageId: textOf(message, 'OriginalMessageId') ?? message.messageId,
    outcome,
    ...readAsked(message.body),
    ...groupOf(message.groupId),
    ...(errorCode === undefined ? {} : { errorCode }),
  };
};

const newest = <Value>(values: readonly Value[], count: number): Value[] => values.slice(-count).reverse();

const lettersView = (outcome: 'rejected' | 'exhausted', lying: readonly MessageView[]): QueueView => ({
  count: lying.length,
  rows: newest(lying, SHOWN_ROWS).map((message) => letterRow(outcome, message)),
});

const optional = (line: Line, name: string): Readonly<Record<string, string>> =>
  line[name] === undefined ? {} : { [name]: String(line[name]).slice(0, ASKED_CHARACTERS) };

const settledRow = ({ messageId, line, at, groupId }: Settled): MessageRow => ({
  messageId,
  outcome: line['outcome'] as RowOutcome,
  asked: line['identifier'] === undefined ? 'no request' : String(line['identifier']),
  ...optional(line, 'requestId'),
  ...groupOf(groupId),
  ...optional(line, 'errorCode'),
  settledAt: at,
});

const answerOf = ({ at, identifier, status, durationMs }: JournalEntry): SeguraAnswer => ({
  at,
  about: identifier === undefined ? 'token' : identifier.slice(0, ASKED_CHARACTERS),
  status,
  durationMs,
});

/** Where the facts come from; a world is one. */
export interface Facts {
  readonly at: number;
  readonly isPaused: boolean;
  readonly breakages: readonly Breakage[];
  readonly lying: (queue: QueueName) => readonly MessageView[];
  readonly noisyGroups: readonly string[];
  readonly seguraJournal: readonly JournalEntry[];
  readonly calls: number;
  readonly journal: Journal;
}

export const takeSnapshot = (facts: Facts): Snapshot => {
  const { at, isPaused, breakages, lying, seguraJournal, calls, journal } = facts;
  const [remark] = journal.remarks();
  return {
    at,
    isPaused,
    segura: breakages[0]?.fault ?? 'up',
    breakages,
    answers: newest(seguraJournal, SHOWN_ANSWERS).map(answerOf),
    calls,
    requests: requestsView(facts),
    rejected: lettersView('rejected', lying('rejected')),
    exhausted: lettersView('exhausted', lying('exhausted')),
    // The last that were settled, also where their events have been read and deleted.
    outcomes: { count: lying('outcomes').length, rows: journal.settled().slice(0, SHOWN_ROWS).map(settledRow) },
    totals: journal.totals(),
    ...(remark ? { remark: `${remark['level']}: ${remark['message']}` } : {}),
  };
};
