/** Where a message comes from: what a sender wrote is bounded, and what only others can know counts from them alone. */
import { describe, expect, test } from 'vitest';
import type { Attribute } from '../../functions/aws/message.ts';
import { MAX_REPLAY_COUNT, readProvenance } from '../../functions/requests/provenance.ts';

const text = (stringValue: string): Attribute => ({ dataType: 'String', stringValue });
const SENT_AT = new Date('2026-11-23T00:00:00Z');
const EARLIER = '2026-11-22T00:00:00.000Z';
const REPLAYER = 'AROAREPLAYEXAMPLE0001';
const GATEWAY = 'AROAHTTPSEXAMPLE00001';
const TRUST = { renewalSenders: [REPLAYER, 'AIDAOPERATOR'], callerSenders: [GATEWAY] };

const read = (attributes: Record<string, Attribute>, senderId?: string) =>
  readProvenance(attributes, { messageId: 'id', sentAt: SENT_AT, senderId }, TRUST);

test('a message that was never replayed comes from itself', () => {
  expect(read({})).toEqual({ originalMessageId: 'id', firstSentAt: SENT_AT, replayCount: 0 });
});

test('a replayed message remembers where it came from, who replayed it and why', () => {
  const attributes = {
    OriginalMessageId: text('first'),
    FirstSentAt: text(EARLIER),
    ReplayCount: text('2'),
    ReplayedBy: text('ana'),
    ReplayReason: text('CHG1'),
  };
  expect(read(attributes)).toEqual({
    originalMessageId: 'first',
    firstSentAt: new Date(EARLIER),
    replayCount: 2,
    replayedBy: 'ana',
    replayReason: 'CHG1',
  });
});

describe('what a sender wrote is bounded', () => {
  test.each([
    ['OriginalMessageId', 'originalMessageId', 128, 'id'],
    ['ReplayedBy', 'replayedBy', 256, undefined],
    ['ReplayReason', 'replayReason', 256, undefined],
  ] as const)('%s of more than its characters is ignored', (name, field, most, otherwise) => {
    for (const character of ['x', '😀']) {
      expect(read({ [name]: text(character.repeat(most)) })[field]).toBe(character.repeat(most));
      expect(read({ [name]: text(character.repeat(most + 1)) })[field]).toBe(otherwise);
    }
    expect(read({ [name]: text('x'.repeat(600_000)) })[field]).toBe(otherwise);
    expect(read({ [name]: text('') })[field]).toBe(otherwise);
    expect(read({ [name]: { dataType: 'Binary', binaryValue: 'AAAA' } })[field]).toBe(otherwise);
    expect(read({ [name]: { dataType: 'Number', stringValue: 5 as never } })[field]).toBe(otherwise);
  });

  test.each(['2030-01-01T00:00:00Z', 'soon', '2026', '', `${EARLIER}${' '.repeat(40)}`, '-271821-04-20T00:00:00.000Z'])(
    'FirstSentAt %j leaves the request as old as its sending',
    (value) => {
      expect(read({ FirstSentAt: text(value) }).firstSentAt).toEqual(SENT_AT);
    },
  );

  test.each(['-1', '1.5', '1e3', 'many', '', ' 1', '2147483649', '9007199254740991', '1'.repeat(1000)])(
    'a replay count of %j counts as none',
    (value) => {
      expect(read({ ReplayCount: text(value) }).replayCount).toBe(0);
    },
  );

  test('a replay count is read up to 2^31', () => {
    expect(read({ ReplayCount: text('2147483648') }).replayCount).toBe(MAX_REPLAY_COUNT);
  });
});

describe('a renewal', () => {
  test.each([
    [REPLAYER, true],
    [`${REPLAYER}:mysafe-enable-prod-replay-dead-letters`, true],
    ['AIDAOPERATOR', true],
    [`AROAOTHER:${REPLAYER}`, false],
    [`${REPLAYER}X:session`, false],
    ['aroareplayexample0001', false],
    ['', false],
    [undefined, false],
  ])('sent by %s counts: %s', (senderId, counts) => {
    const { renewedAt } = read({ RenewedAt: text(EARLIER) }, senderId);
    expect(renewedAt).toEqual(counts ? new Date(EARLIER) : undefined);
  });

  test('counts from nobody where nobody is listed', () => {
    const sending = { messageId: 'id', sentAt: SENT_AT, senderId: REPLAYER };
    expect(readProvenance({ RenewedAt: text(EARLIER) }, sending)).not.toHaveProperty('renewedAt');
  });

  test('is no later than its sending, and none where its date is none', () => {
    expect(read({ RenewedAt: text('2030-01-01T00:00:00Z') }, REPLAYER).renewedAt).toEqual(SENT_AT);
    expect(read({ RenewedAt: text('now') }, REPLAYER)).not.toHaveProperty('renewedAt');
  });
});

test('a caller counts from the HTTPS way in alone, and up to 256 characters', () => {
  const arn = 'arn:aws:sts::1:assumed-role/requester/ana';
  expect(read({ Caller: text(arn) }, `${GATEWAY}:BackplaneAssumeRoleSession`).caller).toBe(arn);
  for (const senderId of [REPLAYER, undefined])
    expect(read({ Caller: text(arn) }, senderId)).not.toHaveProperty('caller');
  expect(read({ Caller: text('x'.repeat(257)) }, GATEWAY)).not.toHaveProperty('caller');
});
