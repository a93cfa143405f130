/**
 * CloudWatch Logs over AWS JSON 1.1: FilterLogEvents, as strict as AWS (API Reference, "FilterLogEvents" and "Filter
 * pattern syntax", read 2026-11). A page ends at 10,000 events, at 1 MB, or at what was searched in one go, so it can be
 * empty and still have a next one. Lines are kept as they were written; nothing is kept but in memory.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Matches, parsePattern } from './log-pattern.ts';
import { listenOnLoopback, readText } from './loopback.ts';

interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
  readonly eventId: string;
}

type Input = Readonly<Record<string, unknown>>;

/** AWS's limits of one page. */
const MAX_PAGE_EVENTS = 10_000;
const MAX_PAGE_BYTES = 1_048_576;
/** AWS: one event; what is longer is cut into several by Lambda. */
const MAX_EVENT_BYTES = 1_048_576;
const TARGET = 'Logs_20140328.';

export type LogsFault = 'throttle' | 'denied' | 'error' | 'hang';

const refusal = (type: string, message: string) => ({ status: 400, value: { __type: type, message } });

interface Token {
  readonly group: string;
  readonly asked: string;
  readonly index: number;
}

/** By time, as AWS answers; lines come in nearly sorted. */
const insert = (events: LogEvent[], event: LogEvent): void => {
  let at = events.length;
  while (at > 0 && (events[at - 1]?.timestamp ?? 0) > event.timestamp) at -= 1;
  if (at === events.length) events.push(event);
  else events.splice(at, 0, event);
};

const firstAt = (events: readonly LogEvent[], time: number): number => {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.timestamp ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
};

const checkInput = (input: Input): string | undefined => {
  const { logGroupName, logGroupIdentifier, limit = MAX_PAGE_EVENTS, startTime = 0, endTime = 0 } = input;
  const KNOWN = ['logGroupName', 'logGroupIdentifier', 'limit', 'startTime', 'endTime', 'filterPattern', 'nextToken'];
  const unknown = Object.keys(input).find((name) => !KNOWN.includes(name));
  if (unknown) return `this stand-in knows no ${unknown}`;
  if ((logGroupName === undefined) === (logGroupIdentifier === undefined)) {
    return 'Exactly one of logGroupName and logGroupIdentifier must be given.';
  }
  if (logGroupName !== undefined && !/^[.\-_/#A-Za-z0-9]{1,512}$/.test(String(logGroupName))) {
    return `1 validation error detected: Value '${logGroupName}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+`;
  }
  const isLimit = Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= MAX_PAGE_EVENTS;
  if (!isLimit) return `1 validation error detected: Value '${limit}' at 'limit' failed to satisfy constraint`;
  for (const [name, time] of Object.entries({ startTime, endTime })) {
    if (!Number.isSafeInteger(time) || Number(time) < 0) {
      return `1 validation error detected: Value '${time}' at '${name}' failed to satisfy constraint`;
    }
  }
  return undefined;
};

export interface LogsOptions {
  /** Events that one page looks through, found or not; AWS stops at a time of its own choosing. */
  readonly searchedAtOnce?: number;
}

/** What one page finds from `from` on, and where the next one begins. */
const readPage = (events: readonly LogEvent[], from: number, to: number, limit: number, matches: Matches) => {
  const found: LogEvent[] = [];
  let bytes = 0;
  let index = from;
  for (; index < to && found.length < limit; index += 1) {
    const event = events[index];
    if (!event || !matches(event.message)) continue;
    bytes += Buffer.byteLength(event.message);
    if (found.length > 0 && bytes > MAX_PAGE_BYTES) break;
    found.push(event);
  }
  return { found, index };
};

/** FilterLogEvents on the lines of all groups. */
const createFilter = (groups: ReadonlyMap<string, readonly LogEvent[]>, searchedAtOnce: number) => {
  const tokens = new Map<string, Token>();
  return (input: Input) => {
    const wrong = checkInput(input);
    if (wrong) return refusal('InvalidParameterException', wrong);
    const group = String(input['logGroupName'] ?? String(input['logGroupIdentifier']).replace(/^.*:log-group:/, ''));
    const events = groups.get(group);
    if (!events) return refusal('ResourceNotFoundException', 'The specified log group does not exist.');
    const matches = parsePattern(String(input['filterPattern'] ?? ''));
    if (!matches) return refusal('InvalidParameterException', 'Invalid filter pattern');
    const { nextToken, ...rest } = input;
    const asked = JSON.stringify(rest);
    const token = nextToken === undefined ? undefined : tokens.get(String(nextToken));
    // A token belongs to the very search that gave it.
    if (nextToken !== undefined && (token?.group !== group || token.asked !== asked)) {
      return refusal('InvalidParameterException', 'The specified nextToken is invalid.');
    }
    const from = token?.index ?? firstAt(events, Number(input['startTime'] ?? 0));
    const to = input['endTime'] === undefined ? events.length : firstAt(events, Number(input['endTime']) + 1);
    const limit = Number(input['limit'] ?? MAX_PAGE_EVENTS);
    const { found, index } = readPage(events, from, Math.min(to, from + searchedAtOnce), limit, matches);
    const next = index < to ? randomUUID() : undefined;
    if (next) tokens.set(next, { group, asked, index });
    return {
      status: 200,
      value: {
        events: found.map((event) => ({ ...event, ingestionTime: event.timestamp, logStreamName: 'local' })),
        searchedLogStreams: [],
        ...(next ? { nextToken: next } : {}),
      },
    };
  };
};

const failed = (fault: Exclude<LogsFault, 'hang'>) => {
  switch (fault) {
    case 'throttle':
      return refusal('ThrottlingException', 'Rate exceeded');
    case 'denied':
      return refusal('AccessDeniedException', 'User is not authorized to perform: logs:FilterLogEvents');
    case 'error':
      return { status: 500, value: { __type: 'ServiceUnavailableException' } };
  }
};

const isSigned = ({ headers }: IncomingMessage): boolean =>
  /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d+\/[^/]+\/logs\//.test(headers.authorization ?? '');

export const startLogs = async ({ searchedAtOnce = 100_000 }: LogsOptions = {}) => {
  const groups = new Map<string, LogEvent[]>();
  const filter = createFilter(groups, searchedAtOnce);
  const journal: { readonly action: string; readonly input: Input }[] = [];
  const script: LogsFault[] = [];
  let count = 0;

  const carryOut = (action: string, input: Input) =>
    action === 'FilterLogEvents' ? filter(input) : refusal('UnknownOperationException', '');

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readText(request);
    const action = String(request.headers['x-amz-target'] ?? '').replace(TARGET, '');
    const input = JSON.parse(body || '{}') as Input;
    journal.push({ action, input });
    const fault = script.shift();
    if (fault === 'hang') return;
    const refused = isSigned(request)
      ? fault && failed(fault)
      : refusal('MissingAuthenticationTokenException', 'Missing Authentication Token');
    const { status, value } = refused ?? carryOut(action, input);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
    response.end(JSON.stringify(value));
  };

  const { url, close } = await listenOnLoopback(answer);
  return {
    url,
    journal,
    next: (...faults: LogsFault[]): void => void script.push(...faults),
    createGroup: (group: string): void => void groups.set(group, groups.get(group) ?? []),
    /** One line as a function wrote it, with or without its line end. */
    put: (group: string, line: string, at: number = Date.now()): void => {
      const message = line.replace(/\n$/, '').slice(0, MAX_EVENT_BYTES);
      const events = groups.get(group) ?? [];
      groups.set(group, events);
      count += 1;
      insert(events, { timestamp: at, message, eventId: String(count).padStart(56, '0') });
    },
    close,
  };
};

export type Logs = Awaited<ReturnType<typeof startLogs>>;
