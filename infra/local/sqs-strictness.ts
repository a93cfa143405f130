/**
 * What SQS refuses of a message or a call, in AWS's words (SQS API Reference, "SendMessage", "ReceiveMessage",
 * "ChangeMessageVisibility" and "message quotas", read 2026-11).
 */
import type { MessageAttribute, Refusal } from './queue.ts';

export type Json = Record<string, unknown>;

const MAX_ATTRIBUTES = 10;
const MAX_DELAY_SECONDS = 900;
const MAX_WAIT_SECONDS = 20;
const MAX_VISIBILITY_SECONDS = 43_200;
const MAX_MESSAGE_BYTES = 1_048_576;
const MAX_BATCH_ENTRIES = 10;

const invalid = (message: string): Refusal => ({ code: 'InvalidParameterValue', message });
const missing = (parameter: string): Refusal => ({
  code: 'MissingParameter',
  message: `The request must contain the parameter ${parameter}.`,
});

export const entriesOf = (input: Json): Json[] => (Array.isArray(input['Entries']) ? (input['Entries'] as Json[]) : []);
export const attributesOf = (entry: Json): Readonly<Record<string, MessageAttribute>> =>
  (entry['MessageAttributes'] as Readonly<Record<string, MessageAttribute>> | undefined) ?? {};

/** Bytes that SQS counts: the body and each attribute's name, type and value. */
const bytesOf = (entry: Json): number => {
  let bytes = Buffer.byteLength(String(entry['MessageBody'] ?? ''));
  for (const [name, { DataType, StringValue = '', BinaryValue = '' }] of Object.entries(attributesOf(entry))) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(DataType ?? '') + Buffer.byteLength(StringValue);
    bytes += Buffer.byteLength(BinaryValue, 'base64');
  }
  return bytes;
};

/** AWS: #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD, #x10000 to #x10FFFF. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the very characters that SQS refuses
const REFUSED_CHARACTERS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Surrogate}]/u;
const ATTRIBUTE_NAME = /^(?!aws\.|amazon\.|\.)(?!.*\.\.)[\w.-]{1,256}(?<!\.)$/i;
const ATTRIBUTE_TYPE = /^(String|Number|Binary)(\..+)?$/;
/** Of groups and deduplication ids: letters, digits and punctuation. */
const TOKEN = /^[\x21-\x7e]{1,128}$/;

const refuseAttribute = (name: string, { DataType, StringValue, BinaryValue }: MessageAttribute) => {
  if (!ATTRIBUTE_NAME.test(name)) return invalid(`Invalid attribute name: ${name}`);
  if (!ATTRIBUTE_TYPE.test(DataType ?? '')) {
    return invalid(
      `The type of message (user) attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`,
    );
  }
  const value = DataType.startsWith('Binary') ? BinaryValue : StringValue;
  if (!value)
    return invalid(`Message (user) attribute '${name}' must contain a non-empty value of type '${DataType}'.`);
  if (REFUSED_CHARACTERS.test(StringValue ?? ''))
    return invalid(`Message (user) attribute '${name}' has invalid characters.`);
  return DataType.startsWith('Number') && !Number.isFinite(Number(value))
    ? invalid(`Can't cast the value of message (user) attribute '${name}' to a number.`)
    : undefined;
};

const refuseAttributes = (entry: Json): Refusal | undefined => {
  const attributes = Object.entries(attributesOf(entry));
  if (attributes.length > MAX_ATTRIBUTES) {
    return invalid(
      `Number of message attributes [${attributes.length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`,
    );
  }
  for (const [name, attribute] of attributes) {
    const refusal = refuseAttribute(name, attribute);
    if (refusal) return refusal;
  }
  return undefined;
};

const refuseToken = (entry: Json, parameter: string): Refusal | undefined => {
  const value = entry[parameter];
  return value === undefined || TOKEN.test(String(value))
    ? undefined
    : invalid(
        `Value ${value} for parameter ${parameter} is invalid. Reason: ${parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
      );
};

const ofOtherType = (entry: Json, parameter: string): Refusal =>
  invalid(
    `Value ${entry[parameter]} for parameter ${parameter} is invalid. Reason: The request includes a parameter that is not valid for this queue type.`,
  );

const refuseOrder = (entry: Json, isFifo: boolean, deduplicatesByContent: boolean): Refusal | undefined => {
  if (!isFifo) {
    return entry['MessageDeduplicationId'] === undefined ? undefined : ofOtherType(entry, 'MessageDeduplicationId');
  }
  if (entry['MessageGroupId'] === undefined) return missing('MessageGroupId');
  if (Number(entry['DelaySeconds'] ?? 0) !== 0) return ofOtherType(entry, 'DelaySeconds');
  return entry['MessageDeduplicationId'] === undefined && !deduplicatesByContent
    ? invalid(
        'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
      )
    : undefined;
};

const isWholeWithin = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

const refuseNumber = (input: Json, parameter: string, least: number, most: number): Refusal | undefined => {
  const value = input[parameter];
  return value === undefined || isWholeWithin(value, least, most)
    ? undefined
    : invalid(`Value ${value} for parameter ${parameter} is invalid. Reason: Must be between ${least} and ${most}.`);
};

export interface QueueKind {
  readonly isFifo: boolean;
  readonly deduplicatesByContent: boolean;
  readonly maxBytes: number;
}

export const refuseSend = (
  entry: Json,
  { isFifo, deduplicatesByContent, maxBytes }: QueueKind,
): Refusal | undefined => {
  const body = entry['MessageBody'];
  if (typeof body !== 'string' || body === '') return missing('MessageBody');
  if (REFUSED_CHARACTERS.test(body)) {
    return {
      code: 'InvalidMessageContents',
      message:
        'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
    };
  }
  return (
    refuseAttributes(entry) ??
    (bytesOf(entry) > maxBytes
      ? invalid(`One or more parameters are invalid. Reason: Message must be shorter than ${maxBytes} bytes.`)
      : undefined) ??
    refuseNumber(entry, 'DelaySeconds', 0, MAX_DELAY_SECONDS) ??
    refuseToken(entry, 'MessageGroupId') ??
    refuseToken(entry, 'MessageDeduplicationId') ??
    refuseOrder(entry, isFifo, deduplicatesByContent)
  );
};

export const refuseReceive = (input: Json): Refusal | undefined =>
  refuseNumber(input, 'MaxNumberOfMessages', 1, MAX_BATCH_ENTRIES) ??
  refuseNumber(input, 'WaitTimeSeconds', 0, MAX_WAIT_SECONDS) ??
  refuseNumber(input, 'VisibilityTimeout', 0, MAX_VISIBILITY_SECONDS);

export const refuseHandle = (entry: Json): Refusal | undefined =>
  typeof entry['ReceiptHandle'] === 'string' && entry['ReceiptHandle'] !== '' ? undefined : missing('ReceiptHandle');

export const refuseVisibility = (entry: Json): Refusal | undefined =>
  refuseHandle(entry) ??
  (entry['VisibilityTimeout'] === undefined ? missing('VisibilityTimeout') : undefined) ??
  refuseNumber(entry, 'VisibilityTimeout', 0, MAX_VISIBILITY_SECONDS);

/** Of a batch as a whole: then nothing of it is carried out. */
export const refuseBatch = (action: string, input: Json): Refusal | undefined => {
  const entries = entriesOf(input);
  if (entries.length === 0) {
    return { code: 'EmptyBatchRequest', message: 'There should be at least one entry in the request.' };
  }
  if (entries.length > MAX_BATCH_ENTRIES) {
    const message = `Maximum number of entries per request are ${MAX_BATCH_ENTRIES}. You have sent ${entries.length}.`;
    return { code: 'TooManyEntriesInBatchRequest', message };
  }
  const ids = entries.map(({ Id }) => String(Id ?? ''));
  if (ids.some((id) => !/^[\w-]{1,80}$/.test(id))) {
    const message =
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.';
    return { code: 'InvalidBatchEntryId', message };
  }
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) return { code: 'BatchEntryIdsNotDistinct', message: `Id ${repeated} repeated.` };
  const bytes = action === 'SendMessageBatch' ? entries.reduce((sum, entry) => sum + bytesOf(entry), 0) : 0;
  return bytes > MAX_MESSAGE_BYTES
    ? {
        code: 'BatchRequestTooLong',
        message: `Batch requests cannot be longer than ${MAX_MESSAGE_BYTES} bytes. You have sent ${bytes} bytes.`,
      }
    : undefined;
};
