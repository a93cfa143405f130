/** The doctor on Segura itself: token and endpoint. Identifier 0 is not a password, so nothing is enabled. */
import { readProxy } from '../../http/proxy.ts';
import { type Answer, createSend } from '../../http/send.ts';
import { describe, judge, judgeToken, type Meaning, type TokenMeaning } from '../../segura/answers.ts';
import { enablePassword } from '../../segura/client.ts';
import { type BasicForm, hasPlainForm, oauthErrorOf, requestToken } from '../../segura/grant.ts';
import { type Reading, readAnswer } from '../../segura/reading.ts';
import { createRedaction } from '../../segura/redaction.ts';
import { hide, type Secret } from '../../segura/secret.ts';
import { lifetimeSeconds, type Token } from '../../segura/token.ts';
import type { Vault } from '../../segura/vault.ts';
import { type Check, type Context, failed, ok, step } from './check.ts';
import { readClock } from './clock.ts';
import { recordAnswer } from './record.ts';

const TIMEOUT_MS = 15_000;

const whatCame = (answer: Answer, reading: Reading): string => {
  if (answer.kind === 'unanswered') return `no answer: ${answer.failure}, ${answer.code}`;
  const error = oauthErrorOf(reading);
  return `HTTP ${answer.status}${error === undefined ? '' : `, ${error}`}`;
};

/** A login page or a block page in the place of an API. */
const isPage = ({ words }: Reading): boolean => /^\s*<(!doctype|html)/i.test(words.slice(0, 200));

const IP_HINT = "Segura may not have this address among the access key's authorised IPs";
const KEY_HINT =
  'check clientId and clientSecret, and that the access key is neither revoked nor expired; a multi-tenant installation needs tokenParameters {"tenant": "…"}';
const CERTIFICATE_HINT =
  'a gateway needs a client certificate that it knows: check clientCertificate and clientKey in the secret';
const PROXY_HINT = 'the proxy cannot be reached or does not let us out: check HTTPS_PROXY and NO_PROXY';
const waitHint = ({ retryAfterSeconds }: Reading): string =>
  `it asks for fewer requests: wait ${retryAfterSeconds === undefined ? 'a while' : `${Math.ceil(retryAfterSeconds)} s`}, then try again`;

const TOKEN_HINTS: Readonly<Record<number, string>> = {
  400: `${KEY_HINT}; try tokenAuthMethod client_secret_basic`,
  401: KEY_HINT,
  403: IP_HINT,
  404: 'check accessTokenUrl: it usually ends in /iso/oauth2/token',
};

const tokenHint = (means: TokenMeaning, reading: Reading): string => {
  if (means === 'rate-limited') return waitHint(reading);
  if (means === 'gateway') return 'the gateway does not reach Segura: try again, or ask who runs it';
  if (means === 'tls') return 'the certificate was refused: check caCertificate, clientCertificate and clientKey';
  if (means === 'client-certificate') return CERTIFICATE_HINT;
  if (means === 'proxy') return PROXY_HINT;
  if (reading.status === 200 && isPage(reading)) {
    return 'a web page came instead of a token: accessTokenUrl leads to a login page, or a proxy answered in its place';
  }
  return TOKEN_HINTS[reading.status] ?? `this is not a token endpoint: check accessTokenUrl; or ${IP_HINT}`;
};

const connect = ({ caCertificate, clientCertificate, clientKey }: Secret) =>
  createSend({
    maxSockets: 1,
    caCertificate,
    clientCertificate,
    clientKey: clientKey?.reveal(),
    proxy: readProxy(process.env),
  });

/** Carries out `work` over a connection of its own, which is closed when the work is done. */
const withVault = async <Result>(secret: Secret, work: (vault: Vault) => Promise<Result>): Promise<Result> => {
  const connection = connect(secret);
  try {
    return await work({ secret, send: connection.send });
  } finally {
    connection.close();
  }
};

const askForToken = async (vault: Vault, form: BasicForm, { clock, recorded }: Context) => {
  const answer = await requestToken(vault, TIMEOUT_MS, form);
  const reading = readAnswer(answer, Date.now());
  const row = judgeToken(reading);
  if (answer.kind === 'answered') readClock(clock, 'Segura', answer.headers.date, Date.now());
  recorded.push(recordAnswer(form === 'plain' ? 'token, plain form' : 'token', answer, row));
  return { answer, reading, means: row.means };
};

/** As the function asks: the plain form of `client_secret_basic` where the encoded one is refused. */
const findToken = async (vault: Vault, context: Context) => {
  const first = await askForToken(vault, 'encoded', context);
  if (first.means !== 'token-refused' || !hasPlainForm(vault.secret)) return first;
  const second = await askForToken(vault, 'plain', context);
  return second.means === 'token-issued' ? second : first;
};

export const token = step('token', 'segura', ['secret', 'isReachable'], ({ secret }, context) =>
  withVault(secret, async (vault) => {
    const { answer, reading, means } = await findToken(vault, context);
    if (means !== 'token-issued') {
      return { checks: [failed('token', `${tokenHint(means, reading)} (${whatCame(answer, reading)})`)] };
    }
    const issued = { value: hide(String(reading.json['access_token'])), vault, renewAt: 0, expiresAt: 0 };
    return {
      checks: [ok('token', `issued, good for ${lifetimeSeconds(reading.json['expires_in'])} s`)],
      facts: { token: issued },
    };
  }),
);

const ENDPOINT_HINTS: Partial<Record<Meaning, string>> = {
  unroutable: 'check url in the secret: the base alone, without /api; or the access key is not for MySafe',
  unauthorized: `the access key is not for MySafe or its user may not use it; or ${IP_HINT}`,
  forbidden: `${IP_HINT}; or it needs a referer: set referer in the secret`,
  redirect: 'url answers with a redirect, as a login page does: it is not the API',
  'client-certificate': CERTIFICATE_HINT,
  proxy: PROXY_HINT,
  'no-access': 'the way is open, but Segura says 1006 to identifier 0, which is not a password: ask its vendor',
  enabled: 'Segura says that it enabled password 0, which is not a password: this is not the API we know',
  'already-enabled': 'Segura says that password 0 is enabled, which is not a password: this is not the API we know',
};

const endpointHint = (means: Meaning, reading: Reading): string => {
  if (means === 'rate-limited') return waitHint(reading);
  if (reading.status === 200 && isPage(reading)) {
    return 'a web page came instead of an answer of the API: url leads to a login page, or a proxy answered in its place';
  }
  return ENDPOINT_HINTS[means] ?? 'Segura or its gateway is in trouble: try again, or ask who runs it';
};

const NOBODYS_TOKEN = 'mysafe-enable-doctor';

/** What else is worth knowing of a Segura that nobody has written about: how it refuses a token. */
const recordRefusal = async (good: Token, { recorded }: Context): Promise<void> => {
  const answer = await enablePassword(0, { ...good, value: hide(NOBODYS_TOKEN) }, TIMEOUT_MS);
  const row = judge(readAnswer(answer, Date.now()));
  recorded.push(recordAnswer('enable identifier 0, with a token that nobody issued', answer, row));
};

const judgeEndpoint = (secret: Secret, { value }: Token, answer: Answer): Check => {
  const reading = readAnswer(answer, Date.now());
  const row = judge(reading);
  if (row.means === 'not-found' || row.means === 'invalid-identifier') {
    const redaction = createRedaction();
    redaction.hideSecret(secret);
    redaction.hide(value);
    return ok('endpoint', `identifier 0 is answered "${redaction.redact(describe(row, reading))}", as it must be`);
  }
  return failed('endpoint', `${endpointHint(row.means, reading)} (${whatCame(answer, reading)})`);
};

export const endpoint = step('endpoint', 'segura', ['secret', 'token'], ({ secret, token: found }, context) =>
  withVault(secret, async (vault) => {
    const good = { ...found, vault };
    const answer = await enablePassword(0, good, TIMEOUT_MS);
    context.recorded.push(recordAnswer('enable identifier 0', answer, judge(readAnswer(answer, Date.now()))));
    if (context.isRecording) await recordRefusal(good, context);
    return { checks: [judgeEndpoint(secret, found, answer)] };
  }),
);
