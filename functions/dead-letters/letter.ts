/**
 * A dead letter, written and read back in one file: the failure attributes of the contract, the attributes by which a
 * replayed message remembers where it came from, and the letter as it waits in `rejected` or `exhausted`.
 */
import { hash } from 'node:crypto';
import type { Message } from '@aws-sdk/client-sqs';
import { type Attributes, MAX_ATTRIBUTES, MAX_MESSAGE_BYTES, messageBytes, sqsText, text } from '../aws/message.ts';
import { type Provenance, readDate, readProvenance } from '../requests/provenance.ts';

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
  /** Set only when an expired request is renewed. */
  readonly renewedAt?: Date | undefined;
}

export const MAX_ERROR_MESSAGE_CHARACTERS = 1024;

/** Taken off again when a dead letter is replayed. */
const FAILURE_NAMES = ['ErrorCode', 'ErrorMessage', 'FailedAt'] as const;
/** Ours too, but they outlive a replay. */
const PROVENANCE_NAMES = ['OriginalMessageId', 'FirstSentAt', 'ReplayCount'] as const;
const REPLAY_NAMES = ['ReplayedBy', 'ReplayReason', 'RenewedAt'] as const;

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

export interface Letter {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly provenance: Provenance;
  /** `undefined` for what SQS itself moved. */
  readonly failure: Failure | undefined;
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

export const readLetter = (message: Message): Letter => {
  const attributes = readAttributes(message);
  const system = message.Attributes ?? {};
  const messageId = message.MessageId ?? '';
  const sentAt = new Date(Number(system['SentTimestamp'] ?? 0));
  const failure = readFailure(attributes);
  return {
    messageId,
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes,
    provenance: readProvenance(attributes, messageId, sentAt),
    failure,
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
