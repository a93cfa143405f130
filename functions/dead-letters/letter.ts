/**
 * A dead letter, written and read back in one file: the failure attributes of the contract, the attributes by which a
 * replayed message remembers where it came from, and the letter as it waits in `rejected` or `exhausted`.
 */
import { hash } from 'node:crypto';
import type { Message } from '@aws-sdk/client-sqs';
import { type Attributes, MAX_ATTRIBUTES, MAX_MESSAGE_BYTES, messageBytes, sqsText, text } from '../aws/message.ts';
import {
  MAX_REPLAY_COUNT,
  MAX_WORDS_CHARACTERS,
  type Provenance,
  readCount,
  readDate,
  readId,
  readProvenance,
  readWords,
} from '../requests/provenance.ts';

export const DEAD_LETTER_QUEUES = ['rejected', 'exhausted'] as const;
export type DeadLetterQueue = (typeof DEAD_LETTER_QUEUES)[number];

/** Why a message was rejected, and what it was. */
export interface Failure {
  readonly errorCode: string;
  readonly errorMessage: string;
  readonly failedAt: Date;
}

/** Who replays, when and why. */
export interface Replay {
  readonly replayedBy: string;
  readonly reason?: string | undefined;
  /** Set only when an expired request is renewed; it holds for this one replay. */
  readonly renewedAt?: Date | undefined;
}

export const MAX_ERROR_MESSAGE_CHARACTERS = 1024;
/** Of a letter in `rejected` that carries no error code. */
export const UNKNOWN_CODE = 'unknown';

/**
 * The attributes that are ours, in the order in which they go where a body near 1 MiB leaves no room: what an operator
 * can do without first, the error code last.
 */
const OUR_NAMES = [
  'ErrorMessage',
  'FailedAt',
  'ReplayReason',
  'ReplayedBy',
  'Caller',
  'ReplayCount',
  'FirstSentAt',
  'OriginalMessageId',
  'ErrorCode',
  // Only in a replay that renews: without it the request would only expire again.
  'RenewedAt',
] as const;
type OurAttributes = { readonly [Name in (typeof OUR_NAMES)[number]]?: Attributes[string] | undefined };

/** What a sender wrote into our attributes is taken off; what of it may stay is written again, bounded. */
const ownAttributes = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !(OUR_NAMES as readonly string[]).includes(name)));

/**
 * Puts our attributes beside the message's own, and makes room where SQS has none: its own are dropped in reverse order
 * of their names, then (only for a body near 1 MiB) ours in the order of `OUR_NAMES`.
 */
const makeRoom = (
  body: string,
  attributes: Attributes,
  ours: OurAttributes,
): { attributes: Attributes; dropped: string[] } => {
  const left = new Map(Object.entries(ownAttributes(attributes)));
  const mayGo = [...left.keys()].sort().reverse();
  for (const name of OUR_NAMES) {
    const attribute = ours[name];
    if (attribute === undefined) continue;
    left.set(name, attribute);
    mayGo.push(name);
  }
  const dropped: string[] = [];
  const isTooMuch = () =>
    left.size > MAX_ATTRIBUTES || messageBytes(body, Object.fromEntries(left)) > MAX_MESSAGE_BYTES;
  for (const name of mayGo) {
    if (!isTooMuch()) break;
    left.delete(name);
    dropped.push(name);
  }
  return { attributes: Object.fromEntries(left), dropped };
};

/** As SQS takes it, and as readWords reads it back. */
const words = (value: string): Attributes[string] => {
  const clean = sqsText(value, 2 * MAX_WORDS_CHARACTERS);
  return text(clean.length <= MAX_WORDS_CHARACTERS ? clean : [...clean].slice(0, MAX_WORDS_CHARACTERS).join(''));
};

const wordsOrNone = (value: string | undefined): Attributes[string] | undefined => (value ? words(value) : undefined);

const number = (value: number): Attributes[string] => ({ dataType: 'Number', stringValue: String(value) });

/**
 * The attributes of a dead letter in `rejected`, beside the original body. `dropped` names those that found no room among
 * SQS's ten (or in its 1 MiB). `Caller` is passed on as it came: only the audit line says whether it is proven.
 */
export const deadLetterAttributes = (
  body: string,
  own: Attributes,
  provenance: Provenance,
  failure: Failure,
): { attributes: Attributes; dropped: string[] } =>
  makeRoom(body, own, {
    ErrorCode: text(failure.errorCode),
    ErrorMessage: text(sqsText(failure.errorMessage, MAX_ERROR_MESSAGE_CHARACTERS)),
    OriginalMessageId: text(provenance.originalMessageId),
    FirstSentAt: text(provenance.firstSentAt.toISOString()),
    FailedAt: text(failure.failedAt.toISOString()),
    ReplayCount: number(provenance.replayCount),
    ReplayedBy: wordsOrNone(provenance.replayedBy),
    ReplayReason: wordsOrNone(provenance.replayReason),
    Caller: wordsOrNone(readWords(own['Caller'])),
  });

/** Why a letter in `rejected` was rejected. */
export const readFailure = (attributes: Attributes, sentAt: Date): Failure => {
  const errorCode = readId(attributes['ErrorCode']);
  return {
    // `none` is the code of what SQS moved: in `rejected` it can only be a sender's own word.
    errorCode: errorCode === undefined || errorCode === NO_CODE ? UNKNOWN_CODE : errorCode,
    errorMessage: (attributes['ErrorMessage']?.stringValue ?? '').slice(0, MAX_ERROR_MESSAGE_CHARACTERS).toWellFormed(),
    // The function sent it at that moment, as far as SQS knows.
    failedAt: readDate(attributes['FailedAt']) ?? sentAt,
  };
};

/**
 * The attributes of a dead letter that goes back to `requests`: its own, its provenance with one replay more, and who
 * replays it and why; the failure is taken off, and so is an earlier renewal: it held for one replay.
 */
export const replayAttributes = (
  body: string,
  attributes: Attributes,
  provenance: Provenance,
  { replayedBy, reason, renewedAt }: Replay,
): { attributes: Attributes; dropped: string[] } =>
  makeRoom(body, attributes, {
    OriginalMessageId: text(provenance.originalMessageId),
    FirstSentAt: text(provenance.firstSentAt.toISOString()),
    ReplayCount: number(Math.min(MAX_REPLAY_COUNT, provenance.replayCount + 1)),
    RenewedAt: renewedAt && text(renewedAt.toISOString()),
    ReplayedBy: words(replayedBy),
    ReplayReason: wordsOrNone(reason),
    Caller: wordsOrNone(readWords(attributes['Caller'])),
  });

/** `none` stands for what SQS itself moved to `exhausted`. */
export const NO_CODE = 'none';

export interface Letter {
  readonly queue: DeadLetterQueue;
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly provenance: Provenance;
  /** Of a letter in `rejected`; of one that SQS itself moved there is none, whatever attributes a sender wrote. */
  readonly failure: Failure | undefined;
  /** Without a readable `FirstSentAt` the age of a letter in `rejected` is unknown: SQS's time is that of its rejection. */
  readonly isAgeKnown: boolean;
  /** A letter without `ReplayCount` was never replayed, unless a body near 1 MiB left no room for it. */
  readonly isCountKnown: boolean;
  /** When it failed or, where SQS moved it, was sent. */
  readonly at: Date;
  /** SQS's own clock; of a letter that SQS moved, the sending to `requests`. */
  readonly sentAt: Date;
  readonly groupId: string | undefined;
  /** X-Ray's header. */
  readonly traceHeader: string | undefined;
}

const readAttributes = (message: Message): Attributes =>
  Object.fromEntries(
    Object.entries(message.MessageAttributes ?? {}).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        dataType: DataType ?? 'String',
        ...(StringValue === undefined ? {} : { stringValue: StringValue }),
        ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
      },
    ]),
  );

const hasRoomForCount = (body: string, attributes: Attributes): boolean =>
  messageBytes(body, attributes) + messageBytes('', { ReplayCount: number(MAX_REPLAY_COUNT) }) <= MAX_MESSAGE_BYTES;

/** The queue, not an attribute, says which kind of letter it is. */
export const readLetter = (message: Message, queue: DeadLetterQueue): Letter => {
  const attributes = readAttributes(message);
  const system = message.Attributes ?? {};
  const { MessageId: messageId = '', Body: body = '' } = message;
  const sentAt = new Date(Number(system['SentTimestamp'] ?? 0));
  const failure = queue === 'rejected' ? readFailure(attributes, sentAt) : undefined;
  return {
    queue,
    messageId,
    receiptHandle: message.ReceiptHandle ?? '',
    body,
    attributes,
    provenance: readProvenance(attributes, { messageId, sentAt }),
    failure,
    isAgeKnown: queue === 'exhausted' || readDate(attributes['FirstSentAt']) !== undefined,
    isCountKnown: readCount(attributes['ReplayCount']) !== undefined || hasRoomForCount(body, attributes),
    at: failure?.failedAt ?? sentAt,
    sentAt,
    groupId: system['MessageGroupId'],
    traceHeader: system['AWSTraceHeader'],
  };
};

/**
 * The same for letters that are one request. The original's id alone does not say so, for any sender can write it; the
 * body is kept byte for byte. A hash, since a replay remembers up to 100,000 of them and a body may have 1 MiB.
 */
export const requestKey = ({ body, provenance }: Pick<Letter, 'body' | 'provenance'>): string =>
  hash('sha256', JSON.stringify([provenance.originalMessageId, body]), 'base64');
