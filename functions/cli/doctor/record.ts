/**
 * What a live Segura answered, fit to be shared: the shape of an answer and the words that the vendor's pages and known
 * gateways use. It is made from a list of what may stand in it, not cleaned of what may not: any other word, name, host,
 * address, id or token becomes a placeholder.
 */
import type { Answer } from '../../http/send.ts';

/** One harmless call, and what the table made of its answer. */
export interface Recorded {
  /** Such as `token` or `enable identifier 0`. */
  readonly call: string;
  readonly status: number | null;
  /** How no answer came. */
  readonly failure: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** The row of functions/segura/answers.ts that it fell into. */
  readonly means: string;
  readonly cameBack: string;
}

/** Lower case; the vendor's sentences in both languages, Kong, nginx, HAProxy, OAuth 2.0, and the little words between. */
const WORDS: ReadonlySet<string> = new Set(
  `a already has been activated activate successfully password passwords not found user does do have access unexpected
  identifier type inactive error an on the in of to for and or is was be are you authorized authorised this resource sub
  no route matched with those values invalid response received from upstream server timing out unauthorized authorization
  forbidden bad request client authentication failed token could verified revoked missing header required expired exp
  denied limit exceeded rate api key credentials signature your ip address allowed consume service unavailable currently
  name resolution failure get peer ring balancer retry handler please use https protocol method many requests html head
  body title center hr h1 h2 p nginx openresty gateway time timeout ssl tls certificate sent plain http port internal
  check index log system more details available handle can try again later it only where that which what wrong
  senha já foi ativada ativado com sucesso não encontrada encontrado usuário possui acesso tipo inesperado identificador
  erro inativa autorizado acessar este recurso você está para de da do o os as um uma sem permissão inválido inválida
  bearer basic oauth realm code message mensagem true false null ok success application json text charset utf kong via`
    .split(/\s+/)
    .filter(Boolean),
);

/** Names of fields and of headers that documents know. */
const KEYS: ReadonlySet<string> = new Set(
  `code response status message mensagem error erro error_code cod_erro detail exception tenant request_id requestid
  access_token token_type expires_in scope error_description hint reason exp`.split(/\s+/),
);
const HEADERS = [
  'content-type',
  'content-encoding',
  'server',
  'via',
  'www-authenticate',
  'retry-after',
  'x-kong-response-latency',
  'x-kong-upstream-latency',
  'ratelimit-limit',
  'ratelimit-reset',
] as const;

const MAX_TEXT = 2000;
/** Statuses, Segura's numbers, lifetimes; what has more digits could be an id. */
const MAX_DIGITS = 5;

/** Of version 4, and of version 6 wherever it has two colons; a time of day has them too, and is nobody's loss. */
const ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[\da-f]{0,4}(?::[\da-f]{0,4}){2,7}\b/gi;

const wordOf = (word: string): string => {
  if (/^\d+$/.test(word)) return word.length <= MAX_DIGITS ? word : '[number]';
  return WORDS.has(word.toLowerCase()) || word === 'address' ? word : '[word]';
};

/** Word by word; what stands between words is kept where it cannot carry one. */
export const shareableText = (text: string): string =>
  text
    .slice(0, MAX_TEXT)
    .replace(ADDRESS, '[address]')
    .replace(/[\p{L}\p{N}_]+/gu, wordOf)
    .replace(/[^\p{L}\p{N}\s[\]<>/().,:;"'=+-]/gu, '?')
    .replace(/\[(?:word|number)\](?:[^\s<>]*\[(?:word|number)\])+/g, '[words]');

/** @param depth how many levels are left to show */
const shareableValue = (value: unknown, depth = 6): unknown => {
  if (typeof value === 'string') return shareableText(value);
  if (typeof value === 'number') return String(Math.abs(value)).length <= MAX_DIGITS ? value : '[number]';
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '[more]';
  if (Array.isArray(value)) return value.slice(0, 10).map((each) => shareableValue(each, depth - 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, 30)
      .map(([key, each]) => [
        KEYS.has(key) ? key : shareableText(key),
        // Not even its length is anybody's business.
        key === 'access_token' ? '[token]' : shareableValue(each, depth - 1),
      ]),
  );
};

const shareableBody = (body: string): unknown => {
  try {
    return shareableValue(JSON.parse(body));
  } catch {
    return shareableText(body); // a page or a plain text, as gateways send them
  }
};

export const recordAnswer = (
  call: string,
  answer: Answer,
  { means, cameBack }: { readonly means: string; readonly cameBack: string },
): Recorded => {
  if (answer.kind === 'unanswered') {
    return { call, status: null, failure: answer.failure, headers: {}, body: null, means, cameBack };
  }
  const { status, headers, body } = answer;
  const known = HEADERS.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, shareableText([value].flat().join(', '))]];
  });
  return {
    call,
    status,
    failure: null,
    headers: Object.fromEntries(known),
    body: shareableBody(body),
    means,
    cameBack,
  };
};
