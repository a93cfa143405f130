/**
 * THE TABLE: what came back, what it means, what happens. The rows stand in the order of the contract's table ("What
 * happens to a message"); the first that matches holds, the last matches everything.
 * Sources: the vendor's page "POST | Enable password", Kong's error handlers, league/oauth2-server.
 */
import { type Reading, sentenceOf } from './reading.ts';

export type Meaning =
  | 'enabled'
  | 'already-enabled'
  | 'not-found'
  | 'no-access'
  | 'invalid-identifier'
  | 'unroutable'
  | 'unauthorized'
  | 'invalid-upstream-response'
  | 'unavailable'
  | 'upstream-timeout'
  | 'request-timeout'
  | 'network'
  | 'rate-limited'
  | 'server-error'
  | 'tls'
  | 'client-certificate'
  | 'proxy'
  | 'redirect'
  | 'forbidden'
  | 'gateway-refused'
  | 'unexpected-answer';

/** For whom a message is kept; a metric dimension, so the list is short and holds no name. */
export type Cause =
  | 'gateway'
  | 'rate-limited'
  | 'server-error'
  | 'credentials'
  | 'tls'
  | 'client-certificate'
  | 'proxy'
  | 'unexpected-answer';

export type Policy =
  | { readonly kind: 'done' }
  /** A retry cannot cure it: dead letter in `rejected`, then done. */
  | { readonly kind: 'reject'; readonly errorCode: string }
  /** One new token for the whole invocation, then again; then kept. */
  | { readonly kind: 'renew-token' }
  /** Again with growing waits while time is left (at most `atMost` times, where said); then kept. */
  | { readonly kind: 'retry'; readonly cause: Cause; readonly atMost?: number }
  | { readonly kind: 'keep'; readonly cause: Cause };

export interface Row {
  /** The contract's words; logs and tests print them. */
  readonly cameBack: string;
  readonly matches: (reading: Reading) => boolean;
  readonly means: Meaning;
  readonly happens: Policy;
  /** What it says of the way to Segura for all others: open, closed, or neither. */
  readonly segura: 'up' | 'down' | 'unknown';
}

const RETRY_GATEWAY: Policy = { kind: 'retry', cause: 'gateway' };
const KEEP_UNKNOWN: Policy = { kind: 'keep', cause: 'unexpected-answer' };

const says =
  (words: RegExp) =>
  (reading: Reading): boolean =>
    words.test(reading.words);

const noRoute = says(/no route matched/i);
/** English in the vendor's pages; its other endpoints do answer in Portuguese. */
const notAuthorized = says(/\b(you are not authori[sz]ed|(você )?n[ãa]o (está|tem|possui) autoriza)/i);
const already = says(/\balready\b|(^|\s)já\s/i);
/** The neighbouring endpoint's success: a 200 that is not ours. */
const disabled = says(/\b(de-?activated|inactivated|disabled|desativad[ao]|inativad[ao])\b/i);

/** In either language: a sentence that says so is believed, whatever stands beside it. */
const FAILED =
  /\b(fail(s|ed|ures?)?|errors?|exception|unable|not|cannot|can't|couldn't|didn't|isn't|wasn't|denied|refused|rejected|forbidden|invalid|unauthori[sz]ed|expired|n[ãa]o|falh(a|ou|aram)|erros?|imposs[íi]vel|negad[ao]|recusad[ao]|inv[áa]lid[ao]|expirad[ao])\b/i;
/** A gateway's page, before Segura is asked: nginx, and others in the same words. */
const wantsClientCertificate = says(
  /no required (ssl|tls) certificate|(ssl|tls) certificate error|client certificate (is )?required|requires? a client certificate/i,
);

/** No exception at all, or an empty one: PHP writes an empty object as a list. */
const isEmpty = (value: unknown): boolean =>
  value == null || value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0);

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

const isZero = (value: unknown): boolean =>
  value == null || value === 0 || (typeof value === 'string' && /^0*$/.test(value));

/** `error`, `erro`, `error_code`, `cod_erro`: each absent, or the value that denies nothing. */
const deniesNothing = ({ error, erro, error_code, cod_erro, success }: Fields): boolean =>
  (error == null || error === false) &&
  (erro == null || erro === false) &&
  isZero(error_code) &&
  isZero(cod_erro) &&
  success !== false;

/** The documented success: 200, `error` false (the JSON value), and nothing in the answer that denies it. */
const succeeded = (reading: Reading): boolean => {
  const { status, envelope, json, isAmbiguous } = reading;
  const response = fieldsOf(json['response']);
  return (
    status === 200 &&
    envelope?.agreesWith(200) === true &&
    !envelope.hasNumber &&
    !isAmbiguous &&
    response['error'] === false &&
    deniesNothing(response) &&
    deniesNothing(json) &&
    isEmpty(json['exception']) &&
    isEmpty(response['exception']) &&
    !FAILED.test(`${reading.words}\n${response['detail'] ?? ''}`) &&
    !disabled(reading)
  );
};

/** Trusted with HTTP 400 and in Segura's own envelope alone: elsewhere the same numbers mean other things. */
const seguraError =
  (number: number) =>
  ({ status, envelope, isAmbiguous }: Reading): boolean =>
    status === 400 && envelope?.number === number && envelope.error !== false && !isAmbiguous;

const status =
  (...statuses: readonly number[]) =>
  (reading: Reading): boolean =>
    statuses.includes(reading.status);

const isTls = ({ failure }: Reading): boolean => failure === 'tls';
const isProxy = ({ failure }: Reading): boolean => failure === 'proxy';
const isNetwork = (reading: Reading): boolean => reading.failure !== undefined && !isTls(reading) && !isProxy(reading);
const isClientCertificate = (reading: Reading): boolean =>
  [400, 403, 495, 496].includes(reading.status) && reading.envelope === undefined && wantsClientCertificate(reading);

export const ENABLE_TABLE: readonly Row[] = [
  {
    cameBack: '200, "error" false, already activated',
    matches: (reading) => succeeded(reading) && already(reading),
    means: 'already-enabled',
    happens: { kind: 'done' },
    segura: 'up',
  },
  { cameBack: '200, "error" false', matches: succeeded, means: 'enabled', happens: { kind: 'done' }, segura: 'up' },
  {
    cameBack: "400 in Segura's own envelope, 1005",
    matches: seguraError(1005),
    means: 'not-found',
    happens: { kind: 'reject', errorCode: '1005' },
    segura: 'up',
  },
  {
    cameBack: "400 in Segura's own envelope, 1006",
    matches: seguraError(1006),
    means: 'no-access',
    happens: { kind: 'reject', errorCode: '1006' },
    segura: 'up',
  },
  {
    cameBack: "400 in Segura's own envelope, 1010",
    matches: seguraError(1010),
    means: 'invalid-identifier',
    happens: { kind: 'reject', errorCode: '1010' },
    segura: 'up',
  },
  {
    cameBack: '404 "no Route matched with those values"',
    matches: (reading) => reading.status === 404 && noRoute(reading),
    means: 'unroutable',
    happens: { kind: 'renew-token' },
    segura: 'unknown',
  },
  {
    cameBack: '401',
    matches: status(401),
    means: 'unauthorized',
    happens: { kind: 'renew-token' },
    segura: 'unknown',
  },
  {
    cameBack: '"You are not authorized…" under any status',
    matches: notAuthorized,
    means: 'unauthorized',
    happens: { kind: 'renew-token' },
    segura: 'unknown',
  },
  {
    cameBack: 'TLS handshake refused',
    matches: isTls,
    means: 'tls',
    happens: { kind: 'keep', cause: 'tls' },
    segura: 'down',
  },
  {
    cameBack: "a gateway's page that asks for a client certificate",
    matches: isClientCertificate,
    means: 'client-certificate',
    happens: { kind: 'keep', cause: 'client-certificate' },
    segura: 'down',
  },
  {
    cameBack: '403',
    matches: status(403),
    means: 'forbidden',
    happens: { kind: 'keep', cause: 'credentials' },
    segura: 'unknown',
  },
  {
    cameBack: 'a proxy that cannot be reached, or refuses to connect',
    matches: isProxy,
    means: 'proxy',
    happens: { kind: 'keep', cause: 'proxy' },
    segura: 'down',
  },
  {
    cameBack: '502',
    matches: status(502),
    means: 'invalid-upstream-response',
    happens: RETRY_GATEWAY,
    segura: 'down',
  },
  { cameBack: '503', matches: status(503), means: 'unavailable', happens: RETRY_GATEWAY, segura: 'down' },
  { cameBack: '504', matches: status(504), means: 'upstream-timeout', happens: RETRY_GATEWAY, segura: 'down' },
  { cameBack: '408', matches: status(408), means: 'request-timeout', happens: RETRY_GATEWAY, segura: 'down' },
  {
    cameBack: 'connection refused or reset, time-out, DNS failure',
    matches: isNetwork,
    means: 'network',
    happens: RETRY_GATEWAY,
    segura: 'down',
  },
  {
    cameBack: '429',
    matches: status(429),
    means: 'rate-limited',
    happens: { kind: 'retry', cause: 'rate-limited' },
    segura: 'down',
  },
  {
    cameBack: '500',
    matches: status(500),
    means: 'server-error',
    happens: { kind: 'retry', cause: 'server-error', atMost: 1 },
    segura: 'down',
  },
  {
    cameBack: '3xx',
    matches: (reading) => reading.status >= 300 && reading.status < 400,
    means: 'redirect',
    happens: KEEP_UNKNOWN,
    segura: 'unknown',
  },
  {
    cameBack: 'another 404',
    matches: status(404),
    means: 'unroutable',
    happens: KEEP_UNKNOWN,
    segura: 'unknown',
  },
  {
    cameBack: 'other 4xx',
    matches: (reading) => reading.status >= 400 && reading.status < 500 && reading.envelope === undefined,
    means: 'gateway-refused',
    happens: KEEP_UNKNOWN,
    segura: 'unknown',
  },
  {
    cameBack: 'anything else, such as a 200 that says "error" true or is not what is documented',
    matches: () => true,
    means: 'unexpected-answer',
    happens: KEEP_UNKNOWN,
    segura: 'unknown',
  },
];

/** What the token endpoint's answers mean. A token is issued by 200 with `access_token` alone (see token.ts). */
export type TokenMeaning =
  | 'token-issued'
  | 'token-refused'
  | 'gateway'
  | 'rate-limited'
  | 'tls'
  | 'client-certificate'
  | 'proxy';

export interface TokenRow {
  readonly cameBack: string;
  readonly matches: (reading: Reading) => boolean;
  readonly means: TokenMeaning;
}

export const TOKEN_TABLE: readonly TokenRow[] = [
  {
    cameBack: '200 with access_token',
    matches: ({ status: code, json }) =>
      code === 200 && typeof json['access_token'] === 'string' && /^[\x21-\x7e]+$/.test(json['access_token']),
    means: 'token-issued',
  },
  { cameBack: '429', matches: status(429), means: 'rate-limited' },
  { cameBack: '408, 500, 502, 503, 504', matches: status(408, 500, 502, 503, 504), means: 'gateway' },
  { cameBack: 'TLS handshake refused', matches: isTls, means: 'tls' },
  {
    cameBack: "a gateway's page that asks for a client certificate",
    matches: isClientCertificate,
    means: 'client-certificate',
  },
  { cameBack: 'a proxy that cannot be reached, or refuses to connect', matches: isProxy, means: 'proxy' },
  { cameBack: 'connection refused or reset, time-out, DNS failure', matches: isNetwork, means: 'gateway' },
  // 401 and 400 of OAuth 2.0, 404 no Route, a redirect, 200 without a token: client, parameters or URL are wrong.
  { cameBack: 'anything else', matches: () => true, means: 'token-refused' },
];

const firstMatch = <R extends { matches: (reading: Reading) => boolean }>(table: readonly R[], reading: Reading): R => {
  const row = table.find(({ matches }) => matches(reading));
  if (!row) throw new Error('the last row of a table of answers must match everything');
  return row;
};

const createJudge = () => {
  let last: { readonly reading: Reading; readonly row: Row } | undefined;
  return (reading: Reading): Row => {
    if (last?.reading !== reading) last = { reading, row: firstMatch(ENABLE_TABLE, reading) };
    return last.row;
  };
};
/** Equal answers are read as one object (reading.ts), which is judged once. */
export const judge = createJudge();
export const judgeToken = (reading: Reading): TokenRow => firstMatch(TOKEN_TABLE, reading);

/** The error numbers of Segura that end a request: what `rejected` can hold beside our own codes. */
export const REJECTED_CODES: readonly string[] = ENABLE_TABLE.flatMap(({ happens }) =>
  happens.kind === 'reject' ? [happens.errorCode] : [],
);

const CURABLE_FAILURES: readonly Reading['failure'][] = ['tls', 'refused', 'dns'];

/**
 * Whether another secret (URL, client, certificate, referer) could have brought another answer: whatever is not Segura's
 * own envelope, a refusal, and a server that is not there. Such an answer has the secret read again (see vault.ts).
 */
export const secretMayCure = (reading: Reading): boolean => {
  const { status: code, failure, envelope } = reading;
  if (failure !== undefined) return CURABLE_FAILURES.includes(failure);
  return envelope === undefined || [401, 403, 404].includes(code) || notAuthorized(reading);
};

/** Segura's own sentence where the answer carries one, else the row's; for dead letters and logs. */
export const describe = (row: Row, reading: Reading): string => sentenceOf(reading) || row.cameBack;
