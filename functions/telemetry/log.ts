/** One JSON object a line, made from a list of allowed fields: what is not listed cannot be logged. */
import { createIsoText } from '../time/iso.ts';
import { alarm } from '../time/sleep.ts';

type Level = 'INFO' | 'WARN' | 'ERROR';

/** Everything a line may carry beside `level`, `message`, `service` and `timestamp`, in this order. */
export const FIELDS = [
  'outcome',
  'identifier',
  'errorCode',
  'errorMessage',
  'cause',
  'attempts',
  'durationMs',
  'messageId',
  'originalMessageId',
  'receiveCount',
  'waitSeconds',
  'firstSentAt',
  'sentBy',
  'replayCount',
  'replayedBy',
  'replayReason',
  'renewedAt',
  'caller',
  'requestId',
  'requestedBy',
  'reason',
  'source',
  'meaning',
  'droppedAttributes',
  'detail',
  'stack',
  'function_request_id',
  'xray_trace_id',
] as const;

type Value = string | number | readonly string[] | undefined;
export type Fields = { readonly [Field in (typeof FIELDS)[number]]?: Value };
type Line = { readonly [Field in 'level' | 'message' | 'service' | 'timestamp' | (typeof FIELDS)[number]]: Value };

/** What people outside wrote goes into lines: none of them may be dropped or split by CloudWatch Logs. */
const MAX_FIELD_CHARACTERS = 1024;
const MAX_LINE_BYTES = 32_000;
/** A UTF-16 unit takes at most three bytes of UTF-8: a shorter line needs no counting. */
const SURELY_SHORT_CHARACTERS = Math.floor(MAX_LINE_BYTES / 3);

const shorten = (value: string, most: number): string =>
  value.length <= most ? value : value.slice(0, most).toWellFormed();

const bounded = (value: Value, most: number): Value => {
  if (typeof value === 'string') return shorten(value, most);
  if (typeof value !== 'object') return value;
  let left = most;
  return value.map((each) => {
    const taken = shorten(each, left);
    left -= taken.length;
    return taken;
  });
};

export interface Log {
  readonly warn: (message: string, fields?: Fields) => void;
  readonly error: (message: string, fields?: Fields) => void;
  /** Written at every level: an audit has no threshold. */
  readonly audit: (message: string, fields: Fields) => void;
  /** Lambda's id of the invocation, which each line carries from now on. */
  readonly setFunctionRequestId: (id: string | undefined) => void;
}

export interface LogParts {
  readonly service: string;
  /** `POWERTOOLS_LOG_LEVEL`; `SILENT` and `CRITICAL` leave the audit lines alone. */
  readonly level: string;
  /** Takes whole lines, each ended by a newline. */
  readonly write: (lines: string) => void;
  readonly now: () => number;
}

/** Every level that the variable may name; lines of ours are warnings and errors, and the audit. */
const RANKS: Readonly<Record<string, number>> = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3, CRITICAL: 4, SILENT: 5 };

/** What every line has. */
interface Head {
  readonly level: Level;
  readonly message: string;
  readonly service: string;
  readonly timestamp: string;
  readonly functionRequestId: string | undefined;
}

/** Field by field, in the order of the list: to go through the list instead takes twice as long. */
const entryOf = (head: Head, fields: Fields, most: number): Line => {
  const cut = (value: Value): Value => bounded(value, most);
  return {
    level: head.level,
    message: head.message,
    service: cut(head.service),
    timestamp: head.timestamp,
    outcome: cut(fields.outcome),
    identifier: cut(fields.identifier),
    errorCode: cut(fields.errorCode),
    errorMessage: cut(fields.errorMessage),
    cause: cut(fields.cause),
    attempts: cut(fields.attempts),
    durationMs: cut(fields.durationMs),
    messageId: cut(fields.messageId),
    originalMessageId: cut(fields.originalMessageId),
    receiveCount: cut(fields.receiveCount),
    waitSeconds: cut(fields.waitSeconds),
    firstSentAt: cut(fields.firstSentAt),
    sentBy: cut(fields.sentBy),
    replayCount: cut(fields.replayCount),
    replayedBy: cut(fields.replayedBy),
    replayReason: cut(fields.replayReason),
    renewedAt: cut(fields.renewedAt),
    caller: cut(fields.caller),
    requestId: cut(fields.requestId),
    requestedBy: cut(fields.requestedBy),
    reason: cut(fields.reason),
    source: cut(fields.source),
    meaning: cut(fields.meaning),
    droppedAttributes: cut(fields.droppedAttributes),
    detail: cut(fields.detail),
    stack: cut(fields.stack),
    function_request_id: cut(head.functionRequestId),
    xray_trace_id: cut(fields.xray_trace_id),
  };
};

export const createLog = ({ service, level, write, now }: LogParts): Log => {
  const threshold = RANKS[level.toUpperCase()] ?? 1;
  let functionRequestId: string | undefined;
  const isoText = createIsoText();

  const line = (lineLevel: Level, message: string, fields: Fields): void => {
    const head = { level: lineLevel, message, service, timestamp: isoText(now()), functionRequestId };
    // JSON.stringify leaves out what is absent. A line that is too long although its fields are not has them cut shorter.
    for (let most = MAX_FIELD_CHARACTERS; ; most = Math.floor(most / 2)) {
      const text = JSON.stringify(entryOf(head, fields, most));
      if (text.length > SURELY_SHORT_CHARACTERS && Buffer.byteLength(text) >= MAX_LINE_BYTES) continue;
      write(`${text}\n`);
      return;
    }
  };
  const at =
    (lineLevel: Level) =>
    (message: string, fields: Fields = {}): void => {
      if ((RANKS[lineLevel] ?? 0) >= threshold) line(lineLevel, message, fields);
    };

  return {
    warn: at('WARN'),
    error: at('ERROR'),
    audit: (message, fields) => line('INFO', message, fields),
    setFunctionRequestId: (id) => {
      functionRequestId = id;
    },
  };
};

/**
 * Gathers lines for one write, for at most `waitMs`: a batch of a thousand is a few system calls, not a thousand. `flush`
 * writes at once.
 */
export const createLineWriter = (write: (text: string) => void, waitMs: number) => {
  let pending = '';
  const flush = (): void => {
    const text = pending;
    pending = '';
    if (text !== '') write(text);
  };
  const flushLater = alarm(waitMs, flush);
  return {
    write: (lines: string): void => {
      if (pending === '') flushLater();
      pending += lines;
    },
    flush,
  };
};

/**
 * Lambda reads standard output. Where nobody reads it any more, what is written is lost and nothing else: without a listener
 * the error would end the process, with messages that were carried out and not yet answered.
 */
export const openStandardOutput = (): ((text: string) => unknown) => {
  process.stdout.on('error', () => undefined);
  return (text) => process.stdout.write(text);
};
