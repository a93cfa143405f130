/** A dead letter's attributes: what is written is read back, room is made in the contract's order, a replay takes the failure off. */
import { describe, expect, test } from 'vitest';
import { type Attributes, MAX_ATTRIBUTES, MAX_MESSAGE_BYTES, messageBytes } from '../../functions/aws/message.ts';
import {
  type DeadLetterQueue,
  deadLetterAttributes,
  MAX_ERROR_MESSAGE_CHARACTERS,
  readLetter,
  replayAttributes,
} from '../../functions/dead-letters/letter.ts';
import { MAX_REPLAY_COUNT, readCount, readProvenance, readWords } from '../../functions/requests/provenance.ts';

const at = (text: string): Date => new Date(text);
const text = (stringValue: string) => ({ dataType: 'String', stringValue });
const provenance = { originalMessageId: 'first', firstSentAt: at('2026-11-20T08:00:00Z'), replayCount: 0 };
const failure = { errorCode: '1006', errorMessage: '1006: no access', failedAt: at('2026-11-21T09:00:00Z') };
const SENT_AT = at('2026-11-22T00:00:01Z');

const letterOf = (queue: DeadLetterQueue, attributes: Attributes) =>
  readLetter(
    {
      MessageId: 'letter',
      Body: '10',
      MessageAttributes: Object.fromEntries(
        Object.entries(attributes).map(([name, { dataType, stringValue }]) => [
          name,
          { DataType: dataType, StringValue: stringValue },
        ]),
      ),
      Attributes: { SentTimestamp: String(SENT_AT.getTime()) },
    },
    queue,
  );
const many = (count: number): Attributes =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`own${index}`, text(String(index))]));

describe('a dead letter', () => {
  test('carries the six attributes of the contract, and the original’s own', () => {
    const { attributes, dropped } = deadLetterAttributes('10', { tenant: text('acme') }, provenance, failure);
    expect(attributes).toEqual({
      tenant: text('acme'),
      ErrorCode: text('1006'),
      ErrorMessage: text('1006: no access'),
      OriginalMessageId: text('first'),
      FirstSentAt: text('2026-11-20T08:00:00.000Z'),
      FailedAt: text('2026-11-21T09:00:00.000Z'),
      ReplayCount: { dataType: 'Number', stringValue: '0' },
    });
    expect(dropped).toEqual([]);
  });

  test('carries an attribute of any name, and one whose other value is null', () => {
    const own = { constructor: text('a'), toString: text('b'), odd: { ...text('c'), binaryValue: null } };
    const { attributes, dropped } = deadLetterAttributes('10', own as unknown as Attributes, provenance, failure);
    expect(Object.keys(attributes)).toEqual(expect.arrayContaining(['constructor', 'toString', 'odd']));
    expect(dropped).toEqual([]);
  });

  test('makes room by dropping the original’s own, in reverse order of their names, and says which', () => {
    const own = Object.fromEntries(Object.entries(many(10)).toSorted(() => -1));
    const { attributes, dropped } = deadLetterAttributes('10', own, provenance, failure);
    expect(Object.keys(attributes)).toHaveLength(MAX_ATTRIBUTES);
    expect(dropped).toEqual(['own9', 'own8', 'own7', 'own6', 'own5', 'own4']);
    expect(attributes['ErrorCode']).toEqual(text('1006'));
  });

  test('of a body near 1 MiB drops ours in the contract’s order, the error code last', () => {
    const replayed = { ...provenance, replayedBy: 'ana', replayReason: 'CHG1' };
    const own = { ...many(1), Caller: text('arn:aws:iam::1:user/ana') };
    const whole = deadLetterAttributes('', own, replayed, failure).attributes;
    const order: string[] = [];
    const longest = 'x'.repeat(MAX_MESSAGE_BYTES);
    for (let room = messageBytes('', whole); room >= 0; room -= 1) {
      const body = longest.slice(room);
      const { attributes, dropped } = deadLetterAttributes(body, own, replayed, failure);
      expect(messageBytes(body, attributes)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
      expect([...Object.keys(attributes), ...dropped].sort()).toEqual(Object.keys(whole).sort());
      order.push(...dropped.slice(order.length));
    }
    expect(order).toEqual([
      ...['own0', 'ErrorMessage', 'FailedAt', 'ReplayReason', 'ReplayedBy', 'Caller', 'ReplayCount'],
      ...['FirstSentAt', 'OriginalMessageId', 'ErrorCode'],
    ]);
  });

  test('holds nothing of our names that a sender wrote but what is bounded, and no renewal', () => {
    const own = {
      ErrorCode: text('1010'),
      RenewedAt: text('2026-11-20T09:00:00Z'),
      ReplayedBy: text('x'.repeat(600_000)),
      ReplayReason: { dataType: 'Binary', binaryValue: 'AAAA' },
      Caller: text('y'.repeat(257)),
    };
    const read = readProvenance(own, { messageId: 'first', sentAt: provenance.firstSentAt });
    const { attributes, dropped } = deadLetterAttributes('10', own, read, failure);
    expect(Object.keys(attributes).sort()).toEqual(
      ['ErrorCode', 'ErrorMessage', 'FailedAt', 'FirstSentAt', 'OriginalMessageId', 'ReplayCount'].sort(),
    );
    expect([attributes['ErrorCode'], dropped]).toEqual([text('1006'), []]);
  });

  test('after a replay says who replayed it, why, and how often it was', () => {
    const replayed = { ...provenance, replayCount: 3, replayedBy: 'ana', replayReason: 'CHG1' };
    expect(deadLetterAttributes('10', {}, replayed, failure).attributes).toMatchObject({
      ReplayCount: { dataType: 'Number', stringValue: '3' },
      ReplayedBy: text('ana'),
      ReplayReason: text('CHG1'),
    });
  });

  test.each([
    ['', '-'],
    ['a\u0000b\u001fc\uffff', 'a\ufffdb\ufffdc\ufffd'],
    ['lone \ud800 surrogate', 'lone \ufffd surrogate'],
    ['tab\tand\nline', 'tab\tand\nline'],
    ['x'.repeat(2000), 'x'.repeat(MAX_ERROR_MESSAGE_CHARACTERS)],
  ])('an error message that SQS would refuse is made one that it takes: %j', (errorMessage, written) => {
    const { attributes } = deadLetterAttributes('10', {}, provenance, { ...failure, errorMessage });
    expect(attributes['ErrorMessage']).toEqual(text(written));
  });
});

describe('a replay', () => {
  const letter = deadLetterAttributes('10', { tenant: text('acme') }, provenance, failure).attributes;

  test('takes the failure off, keeps where it came from, and counts', () => {
    const { attributes } = replayAttributes('10', letter, provenance, { replayedBy: 'ana', reason: 'shared' });
    expect(attributes).toEqual({
      tenant: text('acme'),
      OriginalMessageId: text('first'),
      FirstSentAt: text('2026-11-20T08:00:00.000Z'),
      ReplayCount: { dataType: 'Number', stringValue: '1' },
      ReplayedBy: text('ana'),
      ReplayReason: text('shared'),
    });
  });

  test('takes off the reason and the renewal of an earlier one, also from what SQS moved', () => {
    const renewedAt = at('2026-11-22T00:00:00Z');
    const renewal = { replayedBy: 'ana', reason: 'CHG1', renewedAt };
    const first = replayAttributes('10', letter, provenance, renewal).attributes;
    expect(first).toMatchObject({ RenewedAt: text(renewedAt.toISOString()), ReplayReason: text('CHG1') });
    const moved = letterOf('exhausted', first);
    const again = replayAttributes('10', moved.attributes, moved.provenance, { replayedBy: 'bob' }).attributes;
    expect(again).toMatchObject({ ReplayedBy: text('bob'), ReplayCount: { stringValue: '2' } });
    expect(Object.keys(again)).not.toEqual(expect.arrayContaining(['RenewedAt']));
    expect(Object.keys(again)).not.toEqual(expect.arrayContaining(['ReplayReason']));
  });

  test('counts no further than it reads back', () => {
    const most = { ...provenance, replayCount: MAX_REPLAY_COUNT };
    const { attributes } = replayAttributes('10', letter, most, { replayedBy: 'ana' });
    expect(readCount(attributes['ReplayCount'])).toBe(MAX_REPLAY_COUNT);
  });

  test('passes a caller on, and cuts a name where it would not be read back', () => {
    const own = { ...letter, Caller: text('arn:aws:iam::1:user/ana') };
    const { attributes } = replayAttributes('10', own, provenance, { replayedBy: '😀'.repeat(300), reason: '\u0001' });
    expect(attributes).toMatchObject({
      Caller: own.Caller,
      ReplayedBy: text('😀'.repeat(256)),
      ReplayReason: text('\ufffd'),
    });
    expect(readWords(attributes['ReplayedBy'])).toBe('😀'.repeat(256));
  });
});

describe('read back', () => {
  test('in exhausted there is no failure, whatever error code a sender wrote', () => {
    const moved = letterOf('exhausted', { ErrorCode: text('1006'), FailedAt: text('2026-11-21T09:00:00Z') });
    expect([moved.failure, moved.at, moved.isAgeKnown]).toEqual([undefined, SENT_AT, true]);
  });

  test.each([undefined, '', 'none', 'x'.repeat(129)])('in rejected the error code %j is unknown', (code) => {
    const { failure: read, at: when } = letterOf('rejected', code === undefined ? {} : { ErrorCode: text(code) });
    expect([read?.errorCode, when]).toEqual(['unknown', SENT_AT]);
  });

  test.each([
    ['2026-11-20T08:00:00Z', true],
    ['soon', false],
    ['', false],
    [undefined, false],
  ])('in rejected the age of one first sent at %j is known: %s', (value, isKnown) => {
    const { isAgeKnown } = letterOf('rejected', value === undefined ? {} : { FirstSentAt: text(value) });
    expect(isAgeKnown).toBe(isKnown);
  });
});
