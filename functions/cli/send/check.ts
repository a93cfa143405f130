/** Each request as it was found, checked as the function will check it, and made into the message that is sent. */
import { createHash, randomUUID } from 'node:crypto';
import { MAX_MESSAGE_BYTES } from '../../aws/message.ts';
import { readBody, readOtherFields, type ValueText } from '../../requests/body.ts';
import { REQUESTER_FIELDS } from '../../requests/fields.ts';
import { type EnableRequest, parseFields, parseRequest, parseValue } from '../../requests/request.ts';
import { parseMoment, UsageError } from '../terminal/usage.ts';
import type { Found } from './found.ts';
import type { Outgoing } from './requests.ts';

/** What the options say of every request that does not say it itself. */
export type Fields = Readonly<Record<string, string>>;

export type Checked =
  | { readonly kind: 'request'; readonly outgoing: Outgoing }
  | { readonly kind: 'invalid'; readonly place: string; readonly reason: string };

interface FieldOptions extends Partial<Readonly<Record<(typeof REQUESTER_FIELDS)[number], string>>> {
  readonly notAfter?: string;
}

/** @throws UsageError for what no request may say */
export const readFields = (options: FieldOptions, now: number): Fields => {
  const notAfter = options.notAfter && parseMoment('--not-after', options.notAfter, now, 1);
  const fields = {
    ...Object.fromEntries(REQUESTER_FIELDS.flatMap((name) => (options[name] ? [[name, options[name]]] : []))),
    ...(notAfter ? { notAfter: notAfter.toISOString() } : {}),
  };
  const parsed = parseRequest(JSON.stringify({ identifier: 1, ...fields }));
  if (parsed.kind === 'invalid') throw new UsageError(parsed.reason);
  if (notAfter && notAfter.getTime() <= now) throw new UsageError('--not-after has passed');
  return fields;
};

/** SQS refuses these two; they can only stand within a JSON string, where an escape means the same. */
const escapeForSqs = (json: string): string =>
  json.replace(/[\ufffe\uffff]/g, (each) => (each === '\ufffe' ? '\\ufffe' : '\\uffff'));

/** The body that is sent: what the request says itself goes before what the options say of all. */
const createBody =
  (fields: Fields) =>
  (request: EnableRequest, value: ValueText | undefined): string => {
    let body = `{"identifier":${request.identifier}`;
    const add = (name: string, text: string | undefined): void => {
      if (text !== undefined) body += `,"${name}":${JSON.stringify(text)}`;
    };
    for (const name of REQUESTER_FIELDS) add(name, request[name] ?? fields[name]);
    add('notAfter', request.notAfter?.toISOString() ?? fields['notAfter']);
    // Fields that mean nothing to us are the sender's own: they stay, as they are written.
    if (value?.kind === 'object' && value.hasOthers) {
      readOtherFields(value, (key, written) => {
        body += `,${JSON.stringify(key)}:${written}`;
      });
    }
    return escapeForSqs(`${body}}`);
  };

export interface CheckSettings {
  readonly fields: Fields;
  /** Message group; on a FIFO queue the identifier unless given. */
  readonly groupId: string | undefined;
  readonly isFifo: boolean;
  readonly now: number;
}

export const createCheck = ({ fields, groupId, isFifo, now }: CheckSettings) => {
  const bodyOf = createBody(fields);
  return (found: Found): Checked => {
    const { place } = found;
    const invalid = (reason: string): Checked => ({ kind: 'invalid', place, reason });
    if (found.kind === 'fault') return invalid(found.fault);
    const value = found.kind === 'json' ? readBody(found.json) : undefined;
    const parsed = value ? parseValue(value) : parseFields(found.kind === 'fields' ? found.fields : {});
    if (parsed.kind === 'invalid') return invalid(parsed.reason);
    const { identifier, notAfter, requestId = fields['requestId'] } = parsed.request;
    if (notAfter && notAfter.getTime() <= now) return invalid('notAfter has passed');
    const body = bodyOf(parsed.request, value);
    // No character takes more than three bytes in UTF-8 for each of its units.
    if (body.length * 3 > MAX_MESSAGE_BYTES && Buffer.byteLength(body) > MAX_MESSAGE_BYTES) {
      return invalid('it is larger than the 1 MiB that SQS takes');
    }
    if (!isFifo) return { kind: 'request', outgoing: { place, identifier, body, ...(groupId ? { groupId } : {}) } };
    // The very same body with a request id, sent again within five minutes, is taken once (a relative --not-after makes
    // another of it); two requests without an id are two.
    const deduplicationId = requestId ? createHash('sha256').update(body).digest('hex') : randomUUID();
    return {
      kind: 'request',
      outgoing: { place, identifier, body, groupId: groupId ?? String(identifier), deduplicationId },
    };
  };
};
