/** A private certificate authority, with a server certificate for loopback and a client certificate. */
import { generate } from 'selfsigned';

type Extensions = NonNullable<Parameters<typeof generate>[1]>['extensions'];

export interface Certificates {
  readonly ca: string;
  readonly server: { readonly key: string; readonly cert: string };
  readonly client: { readonly key: string; readonly cert: string };
}

const name = (value: string) => [{ name: 'commonName', value }];

const issue = async (commonName: string, extensions: Extensions, ca?: { key: string; cert: string }) => {
  const { private: key, cert } = await generate(name(commonName), {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + 86_400_000),
    ...(extensions ? { extensions } : {}),
    ...(ca ? { ca } : {}),
  });
  return { key, cert };
};

export const createCertificates = async (): Promise<Certificates> => {
  const ca = await issue('Simulated CA', [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
  const server = await issue(
    'localhost',
    [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
    ca,
  );
  const client = await issue(
    'mysafe-enable',
    [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', clientAuth: true },
    ],
    ca,
  );
  return { ca: ca.cert, server, client };
};
