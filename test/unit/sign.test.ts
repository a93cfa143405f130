/** Our signature is the one that AWS's own signer makes. */
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sign } from '../../functions/aws/sign.ts';

type SourceData = string | ArrayBuffer | ArrayBufferView;

const toBytes = (data: SourceData): string | Buffer =>
  typeof data === 'string'
    ? data
    : ArrayBuffer.isView(data)
      ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      : Buffer.from(data);

/** The hash that the signer wants to be given. */
class Sha256 {
  readonly hash;
  constructor(secret?: SourceData) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', toBytes(secret));
  }
  update(data: SourceData): void {
    this.hash.update(toBytes(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.hash.digest();
  }
  reset(): void {
    throw new Error('not wanted here');
  }
}

test('for any body, time, region and credentials', async () => {
  const text = fc.string({ minLength: 1, unit: fc.constantFrom(...'abcXYZ019+/=-_'.split('')) });
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme' }),
      fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
      fc.constantFrom('eu-west-1', 'us-gov-east-1', 'cn-north-1'),
      fc.constantFrom('sqs' as const, 'secretsmanager' as const),
      text,
      text,
      fc.option(text, { nil: undefined }),
      async (body, now, region, service, accessKeyId, secretAccessKey, sessionToken) => {
        const credentials = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
        const url = new URL(`https://${service}.${region}.amazonaws.com/`);
        const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessageBatch' };
        const signer = new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum: false });
        const theirs = await signer.sign(
          {
            method: 'POST',
            protocol: 'https:',
            hostname: url.host,
            path: '/',
            query: {},
            headers: { ...headers, host: url.host },
            body,
          },
          { signingDate: now },
        );
        const ours = sign(url, headers, body, { credentials, region, service, now });
        expect(ours['authorization']).toBe(theirs.headers['authorization']);
        expect(ours['x-amz-date']).toBe(theirs.headers['x-amz-date']);
      },
    ),
  );
});
