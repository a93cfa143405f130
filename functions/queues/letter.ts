/** A dead letter as it lies in `rejected` or `exhausted`: what SQS gave, read into what it was and why it lies there. */
import { hash } from 'node:crypto';
import type { Message } from '@aws-sdk/client-sqs';
import { type Attributes, type Failure, type Provenance, readFailure, readProvenance } from './dead-letters.ts';

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
