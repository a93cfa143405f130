/** What one SQS message is made of, and how much of it SQS takes. */

/** One SQS message attribute; `dataType` may carry a custom label (`String.uuid`), `binaryValue` is base64. */
export interface Attribute {
  readonly dataType: string;
  readonly stringValue?: string | undefined;
  readonly binaryValue?: string | undefined;
}
export type Attributes = Readonly<Record<string, Attribute>>;

/** AWS: a message carries at most ten attributes (SQS Developer Guide, "Amazon SQS message metadata"). */
export const MAX_ATTRIBUTES = 10;
/** AWS: body and attributes together, 1 MiB since August 2025 (SQS Developer Guide, "message quotas"). */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** A plain attribute. */
export const text = (stringValue: string): Attribute => ({ dataType: 'String', stringValue });

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
export const sqsText = (value: string, maxCharacters: number): string => {
  const clean = value
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the very characters that SQS refuses
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
  // SQS refuses an empty value as well.
  return (clean.length > maxCharacters ? clean.slice(0, maxCharacters).toWellFormed() : clean) || '-';
};
