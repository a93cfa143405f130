/**
 * Audit lines joined into requests, each from its first sending to its fate. A replay has a message id of its own and
 * names the original's; anybody who may send can claim that, so lines are joined only where identifier and requester's
 * words agree too (a replay keeps the body byte for byte).
 */
import type { AuditLine } from './read.ts';

/** A name, and when it was first written. */
export interface Sighting {
  readonly name: string;
  readonly at: Date;
}

/** What is known of one request from its lines. */
export interface Request {
  readonly messageId: string;
  readonly identifier?: number;
  readonly requestId?: string;
  readonly requestedBy?: string;
  readonly reason?: string;
  readonly source?: string;
  readonly caller?: string;
  /** ISO 8601. */
  readonly firstSentAt?: string;
  readonly firstAt: Date;
  readonly last: AuditLine;
  /** The line that enabled the password, or found it enabled; the former goes before. */
  readonly success?: AuditLine;
  /** The first line that rejected it, of its latest replay that was rejected. */
  readonly rejection?: AuditLine;
  /** Ids of its messages that were rejected, in their own order: two letters of one request can be replayed each. */
  readonly rejectedMessages: readonly string[];
  readonly deliveries: number;
  readonly calls: number;
  readonly replays: number;
  /** SQS's count of the receives, of its last replay: the greatest that was told. */
  readonly receives: number;
  /** In the order of their first lines. */
  readonly replayedBy: readonly Sighting[];
  readonly replayReason?: string;
  readonly renewedAt?: string;
  readonly senders: readonly Sighting[];
}

type Named = Pick<
  AuditLine,
  'messageId' | 'originalMessageId' | 'replayCount' | 'identifier' | 'requestId' | 'requestedBy' | 'reason' | 'source'
>;

/** Of its first sending. */
const originalOf = ({ messageId, originalMessageId, replayCount = 0 }: Named): string =>
  replayCount > 0 && originalMessageId ? originalMessageId : messageId;

/** The same for all lines and letters of one request. */
export const requestKeyOf = (named: Named): string => {
  const { identifier, requestId, requestedBy, reason, source } = named;
  return JSON.stringify([originalOf(named), identifier, requestId, requestedBy, reason, source]);
};

const MAX_NAMES = 5;

/** The first of them, in whatever order lines are read. */
const withName = (known: readonly Sighting[], name: string | undefined, at: Date): readonly Sighting[] => {
  const before = known.find((each) => each.name === name);
  if (name === undefined || (before !== undefined && before.at <= at)) return known;
  const others = before === undefined ? known : known.filter((each) => each !== before);
  return [...others, { name, at }].sort((a, b) => a.at.getTime() - b.at.getTime()).slice(0, MAX_NAMES);
};

const succeeded = (before: AuditLine | undefined, line: AuditLine): AuditLine | undefined => {
  if (line.outcome !== 'enabled' && line.outcome !== 'already-enabled') return before;
  if (before === undefined) return line;
  if (before.outcome === line.outcome) return line.at < before.at ? line : before;
  return line.outcome === 'enabled' ? line : before;
};

/** A copy that comes after the dead letter (SQS delivers at least once) says nothing new; a later replay does. */
const rejected = (before: AuditLine | undefined, line: AuditLine): AuditLine | undefined => {
  if (line.outcome !== 'rejected') return before;
  const [count, known] = [line.replayCount ?? 0, before?.replayCount ?? 0];
  if (before === undefined || count > known) return line;
  return count === known && line.at < before.at ? line : before;
};

/** As it is gathered: of a hundred thousand requests a copy for each line would cost more than all else. */
type Gathered = { -readonly [Name in keyof Request]: Request[Name] };

const begin = (line: AuditLine): Gathered => {
  const { identifier, requestId, requestedBy, reason, source } = line;
  return {
    messageId: originalOf(line),
    ...(identifier === undefined ? {} : { identifier }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...(reason === undefined ? {} : { reason }),
    ...(source === undefined ? {} : { source }),
    firstAt: line.at,
    last: line,
    rejectedMessages: [],
    deliveries: 0,
    calls: 0,
    replays: 0,
    receives: 0,
    replayedBy: [],
    senders: [],
  };
};

const isEarlier = (a: string, b: string | undefined): boolean => b === undefined || Date.parse(a) < Date.parse(b);

const join = (request: Gathered, line: AuditLine): void => {
  const success = succeeded(request.success, line);
  if (success !== undefined) request.success = success;
  const rejection = rejected(request.rejection, line);
  if (rejection !== undefined) request.rejection = rejection;
  if (line.outcome === 'rejected' && !request.rejectedMessages.includes(line.messageId))
    request.rejectedMessages = [...request.rejectedMessages, line.messageId].sort();
  const { firstSentAt, caller } = line;
  if (firstSentAt !== undefined && isEarlier(firstSentAt, request.firstSentAt)) request.firstSentAt = firstSentAt;
  if (caller !== undefined) request.caller ??= caller;
  if (line.at < request.firstAt) request.firstAt = line.at;
  if (line.at >= request.last.at) {
    request.last = line;
    if (line.replayReason !== undefined) request.replayReason = line.replayReason;
    if (line.renewedAt !== undefined) request.renewedAt = line.renewedAt;
  }
  request.deliveries += 1;
  request.calls += line.attempts ?? 0;
  const { replayCount = 0, receiveCount = 0 } = line;
  if (replayCount > request.replays) request.receives = receiveCount;
  else if (replayCount === request.replays) request.receives = Math.max(request.receives, receiveCount);
  request.replays = Math.max(request.replays, replayCount);
  request.replayedBy = withName(request.replayedBy, line.replayedBy, line.at);
  request.senders = withName(request.senders, line.sentBy, line.at);
};

/** Takes lines in any order; the same line twice counts twice, so give each once. */
export const createRequests = () => {
  const requests = new Map<string, Gathered>();
  return {
    /** @returns the key of its request */
    add: (line: AuditLine): string => {
      const key = requestKeyOf(line);
      const known = requests.get(key);
      const request = known ?? begin(line);
      if (known === undefined) requests.set(key, request);
      join(request, line);
      return key;
    },
    entries: (): IterableIterator<[string, Request]> => requests.entries(),
    get: (key: string): Request | undefined => requests.get(key),
    get size(): number {
      return requests.size;
    },
  };
};

export const FATES = ['enabled', 'already-enabled', 'rejected', 'exhausted', 'waiting', 'unknown'] as const;
export type Fate = (typeof FATES)[number];

/** What the queues hold now, as far as it could be read. */
export interface QueuesNow {
  /** Keys of the letters that SQS gave up. */
  readonly exhausted: ReadonlySet<string>;
  /** Messages in `requests`, in any state; `undefined` where we may not ask. */
  readonly waiting: number | undefined;
  /** Of these, how many are hidden from nobody. */
  readonly visible: number;
  /** So long `requests` hides a message that is in work. */
  readonly visibilityMs: number;
  /** After so many receives SQS moves a message to `exhausted`; `undefined` where we do not know. */
  readonly maxReceiveCount: number | undefined;
  readonly now: Date;
}

/** SQS keeps a message for 14 days at most. */
const LONGEST_RETENTION_MS = 14 * 86_400_000;
/** What was read of the log and of the queues is not of the same moment. */
const READING_MS = 60_000;
/** No function runs for longer. */
const LONGEST_DELIVERY_MS = 900_000;

/** The dead letter was confirmed, and no later replay was delivered since. */
const hasRejection = ({ rejection, replays }: Request): boolean =>
  rejection !== undefined && (rejection.replayCount ?? 0) >= replays;

/** And no other message, such as that of its other letter. */
const isRejected = (request: Request): boolean =>
  hasRejection(request) && request.rejectedMessages.includes(request.last.messageId);

const isOpen = (key: string, request: Request, { exhausted, now }: QueuesNow): boolean =>
  request.success === undefined &&
  !exhausted.has(key) &&
  !isRejected(request) &&
  now.getTime() - request.last.at.getTime() <= LONGEST_RETENTION_MS;

/** When its wait is over. */
const backAt = ({ last }: Request): number => last.at.getTime() + (last.waitSeconds ?? 0) * 1000;

/**
 * Until then the queue can hide it: after its wait from one delivery after the other that wrote no line (a function that
 * was killed, one that is at work), as many as it has receives left; one, where we do not know.
 */
const hiddenUntil = (request: Request, { maxReceiveCount, visibilityMs }: QueuesNow): number => {
  const left = maxReceiveCount === undefined ? 1 : Math.max(0, maxReceiveCount - request.receives);
  return backAt(request) + Math.max(left * visibilityMs, READING_MS);
};

/** A copy of a settled request, received when the delivery that settled it had ended: it was not deleted. */
const isCopyKept = ({ success, rejection, last }: Request): boolean => {
  const settled = success ?? rejection;
  return last.outcome === 'kept' && settled !== undefined && +last.at - +settled.at > LONGEST_DELIVERY_MS;
};

/**
 * Which requests are in `requests`: SQS tells of a queue how many messages it holds, not which. Those whose wait is not
 * over are; those that nothing can hide any more are visible, or gone. Of the others no more are than the queue has room
 * for, those first that would be given up last.
 */
const findWaiting = (requests: Iterable<readonly [string, Request]>, queues: QueuesNow): ReadonlySet<string> => {
  const { waiting, visible, exhausted } = queues;
  const now = queues.now.getTime();
  const open: { readonly key: string; readonly isHeld: boolean; readonly until: number }[] = [];
  let copies = 0;
  for (const [key, request] of requests) {
    const until = hiddenUntil(request, queues);
    if (isOpen(key, request, queues)) open.push({ key, isHeld: backAt(request) > now, until });
    else if (!exhausted.has(key) && isCopyKept(request) && until >= now) copies += 1;
  }
  if (waiting === undefined) return new Set(open.map(({ key }) => key));
  const held = open.filter(({ isHeld }) => isHeld).length;
  const hidden = open.filter(({ isHeld, until }) => isHeld || until >= now).length;
  const most = Math.max(Math.min(waiting, held), Math.min(waiting - copies, hidden + visible));
  const inOrder = open.sort((a, b) => Number(b.isHeld) - Number(a.isHeld) || b.until - a.until);
  return new Set(inOrder.slice(0, most).map(({ key }) => key));
};

/**
 * What became of each. The log knows what was settled; only the queues know what waits still and what SQS gave up; of what
 * is in neither (discarded by hand, dropped after its retention) nobody knows.
 */
export const fatesOf = (
  requests: Iterable<readonly [string, Request]>,
  queues: QueuesNow,
): ((key: string, request: Request) => Fate) => {
  const waiting = findWaiting(requests, queues);
  return (key, request) => {
    if (request.success) return request.success.outcome === 'enabled' ? 'enabled' : 'already-enabled';
    if (queues.exhausted.has(key)) return 'exhausted';
    if (isRejected(request)) return 'rejected';
    if (waiting.has(key)) return 'waiting';
    // Of two replays, the one that was rejected is known.
    return hasRejection(request) ? 'rejected' : 'unknown';
  };
};
