/** What counts as a request: a message body in, an EnableRequest or the reason why it is none out. */
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

export const REQUESTER_FIELDS = ['requestId', 'requestedBy', 'reason', 'source'] as const;
export type RequesterFields = { readonly [Field in (typeof REQUESTER_FIELDS)[number]]?: string };

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: EnableRequest }
  /**
   * `reason` says what to mend, without a word of the body; `requester` has those fields that are well-formed
   * nevertheless, so that the ticket can be told.
   */
  | { readonly kind: 'invalid'; readonly reason: string; readonly requester: RequesterFields };

/** The requester's own words, where given; also of a message that is no request. */
export const requesterOf = (parsed: ParsedRequest): RequesterFields =>
  parsed.kind === 'request' ? parsed.request : parsed.requester;

/** In characters as JSON Schema counts them: code points. */
const MAX_FIELD_CHARACTERS = 256;

const FORMS = 'send 10, "10" or {"identifier": 10}';
const DECIMAL_DIGITS = /^[1-9][0-9]{0,15}$/;
const ISO_8601_WITH_OFFSET =
  /^(\d{4}-\d{2}-(\d{2}))T\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)$/;

const invalid = (reason: string, requester: RequesterFields = {}): ParsedRequest => ({
  kind: 'invalid',
  reason,
  requester,
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The body itself, the object's field, and what an EventBridge event carries. */
const PLACES_OF_IDENTIFIER: readonly string[] = ['', 'identifier', 'detail'];

/** A number written as 1e1 or 10.0 comes out of JSON.parse as 10, so it is kept as it was written. */
const asWritten = (key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' && PLACES_OF_IDENTIFIER.includes(key) ? (context?.source ?? value) : value;

const parseJson = (text: string): unknown => {
  const value: unknown = JSON.parse(text);
  return /\d[.eE]/.test(text) ? JSON.parse(text, asWritten) : value;
};

/** @returns the identifier, or `undefined` for anything but 1 to 2^53-1 in decimal digits. */
export const parseIdentifier = (value: unknown): number | undefined => {
  if (typeof value !== 'number' && !(typeof value === 'string' && DECIMAL_DIGITS.test(value))) return undefined;
  const identifier = Number(value);
  return Number.isSafeInteger(identifier) && identifier > 0 ? identifier : undefined;
};

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

/** The requester's fields that are well-formed, and what is wrong with the first that is not. */
const readRequester = (body: Record<string, unknown>): { requester: RequesterFields; fault: string | undefined } => {
  const requester: Record<string, string> = {};
  let fault: string | undefined;
  for (const name of REQUESTER_FIELDS) {
    const value = body[name];
    if (value === undefined) continue;
    if (typeof value !== 'string') fault ??= `${name} must be a string`;
    else if (value.length > MAX_FIELD_CHARACTERS && [...value].length > MAX_FIELD_CHARACTERS) {
      fault ??= `${name} must be at most ${MAX_FIELD_CHARACTERS} characters`;
    } else requester[name] = value;
  }
  return { requester, fault };
};

const readObject = (body: Record<string, unknown>): ParsedRequest => {
  const identifier = parseIdentifier(body['identifier']);
  const { requester, fault } = readRequester(body);
  if (identifier === undefined) {
    return invalid('identifier must be a positive integer up to 9007199254740991 in decimal digits', requester);
  }
  if (fault !== undefined) return invalid(fault, requester);
  if (body['notAfter'] === undefined) return { kind: 'request', request: { identifier, ...requester } };
  const notAfter = parseNotAfter(body['notAfter']);
  if (!notAfter) return invalid('notAfter must be ISO 8601 with offset, such as 2026-01-31T17:00:00Z', requester);
  return { kind: 'request', request: { identifier, ...requester, notAfter } };
};

const readValue = (value: unknown): ParsedRequest => {
  if (isObject(value)) return readObject(value);
  const identifier = parseIdentifier(value);
  return identifier === undefined
    ? invalid(`the body is no identifier from 1 to 9007199254740991: ${FORMS}`)
    : { kind: 'request', request: { identifier } };
};

/** What an SNS notification or an EventBridge event carries, one level deep; any other value as it is. */
const unwrap = (value: unknown): unknown => {
  if (!isObject(value) || 'identifier' in value) return value;
  if (value['Type'] === 'Notification' && typeof value['Message'] === 'string') return parseJson(value['Message']);
  if ('detail-type' in value && 'detail' in value) return value['detail'];
  return value;
};

/** Reads a message body in any form of the contract. Never throws. */
export const parseRequest = (body: string): ParsedRequest => {
  let value: unknown;
  try {
    value = unwrap(parseJson(body));
  } catch (error) {
    // Only JSON.parse throws here, and its message quotes the body: say it in our own words.
    if (error instanceof SyntaxError) return invalid(`the body is not JSON: ${FORMS}`);
    // JSON.parse is recursive where it has a reviver.
    if (error instanceof RangeError) return invalid(`the body is nested too deeply: ${FORMS}`);
    throw error;
  }
  return readValue(value);
};

/**
 * Why a request must not be carried out at `now`, or `undefined` where it may be.
 * A renewal (see dead-letters/attributes.ts) makes the age count anew and voids a `notAfter` before it.
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
