/** What Segura or its gateway said, read once and leniently: never an unguarded parse. */
import type { Failure } from '../http/failure.ts';
import type { Answer } from '../http/send.ts';

export interface Reading {
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** How no answer came. */
  readonly failure?: Failure;
  /** The text meant for people: the message fields of a JSON body, else the body itself. */
  readonly words: string;
  /** The body as JSON object, else empty. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Segura's own envelope, if the body is one. */
  readonly envelope?: Envelope;
  /** A key stands twice in one object of the body: nobody can say which of the two was meant. */
  readonly isAmbiguous: boolean;
  /** How long the answer asks us to wait, whatever its status; 870 s at most. */
  readonly retryAfterSeconds?: number;
}

/** `{"code", "response": {"status", "message", "error", …}, "exception": {"code", "message"}}`, in all its variants. */
export interface Envelope {
  /** `error`, and `erro` beside it; `undefined` where neither is said or they contradict each other. */
  readonly error: boolean | undefined;
  /** Segura's own error number, such as 1005; `undefined` where none is said or two differ. */
  readonly number: number | undefined;
  /** Whether any number is said at all, be it one or two that differ. */
  readonly hasNumber: boolean;
  /** `code` and `response.status` repeat the HTTP status, where they are there at all. */
  readonly agreesWith: (status: number) => boolean;
}

type Json = Readonly<Record<string, unknown>>;
const NOTHING: Json = {};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parseObject = (body: string): Json => {
  try {
    const value: unknown = JSON.parse(body.startsWith('\ufeff') ? body.slice(1) : body);
    return isObject(value) ? value : NOTHING;
  } catch {
    return NOTHING; // HTML, XML, plain text and empty bodies are ordinary answers of a gateway
  }
};

/** Older pages and some endpoints write `mensagem` or `Message`; OAuth 2.0 and Kong's plugins have their own names. */
const MESSAGE_FIELDS = ['message', 'mensagem', 'Message', 'error_description', 'hint', 'error', 'reason'] as const;

const messagesOf = (...objects: readonly unknown[]): string[] => {
  const messages: string[] = [];
  for (const object of objects) {
    if (!isObject(object)) continue;
    for (const name of MESSAGE_FIELDS) {
      const value = object[name];
      if (typeof value === 'string') messages.push(value);
    }
  }
  return messages;
};

const asBoolean = (value: unknown): boolean | undefined => {
  if (value === false || value === 0 || value === '0' || value === 'false') return false;
  if (value === true || value === 1 || value === '1' || value === 'true') return true;
  return undefined;
};

/** Segura's numbers have four digits; `exception.code` can also be an HTTP status. */
const asNumber = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number >= 1000 && number <= 9999 ? number : undefined;
};

/** "1005: Password not found"; notes print "1006 User…" without the colon. */
const numberBefore = (message: string): number | undefined => asNumber(/^\s*(\d{4})(?!\.?\d)/.exec(message)?.[1]);

/** The one value that all agree on. */
const single = <Value>(values: readonly (Value | undefined)[]): Value | undefined => {
  const said = new Set(values.filter((value) => value !== undefined));
  return said.size === 1 ? [...said][0] : undefined;
};

const readEnvelope = (json: Json): Envelope | undefined => {
  const response = isObject(json['response']) ? json['response'] : undefined;
  const exception = isObject(json['exception']) ? json['exception'] : undefined;
  if (!(response || exception)) return undefined;
  const said = response ?? NOTHING;
  const numbers = [asNumber(exception?.['code']), ...messagesOf(said, exception).map(numberBefore)];
  return {
    error: single([asBoolean(said['error']), asBoolean(said['erro'])]),
    number: single(numbers),
    hasNumber: numbers.some((number) => number !== undefined),
    agreesWith: (status) =>
      [json['code'], said['status']].every(
        (value) => value === undefined || value === null || Number(value) === status,
      ),
  };
};

const headerOf = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
  name: string,
): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** RFC 9110, 5.6.7: each of the three forms begins with the day of the week. `Date.parse` alone would take `soon 5`. */
const HTTP_DATE = /^(mon|tue|wed|thu|fri|sat|sun)/i;

/** Seconds from now, an HTTP date, or (Segura's own `X-RateLimit-Reset`) a Unix time, which no plain wait is as large as. */
const secondsUntil = (value: string | undefined, now: number): number | undefined => {
  if (!value?.trim()) return undefined;
  const number = Number(value);
  const date = HTTP_DATE.test(value.trim()) ? Date.parse(value) : Number.NaN;
  const seconds = Number.isNaN(number) ? (date - now) / 1000 : number > 1e9 ? number - now / 1000 : number;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
};

/** What asks for more would have an environment stay away for hours after Segura is back. */
const LONGEST_RETRY_AFTER_SECONDS = 870;

const ASK_TO_WAIT = ['retry-after'] as const;
/** The resets of rate limits stand on every answer; only with a 429 do they ask for a wait. */
const ASK_TO_WAIT_AT_429 = [...ASK_TO_WAIT, 'ratelimit-reset', 'x-ratelimit-reset'] as const;

const readRetryAfter = (
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  now: number,
): number | undefined => {
  for (const name of status === 429 ? ASK_TO_WAIT_AT_429 : ASK_TO_WAIT) {
    const asked = secondsUntil(headerOf(headers, name), now);
    if (asked !== undefined) return Math.min(LONGEST_RETRY_AFTER_SECONDS, asked);
  }
  return undefined;
};

const countKeys = (value: unknown): number => {
  let count = 0;
  // Not by recursion: how deep a body goes is for the other side to choose.
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null) continue;
    const inside = Object.values(next);
    if (!Array.isArray(next)) count += inside.length;
    for (const each of inside) open.push(each);
  }
  return count;
};

/** JSON.parse takes the last of two equal keys and says nothing: more were written than were read. */
const hasRepeatedKey = (body: string, json: Json): boolean => {
  let written = 0;
  for (const [, colon] of body.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) written += 1;
  return written > countKeys(json);
};

const read = (status: number, body: string): Reading => {
  const json = parseObject(body);
  const envelope = readEnvelope(json);
  return {
    status,
    json,
    words: json === NOTHING ? body : messagesOf(json['response'], json['exception'], json).join('\n'),
    isAmbiguous: envelope !== undefined && hasRepeatedKey(body, json),
    ...(envelope ? { envelope } : {}),
  };
};

/** Segura says the same of each password that it enables: read once for a whole batch, and judged once (answers.ts). */
const createReader = () => {
  let last = { body: '', reading: read(0, '') };
  return (status: number, body: string): Reading => {
    if (body !== last.body || status !== last.reading.status) last = { body, reading: read(status, body) };
    return last.reading;
  };
};
const readOnce = createReader();

/** `now` in ms since the epoch, for waits that are given as a date. */
export const readAnswer = (answer: Answer, now: number): Reading => {
  if (answer.kind === 'unanswered') {
    return { status: 0, failure: answer.failure, words: '', json: NOTHING, isAmbiguous: false };
  }
  const { status, headers, body } = answer;
  const reading = readOnce(status, body);
  const retryAfterSeconds = readRetryAfter(status, headers, now);
  return retryAfterSeconds === undefined ? reading : { ...reading, retryAfterSeconds };
};

/** Segura's own sentence, for the dead letter: the first message of the envelope. */
export const sentenceOf = (reading: Reading): string => reading.words.split('\n', 1)[0] ?? '';
