/** Where a message comes from: its first sending, its replays, as far as its attributes say. */
import type { Attribute, Attributes } from '../aws/message.ts';

/** Where a message comes from, through any number of replays. */
export interface Provenance {
  /** SQS message id of the first sending. */
  readonly originalMessageId: string;
  /** The first sending; a replay does not make a request younger. */
  readonly firstSentAt: Date;
  /** How often it was replayed; 0 for a first sending. */
  readonly replayCount: number;
  /** When somebody renewed an expired request: its age counts from here, and an older `notAfter` is void. */
  readonly renewedAt?: Date;
  readonly replayedBy?: string;
  readonly replayReason?: string;
}

export const readDate = (attribute: Attribute | undefined): Date | undefined => {
  const date = new Date(attribute?.stringValue ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
};

/**
 * Where a message comes from. `sentAt` is SQS's own `SentTimestamp`: an attribute can make a request older than that,
 * or renew it as of an earlier moment, but never make it younger than its sending.
 */
export const readProvenance = (attributes: Attributes, messageId: string, sentAt: Date): Provenance => {
  const firstSentAt = readDate(attributes['FirstSentAt']);
  const renewedAt = readDate(attributes['RenewedAt']);
  const replayCount = Number(attributes['ReplayCount']?.stringValue);
  const replayedBy = attributes['ReplayedBy']?.stringValue;
  const replayReason = attributes['ReplayReason']?.stringValue;
  return {
    originalMessageId: attributes['OriginalMessageId']?.stringValue || messageId,
    firstSentAt: firstSentAt && firstSentAt < sentAt ? firstSentAt : sentAt,
    replayCount: Number.isSafeInteger(replayCount) && replayCount > 0 ? replayCount : 0,
    ...(renewedAt ? { renewedAt: renewedAt < sentAt ? renewedAt : sentAt } : {}),
    ...(replayedBy ? { replayedBy } : {}),
    ...(replayReason ? { replayReason } : {}),
  };
};
