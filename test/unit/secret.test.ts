/** The secret: what it must hold, every fault named at once, and no value of it shown. */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { generate } from 'selfsigned';
import { beforeAll, describe, expect, test } from 'vitest';
import { hide, parseSecret, SecretError } from '../../functions/segura/secret.ts';
import { type Certificates, createCertificates } from '../../infra/local/certificates.ts';
import { runs } from '../depth.ts';

const complete = {
  url: 'https://segura.example.com',
  accessTokenUrl: 'https://segura.example.com/iso/oauth2/token',
  clientId: 'client',
  clientSecret: 'hunter2',
};
const parse = (changes: object = {}) => parseSecret(JSON.stringify({ ...complete, ...changes }));
const faultsOf = (source: string): readonly string[] => {
  try {
    parseSecret(source);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(SecretError);
    expect(error).toMatchObject({ name: 'SecretError', code: 'SECRET_MALFORMED' });
    return (error as SecretError).faults;
  }
};
const faults = (changes: object) => faultsOf(JSON.stringify({ ...complete, ...changes }));

test('the four required keys are enough', () => {
  const secret = parse();
  expect(secret).toMatchObject({ clientId: 'client', tokenAuthMethod: 'client_secret_post', tokenParameters: {} });
  expect([secret.url.href, secret.accessTokenUrl.href]).toEqual([
    'https://segura.example.com/',
    complete.accessTokenUrl,
  ]);
  expect(secret.clientSecret.reveal()).toBe('hunter2');
  for (const key of ['referer', 'caCertificate', 'clientCertificate', 'clientKey'])
    expect(secret).not.toHaveProperty(key);
});

test('what is optional is taken where it is given, and null is as good as not given', () => {
  expect(
    parse({
      tokenAuthMethod: 'client_secret_basic',
      tokenParameters: { tenant: 'acme' },
      referer: 'https://a',
      tomorrow: 1,
    }),
  ).toMatchObject({
    tokenAuthMethod: 'client_secret_basic',
    tokenParameters: { tenant: 'acme' },
    referer: 'https://a',
  });
  const nothing = { referer: null, caCertificate: null, tokenParameters: null, clientKey: null, tokenAuthMethod: null };
  expect(JSON.stringify(parse(nothing))).toBe(JSON.stringify(parse()));
});

describe('what consoles do to a value is undone', () => {
  test('an optional key that is empty counts as not given', () => {
    const keys = ['referer', 'caCertificate', 'clientCertificate', 'clientKey', 'tokenParameters', 'tokenAuthMethod'];
    for (const empty of ['', ' \n', null]) {
      const emptied = Object.fromEntries(keys.map((key) => [key, empty]));
      expect(JSON.stringify(parse(emptied))).toBe(JSON.stringify(parse()));
    }
    expect(parse({ tokenParameters: { tenant: '', realm: null } }).tokenParameters).toEqual({});
  });

  test('white space at either end of a value goes', () => {
    const secret = parse({
      url: '\thttps://segura.example.com\n',
      clientId: ' client ',
      clientSecret: 'hunter2\r\n',
      referer: ' https://a ',
      tokenAuthMethod: ' client_secret_basic ',
      tokenParameters: { tenant: ' acme ' },
    });
    expect(secret).toMatchObject({ clientId: 'client', referer: 'https://a', tokenParameters: { tenant: 'acme' } });
    expect([secret.clientSecret.reveal(), secret.tokenAuthMethod]).toEqual(['hunter2', 'client_secret_basic']);
  });

  test('a byte order mark before the JSON goes', () => {
    expect(parseSecret(`\ufeff${JSON.stringify(complete)}`).clientId).toBe('client');
  });
});

test('an address of sixty thousand slashes is not a URL of a server', () => {
  expect(faults({ url: `https://segura.example.com${'/'.repeat(60_000)}x` })).toEqual([
    expect.stringMatching(/^url is not a URL/),
  ]);
  expect(parse({ url: `https://segura.example.com/pam${'/'.repeat(1900)}` }).url.pathname).toBe('/pam');
});

test('no secret takes more than one pass, or shows a value', () => {
  const pieces = fc.constantFrom(
    '-----BEGIN CERTIFICATE-----',
    '-----END CERTIFICATE-----',
    '-----BEGIN ',
    '\\n',
    'QUJD',
    ' ',
  );
  const value = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 300 }).map((all) => all.join('')),
    fc.jsonValue(),
  );
  const keys = [
    ...Object.keys(complete),
    'referer',
    'caCertificate',
    'clientCertificate',
    'clientKey',
    'tokenParameters',
  ];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), value), (changes) => {
      try {
        parse(changes);
      } catch (error) {
        expect(error).toBeInstanceOf(SecretError);
      }
    }),
    { numRuns: runs(500) },
  );
});

test.each([
  ['https://segura.example.com/', '/'],
  ['https://segura.example.com/pam/', '/pam'],
  [' https://segura.example.com/pam//\n', '/pam'],
  ['http://localhost:8080', '/'],
  ['http://127.0.0.1:1/x', '/x'],
  ['http://[::1]:1', '/'],
])('the base URL %j is taken, with its prefix %s', (url, pathname) => {
  expect(parse({ url }).url.pathname).toBe(pathname);
});

describe('a fault is named with what to fix', () => {
  test.each<readonly [string, RegExp]>([
    ['', /it is not JSON/],
    ['url=https://x', /it is not JSON/],
    ['"text"', /not a JSON object/],
    ['[]', /not a JSON object/],
    ['null', /not a JSON object/],
  ])('of the whole: %j', (source, said) => {
    expect(faultsOf(source)).toEqual([expect.stringMatching(said)]);
  });

  test.each<readonly [object, RegExp]>([
    [{ url: undefined }, /^url is missing$/],
    [{ accessTokenUrl: null }, /^accessTokenUrl is missing$/],
    [{ clientId: undefined }, /^clientId is missing$/],
    [{ clientSecret: undefined }, /^clientSecret is missing$/],
    [{ clientSecret: '' }, /^clientSecret must be a non-empty string$/],
    [{ clientId: 5 }, /^clientId must be a non-empty string$/],
    [{ url: 'segura' }, /^url is not a URL such as https/],
    [{ url: 'http://segura.example.com' }, /^url must be https/],
    [{ url: 'ftp://segura.example.com' }, /^url must be https/],
    [{ url: 'http://127.0.0.1.example.com' }, /^url must be https/],
    [{ accessTokenUrl: 'http://10.0.0.1/token' }, /^accessTokenUrl must be https/],
    [{ url: 'https://user:pass@segura.example.com' }, /^url must not carry a user name/],
    [{ url: 'https://segura.example.com?tenant=a' }, /^url must not carry a query/],
    [{ accessTokenUrl: 'https://segura.example.com/token#a' }, /^accessTokenUrl must not carry a fragment/],
    [{ tokenAuthMethod: 'private_key_jwt' }, /^tokenAuthMethod must be client_secret_post or client_secret_basic$/],
    [{ tokenParameters: 'tenant=acme' }, /^tokenParameters must be an object of strings/],
    [{ tokenParameters: ['a'] }, /^tokenParameters must be an object of strings/],
    [{ tokenParameters: { tenant: 5 } }, /^tokenParameters must be an object of strings/],
    [
      { tokenParameters: { grant_type: 'password', client_id: 'x' } },
      /^tokenParameters must not set grant_type, client_id$/,
    ],
    [{ referer: 'https://a\r\nX-Evil: 1' }, /^referer must be printable ASCII$/],
    [{ caCertificate: 'MIIB' }, /^caCertificate is not PEM: it must hold -----BEGIN CERTIFICATE-----/],
    [
      { caCertificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
      /^caCertificate is a PEM block, but no certificate$/,
    ],
  ])('%j', (changes, said) => {
    expect(faults(changes)).toEqual([expect.stringMatching(said)]);
  });

  test('all of them together, in one message', () => {
    const changes = { url: 'http://far.example.com', clientId: '', tokenAuthMethod: 'x', referer: 7 };
    expect(faults(changes)).toHaveLength(4);
    expect(() => parse(changes)).toThrow(/url must be https.*clientId.*tokenAuthMethod.*referer/);
  });

  test('without any value of the secret', () => {
    const planted = 'hunter2';
    for (const source of [
      `{"clientSecret": "${planted}"`,
      JSON.stringify({
        ...complete,
        url: planted,
        tokenAuthMethod: planted,
        caCertificate: planted,
        clientKey: planted,
      }),
      JSON.stringify({ clientSecret: planted, tokenParameters: planted, referer: `${planted}\n` }),
    ]) {
      expect(faultsOf(source).length).toBeGreaterThan(0);
      expect(faultsOf(source).join()).not.toContain(planted);
    }
  });
});

describe('certificates', () => {
  let certificates: Certificates;
  let other: Certificates;
  beforeAll(async () => {
    [certificates, other] = await Promise.all([createCertificates(), createCertificates()]);
  });

  const written = (pem: string): string => `${pem.trim().replaceAll('\r\n', '\n')}\n`;

  test.each<readonly [string, (pem: string) => string]>([
    ['as it is', (pem) => pem],
    ['with \\n as two characters', (pem) => pem.trim().replaceAll('\n', '\\n')],
    ['with \\r\\n as four characters', (pem) => pem.trim().replaceAll('\n', '\\r\\n')],
    ['escaped twice', (pem) => pem.trim().replaceAll('\n', '\\\\n')],
    ['with Windows line ends', (pem) => pem.replaceAll('\n', '\r\n')],
    ['with blanks for its line ends', (pem) => pem.replaceAll('\n', ' ')],
    ['with tabs for its line ends', (pem) => pem.replaceAll('\n', '\t')],
    ['with no-break spaces for its line ends', (pem) => pem.trim().replaceAll('\n', '\u00a0')],
    ['on one line', (pem) => pem.replaceAll('\n', '')],
    ['without any white space', (pem) => pem.replace(/\s/g, '')],
    ['percent-encoded line ends', (pem) => pem.replaceAll('\n', '%0A')],
    ['indented', (pem) => pem.replace(/^/gm, '    ')],
    ['with blank lines', (pem) => `\n\n${pem.replaceAll('\n', '\n\n')}`],
    ['under what openssl writes above it', (pem) => `Bag Attributes\n    friendlyName: x\nsubject=CN = a\n${pem}`],
  ])('and their key are taken %s', (_, damage) => {
    const { cert, key } = certificates.client;
    const secret = parse({
      caCertificate: damage(certificates.ca),
      clientCertificate: damage(cert),
      clientKey: damage(key),
    });
    expect(secret).toMatchObject({ caCertificate: written(certificates.ca), clientCertificate: written(cert) });
    expect(secret.clientKey?.reveal()).toBe(written(key));
  });

  test('pasted into the JSON with their own line ends are taken', () => {
    const source = JSON.stringify({ ...complete, caCertificate: 'HERE' }).replace('HERE', certificates.ca);
    expect(parseSecret(source).caCertificate).toBe(written(certificates.ca));
  });

  test.each([
    ['one under the other', '\n'],
    ['glued together', ''],
    ['with a blank between', ' '],
    ['with text between', '\n# the other one\n'],
  ])('of a bundle are all taken, %s', (_, between) => {
    const bundle = certificates.ca.trim() + between + other.ca.trim();
    expect(parse({ caCertificate: bundle }).caCertificate).toBe(written(certificates.ca) + written(other.ca));
  });

  test('a bundle is judged by every certificate, and the faulty one is numbered', () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
    expect(faults({ caCertificate: certificates.ca + broken })).toEqual([
      'block 2 of caCertificate is a PEM block, but no certificate',
    ]);
  });

  test('a block that has lost its end is not PEM', () => {
    expect(faults({ caCertificate: certificates.ca.replace('-----END', '') })).toEqual([
      expect.stringMatching(/^caCertificate is not PEM/),
    ]);
  });

  test('a pair that TLS refuses only when it connects is a fault now', async () => {
    const weak = await generate([{ name: 'commonName', value: 'weak' }], { keySize: 1024, algorithm: 'sha256' });
    expect(faults({ clientCertificate: weak.cert, clientKey: weak.private })).toEqual([
      expect.stringMatching(/cannot be used for TLS \(ERR_SSL_EE_KEY_TOO_SMALL\): have new ones issued/),
    ]);
  });

  test.each(['clientCertificate', 'clientKey'] as const)('%s alone is half a pair', (key) => {
    const value = key === 'clientKey' ? certificates.client.key : certificates.client.cert;
    expect(faults({ [key]: value })).toEqual([expect.stringMatching(/belong together: give both or none/)]);
  });

  test('a key of another certificate is a fault now, not one of each call', () => {
    expect(faults({ clientCertificate: certificates.client.cert, clientKey: other.client.key })).toEqual([
      'clientKey is not the key of clientCertificate',
    ]);
  });

  test('a key that cannot be read is a fault', () => {
    const clientKey = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----';
    expect(faults({ clientCertificate: certificates.client.cert, clientKey })).toEqual([
      'clientKey is encrypted: give it without a passphrase',
    ]);
  });
});

describe('a hidden value', () => {
  test('prints as [secret] wherever it is printed, and opens by name alone', () => {
    const hidden = hide('hunter2');
    const printed = [
      String(hidden),
      `${hidden}`,
      JSON.stringify({ hidden }),
      inspect(hidden),
      inspect({ deep: [{ hidden }] }, { depth: 9, showHidden: true }),
      Object.values(hidden).join(),
      new Error('x', { cause: hidden }).stack,
    ];
    expect(printed.join()).not.toContain('hunter2');
    expect(printed.slice(0, 4)).toEqual(['[secret]', '[secret]', '{"hidden":"[secret]"}', '[secret]']);
    expect(hidden.reveal()).toBe('hunter2');
  });

  test('keeps a whole secret from being printed', () => {
    const secret = parse();
    expect(inspect(secret, { depth: 9, showHidden: true }) + JSON.stringify(secret)).not.toContain('hunter2');
  });
});
