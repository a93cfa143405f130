/** What counts as a request: forms, envelopes, identifiers as they were written, moments, expiry and its renewal. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBody } from '../../functions/requests/body.ts';
import {
  expiredReason,
  parseIdentifier,
  parseNotAfter,
  parseRequest,
  parseValue,
} from '../../functions/requests/request.ts';
import { runs } from '../depth.ts';

const request = (fields: object) => ({ kind: 'request', request: fields });
const sns = (message: string) =>
  JSON.stringify({ Type: 'Notification', MessageId: 'm', TopicArn: 'arn', Message: message });
const eventBridge = (detail: string) => `{"version": "0", "detail-type": "Approved", "detail": ${detail}}`;
const reasonOf = (body: string): string | undefined => {
  const parsed = parseRequest(body);
  return parsed.kind === 'invalid' ? parsed.reason : undefined;
};

describe('a body', () => {
  test.each([
    ['10', { identifier: 10 }],
    ['"10"', { identifier: 10 }],
    ['{"identifier": 10}', { identifier: 10 }],
    ['{"identifier": "10"}', { identifier: 10 }],
    [' \n10\t', { identifier: 10 }],
    ['9007199254740991', { identifier: 9007199254740991 }],
    ['"9007199254740991"', { identifier: 9007199254740991 }],
    ['{"identifier": 1, "other": 1.5e3, "deep": {"identifier": 0.5}}', { identifier: 1 }],
    ['{"identifier": 1, "reason": "until 17.5e"}', { identifier: 1, reason: 'until 17.5e' }],
    ['{"identifier": 1, "requestId": ""}', { identifier: 1, requestId: '' }],
    [
      '{"identifier": 1, "requestId": "a", "requestedBy": "b", "reason": "c", "source": "d"}',
      { identifier: 1, requestId: 'a', requestedBy: 'b', reason: 'c', source: 'd' },
    ],
    [
      '{"identifier": 1, "notAfter": "2027-01-31T17:00:00Z"}',
      { identifier: 1, notAfter: new Date('2027-01-31T17:00Z') },
    ],
    [sns('10'), { identifier: 10 }],
    [sns('"10"'), { identifier: 10 }],
    [sns('{"identifier": "10", "reason": "x"}'), { identifier: 10, reason: 'x' }],
    [eventBridge('{"identifier": 10}'), { identifier: 10 }],
    [
      '{"identifier": 10, "requestId": null, "requestedBy": null, "reason": null, "source": null, "notAfter": null}',
      { identifier: 10 },
    ],
    // Twice means twice in one object, and only what we read.
    ['{"identifier": 10, "ticket": 1, "ticket": 2}', { identifier: 10 }],
    ['{"identifier": 10, "deep": {"identifier": 11, "reason": 1, "reason": 2}}', { identifier: 10 }],
    ['{"identifier": 10, "detail": 1, "detail": 2}', { identifier: 10 }],
    [
      '{"detail-type": "x", "source": "itsm", "id": 1, "id": 2, "detail": {"identifier": 10, "source": "own", "detail": 1, "detail": 2}}',
      { identifier: 10, source: 'own' },
    ],
    ['{"\\u0069dentifier": "\\u0031\\u0030"}', { identifier: 10 }],
    // An object that names an identifier is the request itself, whatever else it looks like.
    ['{"identifier": 10, "detail-type": "x", "detail": {"identifier": 11}}', { identifier: 10 }],
    ['{"identifier": 10, "Type": "Notification", "Message": "11"}', { identifier: 10 }],
  ])('%s is a request', (body, fields) => {
    expect(parseRequest(body)).toEqual(request(fields));
  });

  test.each([
    '',
    ' ',
    'ten',
    "{'identifier': 10}",
    '{"identifier": 10',
    '\ufeff10',
    '0',
    '-1',
    '-0',
    '"-1"',
    '1.0',
    '10.5',
    '1e1',
    '1E1',
    '"1e1"',
    '"10.0"',
    '"+10"',
    '"0x0a"',
    '"010"',
    '" 10"',
    '"10 "',
    '"١٠"',
    '"10\\n"',
    '""',
    '"ten"',
    '9007199254740992',
    '"9007199254740992"',
    '9007199254740991.2',
    '1e400',
    'null',
    'true',
    '[]',
    '[10]',
    '{}',
    '{"id": 10}',
    '{"Identifier": 10}',
    '{"identifier": null}',
    '{"identifier": true}',
    '{"identifier": [10]}',
    '{"identifier": {"identifier": 10}}',
    '{"identifier": 10.0}',
    '{"identifier": 1e1}',
    '{"identifier": "10/../11"}',
    sns('ten'),
    sns('10.0'),
    sns('{"identifier": 1e1}'),
    sns(sns('10')),
    sns(eventBridge('{"identifier": 10}')),
    eventBridge('{"id": 10}'),
    eventBridge('{"identifier": 10.0}'),
    eventBridge(eventBridge('{"identifier": 10}')),
    eventBridge(sns('10')),
    // A field that stands twice, also escaped, also where both say the same, also in an envelope.
    '{"identifier": 10, "identifier": 99}',
    '{"identifier": 10, "identifier": 10}',
    '{"identifier": 10, "\\u0069dentifier": 99}',
    '{"\\u0069dentifier": 99, "identifier": 10}',
    '{"identifier": 10, "reason": "a", "reason": "b"}',
    '{"identifier": 10, "reason": null, "reason": "b"}',
    '{"identifier": 10, "notAfter": null, "not\\u0041fter": "2027-01-31T17:00:00Z"}',
    '{"identifier": 10, "a": {"b": "}"}, "identifier": 99}',
    sns('{"identifier": 10, "identifier": 99}'),
    sns('{"identifier": 10, "\\u0069dentifier": 99}'),
    eventBridge('{"identifier": 10, "identifier": 99}'),
    '{"Type": "Notification", "Message": "10", "Message": "99"}',
    '{"Type": "x", "Type": "Notification", "Message": "10"}',
    '{"Type": "Notification", "Message": "10", "Mess\\u0061ge": "99"}',
    '{"detail-type": "x", "detail": {"identifier": 10}, "detail": {"identifier": 99}}',
    '{"detail-type": "x", "detail-type": "y", "detail": {"identifier": 10}}',
    '{"detail-type": "x", "source": "a", "source": "b", "detail": {"identifier": 10}}',
    '{"Type": "SubscriptionConfirmation", "Message": "10"}',
    '{"Type": "Notification", "Message": {"identifier": 10}}',
    '{"detail": {"identifier": 10}}',
  ])('%s is none', (body) => {
    expect(parseRequest(body).kind).toBe('invalid');
  });

  test.each(['1e1', '10.0', '1.0E1'])(
    'an EventBridge detail of %s is not an identifier, as it is none outside',
    (written) => {
      expect([parseRequest(written).kind, parseRequest(eventBridge(written)).kind]).toEqual(['invalid', 'invalid']);
    },
  );

  test.each([
    ['ten', /the body is not JSON: send 10, "10" or \{"identifier": 10\}/],
    ['[1]', /send 10, "10" or/],
    ['{"identifier": "x"}', /^identifier must be a positive integer up to 9007199254740991/],
    ['{"identifier": 1, "reason": 5}', /^reason must be a string$/],
    ['{"identifier": 1, "source": true}', /^source must be a string$/],
    ['{"identifier": 1, "reason": "a", "reason": "b"}', /^reason stands twice: leave only the one that was approved$/],
    ['{"detail-type": "x", "detail": 1, "detail": 2}', /^detail stands twice/],
    [JSON.stringify({ identifier: 1, requestedBy: 'x'.repeat(257) }), /^requestedBy must be at most 256 characters$/],
    ['{"identifier": 1, "notAfter": "tomorrow"}', /^notAfter must be ISO 8601 with offset/],
  ])('%s: the reason says what to fix', (body, reason) => {
    expect(reasonOf(body)).toMatch(reason);
  });

  test('the reason holds no word of the body', () => {
    for (const body of [
      'hunter2',
      '{"identifier": "hunter2"}',
      '{"identifier": 1, "reason": ["hunter2"]}',
      sns('hunter2'),
    ]) {
      expect(reasonOf(body)).toEqual(expect.not.stringContaining('hunter2'));
    }
  });

  test.each([
    ['{"identifier": 0, "requestId": "RITM1", "source": "itsm"}', { requestId: 'RITM1', source: 'itsm' }],
    ['{"identifier": 1, "requestId": "RITM1", "reason": 5, "source": "itsm"}', { requestId: 'RITM1', source: 'itsm' }],
    ['{"requestId": "RITM1", "notAfter": "tomorrow", "other": "x"}', { requestId: 'RITM1' }],
    ['{"identifier": 1, "requestId": "RITM1", "notAfter": "tomorrow"}', { requestId: 'RITM1' }],
    [JSON.stringify({ identifier: 1, requestId: 'RITM1', requestedBy: 'x'.repeat(257) }), { requestId: 'RITM1' }],
    [JSON.stringify({ identifier: 0, requestId: 'x'.repeat(257), requestedBy: ['ana'] }), {}],
    [sns('{"identifier": 0, "requestId": "RITM1"}'), { requestId: 'RITM1' }],
    [eventBridge('{"identifier": 0, "requestId": "RITM1"}'), { requestId: 'RITM1' }],
    ['{"identifier": 1, "identifier": 1, "requestId": "RITM1"}', { requestId: 'RITM1' }],
    ['{"identifier": 1, "requestId": "RITM1", "requestId": "RITM2", "source": "itsm"}', { source: 'itsm' }],
    ['[{"requestId": "RITM1"}]', {}],
    ['{"requestId": "RITM1"', {}],
    ['"RITM1"', {}],
  ])('%s is not a request, but the requester is known by what is well-formed', (body, requester) => {
    expect(parseRequest(body)).toEqual({ kind: 'invalid', reason: expect.any(String), requester });
  });

  test('256 characters are counted as people count them', () => {
    expect(parseRequest(JSON.stringify({ identifier: 1, reason: '😀'.repeat(256) })).kind).toBe('request');
    expect(parseRequest(JSON.stringify({ identifier: 1, reason: '😀'.repeat(257) })).kind).toBe('invalid');
  });

  test('no text throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.json().map(sns), fc.json().map(eventBridge)), (body) => {
        const parsed = parseRequest(body);
        if (parsed.kind === 'request') expect(Number.isSafeInteger(parsed.request.identifier)).toBe(true);
      }),
      { numRuns: runs(1000) },
    );
  });

  test('every identifier comes through every form unchanged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (identifier) => {
        const object = JSON.stringify({ identifier: String(identifier) });
        for (const body of [String(identifier), `"${identifier}"`, object, sns(object), eventBridge(object)]) {
          expect(parseRequest(body)).toEqual(request({ identifier }));
        }
      }),
    );
  });
});

test('an identifier on its own is read by the same rule', () => {
  expect([parseIdentifier('7'), parseIdentifier(7), parseIdentifier('07'), parseIdentifier(7n)]).toEqual([
    7,
    7,
    undefined,
    undefined,
  ]);
});

describe('notAfter', () => {
  test.each([
    ['2027-01-31T17:00:00Z', '2027-01-31T17:00:00.000Z'],
    ['2027-01-31T17:00Z', '2027-01-31T17:00:00.000Z'],
    ['2027-01-31T17:00:00+02:00', '2027-01-31T15:00:00.000Z'],
    ['2027-01-31T17:00:00-0330', '2027-01-31T20:30:00.000Z'],
    ['2027-01-31T17:00:00+01', '2027-01-31T16:00:00.000Z'],
    ['2027-01-31T17:00:00.5Z', '2027-01-31T17:00:00.500Z'],
    ['2027-01-31T17:00:00,250Z', '2027-01-31T17:00:00.250Z'],
    ['2027-01-31T17:00:00.123456789Z', '2027-01-31T17:00:00.123Z'],
    ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
  ])('%s is %s', (written, moment) => {
    expect(parseNotAfter(written)?.toISOString()).toBe(moment);
  });

  test.each([
    '2027-01-31T17:00:00',
    '2027-01-31',
    '2027-01-31 17:00:00Z',
    '2027-01-31T17Z',
    '2027-13-01T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2027-02-30T00:00:00Z',
    '2027-04-31T00:00:00Z',
    '2027-01-31T25:00:00Z',
    '2027-01-31T17:60:00Z',
    '2027-01-31T17:00:61Z',
    '2027-01-31T17:00:00+25:00',
    '2027-01-31T17:00:00 +02:00',
    'Sun, 31 Jan 2027 17:00:00 GMT',
    '',
    1_800_000_000,
    null,
  ])('%j is no moment', (written) => {
    expect(parseNotAfter(written)).toBeUndefined();
  });
});

describe('a request must not be carried out', () => {
  const at = (text: string) => new Date(text);
  const firstSentAt = at('2026-11-20T00:00:00Z');
  const day = 86_400;
  const reason = (now: string, fields: { notAfter?: Date } = {}, renewedAt?: Date, maxAge = 4 * day) =>
    expiredReason(fields, { firstSentAt, ...(renewedAt ? { renewedAt } : {}) }, at(now).getTime(), maxAge);

  test.each([
    ['at the moment of its notAfter it still may be', '2026-11-21T00:00:00.000Z', undefined],
    [
      'a millisecond later it must not',
      '2026-11-21T00:00:00.001Z',
      /not to be carried out after 2026-11-21T00:00:00.000Z/,
    ],
  ])('%s', (_, now, said) => {
    const found = reason(now, { notAfter: at('2026-11-21T00:00:00Z') });
    if (said) expect(found).toMatch(said);
    else expect(found).toBeUndefined();
  });

  test.each([
    ['at its age limit it still may be', '2026-11-24T00:00:00.000Z', 4 * day, false],
    ['a millisecond older it must not', '2026-11-24T00:00:00.001Z', 4 * day, true],
    ['a limit of 0 is none', '2036-01-01T00:00:00Z', 0, false],
  ])('%s', (_, now, limit, isExpired) => {
    expect(reason(now, {}, undefined, limit) !== undefined).toBe(isExpired);
  });

  test('the age counts from the first sending, or from a renewal', () => {
    expect(reason('2026-11-26T00:00:00Z')).toMatch(/2026-11-20T00:00:00.000Z is older than 345600 s/);
    expect(reason('2026-11-26T00:00:00Z', {}, at('2026-11-25T00:00:00Z'))).toBeUndefined();
    expect(reason('2026-11-30T00:00:00Z', {}, at('2026-11-25T00:00:00Z'))).toMatch(/2026-11-25/);
  });

  test('a renewal voids the notAfter before it, not one that is still to come', () => {
    const renewedAt = at('2026-11-25T00:00:00Z');
    expect(reason('2026-11-26T00:00:00Z', { notAfter: at('2026-11-21T00:00:00Z') }, renewedAt)).toBeUndefined();
    expect(reason('2026-11-27T00:00:00Z', { notAfter: at('2026-11-26T00:00:00Z') }, renewedAt)).toMatch(/2026-11-26/);
  });
});

describe('a huge body', () => {
  const MIB = 1_048_576;
  const filled = (unit: string): string => unit.repeat(Math.floor((MIB - 200) / unit.length));

  test('nested however deeply costs no neighbour its turn, and is a request all the same', () => {
    const deep = `${'['.repeat(MIB / 2)}1.5${']'.repeat(MIB / 2)}`;
    expect(parseRequest(`{"identifier": 10, "x": ${deep}}`)).toEqual(request({ identifier: 10 }));
    expect(parseRequest(deep).kind).toBe('invalid');
  });

  test.each([
    ['empty objects', `{"identifier": 10, "x": [${filled('{},')}{}]}`],
    ['nested arrays', `{"identifier": 10, "x": ${'['.repeat(MIB / 2)}1.5${']'.repeat(MIB / 2 - 100)}]}`],
    ['members', `{"identifier": 10, ${filled('"x":1,')}"y": 1}`],
    ['repeated fields', `{"identifier": 10, ${filled('"reason":1,')}"y": 1}`],
    ['escapes', `{"identifier": 10, "x": "${filled('\\u0069')}"}`],
  ])('of %s costs no more memory than its own text', (_, body) => {
    parseRequest(body);
    const before = process.memoryUsage().heapUsed;
    parseRequest(body);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * MIB);
  });
});

/** An object as text: keys that matter and others, some of them twice, values as JSON.stringify writes them and as others do. */
const members = fc.array(
  fc.tuple(
    fc.constantFrom(
      'identifier',
      'requestId',
      'reason',
      'notAfter',
      'Type',
      'Message',
      'detail',
      '__proto__',
      'toJSON',
      '7',
    ),
    fc.oneof(
      fc.constantFrom(
        '10',
        '"10"',
        '1e1',
        '10.0',
        '-0',
        'null',
        'true',
        '[]',
        '{"identifier":5}',
        '"Notification"',
        '"\\u0041"',
        '"\\ud800"',
      ),
      fc.json(),
    ),
  ),
  { maxLength: 5 },
);
const objectText = fc
  .tuple(members, fc.constantFrom('', ' '))
  .map(([pairs, space]) => `{${pairs.map(([key, value]) => `"${key}":${space}${value}`).join(`,${space}`)}}`);

test('a body that is written as JSON.stringify writes it means what it means to whoever reads it letter by letter', () => {
  fc.assert(
    fc.property(fc.oneof(objectText, fc.json(), fc.string()), (body) => {
      expect(parseRequest(body)).toEqual(parseValue(readBody(body)));
    }),
    { numRuns: runs(5000, 500) },
  );
});
