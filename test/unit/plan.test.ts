/** Which letters of a turn go back, which are duplicates, and which stay. */
import { describe, expect, test } from 'vitest';
import { type Letter, readLetter, requestKey } from '../../functions/dead-letters/letter.ts';
import { type PlanParts, planReplay, type ReplayOptions } from '../../functions/dead-letters/plan.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const DAY_SECONDS = 86_400;
const text = (StringValue: string) => ({ DataType: 'String', StringValue });

interface LetterChanges {
  readonly body?: string;
  /** `undefined` where the letter does not say so. */
  readonly firstSentAt?: string | undefined;
  readonly original?: string;
  readonly replayCount?: number;
}
const letterOf = (messageId: string, changes: LetterChanges = {}): Letter => {
  const { body = messageId, original = `first-${messageId}`, replayCount = 0 } = changes;
  const firstSentAt = 'firstSentAt' in changes ? changes.firstSentAt : '2026-11-22T10:00:00Z';
  return readLetter(
    {
      MessageId: messageId,
      ReceiptHandle: 'handle',
      Body: body,
      Attributes: { SentTimestamp: String(NOW - 1000) } as never,
      MessageAttributes: {
        ErrorCode: text('1006'),
        OriginalMessageId: text(original),
        ReplayCount: { DataType: 'Number', StringValue: String(replayCount) },
        ...(firstSentAt === undefined ? {} : { FirstSentAt: text(firstSentAt) }),
      },
    },
    'rejected',
  );
};

const plan = (letters: readonly Letter[], options: Partial<ReplayOptions> = {}, parts: Partial<PlanParts> = {}) => {
  const { outgoing, duplicates, staying } = planReplay(
    letters,
    { replayedBy: 'ana', maxRequestAgeSeconds: DAY_SECONDS, ...options },
    { sent: new Map(), left: Number.POSITIVE_INFINITY, now: NOW, ...parts },
  );
  return {
    sent: outgoing.map(({ letter, fate }) => [letter.messageId, fate]),
    duplicates: duplicates.map(({ messageId }) => messageId),
    staying: staying.map(({ letter, why }) => [letter.messageId, why]),
  };
};

const OLD = { firstSentAt: '2026-11-20T10:00:00Z' };
const AGELESS = { firstSentAt: undefined };

describe('a letter', () => {
  test('whose request is expired stays, unless it is renewed', () => {
    const letters = [letterOf('1', OLD), letterOf('2')];
    expect(plan(letters)).toEqual({ sent: [['2', 'replayed']], duplicates: [], staying: [['1', 'expired']] });
    expect(plan(letters, { renew: true, reason: 'why' }).sent).toEqual([
      ['1', 'renewed'],
      ['2', 'replayed'],
    ]);
  });

  test('whose age nobody knows stays, unless it is renewed', () => {
    expect(plan([letterOf('1', AGELESS)])).toEqual({ sent: [], duplicates: [], staying: [['1', 'unknown-age']] });
    expect(plan([letterOf('1', AGELESS)], { renew: true, reason: 'why' }).sent).toEqual([['1', 'renewed']]);
  });

  test('that is the same request as one of this turn is a duplicate', () => {
    const same = { body: '10', original: 'first' };
    const letters = [letterOf('1', same), letterOf('2', same), letterOf('3', { ...same, body: '11' })];
    expect(plan(letters)).toMatchObject({
      sent: [
        ['1', 'replayed'],
        ['3', 'replayed'],
      ],
      duplicates: ['2'],
    });
  });

  test('that is the same request as one of an earlier turn is a duplicate, and one that failed again is not', () => {
    const letters = [letterOf('1'), letterOf('2', { replayCount: 1 })];
    const sent = new Map(letters.map((letter) => [requestKey(letter), 0]));
    expect(plan(letters, {}, { sent })).toEqual({ sent: [], duplicates: ['1'], staying: [] });
  });

  test('beyond the limit is left alone', () => {
    const letters = ['1', '2', '3'].map((id) => letterOf(id));
    expect(plan(letters, {}, { left: 2 }).sent).toEqual([
      ['1', 'replayed'],
      ['2', 'replayed'],
    ]);
  });
});
