/** A dead letter's attributes: what is written is read back, room is made last to first, a replay takes the failure off. */
import { describe, expect, test } from 'vitest';
import { type Attributes, MAX_ATTRIBUTES, MAX_MESSAGE_BYTES, messageBytes } from '../../functions/aws/message.ts';
import {
  deadLetterAttributes,
  MAX_ERROR_MESSAGE_CHARACTERS,
  readFailure,
  replayAttributes,
} from '../../functions/dead-letters/letter.ts';
import { readProvenance } from '../../functions/requests/provenance.ts';

const at = (text: string): Date => new Date(text);
const text = (stringValue: string) => ({ dataType: 'String', stringValue });
const provenance = { originalMessageId: 'first', firstSentAt: at('2026-11-20T08:00:00Z'), replayCount: 0 };
const failure = { errorCode: '1006', errorMessage: '1006: no access', failedAt: at('2026-11-21T09:00:00Z') };
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

  test('makes room by dropping the original’s own, last to first, and says which', () => {
    const { attributes, dropped } = deadLetterAttributes('10', many(10), provenance, failure);
    expect(Object.keys(attributes)).toHaveLength(MAX_ATTRIBUTES);
    expect(dropped).toEqual(['own9', 'own8', 'own7', 'own6', 'own5', 'own4']);
    expect(attributes['ErrorCode']).toEqual(text('1006'));
  });

  test('of a body near 1 MiB still fits, with the error code last to go', () => {
    const body = 'x'.repeat(MAX_MESSAGE_BYTES - 30);
    const { attributes } = deadLetterAttributes(body, many(3), provenance, failure);
    expect(messageBytes(body, attributes)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
    expect(Object.keys(attributes)).toEqual(['ErrorCode']);
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

  test('a reason of an earlier replay does not outlive the next, a renewal does', () => {
    const renewedAt = at('2026-11-22T00:00:00Z');
    const first = replayAttributes('10', letter, provenance, {
      replayedBy: 'ana',
      reason: 'CHG1',
      renewedAt,
    }).attributes;
    const read = readProvenance(first, 'second', at('2026-11-22T00:00:01Z'));
    expect(read).toMatchObject({ originalMessageId: 'first', replayCount: 1, renewedAt, replayReason: 'CHG1' });
    const again = replayAttributes('10', first, read, { replayedBy: 'bob' }).attributes;
    expect(again).toMatchObject({ RenewedAt: text(renewedAt.toISOString()), ReplayedBy: text('bob') });
    expect(Object.keys(again)).not.toContain('ReplayReason');
  });
});

describe('read back', () => {
  test('a message that was never replayed comes from itself', () => {
    const sentAt = at('2026-11-23T00:00:00Z');
    expect(readProvenance({}, 'id', sentAt)).toEqual({ originalMessageId: 'id', firstSentAt: sentAt, replayCount: 0 });
    expect(readFailure({})).toBeUndefined();
  });

  test.each([
    ['FirstSentAt', '2030-01-01T00:00:00Z'],
    ['FirstSentAt', 'soon'],
    ['RenewedAt', '2030-01-01T00:00:00Z'],
  ])('%s %s does not make a request younger than its sending', (name, value) => {
    const sentAt = at('2026-11-23T00:00:00Z');
    const { firstSentAt, renewedAt } = readProvenance({ [name]: text(value) }, 'id', sentAt);
    expect(Math.max(firstSentAt.getTime(), renewedAt?.getTime() ?? 0)).toBeLessThanOrEqual(sentAt.getTime());
  });

  test.each(['-1', '1.5', 'many', ''])('a replay count of %j counts as none', (value) => {
    expect(readProvenance({ ReplayCount: text(value) }, 'id', new Date()).replayCount).toBe(0);
  });
});
