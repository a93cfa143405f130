/**
 * Whatever message SQS can deliver, with attributes from whoever may send: it is settled at its first receive by a Segura
 * that answers and an SQS as strict as AWS, and leaves lines that CloudWatch Logs takes whole.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Attribute, type Attributes, MAX_MESSAGE_BYTES, messageBytes } from '../../functions/aws/message.ts';
import { runs } from '../depth.ts';
import { ALREADY, answered, createStage, ENABLED, type Json, keptIds, NOT_FOUND, record } from '../unit/stage.ts';

const OURS = [
  ...['ErrorCode', 'ErrorMessage', 'OriginalMessageId', 'FirstSentAt', 'FailedAt', 'ReplayCount', 'ReplayedBy'],
  ...['ReplayReason', 'RenewedAt', 'Caller'],
];

/** SQS Developer Guide, "SendMessage": #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD, #x10000 to #x10FFFF. */
const TAKEN = /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]+$/u;

const long = fc
  .tuple(
    fc.constantFrom('x', 'é', '😀', '\u202e', '\t', '\ufffd', '"'),
    fc.constantFrom(129, 257, 1025, 60_000, 300_000),
  )
  .map(([character, count]) => character.repeat(count));
const moment = fc.constantFrom('0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '-271821-04-20T00:00:00.000Z', 'soon');
const words = fc.oneof(
  long,
  moment,
  fc.stringMatching(/^[ -~é😀]{1,30}$/u),
  fc.constantFrom('9007199254740991', '-1', '1e9'),
);
const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  words.map((stringValue) => ({ dataType: 'String', stringValue })),
  words.map((stringValue) => ({ dataType: `String.${'label'.repeat(40)}`, stringValue })),
  fc.uint8Array({ minLength: 1, maxLength: 2000 }).map((bytes) => ({
    dataType: 'Binary',
    binaryValue: Buffer.from(bytes).toString('base64'),
  })),
);
const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...OURS) },
  { weight: 1, arbitrary: fc.constantFrom('constructor', '__proto__', 'toString', 'n'.repeat(256)) },
  { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,250}$/) },
);
const attributes = fc
  .uniqueArray(fc.tuple(name, attribute), { maxLength: 10, selector: ([each]) => each })
  .map((entries): Attributes => Object.fromEntries(entries));

const field = fc.oneof(
  fc.constantFrom('x'.repeat(256), '😀'.repeat(256), '\u0001'.repeat(256), '\ufffe'.repeat(256)),
  words,
);
const body = fc.oneof(
  fc.constantFrom('10', '"10"', 'please', '{}', '[]', ''.padEnd(200, '[')),
  fc
    .record({ requestId: field, requestedBy: field, reason: field, source: field }, { requiredKeys: [] })
    // SQS takes these two in a body only as escapes.
    .map((fields) => JSON.stringify({ identifier: 10, ...fields }).replaceAll('\ufffe', '\\ufffe')),
);

/** As much as SQS takes: what is too much is left out, and what room is left may be padded to the last byte. */
/** SQS takes no larger one. */
const deliverable = body.filter((text) => Buffer.byteLength(text) <= MAX_MESSAGE_BYTES);

const message = fc
  .record({ body: deliverable, attributes, isPadded: fc.boolean(), spare: fc.nat(400) })
  .map((given) => {
    const kept: Record<string, Attribute> = {};
    for (const [each, value] of Object.entries(given.attributes)) {
      if (messageBytes(given.body, { ...kept, [each]: value }) <= MAX_MESSAGE_BYTES) kept[each] = value;
    }
    const room = MAX_MESSAGE_BYTES - messageBytes(given.body, kept) - given.spare;
    return { body: given.isPadded && room > 0 ? given.body + ' '.repeat(room) : given.body, attributes: kept };
  });

const attributesOf = (entry: Json): Attributes =>
  Object.fromEntries(
    Object.entries((entry['MessageAttributes'] ?? {}) as Record<string, Record<string, string>>).map(
      ([each, { DataType = '', StringValue, BinaryValue }]) => [
        each,
        { dataType: DataType, stringValue: StringValue, binaryValue: BinaryValue },
      ],
    ),
  );

/** Why SQS refuses a message. */
const faultOf = (entry: Json): string | undefined => {
  const text = String(entry['MessageBody']);
  const carried = attributesOf(entry);
  if (messageBytes(text, carried) > MAX_MESSAGE_BYTES) return 'too long';
  if (Object.keys(carried).length > 10) return 'too many attributes';
  const values = Object.values(carried).flatMap(({ stringValue }) => (stringValue === undefined ? [] : [stringValue]));
  return [text, ...values].every((each) => TAKEN.test(each)) ? undefined : 'characters that SQS refuses';
};

const strictSqs = (_: string, entries: readonly Json[]) => {
  const faults = entries.map((entry) => ('MessageBody' in entry ? faultOf(entry) : undefined));
  return {
    kind: 'ok' as const,
    output: {
      Successful: entries.filter((__, index) => faults[index] === undefined).map(({ Id }) => ({ Id })),
      Failed: entries
        .map(({ Id }, index) => ({ Id, Code: 'InvalidParameterValue', Message: faults[index], SenderFault: true }))
        .filter(({ Message }) => Message !== undefined),
    },
  };
};

const REPLIES = {
  enabled: ENABLED,
  already: ALREADY,
  notFound: NOT_FOUND,
  endless: answered(400, {
    code: 400,
    response: { status: 400, message: `1006: ${'\u0001'.repeat(60_000)}`, error: true },
  }),
};

test('every message is settled at its first receive, in lines of at most 1,024 characters a field and 32 kB', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(...(Object.keys(REPLIES) as (keyof typeof REPLIES)[])),
      fc.constantFrom('', `Root=${'1'.repeat(5000)}`, 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1'),
      async (messages, reply, AWSTraceHeader) => {
        const stage = createStage({ hasOutcomes: true, segura: () => REPLIES[reply], sqs: strictSqs });
        const records = messages.map(({ body: text, attributes: messageAttributes }, index) =>
          record(
            `m-${index}`,
            text,
            { messageAttributes },
            { SenderId: 'AROA:eve', AWSTraceHeader, MessageGroupId: 'g' },
          ),
        );
        expect(keptIds(await stage.invoke(records)), 'kept').toEqual([]);
        for (const line of stage.lines) {
          expect(Buffer.byteLength(JSON.stringify(line))).toBeLessThanOrEqual(32_000);
          for (const [key, value] of Object.entries(line)) {
            if (key !== '_aws') expect(String(value).length, key).toBeLessThanOrEqual(1024 + 9);
          }
        }
        const audit = stage.lines.filter((line) => line['message'] === 'password enable');
        expect(audit).toHaveLength(messages.length);
        for (const line of audit) {
          expect(line).not.toHaveProperty('renewedAt');
          expect(line).not.toHaveProperty('caller');
        }
        const ages = stage.lines.flatMap((line) => [line['RequestAge'] ?? []].flat() as number[]);
        for (const age of ages) expect(age).toBeLessThanOrEqual(1_209_600);
      },
    ),
    { numRuns: runs(50, 10) },
  );
});
