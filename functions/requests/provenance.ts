/**
 * Where a message comes from: its first sending, its replays, as far as its attributes say. Any sender can write these
 * attributes, so each is bounded when it is read, and what only others can know counts from those others alone.
 */
import type { Attribute, Attributes } from '../aws/message.ts';
import { parseNotAfter } from './request.ts';

/** Where a message comes from, through any number of replays. All but `renewedAt` and `caller` are claims of a sender. */
export interface Provenance {
  /** SQS message id of the first sending. */
  readonly originalMessageId: string;
  /** The first sending; a replay does not make a request younger. */
  readonly firstSentAt: Date;
  /** How often it was replayed; 0 for a first sending. */
  readonly replayCount: number;
  readonly replayedBy?: string;
  readonly replayReason?: string;
  /** When a sender of `Trust` renewed an expired request: its age counts from here, and an older `notAfter` is void. */
  readonly renewedAt?: Date;
  /** Who called the HTTPS way in, from a sender of `Trust`. */
  readonly caller?: string;
}

/** SQS's own facts of one message, which no sender can write. */
export interface Sending {
  readonly messageId: string;
  /** `SentTimestamp`. */
  readonly sentAt: Date;
  /** `SenderId`: of an IAM user `AIDA…`, of a role `AROA…:session`. */
  readonly senderId?: string | undefined;
}

/** IAM ids (of a role the part before the colon) from which an attribute counts; from anybody else it is ignored. */
export interface Trust {
  /** `RENEWAL_SENDERS`, for `RenewedAt`. */
  readonly renewalSenders: readonly string[];
  /** `CALLER_SENDERS`, for `Caller`. */
  readonly callerSenders: readonly string[];
}

export const TRUST_NOBODY: Trust = { renewalSenders: [], callerSenders: [] };

const MAX_ID_CHARACTERS = 128;
/** Of names and reasons, counted in code points like the request's own fields. */
export const MAX_WORDS_CHARACTERS = 256;
const MAX_DATE_CHARACTERS = 40;
export const MAX_REPLAY_COUNT = 2 ** 31;

/** Whether a name or a reason is short enough to be read back. */
export const isWords = (value: string): boolean => isWithin(value, MAX_WORDS_CHARACTERS);

/** In code points; one that is far too long is not gone through. */
const isWithin = (value: string, maxCharacters: number): boolean =>
  value.length <= maxCharacters || (value.length <= 2 * maxCharacters && [...value].length <= maxCharacters);

const readText = (attribute: Attribute | undefined, maxCharacters: number): string | undefined => {
  const value: unknown = attribute?.stringValue;
  // Made by hand it may be anything.
  return typeof value === 'string' && value !== '' && isWithin(value, maxCharacters) ? value : undefined;
};

/** `undefined` for what is longer than an id may be, empty, or no text. */
export const readId = (attribute: Attribute | undefined): string | undefined => readText(attribute, MAX_ID_CHARACTERS);

/** A name or a reason; `undefined` likewise. */
export const readWords = (attribute: Attribute | undefined): string | undefined =>
  readText(attribute, MAX_WORDS_CHARACTERS);

/** `undefined` for anything but a moment of ISO 8601 with its offset. */
export const readDate = (attribute: Attribute | undefined): Date | undefined =>
  parseNotAfter(readText(attribute, MAX_DATE_CHARACTERS));

/** `undefined` for anything but a whole number that we could have written. */
export const readCount = (attribute: Attribute | undefined): number | undefined => {
  const value: unknown = attribute?.stringValue;
  const count = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  return count <= MAX_REPLAY_COUNT ? count : undefined;
};

/** Whether SQS's `SenderId` is one of the listed ids; the session of a role is chosen by whoever assumes it. */
export const isListed = (senderId: string | undefined, ids: readonly string[]): boolean =>
  ids.length > 0 && senderId !== undefined && ids.includes(senderId.split(':', 1)[0] ?? '');

/**
 * Where a message comes from. An attribute can make a request older than its sending, or renew it as of an earlier
 * moment, but never make it younger.
 */
export const readProvenance = (
  attributes: Attributes,
  { messageId, sentAt, senderId }: Sending,
  { renewalSenders, callerSenders }: Trust = TRUST_NOBODY,
): Provenance => {
  const notLater = (moment: Date): Date => (moment < sentAt ? moment : sentAt);
  const firstSentAt = readDate(attributes['FirstSentAt']);
  const renewedAt = isListed(senderId, renewalSenders) ? readDate(attributes['RenewedAt']) : undefined;
  const caller = isListed(senderId, callerSenders) ? readWords(attributes['Caller']) : undefined;
  const replayedBy = readWords(attributes['ReplayedBy']);
  const replayReason = readWords(attributes['ReplayReason']);
  return {
    originalMessageId: readId(attributes['OriginalMessageId']) ?? messageId,
    firstSentAt: firstSentAt ? notLater(firstSentAt) : sentAt,
    replayCount: readCount(attributes['ReplayCount']) ?? 0,
    ...(replayedBy === undefined ? {} : { replayedBy }),
    ...(replayReason === undefined ? {} : { replayReason }),
    ...(renewedAt ? { renewedAt: notLater(renewedAt) } : {}),
    ...(caller === undefined ? {} : { caller }),
  };
};
