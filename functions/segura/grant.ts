/** The client credentials grant (RFC 6749, 4.4) on the wire: one request, by the form of credentials that the issuer takes. */
import type { Answer } from '../http/send.ts';
import { judgeToken, type TokenMeaning } from './answers.ts';
import { type Reading, readAnswer } from './reading.ts';
import type { Secret } from './secret.ts';
import type { Vault } from './vault.ts';

/** How id and secret stand in the header of `client_secret_basic`. */
export type BasicForm = 'encoded' | 'plain';

/** As `application/x-www-form-urlencoded` has it: RFC 6749, 2.3.1. */
const formEncode = (value: string): string => new URLSearchParams({ '': value }).toString().slice(1);

const basicCredentials = ({ clientId, clientSecret }: Secret, form: BasicForm): string => {
  const encode = form === 'encoded' ? formEncode : (value: string) => value;
  return `${encode(clientId)}:${encode(clientSecret.reveal())}`;
};

/** Whether an issuer that does not decode, as league/oauth2-server, sees another secret than one that does. */
export const hasPlainForm = (secret: Secret): boolean =>
  secret.tokenAuthMethod === 'client_secret_basic' &&
  basicCredentials(secret, 'plain') !== basicCredentials(secret, 'encoded');

/** POST only, though a page of the vendor says GET: no client in the field uses that. */
export const requestToken = (
  { secret, send }: Vault,
  timeoutMs: number,
  form: BasicForm = 'encoded',
): Promise<Answer> => {
  const { accessTokenUrl, clientId, clientSecret, tokenAuthMethod, tokenParameters, referer } = secret;
  const fields = new URLSearchParams({ grant_type: 'client_credentials', ...tokenParameters });
  const headers: Record<string, string> = {
    Accept: 'application/json',
    'Content-Type': 'application/x-www-form-urlencoded',
    'User-Agent': 'mysafe-enable',
    ...(referer ? { Referer: referer } : {}),
  };
  if (tokenAuthMethod === 'client_secret_basic') {
    headers['Authorization'] = `Basic ${Buffer.from(basicCredentials(secret, form)).toString('base64')}`;
  } else {
    fields.set('client_id', clientId);
    fields.set('client_secret', clientSecret.reveal());
  }
  return send({ url: accessTokenUrl, headers, body: fields.toString(), timeoutMs });
};

/** RFC 6749, 5.2 and 4.1.2.1; what else a server writes there may be anything, also what we sent. */
const OAUTH_ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
] as const;

/** The `error` code of a token endpoint's answer, never its text. */
export const oauthErrorOf = ({ json }: Reading): string | undefined =>
  OAUTH_ERRORS.find((error) => error === json['error']);

export interface AskParts {
  /** Limit for one request. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly onRequest: () => void;
}

/** What the token endpoint said. */
export interface Asked {
  readonly answer: Answer;
  readonly reading: Reading;
  readonly means: TokenMeaning;
}

/** One request, once more in the plain form where that may be it. Remembers the form that this vault's issuer takes. */
export const createAsk = ({ timeoutMs, now, onRequest }: AskParts) => {
  /** Of a vault whose issuer was found not to decode. */
  let plain: Vault | undefined;

  const askOnce = async (vault: Vault, left: () => number, form: BasicForm): Promise<Asked> => {
    onRequest();
    const answer = await requestToken(vault, Math.min(timeoutMs, left()), form);
    const reading = readAnswer(answer, now());
    const { means } = judgeToken(reading);
    return { answer, reading, means };
  };

  return async (vault: Vault, left: () => number): Promise<Asked> => {
    const form = plain === vault ? 'plain' : 'encoded';
    const first = await askOnce(vault, left, form);
    if (first.means !== 'token-refused' || !hasPlainForm(vault.secret) || left() <= 0) return first;
    plain = undefined;
    if (form === 'plain') return first;
    const second = await askOnce(vault, left, 'plain');
    if (second.means !== 'token-issued') return first;
    plain = vault;
    return second;
  };
};
