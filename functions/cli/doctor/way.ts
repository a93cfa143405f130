/** The doctor on the way to Segura, before anything is asked: proxy, name, TLS, and how long certificates are good. */
import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { Agent, request } from 'node:https';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { proxyFor, readProxy } from '../../http/proxy.ts';
import { readPem } from '../../segura/pem.ts';
import type { Secret } from '../../segura/secret.ts';
import { type Check, failed, ok, step } from './check.ts';

const TIMEOUT_MS = 15_000;
const DAY_MS = 86_400_000;
/** Time to have a certificate renewed. */
const CERTIFICATE_DAYS = 30;

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

const checkName = async (url: URL): Promise<Check> => {
  const proxy = proxyFor(url);
  if (proxy !== undefined) return ok(`proxy for ${url.hostname}`, `by ${proxy}, which resolves the name`);
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
  const day = new Date(validTo).toISOString().slice(0, 10);
  if (left <= 0) return failed(title, `${found}certificate expired on ${day}: have it renewed`);
  const end = `certificate until ${day}, ${Math.floor(left / DAY_MS)} days`;
  return left > least ? ok(title, `${found}${end}`) : failed(title, `${found}${end}: have it renewed`);
};

/** A bundle is as good as the one of its certificates that expires first. */
const checkPem = (title: string, pem: string | undefined): Check[] => {
  const certificates = (pem === undefined ? [] : (readPem(pem) ?? [])).map(({ text }) => new X509Certificate(text));
  const [first] = certificates.toSorted((a, b) => Date.parse(a.validTo) - Date.parse(b.validTo));
  if (first === undefined) return [];
  return [checkEnd(title, first, certificates.length > 1 ? `first of ${certificates.length} to expire: ` : '')];
};

const TLS_HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|VERSION_TOO_LOW/,
    'it speaks a TLS older than 1.2, which Node refuses: have the server updated',
  ],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST/, 'no TLS is spoken there: check the port in the secret'],
  [/EXPIRED/, 'the certificate has expired: have it renewed'],
  [/ALTNAME|HOSTNAME/, 'the certificate is for another name: check url in the secret'],
  [
    /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|ALERT_BAD_CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_CERTIFICATE/,
    'it needs a client certificate that it knows: check clientCertificate and clientKey in the secret',
  ],
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

/** A handshake and no more: the request is never sent. */
const checkTls = (url: URL, { caCertificate, clientCertificate, clientKey }: Secret): Promise<Way> => {
  const proxy = proxyFor(url);
  const title = `TLS ${url.host}${proxy === undefined ? '' : ' by the proxy'}`;
  if (url.protocol === 'http:') {
    return Promise.resolve({ check: ok(title, 'plain http, for it is this machine'), isOpen: true });
  }
  const host = hostOf(url);
  const agent = new Agent({
    ...(proxy === undefined ? {} : { proxyEnv: { ...readProxy(process.env) } }),
    ...(isIP(host) ? {} : { servername: host }),
    ...(caCertificate ? { ca: caCertificate } : {}),
    ...(clientCertificate ? { cert: clientCertificate } : {}),
    ...(clientKey ? { key: clientKey.reveal() } : {}),
  });
  return new Promise((resolve) => {
    const probe = request({ agent, host, port: Number(url.port || 443), method: 'HEAD', path: '/' });
    const end = (check: Check, isOpen = false): void => {
      clearTimeout(limit);
      resolve({ check, isOpen });
      probe.destroy();
      agent.destroy();
    };
    const limit = setTimeout(
      () => end(failed(title, 'no answer: check routes, security groups and firewalls')),
      TIMEOUT_MS,
    );
    const secured = (socket: TLSSocket): void => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate) end(checkEnd(title, certificate, `${socket.getProtocol()}, `), true);
      else end(failed(title, 'shows no certificate'));
    };
    probe.on('socket', (socket) => {
      const secure = socket as TLSSocket;
      // Through a proxy the handshake is over before the socket is handed on.
      if (secure.getPeerX509Certificate?.()) secured(secure);
      else secure.once('secureConnect', () => secured(secure));
    });
    probe.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? error.message;
      const [, hint = 'check host, port and certificate'] = TLS_HINTS.find(([name]) => name.test(code)) ?? [];
      end(failed(title, `${proxy === undefined ? '' : `by the proxy ${proxy}: `}${hint} (${code})`));
    });
  });
};

export const way = step('way to Segura', 'segura', ['secret'], async ({ secret }) => {
  const urls = [secret.url, secret.accessTokenUrl];
  const names = new Map(urls.map((url) => [url.hostname, url]));
  const hosts = new Map(urls.map((url) => [url.host, url]));
  const resolved = await Promise.all([...names.values()].map(checkName));
  const ways = await Promise.all([...hosts.values()].map((url) => checkTls(url, secret)));
  const { caCertificate, clientCertificate } = secret;
  return {
    checks: [
      ...resolved,
      ...ways.map(({ check }) => check),
      ...checkPem('caCertificate', caCertificate),
      ...checkPem('clientCertificate', clientCertificate),
    ],
    facts: ways.every(({ isOpen }) => isOpen) ? { isReachable: true as const } : {},
  };
});
