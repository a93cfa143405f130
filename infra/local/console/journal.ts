/** What happened to each message since the console was opened: who has it in work, its audit lines, how long it took. */
import type { SQSRecord } from 'aws-lambda';
import type { Invocation } from '../environments.ts';
import type { Line } from '../lambda.ts';

/** One that was carried out or rejected. */
export interface Settled {
  readonly messageId: string;
  readonly line: Line;
  readonly at: number;
  readonly waitedMs: number;
  readonly groupId?: string;
}

export interface Totals {
  readonly enabled: number;
  readonly 'already-enabled': number;
  readonly rejected: number;
  /** Times that a message was kept: one message can be kept often. */
  readonly kept: number;
}

export interface Journal {
  readonly onLine: (line: Line) => void;
  readonly onInvocation: (invocation: Invocation) => void;
  /** The audit lines of a message, oldest first. */
  readonly story: (messageId: string) => readonly Line[];
  readonly isInWork: (messageId: string) => boolean;
  /** That it was given back by its receive of this number. */
  readonly wasKept: (messageId: string, receiveCount: number) => boolean;
  /** Of a message that was in work. */
  readonly groupId: (messageId: string) => string | undefined;
  /** With which its visibility can be changed. */
  readonly receiptHandle: (messageId: string) => string | undefined;
  /** Newest first. */
  readonly settled: () => readonly Settled[];
  readonly totals: () => Totals;
  /** What the function said beside its audit lines, newest first. */
  readonly remarks: () => readonly Line[];
  readonly clear: () => void;
}

/** Older ones are forgotten: it runs all day. */
const REMEMBERED_MESSAGES = 5000;
const REMEMBERED_SETTLED = 200;
const REMEMBERED_REMARKS = 20;
const NONE: Totals = { enabled: 0, 'already-enabled': 0, rejected: 0, kept: 0 };

interface Course {
  record: SQSRecord | undefined;
  isInWork: boolean;
  /** Receives after which it went back. */
  readonly kept: Set<number>;
  readonly lines: Line[];
}

export const createJournal = (now: () => number = Date.now): Journal => {
  const courses = new Map<string, Course>();
  let settled: Settled[] = [];
  let remarks: Line[] = [];
  let totals = NONE;

  const courseOf = (messageId: string): Course => {
    const found = courses.get(messageId);
    if (found) return found;
    const created: Course = { record: undefined, isInWork: false, kept: new Set(), lines: [] };
    courses.set(messageId, created);
    const [oldest] = courses.keys();
    if (courses.size > REMEMBERED_MESSAGES && oldest !== undefined) courses.delete(oldest);
    return created;
  };

  const onAuditLine = (line: Line): void => {
    const messageId = String(line['messageId']);
    const outcome = String(line['outcome']);
    const course = courseOf(messageId);
    course.lines.push(line);
    // A replayed one goes on with the story of the request that it was at first.
    const originalId = line['originalMessageId'];
    if (typeof originalId === 'string' && originalId !== messageId) courseOf(originalId).lines.push(line);
    course.isInWork = false;
    if (outcome in totals) totals = { ...totals, [outcome]: totals[outcome as keyof Totals] + 1 };
    if (outcome === 'kept') {
      course.kept.add(Number(line['receiveCount']));
      return;
    }
    const { SentTimestamp = now(), MessageGroupId: groupId } = course.record?.attributes ?? {};
    const waitedMs = now() - Number(SentTimestamp);
    const added: Settled = { messageId, line, at: now(), waitedMs, ...(groupId === undefined ? {} : { groupId }) };
    settled = [added, ...settled].slice(0, REMEMBERED_SETTLED);
  };

  const onLine = (line: Line): void => {
    if (line['message'] === 'password enable') onAuditLine(line);
    else if (!line['_aws']) remarks = [line, ...remarks].slice(0, REMEMBERED_REMARKS);
  };

  const onInvocation = (invocation: Invocation): void => {
    for (const record of invocation.records) {
      const course = courseOf(record.messageId);
      course.record = record;
      course.isInWork = invocation.kind === 'begins';
      const isKept = invocation.kind === 'ends' && invocation.kept.includes(record.messageId);
      if (isKept) course.kept.add(Number(record.attributes.ApproximateReceiveCount));
    }
  };

  return {
    onLine,
    onInvocation,
    story: (messageId) => courses.get(messageId)?.lines ?? [],
    isInWork: (messageId) => courses.get(messageId)?.isInWork ?? false,
    wasKept: (messageId, receiveCount) => courses.get(messageId)?.kept.has(receiveCount) ?? false,
    groupId: (messageId) => courses.get(messageId)?.record?.attributes.MessageGroupId,
    receiptHandle: (messageId) => courses.get(messageId)?.record?.receiptHandle,
    settled: () => settled,
    totals: () => totals,
    remarks: () => remarks,
    clear: () => {
      courses.clear();
      settled = [];
      remarks = [];
      totals = NONE;
    },
  };
};
