/** What the report says of each request, and its totals: pure, the same for CSV and JSON Lines. */
import { FATES, type Fate, type Request, type Sighting } from '../../audit/requests.ts';

/** One request: its columns, in the order of the file. */
export interface Row {
  readonly fate: Fate;
  readonly identifier?: number;
  readonly requestId?: string;
  readonly requestedBy?: string;
  readonly reason?: string;
  readonly source?: string;
  /** ISO 8601, as all times here. */
  readonly firstSentAt?: string;
  readonly firstDeliveredAt?: string;
  readonly settledAt?: string;
  readonly messageId: string;
  /** Proven by SQS; several where a replay was sent by another. */
  readonly sentBy?: string;
  /** Proven: who called the HTTPS way in. */
  readonly caller?: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly cause?: string;
  readonly deliveries: number;
  readonly callsToSegura: number;
  readonly replays: number;
  /** A claim of whoever replayed. */
  readonly replayedBy?: string;
  readonly replayReason?: string;
  readonly renewedAt?: string;
}

export const COLUMNS = [
  'fate',
  'identifier',
  'requestId',
  'requestedBy',
  'reason',
  'source',
  'firstSentAt',
  'firstDeliveredAt',
  'settledAt',
  'messageId',
  'sentBy',
  'caller',
  'errorCode',
  'errorMessage',
  'cause',
  'deliveries',
  'callsToSegura',
  'replays',
  'replayedBy',
  'replayReason',
  'renewedAt',
] as const satisfies readonly (keyof Row)[];

type Loose = { readonly [Name in keyof Row]: Row[Name] | undefined };

/** Without what is not known. */
const tidy = (row: Loose): Row =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as unknown as Row;

const joined = (sightings: readonly Sighting[]): string | undefined =>
  sightings.length > 0 ? sightings.map(({ name }) => name).join(' ') : undefined;

/** A settled request says nothing of the failures before; one that is not says why. */
export const rowOf = (request: Request, fate: Fate): Row => {
  const { identifier, requestId, requestedBy, reason, source, firstSentAt, firstAt, messageId, caller } = request;
  const { success, rejection, last, deliveries, calls, replays, replayedBy, replayReason, renewedAt, senders } =
    request;
  const rejected = fate === 'rejected' ? rejection : undefined;
  const failure = success === undefined ? (rejected ?? last) : undefined;
  return tidy({
    fate,
    identifier,
    requestId,
    requestedBy,
    reason,
    source,
    firstSentAt,
    firstDeliveredAt: firstAt.toISOString(),
    settledAt: (success ?? rejected)?.at.toISOString(),
    messageId,
    sentBy: joined(senders),
    caller,
    errorCode: failure?.errorCode,
    errorMessage: failure?.errorMessage,
    cause: failure?.cause,
    deliveries,
    callsToSegura: calls,
    replays,
    replayedBy: joined(replayedBy),
    replayReason,
    renewedAt,
  });
};

export interface Totals {
  readonly requests: number;
  readonly byFate: Readonly<Record<Fate, number>>;
  readonly deliveries: number;
  readonly replays: number;
}

/** Counted from the rows as they are written, so that they cannot disagree. */
export const createTotals = () => {
  const byFate: Record<Fate, number> = Object.fromEntries(FATES.map((fate) => [fate, 0])) as Record<Fate, number>;
  const sums = { requests: 0, deliveries: 0, replays: 0 };
  return {
    add: ({ fate, deliveries, replays }: Row): void => {
      byFate[fate] += 1;
      sums.requests += 1;
      sums.deliveries += deliveries;
      sums.replays += replays;
    },
    read: (): Totals => ({ ...sums, byFate: { ...byFate } }),
  };
};

const HOUR_MS = 3_600_000;

export interface Span {
  /** ISO 8601; `to` is not included. */
  readonly from: string;
  readonly to: string;
}

/** Whole hours of the report's time in which no line was written; neighbours are told as one. */
export const createHours = (from: Date, to: Date) => {
  const seen = new Set<number>();
  return {
    add: (at: Date): void => void seen.add(Math.floor(at.getTime() / HOUR_MS)),
    silent: (): readonly Span[] => {
      const spans: { from: number; to: number }[] = [];
      const last = Math.floor(to.getTime() / HOUR_MS);
      for (let hour = Math.ceil(from.getTime() / HOUR_MS); hour < last; hour += 1) {
        if (seen.has(hour)) continue;
        const before = spans.at(-1);
        if (before?.to === hour) before.to = hour + 1;
        else spans.push({ from: hour, to: hour + 1 });
      }
      const iso = (hour: number): string => new Date(hour * HOUR_MS).toISOString();
      return spans.map((span) => ({ from: iso(span.from), to: iso(span.to) }));
    },
  };
};
