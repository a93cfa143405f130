/**
 * What a dead letter carries, written and read back in one file: the six failure attributes of the contract, and the
 * attributes by which a replayed message remembers where it came from.
 */

/** One SQS message attribute; `dataType` may carry a custom label (`String.uuid`), `binaryValue` is base64. */
export interface Attribute {
  readonly dataType: string;
  readonly stringValue?: string | undefined;
  readonly binaryValue?: string | undefined;
}
export type Attributes = Readonly<Record<string, Attribute>>;

/** Why a message was rejected, and what it was. */
export interface Failure {
  readonly errorCode: string;
  readonly errorMessage: string;
  readonly failedAt: Date;
}

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

/** Who replays, when and why. */
export interface Replay {
  readonly replayedBy: string;
  readonly reason?: string | undefined;
  /** Set only when an expired request is renewed. */
  readonly renewedAt?: Date | undefined;
}

/** AWS: a message carries at most ten attributes (SQS Developer Guide, "Amazon SQS message metadata"). */
export const MAX_ATTRIBUTES = 10;
/** AWS: body and attributes together, 1 MiB since August 2025 (SQS Developer Guide, "message quotas"). */
export const MAX_MESSAGE_BYTES = 1_048_576;
export const MAX_ERROR_MESSAGE_CHARACTERS = 1024;

/** Taken off again when a dead letter is replayed. */
const FAILURE_NAMES = ['ErrorCode', 'ErrorMessage', 'FailedAt'] as const;
/** Ours too, but they outlive a replay. */
const PROVENANCE_NAMES = ['OriginalMessageId', 'FirstSentAt', 'ReplayCount'] as const;
const REPLAY_NAMES = ['ReplayedBy', 'ReplayReason', 'RenewedAt'] as const;

const text = (stringValue: string): Attribute => ({ dataType: 'String', stringValue });

/** Bytes that SQS counts for one message: the body and each attribute's name, type and value. */
export const messageBytes = (body: string, attributes: Attributes): number => {
  let bytes = Buffer.byteLength(body);
  for (const [name, { dataType, stringValue, binaryValue }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(dataType);
    // Absent in SQS's own events, null in some that are made by hand.
    bytes += stringValue == null ? 0 : Buffer.byteLength(stringValue);
    bytes += binaryValue == null ? 0 : Buffer.byteLength(binaryValue, 'base64');
  }
  return bytes;
};

/** SQS refuses control characters and lone surrogates; an error text from outside may hold either. */
const sqsText = (value: string, maxCharacters: number): string => {
  const clean = value
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the very characters that SQS refuses
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
  // SQS refuses an empty value as well.
  return (clean.length > maxCharacters ? clean.slice(0, maxCharacters).toWellFormed() : clean) || '-';
};

/**
 * Puts our attributes beside the message's own, and makes room where SQS has none: its own attributes are dropped last
 * to first, then (only for a body near 1 MiB) ours from the end of `ours`.
 */
const makeRoom = (body: string, own: Attributes, ours: Attributes): { attributes: Attributes; dropped: string[] } => {
  const kept = new Map(Object.entries(own).filter(([name]) => !Object.hasOwn(ours, name)));
  const added = new Map(Object.entries(ours));
  const dropped: string[] = [];
  const attributes = () => Object.fromEntries([...kept, ...added]);
  const tooMuch = () => kept.size + added.size > MAX_ATTRIBUTES || messageBytes(body, attributes()) > MAX_MESSAGE_BYTES;
  while (tooMuch()) {
    const from = kept.size > 0 ? kept : added;
    const last = [...from.keys()].at(-1);
    if (last === undefined) break;
    from.delete(last);
    dropped.push(last);
  }
  return { attributes: attributes(), dropped };
};

const without = (attributes: Attributes, names: readonly string[]): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));

/**
 * The attributes of a dead letter in `rejected`, beside the original body. `dropped` names the original's own attributes
 * that found no room among SQS's ten (or in its 1 MiB).
 */
export const deadLetterAttributes = (
  body: string,
  own: Attributes,
  provenance: Provenance,
  failure: Failure,
): { attributes: Attributes; dropped: string[] } =>
  makeRoom(body, own, {
    // In the order of their worth to an operator: the last go first when a body leaves no room.
    ErrorCode: text(failure.errorCode),
    OriginalMessageId: text(provenance.originalMessageId),
    FirstSentAt: text(provenance.firstSentAt.toISOString()),
    ReplayCount: { dataType: 'Number', stringValue: String(provenance.replayCount) },
    FailedAt: text(failure.failedAt.toISOString()),
    ErrorMessage: text(sqsText(failure.errorMessage, MAX_ERROR_MESSAGE_CHARACTERS)),
  });

const readDate = (attribute: Attribute | undefined): Date | undefined => {
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

/** Why a dead letter was rejected, or `undefined` for one that SQS itself moved to `exhausted`. */
export const readFailure = (attributes: Attributes): Failure | undefined => {
  const errorCode = attributes['ErrorCode']?.stringValue;
  if (!errorCode) return undefined;
  return {
    errorCode,
    errorMessage: attributes['ErrorMessage']?.stringValue ?? '',
    failedAt: readDate(attributes['FailedAt']) ?? new Date(0),
  };
};

/**
 * The attributes of a dead letter that goes back to `requests`: its own, its provenance with one replay more, and who
 * replays it and why; the failure is taken off. A renewal once given holds for later replays too.
 */
export const replayAttributes = (
  body: string,
  attributes: Attributes,
  provenance: Provenance,
  { replayedBy, reason, renewedAt = provenance.renewedAt }: Replay,
): { attributes: Attributes; dropped: string[] } =>
  makeRoom(body, without(attributes, [...FAILURE_NAMES, ...PROVENANCE_NAMES, ...REPLAY_NAMES]), {
    OriginalMessageId: text(provenance.originalMessageId),
    FirstSentAt: text(provenance.firstSentAt.toISOString()),
    ReplayCount: { dataType: 'Number', stringValue: String(provenance.replayCount + 1) },
    ...(renewedAt ? { RenewedAt: text(renewedAt.toISOString()) } : {}),
    ReplayedBy: text(sqsText(replayedBy, 256)),
    ...(reason ? { ReplayReason: text(sqsText(reason, 256)) } : {}),
  });
