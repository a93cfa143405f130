/**
 * The request inside a message body, still as text: the body itself, or what an SNS notification or an EventBridge event
 * carries, one level deep. Nothing is built but the few values that are asked for, so a huge body costs no more than its text.
 */
import { FIELD_NAMES } from './fields.ts';
import { scanJson, unquote } from './json-scan.ts';

/** Where a value stands in its text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ObjectText {
  readonly kind: 'object';
  readonly text: string;
  /** The known fields, by key. */
  readonly values: ReadonlyMap<string, Span>;
  /** Known fields that stand more than once: nobody can say which of them was approved. */
  readonly twice: ReadonlySet<string>;
  /** There are fields that mean nothing to us. */
  readonly hasOthers: boolean;
}

export type ValueText =
  | ObjectText
  | (Span & { readonly kind: 'other'; readonly text: string })
  | { readonly kind: 'envelope-twice'; readonly key: string }
  | { readonly kind: 'not-json' };

/** Told of each field of the request that is not known, in its order. */
export type OnOther = (key: string, value: string) => void;

const FIELDS: ReadonlySet<string> = new Set(FIELD_NAMES);
const ENVELOPE_KEYS: ReadonlySet<string> = new Set(['Type', 'Message', 'detail-type', 'detail']);

const NONE: ReadonlySet<string> = new Set();

const isObject = (text: string, { start }: Span): boolean => text.charAt(start) === '{';
export const isNull = (text: string, { start }: Span): boolean => text.charAt(start) === 'n';

/** @returns the string, unescaped, or `undefined` where the value is none. */
export const readString = (text: string, { start, end }: Span): string | undefined =>
  text.charAt(start) === '"' ? unquote(text, start, end) : undefined;

const readValue = (text: string, mayBeEnvelope: boolean): ValueText => {
  const values = new Map<string, Span>();
  let twice: Set<string> | undefined;
  let hasOthers = false;
  const scanned = scanJson(text, (key, start, end) => {
    hasOthers ||= !FIELDS.has(key);
    if (!FIELDS.has(key) && !(mayBeEnvelope && ENVELOPE_KEYS.has(key))) return;
    if (values.has(key)) {
      twice ??= new Set();
      twice.add(key);
    }
    values.set(key, { start, end });
  });
  if (scanned === undefined) return { kind: 'not-json' };
  if (!isObject(text, scanned)) return { kind: 'other', text, ...scanned };
  if (twice && values.has('identifier')) for (const key of ENVELOPE_KEYS) twice.delete(key);
  return { kind: 'object', text, values, twice: twice ?? NONE, hasOthers };
};

/** What the object carries, as text; `undefined` where it is the request itself, or none at all. */
const contentOf = ({ text, values }: ObjectText): string | undefined => {
  if (values.has('identifier')) return undefined;
  const type = values.get('Type');
  const message = values.get('Message');
  const isNotification = type !== undefined && readString(text, type) === 'Notification';
  const content = isNotification && message !== undefined ? readString(text, message) : undefined;
  if (content !== undefined) return content;
  const detail = values.get('detail');
  return values.has('detail-type') && detail !== undefined ? text.slice(detail.start, detail.end) : undefined;
};

/** Finds the request in a body of any form. Never throws. */
export const readBody = (body: string): ValueText => {
  const value = readValue(body, true);
  if (value.kind !== 'object') return value;
  const content = contentOf(value);
  if (content === undefined) return value;
  const [key] = value.twice;
  return key === undefined ? readValue(content, false) : { kind: 'envelope-twice', key };
};

/** The fields that mean nothing to us, as they are written: they are the sender's own. */
export const readOtherFields = ({ text }: ObjectText, onOther: OnOther): void => {
  scanJson(text, (key, start, end) => {
    if (!FIELDS.has(key)) onOther(key, text.slice(start, end));
  });
};
