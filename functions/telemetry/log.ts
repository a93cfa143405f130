/** One JSON object a line, made from a list of allowed fields: what is not listed cannot be logged. */

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
  'replayCount',
  'replayedBy',
  'replayReason',
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

export const createLog = ({ service, level, write, now }: LogParts): Log => {
  const threshold = RANKS[level.toUpperCase()] ?? 1;
  let functionRequestId: string | undefined;
  let written = { at: Number.NaN, timestamp: '' };

  /** Lines of the same millisecond share it: a batch's answers come together. */
  const timestamp = (): string => {
    const at = now();
    if (written.at !== at) written = { at, timestamp: new Date(at).toISOString() };
    return written.timestamp;
  };

  const line = (lineLevel: Level, message: string, fields: Fields): void => {
    // Field by field, in the order of the list: to go through the list instead takes twice as long. Absent ones are left
    // out by JSON.stringify.
    const entry: Line = {
      level: lineLevel,
      message,
      service,
      timestamp: timestamp(),
      outcome: fields.outcome,
      identifier: fields.identifier,
      errorCode: fields.errorCode,
      errorMessage: fields.errorMessage,
      cause: fields.cause,
      attempts: fields.attempts,
      durationMs: fields.durationMs,
      messageId: fields.messageId,
      originalMessageId: fields.originalMessageId,
      receiveCount: fields.receiveCount,
      waitSeconds: fields.waitSeconds,
      replayCount: fields.replayCount,
      replayedBy: fields.replayedBy,
      replayReason: fields.replayReason,
      requestId: fields.requestId,
      requestedBy: fields.requestedBy,
      reason: fields.reason,
      source: fields.source,
      meaning: fields.meaning,
      droppedAttributes: fields.droppedAttributes,
      detail: fields.detail,
      stack: fields.stack,
      function_request_id: functionRequestId,
      xray_trace_id: fields.xray_trace_id,
    };
    write(`${JSON.stringify(entry)}\n`);
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
 * Gathers lines for one write, as long as `soon` lets them wait (one turn of the event loop, unless told): a batch of a
 * thousand is a few system calls, not a thousand. `flush` writes at once.
 */
export const createLineWriter = (
  write: (text: string) => void,
  soon: (flush: () => void) => void = (flush) => setImmediate(flush),
) => {
  let pending = '';
  const flush = (): void => {
    const text = pending;
    pending = '';
    if (text !== '') write(text);
  };
  return {
    write: (lines: string): void => {
      if (pending === '') soon(flush);
      pending += lines;
    },
    flush,
  };
};
