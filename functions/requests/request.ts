/** What counts as a request: a message body in, an EnableRequest or the reason why it is none out. */
import { isNull, type ObjectText, readBody, readString, type Span, type ValueText } from './body.ts';
import { type FieldName, REQUESTER_FIELDS } from './fields.ts';
import type { Provenance } from './provenance.ts';

/** One password to enable. The strings are the requester's own words: audited, never sent to Segura. */
export interface EnableRequest {
  /** Of the password in MySafe: 1 to 2^53-1. */
  readonly identifier: number;
  readonly requestId?: string;
  readonly requestedBy?: string;
  readonly reason?: string;
  readonly source?: string;
  /** The request must not be carried out after this moment. */
  readonly notAfter?: Date;
}

export type RequesterFields = { readonly [Field in (typeof REQUESTER_FIELDS)[number]]?: string };

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: EnableRequest }
  /**
   * `reason` says what to fix, without a word of the body; `requester` has those fields that are well-formed
   * nevertheless, so that the ticket can be told.
   */
  | { readonly kind: 'invalid'; readonly reason: string; readonly requester: RequesterFields };

/** The requester's own words, where given; also of a message that is not a request. */
export const requesterOf = (parsed: ParsedRequest): RequesterFields =>
  parsed.kind === 'request' ? parsed.request : parsed.requester;

/** In characters as JSON Schema counts them: code points. */
const MAX_FIELD_CHARACTERS = 256;

const FORMS = 'send 10, "10" or {"identifier": 10}';
const DECIMAL_DIGITS = /^[1-9][0-9]{0,15}$/;
const ISO_8601_WITH_OFFSET =
  /^(\d{4}-\d{2}-(\d{2}))T\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)$/;

/** `key` is one of ours. */
const standsTwice = (key: string): string => `${key} stands twice: leave only the one that was approved`;

const invalid = (reason: string, requester: RequesterFields = {}): ParsedRequest => ({
  kind: 'invalid',
  reason,
  requester,
});

/** @returns the identifier, or `undefined` for anything but 1 to 2^53-1 in decimal digits. */
export const parseIdentifier = (value: unknown): number | undefined => {
  if (typeof value !== 'number' && !(typeof value === 'string' && DECIMAL_DIGITS.test(value))) return undefined;
  const identifier = Number(value);
  return Number.isSafeInteger(identifier) && identifier > 0 ? identifier : undefined;
};

/** As it is written: 1e1 and 10.0 are 10 to JSON.parse, but no decimal digits. */
const readIdentifier = (text: string, written: Span | undefined): number | undefined =>
  written && parseIdentifier(readString(text, written) ?? text.slice(written.start, written.end));

/** @returns the moment, or `undefined` for anything but an existing ISO 8601 date and time with an offset. */
export const parseNotAfter = (value: unknown): Date | undefined => {
  const parts = typeof value === 'string' ? ISO_8601_WITH_OFFSET.exec(value) : null;
  if (!parts) return undefined;
  // ECMAScript reads neither a decimal comma nor an offset without colon, and takes 30 February for 2 March.
  const [written, day, dayOfMonth] = parts;
  if (new Date(`${day}T00:00Z`).getUTCDate() !== Number(dayOfMonth)) return undefined;
  const moment = new Date(
    written.replace(',', '.').replace(/([+-]\d{2}):?(\d{2})?$/, (_, hours, minutes) => `${hours}:${minutes ?? '00'}`),
  );
  return Number.isNaN(moment.getTime()) ? undefined : moment;
};

/** A field's value: `undefined` where it is not given, `false` where it is not a string. */
type ReadField = (name: FieldName) => string | false | undefined;

/** What is wrong with the first field that is not well-formed, and those that are. */
const readRequester = (read: ReadField): { requester: RequesterFields; fault: string | undefined } => {
  const requester: Record<string, string> = {};
  let fault: string | undefined;
  for (const name of REQUESTER_FIELDS) {
    const value = read(name);
    if (value === undefined) continue;
    if (value === false) fault ??= `${name} must be a string`;
    else if (value.length > MAX_FIELD_CHARACTERS && [...value].length > MAX_FIELD_CHARACTERS) {
      fault ??= `${name} must be at most ${MAX_FIELD_CHARACTERS} characters`;
    } else requester[name] = value;
  }
  return { requester, fault };
};

const readRequest = (identifier: number | undefined, read: ReadField): ParsedRequest => {
  const { requester, fault } = readRequester(read);
  if (identifier === undefined) {
    return invalid('identifier must be a positive integer up to 9007199254740991 in decimal digits', requester);
  }
  if (fault !== undefined) return invalid(fault, requester);
  const written = read('notAfter');
  if (written === undefined) return { kind: 'request', request: { identifier, ...requester } };
  const notAfter = parseNotAfter(written);
  if (!notAfter) return invalid('notAfter must be ISO 8601 with offset, such as 2026-01-31T17:00:00Z', requester);
  return { kind: 'request', request: { identifier, ...requester, notAfter } };
};

const readObject = ({ text, values, twice }: ObjectText): ParsedRequest => {
  const read: ReadField = (name) => {
    const written = values.get(name);
    // Of a field that stands twice, neither is told.
    if (written === undefined || isNull(text, written) || twice.has(name)) return undefined;
    return readString(text, written) ?? false;
  };
  const [repeated] = twice;
  if (repeated !== undefined) return invalid(standsTwice(repeated), readRequester(read).requester);
  return readRequest(readIdentifier(text, values.get('identifier')), read);
};

/** Reads a request whose fields are texts already, such as the cells of a table. */
export const parseFields = (fields: Readonly<Partial<Record<FieldName, string>>>): ParsedRequest =>
  readRequest(parseIdentifier(fields.identifier), (name) => fields[name]);

/** @param value as readBody finds it */
export const parseValue = (value: ValueText): ParsedRequest => {
  switch (value.kind) {
    case 'not-json':
      return invalid(`the body is not JSON: ${FORMS}`);
    case 'envelope-twice':
      return invalid(standsTwice(value.key));
    case 'object':
      return readObject(value);
    case 'other': {
      const identifier = readIdentifier(value.text, value);
      return identifier === undefined
        ? invalid(`the body is not an identifier from 1 to 9007199254740991: ${FORMS}`)
        : { kind: 'request', request: { identifier } };
    }
  }
};

/** Of a longer body `JSON.parse` would build what nobody asked for. */
const MAX_CANONICAL_CHARACTERS = 4096;

/** The object that `JSON.stringify` would write so: no key stands twice in it, and each number is in its own form. */
const parseCanonical = (body: string): Readonly<Record<string, unknown>> | undefined => {
  if (!body.startsWith('{') || body.length > MAX_CANONICAL_CHARACTERS) return undefined;
  try {
    const value = JSON.parse(body);
    return JSON.stringify(value) === body ? value : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Reads a message body in any form of the contract. Never throws. Most senders write a request as `JSON.stringify` does;
 * then its values can be taken as they are, in a fifth of the time.
 */
export const parseRequest = (body: string): ParsedRequest => {
  const value = parseCanonical(body);
  if (value?.['identifier'] === undefined) return parseValue(readBody(body));
  return readRequest(parseIdentifier(value['identifier']), (name) => {
    const field = value[name];
    if (field === undefined || field === null) return undefined;
    return typeof field === 'string' && field;
  });
};

/**
 * Why a request must not be carried out at `now`, or `undefined` where it may be.
 * A renewal (see dead-letters/letter.ts) makes the age count again and voids a `notAfter` before it.
 */
export const expiredReason = (
  request: Pick<EnableRequest, 'notAfter'>,
  { firstSentAt, renewedAt }: Pick<Provenance, 'firstSentAt' | 'renewedAt'>,
  now: number,
  maxRequestAgeSeconds: number,
): string | undefined => {
  const { notAfter } = request;
  if (notAfter && now > notAfter.getTime() && !(renewedAt && notAfter < renewedAt)) {
    return `the request was not to be carried out after ${notAfter.toISOString()}`;
  }
  const countsFrom = renewedAt ?? firstSentAt;
  if (maxRequestAgeSeconds > 0 && now - countsFrom.getTime() > maxRequestAgeSeconds * 1000) {
    return `the request of ${countsFrom.toISOString()} is older than ${maxRequestAgeSeconds} s`;
  }
  return undefined;
};
