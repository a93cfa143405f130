/** Signature Version 4, held against AWS's own signer. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sign } from '../../functions/aws/sign.ts';

/** Node's SHA-256 in the shape that the SDK's signer wants. */
class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string | Uint8Array);
  }
  update(chunk: string | Uint8Array): void {
    this.#hash.update(chunk);
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }
  reset(): void {
    throw new Error('a hash is used once');
  }
}

const printable = fc.stringMatching(/^[A-Za-z0-9/+=]{1,40}$/);
const credentialsArbitrary = fc.record(
  { accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/), secretAccessKey: printable, sessionToken: printable },
  { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
);

test('every request is signed as AWS’s own signer signs it', async () => {
  await fc.assert(
    fc.asyncProperty(
      credentialsArbitrary,
      fc.constantFrom('eu-west-1', 'us-gov-east-1', 'cn-north-1'),
      fc.constantFrom('sqs', 'secretsmanager'),
      fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
      fc.oneof(fc.string({ unit: 'binary' }), fc.json()),
      fc.constantFrom(
        'https://sqs.eu-west-1.amazonaws.com/',
        'http://127.0.0.1:4566/',
        'https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com',
      ),
      fc.stringMatching(/^[A-Za-z]{1,12}\.[A-Za-z]{1,20}$/),
      async (credentials, region, service, now, body, endpoint, target) => {
        const url = new URL(endpoint);
        const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target };
        const ours = sign(url, headers, body, {
          credentials: credentials as Parameters<typeof sign>[3]['credentials'],
          region,
          service,
          now,
        });
        const signer = new SignatureV4({
          credentials: credentials as { accessKeyId: string; secretAccessKey: string },
          region,
          service,
          sha256: Sha256,
          applyChecksum: false,
        });
        const theirs = await signer.sign(
          {
            method: 'POST',
            protocol: url.protocol,
            hostname: url.hostname,
            path: url.pathname,
            headers: { ...headers, host: url.host },
            body,
          },
          { signingDate: now },
        );
        expect({ ...ours, host: url.host }).toEqual(theirs.headers);
      },
    ),
    { numRuns: 300 },
  );
});

test('a lone surrogate in a body is signed as it is sent: as UTF-8', () => {
  const signing = {
    credentials: { accessKeyId: 'A', secretAccessKey: 'S' },
    region: 'eu-west-1',
    service: 'sqs',
    now: new Date(0),
  };
  const url = new URL('https://sqs.eu-west-1.amazonaws.com');
  expect(sign(url, {}, '\ud800', signing)).toEqual(sign(url, {}, '\ufffd', signing));
});

test('the secret key is nowhere in what is sent', () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI-K7MDENG', sessionToken: 'session' };
  const signed = sign(new URL('https://sqs.eu-west-1.amazonaws.com'), {}, '{}', {
    credentials,
    region: 'eu-west-1',
    service: 'sqs',
    now: new Date(),
  });
  expect(JSON.stringify(signed)).not.toContain(credentials.secretAccessKey);
  expect(signed['x-amz-security-token']).toBe('session');
});
