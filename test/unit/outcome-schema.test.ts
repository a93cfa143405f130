/** The outcome event against its schema: what the code writes, what the samples show, what a reader may rely on. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import schema from '../../events/outcome.schema.json' with { type: 'json' };
import { outcomeBody, outcomeEvent } from '../../functions/audit/line.ts';
import type { Decision } from '../../functions/enable-password/decision.ts';
import { type Message, readMessages } from '../../functions/enable-password/record.ts';
import { ENABLE_TABLE } from '../../functions/segura/answers.ts';

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true, allowUnionTypes: true });
formats.default(ajv);
const validate = ajv.compile(schema);
const faults = (event: unknown): unknown => (validate(event) ? [] : validate.errors);

const NOW = Date.parse('2026-11-23T09:00:00Z');

const readMessage = (body: string, attributes: Readonly<Record<string, string>> = {}): Message => {
  const [message] = readMessages(
    [
      {
        messageId: 'm-1',
        receiptHandle: 'handle',
        body,
        attributes: {
          ApproximateReceiveCount: '2',
          SentTimestamp: String(NOW - 5000),
          SenderId: '',
          ApproximateFirstReceiveTimestamp: '',
        },
        messageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, stringValue]) => [name, { dataType: 'String', stringValue }]),
        ),
        md5OfBody: '',
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:requests',
        awsRegion: 'eu-west-1',
      },
    ],
    NOW,
  );
  return message!;
};

const FULL = { identifier: 10, requestId: 'REQ-1', requestedBy: 'ana', reason: 'on-call', source: 'itsm' };
const done = (result: 'enabled' | 'already-enabled') => ({ kind: 'done', result }) as const;
const rejected = (errorCode: string, errorMessage = 'why') => ({ kind: 'rejected', errorCode, errorMessage }) as const;
const eventOf = (message: Message, decision: Exclude<Decision, { kind: 'kept' }>) =>
  JSON.parse(outcomeBody(outcomeEvent(message, decision, { attempts: 1, latenciesMs: [3] }, new Date(NOW))));

/** Every code that the table, the parser and the clock can give. */
const CODES = [
  ...ENABLE_TABLE.flatMap(({ happens }) => (happens.kind === 'reject' ? [happens.errorCode] : [])),
  'InvalidMessage',
  'Expired',
];

describe('an outcome event holds to its schema', () => {
  test.each([
    ['a bare number', readMessage('10')],
    ['an object with every field', readMessage(JSON.stringify(FULL))],
    [
      'a replayed request',
      readMessage('10', { OriginalMessageId: 'm-0', FirstSentAt: '2026-11-22T09:00:00.000Z', ReplayCount: '1' }),
    ],
  ])('of %s, for every outcome and error code', (_, message) => {
    for (const decision of [done('enabled'), done('already-enabled'), ...CODES.map((code) => rejected(code))]) {
      const event = eventOf(message, decision);
      expect(faults(event)).toEqual([]);
      expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(event)));
    }
  });

  test('of a message that was not a request', () => {
    const message = readMessage('please enable 10');
    const reason = message.parsed.kind === 'invalid' ? message.parsed.reason : '';
    const event = eventOf(message, rejected('InvalidMessage', reason));
    expect(faults(event)).toEqual([]);
    expect(event).toMatchObject({ identifier: null, errorMessage: reason });
  });

  test('of a malformed request: no identifier, but the ticket that it names', () => {
    const event = eventOf(readMessage(JSON.stringify({ ...FULL, identifier: 0 })), rejected('InvalidMessage'));
    expect(faults(event)).toEqual([]);
    expect(event).toMatchObject({ ...FULL, identifier: null });
  });

  test('with an error message of any length: cut, and no half of a character left', () => {
    const { errorMessage } = eventOf(readMessage('10'), rejected('1005', `x${'😀'.repeat(2000)}`));
    expect(errorMessage).toHaveLength(1024);
    expect(errorMessage.isWellFormed()).toBe(true);
  });

  test('with characters that SQS refuses, written so that it takes them', () => {
    const message = readMessage('{"identifier": 10, "reason": "a\\ufffe\\uffff\\u0000\\ud800b"}');
    const body = outcomeBody(outcomeEvent(message, done('enabled'), { attempts: 1, latenciesMs: [] }, new Date(NOW)));
    // SQS API Reference, SendMessage: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that SQS takes
    expect(body).toMatch(/^[\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u);
    expect(JSON.parse(body).reason).toBe('a\ufffe\uffff\u0000\ud800b');
  });
});

test('the outcomeId is the same for each redelivery that ends alike, and another where it ends otherwise', () => {
  const first = eventOf(readMessage('10'), done('enabled'));
  expect(eventOf(readMessage('10'), done('already-enabled')).outcomeId).toBe(first.outcomeId);
  expect(eventOf(readMessage('10'), rejected('1005')).outcomeId).not.toBe(first.outcomeId);
});

test('the schema lists exactly the error codes that a request can be rejected with', () => {
  expect(new Set(schema.properties.errorCode.enum)).toEqual(new Set(CODES));
});

describe('the schema refuses', () => {
  const good = eventOf(readMessage(JSON.stringify(FULL)), done('enabled'));
  test.each([
    ['an outcome of kept', { ...good, outcome: 'kept' }],
    ['a rejection without an error code', { ...good, outcome: 'rejected', errorMessage: 'why' }],
    ['an error code beside enabled', { ...good, errorCode: '1005' }],
    ['enabled without an identifier', { ...good, identifier: null }],
    ['a moment that is none', { ...good, settledAt: 'yesterday' }],
  ])('%s', (_, event) => {
    expect(faults(good)).toEqual([]);
    expect(faults(event)).not.toEqual([]);
  });
});

const folder = join(import.meta.dirname, '../../events');
const samples = readdirSync(folder).filter((name) => /^outcome-.*\.json$/.test(name));

test('each outcome has a sample', () => {
  const shown = samples.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).outcome);
  expect(new Set(shown)).toEqual(new Set(schema.properties.outcome.enum));
});

test.each(samples)('events/%s holds to the schema', (name) => {
  const sample = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  expect(faults(sample)).toEqual([]);
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(sample)));
});
