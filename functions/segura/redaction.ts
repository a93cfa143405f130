/**
 * Keeps what is secret out of texts that came from outside: an answer may repeat what we sent, as it is or written in
 * another way. Used for whatever goes on into a dead letter, an outcome event, a log line or a screen.
 */
import type { Hidden, Secret } from './secret.ts';

export interface Redaction {
  readonly hide: (value: Hidden) => void;
  readonly hideSecret: (secret: Secret) => void;
  readonly redact: (text: string) => string;
}

const MASK = '[secret]';
/** Anything shorter stands in ordinary words too. */
const LEAST_CHARACTERS = 4;
/** A token has about 1 kB; an environment that lives for a day with tokens of a minute has no more than these. */
const MOST_VALUES = 500;
/** No sentence is longer; what is cut off here is not shown anyway (`MAX_ERROR_MESSAGE_CHARACTERS`). */
const MOST_CHARACTERS = 8192;

/** A JSON Web Token or a bearer token of anybody: nothing that a reader of a log could want. */
const ANY_TOKEN = /\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]+)?|(?<=\b(?:Bearer|Basic) )[\w~+/.=-]{8,}/g;

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** What of the Base64 of a longer text is the same wherever `value` begins in it: three alignments, without their ends. */
const base64Cores = (value: string): string[] =>
  [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]).toString('base64');
    const whole = (offset + Buffer.byteLength(value)) % 3 === 0 ? encoded : encoded.replace(/=+$/, '').slice(0, -1);
    const core = whole.slice(offset === 0 ? 0 : offset + 1);
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });

/** The ways in which a server writes back what it was sent. */
const formsOf = (value: string): string[] => {
  const percent = encodeURIComponent(value);
  const lower = percent.replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase());
  const form = new URLSearchParams({ '': value }).toString().slice(1);
  const json = JSON.stringify(value).slice(1, -1);
  const html = value.replace(/[&<>"']/g, (character) => HTML[character] ?? character);
  const all = [value, percent, lower, form, json, json.replaceAll('/', '\\/'), html, ...base64Cores(value)];
  return [...new Set(all)].filter(({ length }) => length >= LEAST_CHARACTERS);
};

/** Of a key the lines of its body: a server could quote one alone. */
const keyLines = (pem: string): string[] => pem.split('\n').filter((line) => line !== '' && !line.startsWith('-'));

/** At a blank, so that no half of a secret is left at the end, where nobody would know it. */
const cut = (text: string): string =>
  text.length <= MOST_CHARACTERS ? text : text.slice(0, Math.max(0, text.lastIndexOf(' ', MOST_CHARACTERS)));

export const createRedaction = (): Redaction => {
  /** Each value with its forms, once they were needed. The first gives way when there are too many. */
  const values = new Map<string, readonly string[]>();
  const known = new WeakSet<Secret>();

  const add = (value: string): void => {
    if (value.length < LEAST_CHARACTERS || values.has(value)) return;
    values.set(value, []);
    const [oldest] = values.keys();
    if (values.size > MOST_VALUES && oldest !== undefined) values.delete(oldest);
  };

  const forms = (): string[] => {
    for (const [value, found] of values) if (found.length === 0) values.set(value, formsOf(value));
    // Longest first, so that what contains another goes whole.
    return [...values.values()].flat().sort((a, b) => b.length - a.length);
  };

  return {
    hide: (value) => add(value.reveal()),
    hideSecret: (secret) => {
      if (known.has(secret)) return;
      known.add(secret);
      const { clientId, clientSecret, clientKey } = secret;
      add(clientSecret.reveal());
      add(Buffer.from(`${clientId}:${clientSecret.reveal()}`).toString('base64'));
      for (const line of keyLines(clientKey?.reveal() ?? '')) add(line);
    },
    redact: (text) => {
      let clean = cut(text);
      for (const form of forms()) if (form.length <= clean.length) clean = clean.replaceAll(form, MASK);
      return clean.replace(ANY_TOKEN, MASK);
    },
  };
};
