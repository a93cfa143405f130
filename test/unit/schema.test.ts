/** The published shape of a message against what the function really takes, and the AsyncAPI document against its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import schema from '../../events/enable-request.schema.json' with { type: 'json' };
import { deadLetterAttributes } from '../../functions/dead-letters/letter.ts';
import { parseRequest } from '../../functions/requests/request.ts';
import { runs } from '../depth.ts';

const events = join(import.meta.dirname, '../../events');
const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
formats.default(ajv);
const validate = ajv.compile(schema);
const isRequest = (body: string): boolean => parseRequest(body).kind === 'request';

const two = (value: number): string => String(value).padStart(2, '0');

describe('enable-request.schema.json', () => {
  test.each(readdirSync(events).filter((name) => /^request-.*\.json$/.test(name)))(
    'the sample %s matches it',
    (name) => {
      const { Records } = JSON.parse(readFileSync(join(events, name), 'utf8')) as { Records: { body: string }[] };
      for (const { body } of Records) {
        expect(validate(JSON.parse(body)) ? [] : validate.errors).toEqual([]);
        expect(isRequest(body)).toBe(true);
      }
    },
  );

  const MAX = Number.MAX_SAFE_INTEGER;
  const moment = '2027-01-31T17:00';
  const cases: readonly (readonly [unknown, boolean])[] = [
    ...[1, 10, MAX, '1', '10', String(MAX), '999999999999999', '9007199254740990'].map(
      (value) => [value, true] as const,
    ),
    ...[0, -1, 1.5, MAX + 1, '', '0', '01', '-1', '+1', '1.0', '1e1', ' 1', '9007199254740992', '9999999999999999'].map(
      (value) => [value, false] as const,
    ),
    ...[null, true, [], [10], {}, { identifier: null }, { identifier: [1] }, { id: 1 }].map(
      (value) => [value, false] as const,
    ),
    [{ identifier: 10, anything: { else: true } }, true],
    [{ identifier: 10, reason: 'x'.repeat(256) }, true],
    [{ identifier: 10, reason: '😀'.repeat(256) }, true],
    [{ identifier: 10, reason: 'x'.repeat(257) }, false],
    [{ identifier: 10, requestId: 5 }, false],
    [{ identifier: 10, requestId: null, requestedBy: null, reason: null, source: null, notAfter: null }, true],
    [{ identifier: null, reason: null }, false],
    ...['Z', '+01:00', '-0330', '+01', ':30Z', ':30.5Z', ':30,123456789+01:00'].map(
      (end) => [{ identifier: 10, notAfter: `${moment}${end}` }, true] as const,
    ),
    ...['', ':30', '+1', ' Z', 'z', ':30.Z'].map(
      (end) => [{ identifier: 10, notAfter: `${moment}${end}` }, false] as const,
    ),
    ...['24:00Z', '24:00:00Z', '24:00:00.000Z', '23:59:59+23:59'].map(
      (time) => [{ identifier: 10, notAfter: `2027-01-31T${time}` }, true] as const,
    ),
    ...['24:30Z', '24:00:01Z', '25:00Z', '17:00+24:00', '17:00+23:60', '17:00-99'].map(
      (time) => [{ identifier: 10, notAfter: `2027-01-31T${time}` }, false] as const,
    ),
    ...['2027-13-01', '2030-02-30', '2030-02-29', '2100-02-29', '2030-04-31', '2030-11-31', '2030-01-00'].map(
      (day) => [{ identifier: 10, notAfter: `${day}T00:00Z` }, false] as const,
    ),
    ...['2028-02-29', '2000-02-29', '2400-02-29', '2030-02-28', '2030-04-30', '2030-12-31'].map(
      (day) => [{ identifier: 10, notAfter: `${day}T00:00Z` }, true] as const,
    ),
    [{ identifier: 10, notAfter: 1_800_000_000 }, false],
    [{ 'detail-type': 'x', detail: { identifier: 10 } }, true],
    [{ 'detail-type': 'x', detail: 10 }, true],
    [{ 'detail-type': 'x', detail: { id: 10 } }, false],
    [{ 'detail-type': 'x', detail: { 'detail-type': 'y', detail: 10 } }, false],
    [{ identifier: 0, 'detail-type': 'x', detail: 10 }, false],
    [{ Type: 'Notification', Message: '{"identifier": 10}' }, true],
    [{ Type: 'SubscriptionConfirmation', Message: '{"identifier": 10}' }, false],
    [{ Type: 'Notification', Message: 10 }, false],
  ];

  test.each(cases)('%j is a request: %s, by the schema and by the function', (value, expected) => {
    expect([validate(value), isRequest(JSON.stringify(value))]).toEqual([expected, expected]);
  });

  test('what the function takes, the schema takes, and the other way round', () => {
    const identifier = fc.oneof(
      fc.maxSafeInteger(),
      fc.maxSafeInteger().map(String),
      fc.bigInt({ min: 0n, max: 10n ** 17n }).map(String),
      fc.string(),
    );
    const text = fc.oneof(fc.string({ maxLength: 300 }), fc.integer(), fc.constant(null));
    const day = fc.tuple(
      fc.integer({ min: 0, max: 9999 }),
      fc.integer({ min: 0, max: 13 }),
      fc.integer({ min: 0, max: 32 }),
    );
    const notAfter = fc.oneof(
      day.map(([year, month, date]) => `${String(year).padStart(4, '0')}-${two(month)}-${two(date)}T12:00Z`),
      text,
    );
    const request = fc.oneof(
      identifier,
      fc.record(
        { identifier, requestId: text, requestedBy: text, reason: text, source: text, notAfter, other: fc.jsonValue() },
        { requiredKeys: [] },
      ),
    );
    const body = fc.oneof(request, fc.record({ 'detail-type': fc.string(), detail: request }), fc.jsonValue());
    fc.assert(
      fc.property(body, (value) => {
        // Numbers that JSON writes with a dot or an exponent are refused though JSON Schema calls some of them integers.
        const written = JSON.stringify(value);
        fc.pre(!/\d[.eE]/.test(written));
        expect(isRequest(written)).toBe(validate(JSON.parse(written)));
      }),
      { numRuns: runs(2000) },
    );
  });
});

describe('asyncapi.yaml', () => {
  const document = parse(readFileSync(join(events, 'asyncapi.yaml'), 'utf8')) as Record<string, never>;

  test('is a valid AsyncAPI document', () => {
    const require = createRequire(import.meta.url);
    const specification = require('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object;
    const draft7 = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    const isValid = draft7.compile(specification);
    expect(isValid(document) ? [] : isValid.errors).toEqual([]);
  });

  test('every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = '']) => target);
    expect(references.length).toBeGreaterThan(10);
    for (const target of references) {
      const [file = '', pointer = ''] = target.split('#');
      const found = pointer
        .split('/')
        .slice(1)
        .reduce<unknown>(
          (value, key) => (value as Record<string, unknown> | undefined)?.[key],
          file === '' ? document : JSON.parse(readFileSync(join(events, file), 'utf8')),
        );
      expect(found, target).toBeDefined();
    }
  });

  test('a dead letter carries exactly the attributes that it names', () => {
    const { headers } = (document as unknown as Document).components.messages.deadLetter;
    const { attributes } = deadLetterAttributes(
      'body',
      {},
      { originalMessageId: 'a', firstSentAt: new Date(), replayCount: 0 },
      { errorCode: '1005', errorMessage: 'x', failedAt: new Date() },
    );
    expect(Object.keys(attributes).sort()).toEqual([...headers.required].sort());
    for (const name of headers.required) expect(Object.keys(headers.properties)).toContain(name);
  });
});

interface Document {
  readonly components: {
    readonly messages: { readonly deadLetter: { readonly headers: { required: string[]; properties: object } } };
  };
}
