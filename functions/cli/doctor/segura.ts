/** The doctor on the way to Segura: name, TLS, token, endpoint. Identifier 0 is no password, so nothing is enabled. */
import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { type Answer, createSend } from '../../http/send.ts';
import { describe, judge, judgeToken, type Meaning } from '../../segura/answers.ts';
import { enablePassword } from '../../segura/client.ts';
import { readAnswer } from '../../segura/reading.ts';
import { hide, type Secret } from '../../segura/secret.ts';
import { lifetimeSeconds, requestToken, type Token } from '../../segura/token.ts';
import type { Vault } from '../../segura/vault.ts';
import { type Check, type Clock, failed, ok, readClock, skipped } from './check.ts';

const TIMEOUT_MS = 15_000;
const DAY_MS = 86_400_000;
/** Time to have a certificate renewed. */
const CERTIFICATE_DAYS = 30;

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

const checkName = async (url: URL): Promise<Check> => {
  const title = `name ${url.hostname}`;
  try {
    const addresses = await lookup(hostOf(url), { all: true });
    return ok(title, addresses.map(({ address }) => address).join(', '));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return failed(title, `does not resolve from here (${code}): check url in the secret, and the DNS of this network`);
  }
};

/** One certificate's end; a short-lived one is renewed by a machine, and has to have a third of its time left. */
const checkEnd = (title: string, { validFrom, validTo }: X509Certificate, found: string): Check => {
  const left = Date.parse(validTo) - Date.now();
  const least = Math.min(CERTIFICATE_DAYS * DAY_MS, (Date.parse(validTo) - Date.parse(validFrom)) / 3);
  const end = `certificate until ${new Date(validTo).toISOString().slice(0, 10)}, ${Math.floor(left / DAY_MS)} days`;
  return left > least ? ok(title, `${found}${end}`) : failed(title, `${found}${end}: have it renewed`);
};

const TLS_HINTS: readonly (readonly [RegExp, string])[] = [
  [/EXPIRED/, 'the certificate is over: have it renewed'],
  [/ALTNAME|HOSTNAME/, 'the certificate is for another name: check url in the secret'],
  [
    /CERT|ISSUER|SIGNED|VERIFY/,
    'nobody here trusts it: put the PEM of the authority that signed it into caCertificate',
  ],
  [/ECONNREFUSED/, 'nobody listens there: check host and port in the secret'],
  [/ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, 'check routes, security groups and firewalls'],
];

/** A certificate that is nearly over opens the way still. */
interface Way {
  readonly check: Check;
  readonly isOpen: boolean;
}

const checkTls = (url: URL, { caCertificate, clientCertificate, clientKey }: Secret): Promise<Way> => {
  const title = `TLS ${url.host}`;
  if (url.protocol === 'http:') {
    return Promise.resolve({ check: ok(title, 'plain http, for it is this machine'), isOpen: true });
  }
  const host = hostOf(url);
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(url.port || 443),
      timeout: TIMEOUT_MS,
      ...(isIP(host) ? {} : { servername: host }),
      ...(caCertificate ? { ca: caCertificate } : {}),
      ...(clientCertificate ? { cert: clientCertificate } : {}),
      ...(clientKey ? { key: clientKey.reveal() } : {}),
    });
    const end = (check: Check, isOpen = false): void => {
      resolve({ check, isOpen });
      socket.destroy();
    };
    socket.on('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate) end(checkEnd(title, certificate, `${socket.getProtocol()}, `), true);
      else end(failed(title, 'shows no certificate'));
    });
    socket.on('timeout', () => end(failed(title, 'no answer: check routes, security groups and firewalls')));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? error.message;
      const [, hint = 'check host, port and certificate'] = TLS_HINTS.find(([name]) => name.test(code)) ?? [];
      end(failed(title, `${hint} (${code})`));
    });
  });
};

const checkOwnCertificates = ({ caCertificate, clientCertificate }: Secret): Check[] => [
  ...(caCertificate ? [checkEnd('caCertificate', new X509Certificate(caCertificate), '')] : []),
  ...(clientCertificate ? [checkEnd('clientCertificate', new X509Certificate(clientCertificate), '')] : []),
];

const whatCame = (answer: Answer): string =>
  answer.kind === 'answered' ? `HTTP ${answer.status}` : `no answer: ${answer.failure}, ${answer.code}`;

const IP_HINT = "Segura may not have this address among the access key's authorised IPs";
const KEY_HINT =
  'check clientId and clientSecret, and that the access key is neither revoked nor over; a multi-tenant installation wants tokenParameters {"tenant": "…"}';

const TOKEN_HINTS: Readonly<Record<number, string>> = {
  400: `${KEY_HINT}; try tokenAuthMethod client_secret_basic`,
  401: KEY_HINT,
  403: IP_HINT,
  404: 'check accessTokenUrl: it mostly ends in /iso/oauth2/token',
};

const checkToken = async (vault: Vault, clock: Clock): Promise<{ readonly check: Check; readonly token?: Token }> => {
  const answer = await requestToken(vault, TIMEOUT_MS);
  const reading = readAnswer(answer, Date.now());
  if (answer.kind === 'answered') readClock(clock, 'Segura', answer.headers.date, Date.now());
  const { means } = judgeToken(reading);
  if (means === 'token-issued') {
    const token = { value: hide(String(reading.json['access_token'])), vault, renewAt: 0, expiresAt: 0 };
    return { check: ok('token', `issued, good for ${lifetimeSeconds(reading.json['expires_in'])} s`), token };
  }
  const hints: Partial<Record<typeof means, string>> = {
    gateway: 'the gateway does not reach Segura: try again, or ask who runs it',
    tls: 'the certificate was refused: check caCertificate, clientCertificate and clientKey',
  };
  const hint =
    hints[means] ?? TOKEN_HINTS[reading.status] ?? `this is no token endpoint: check accessTokenUrl; or ${IP_HINT}`;
  return { check: failed('token', `${hint} (${whatCame(answer)})`) };
};

const ENDPOINT_HINTS: Partial<Record<Meaning, string>> = {
  unroutable: 'check url in the secret: the base alone, without /api; or the access key is not for MySafe',
  unauthorized: `the access key is not for MySafe or its user may not use it; or ${IP_HINT}`,
  forbidden: `${IP_HINT}; or it wants a referer: set referer in the secret`,
  redirect: 'url answers with a redirect, as a login page does: it is not the API',
  'no-access': 'the way is open, but Segura says 1006 to identifier 0, which is no password: ask its vendor',
  enabled: 'Segura says that it enabled password 0, which is no password: this is not the API we know',
  'already-enabled': 'Segura says that password 0 is enabled, which is no password: this is not the API we know',
};

const checkEndpoint = async (token: Token): Promise<Check> => {
  const answer = await enablePassword(0, token, TIMEOUT_MS);
  const reading = readAnswer(answer, Date.now());
  const row = judge(reading);
  if (row.means === 'not-found' || row.means === 'invalid-identifier') {
    return ok('endpoint', `identifier 0 is answered "${describe(row, reading)}", as it must be`);
  }
  const hint = ENDPOINT_HINTS[row.means] ?? 'Segura or its gateway is in trouble: try again, or ask who runs it';
  return failed('endpoint', `${hint} (${whatCame(answer)})`);
};

export const checkSegura = async (secret: Secret, clock: Clock): Promise<Check[]> => {
  const urls = [secret.url, secret.accessTokenUrl];
  const names = new Map(urls.map((url) => [url.hostname, url]));
  const hosts = new Map(urls.map((url) => [url.host, url]));
  const resolved = await Promise.all([...names.values()].map(checkName));
  const ways = await Promise.all([...hosts.values()].map((url) => checkTls(url, secret)));
  const checks = [...resolved, ...ways.map(({ check }) => check), ...checkOwnCertificates(secret)];
  if (ways.some(({ isOpen }) => !isOpen)) return [...checks, skipped('token', 'Segura is not to be reached')];
  const { caCertificate, clientCertificate, clientKey } = secret;
  const connection = createSend({ maxSockets: 1, caCertificate, clientCertificate, clientKey: clientKey?.reveal() });
  try {
    const { check, token } = await checkToken({ secret, send: connection.send }, clock);
    const endpoint = token ? await checkEndpoint(token) : skipped('endpoint', 'there is no token');
    return [...checks, check, endpoint];
  } finally {
    connection.close();
  }
};
