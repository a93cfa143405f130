/** A private certificate authority, with a server certificate for loopback and a client certificate. */
import type { generate as toGenerate } from 'selfsigned';

type Extensions = NonNullable<Parameters<typeof toGenerate>[1]>['extensions'];

export interface Certificates {
  readonly ca: string;
  readonly server: { readonly key: string; readonly cert: string };
  /** The server's, a day past its end. */
  readonly expired: { readonly key: string; readonly cert: string };
  readonly client: { readonly key: string; readonly cert: string };
}

const name = (value: string) => [{ name: 'commonName', value }];

const DAY_MS = 86_400_000;

interface Issuance {
  readonly ca?: { readonly key: string; readonly cert: string };
  /** Valid from now on, or from a day before an end that has passed. */
  readonly expiresInMs?: number;
}

const issue = async (commonName: string, extensions: Extensions, { ca, expiresInMs = 30 * DAY_MS }: Issuance = {}) => {
  // The largest package of the local world, and most starts of it speak no TLS.
  const { generate } = await import('selfsigned');
  const { private: key, cert } = await generate(name(commonName), {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + Math.min(0, expiresInMs - DAY_MS)),
    notAfterDate: new Date(Date.now() + expiresInMs),
    ...(extensions ? { extensions } : {}),
    ...(ca ? { ca } : {}),
  });
  return { key, cert };
};

const SERVER_EXTENSIONS: Extensions = [
  { name: 'basicConstraints', cA: false },
  { name: 'extKeyUsage', serverAuth: true },
  {
    name: 'subjectAltName',
    altNames: [
      { type: 2, value: 'localhost' },
      { type: 7, ip: '127.0.0.1' },
    ],
  },
];

const CLIENT_EXTENSIONS: Extensions = [
  { name: 'basicConstraints', cA: false },
  { name: 'extKeyUsage', clientAuth: true },
];

export const createCertificates = async (): Promise<Certificates> => {
  const ca = await issue('Simulated CA', [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
  const [server, expired, client] = await Promise.all([
    issue('localhost', SERVER_EXTENSIONS, { ca }),
    issue('localhost', SERVER_EXTENSIONS, { ca, expiresInMs: -DAY_MS }),
    issue('mysafe-enable', CLIENT_EXTENSIONS, { ca }),
  ]);
  return { ca: ca.cert, server, expired, client };
};
