/** Which letters are meant, what goes back for one, and in which batches. */
import { describe, expect, test } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../functions/aws/message.ts';
import { type Letter, readLetter } from '../../functions/dead-letters/letter.ts';
import { batchesOf, messageOf } from '../../functions/dead-letters/replay-entry.ts';
import { codeOf, isSelected, parseBound } from '../../functions/dead-letters/select.ts';
import { cursorAfter, readOptions } from '../../functions/replay-dead-letters/options.ts';

const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/1/requests';
const text = (StringValue: string) => ({ DataType: 'String', StringValue });

const letterOf = (changes: { body?: string; code?: string; failedAt?: string; groupId?: string } = {}): Letter => {
  const { body = '{"identifier": 10}', code, failedAt = '2026-11-20T12:00:00Z', groupId } = changes;
  return readLetter(
    {
      MessageId: 'id',
      ReceiptHandle: 'handle',
      Body: body,
      Attributes: {
        SentTimestamp: String(Date.parse('2026-11-21T12:00:00Z')),
        ...(groupId ? { MessageGroupId: groupId } : {}),
      } as never,
      ...(code ? { MessageAttributes: { ErrorCode: text(code), FailedAt: text(failedAt) } } : {}),
    },
    code ? 'rejected' : 'exhausted',
  );
};

describe('a letter is meant', () => {
  const day = (number: number): Date => new Date(`2026-11-${number}T12:00:00Z`);
  test.each([
    ['no filter', {}, {}, true],
    ['its code', { code: '1006' }, { codes: ['1005', '1006'] }, true],
    ['another code', { code: '1006' }, { codes: ['1005'] }, false],
    ['none for what SQS moved', {}, { codes: ['none'] }, true],
    ['none not for what we rejected', { code: '1006' }, { codes: ['none'] }, false],
    ['its identifier', {}, { identifier: 10 }, true],
    ['its identifier as a string', { body: '"10"' }, { identifier: 10 }, true],
    ['its identifier in an envelope', { body: '{"detail-type": "x", "detail": 10}' }, { identifier: 10 }, true],
    ['another identifier', {}, { identifier: 1 }, false],
    ['an identifier, of what is not a request', { body: 'please' }, { identifier: 10 }, false],
    [
      'its request',
      { body: '{"identifier": 10, "requestId": "R", "source": "itsm"}' },
      { requestId: 'R', source: 'itsm' },
      true,
    ],
    ['its request, of what is not a request but names one', { body: '{"requestId": "R"}' }, { requestId: 'R' }, true],
    ['another request', { body: '{"identifier": 10, "requestId": "R"}' }, { requestId: 'S' }, false],
    ['another source', { body: '{"identifier": 10, "source": "itsm"}' }, { source: 'hr' }, false],
    ['its message id', {}, { messageId: 'id' }, true],
    ['another message id', {}, { messageId: 'other' }, false],
    ['failed before', { code: '1006' }, { before: day(21) }, true],
    ['failed at that very moment', { code: '1006' }, { before: day(20) }, false],
    ['failed after', { code: '1006' }, { after: day(19) }, true],
    ['not failed after', { code: '1006' }, { after: day(20) }, false],
    ['sent before, where SQS moved it', {}, { before: day(22), after: day(20) }, true],
    ['all at once', { code: '1006' }, { codes: ['1006'], identifier: 10, before: day(21), after: day(19) }, true],
  ] as const)('%s', (_, changes, selection, expected) => {
    expect(isSelected(letterOf(changes), selection)).toBe(expected);
  });

  test('what SQS moved has the code none', () => {
    expect([codeOf(letterOf()), codeOf(letterOf({ code: 'Expired' }))]).toEqual(['none', 'Expired']);
  });
});

describe('what goes back', () => {
  const outgoing = (letter: Letter) => ({ letter, attributes: {}, dropped: [], fate: 'replayed' }) as const;

  test('in a FIFO queue keeps its group, and is taken once though it be sent again after a crash', () => {
    const message = messageOf(outgoing(letterOf({ groupId: 'g' })), `${QUEUE}.fifo`);
    expect(message).toMatchObject({ groupId: 'g', deduplicationId: 'replay-id' });
  });

  test('in a standard queue keeps the group that it had for fairness, and has none otherwise', () => {
    expect(messageOf(outgoing(letterOf({ groupId: 'tenant' })), QUEUE)).toMatchObject({ groupId: 'tenant' });
    const { groupId, deduplicationId } = messageOf(outgoing(letterOf()), QUEUE);
    expect([groupId, deduplicationId]).toEqual([undefined, undefined]);
  });

  const sizes = (letters: readonly Letter[], isFifo: boolean): number[] =>
    batchesOf(letters.map(outgoing), isFifo, 10).map(({ length }) => length);

  test('goes in batches of ten and of 1 MiB, and of a FIFO group one a batch', () => {
    const large = letterOf({ body: 'x'.repeat(MAX_MESSAGE_BYTES / 2) });
    expect(
      sizes(
        Array.from({ length: 12 }, () => letterOf()),
        false,
      ),
    ).toEqual([10, 2]);
    expect(sizes([large, large, large], false)).toEqual([2, 1]);
    expect(
      sizes(
        ['a', 'b', 'a', 'b'].map((groupId) => letterOf({ groupId })),
        true,
      ),
    ).toEqual([2, 2]);
  });
});

describe('the event of the function', () => {
  test('means both queues and everything in them, by default', () => {
    expect(readOptions({}, 99)).toEqual({
      queues: ['rejected', 'exhausted'],
      options: { replayedBy: 'replay-dead-letters', maxRequestAgeSeconds: 99 },
    });
  });

  test('knows every option of the command', () => {
    const event = {
      ...{
        queue: 'exhausted',
        code: '1006',
        identifier: '10',
        requestId: 'R',
        source: 'itsm',
        messageId: 'm',
        before: '2026-11-23T00:00:00Z',
        after: '2026-11-01T00:00:00Z',
      },
      ...{ limit: 5, rate: 0.5, dryRun: true, renew: true, reason: 'CHG1', replayedBy: 'ana', maxAgeSeconds: 0 },
    };
    expect(readOptions(event, 99)).toEqual({
      queues: ['exhausted'],
      options: {
        ...{
          codes: ['1006'],
          identifier: 10,
          requestId: 'R',
          source: 'itsm',
          messageId: 'm',
          before: new Date(event.before),
          after: new Date(event.after),
        },
        ...{
          limit: 5,
          rate: 0.5,
          dryRun: true,
          renew: true,
          reason: 'CHG1',
          replayedBy: 'ana',
          maxRequestAgeSeconds: 0,
        },
      },
    });
  });

  test.each([
    ['1005,1006', ['1005', '1006']],
    [
      ['1005', 'expired, none'],
      ['1005', 'Expired', 'none'],
    ],
  ])('takes codes as the command does: %j', (code, codes) => {
    expect(readOptions({ code }, 99).options).toMatchObject({ codes });
  });

  const startedAt = new Date('2026-11-23T00:00:00Z');
  const before = new Date('2026-11-01T00:00:00Z');
  test.each([
    ['that came to its end', { isInterrupted: false }, {}, undefined],
    ['without a limit', {}, {}, { before: startedAt.toISOString() }],
    ['with a bound of its own', {}, { before }, { before: before.toISOString() }],
    ['with a part of its limit left', {}, { limit: 6 }, { before: startedAt.toISOString(), limit: 1 }],
    ['that used up its limit in its last batch', {}, { limit: 5 }, undefined],
  ])('a run %s gives the cursor %#', (_, result, options, cursor) => {
    const given = cursorAfter({ isInterrupted: true, replayed: 3, failed: 2, ...result }, options, startedAt);
    expect(given).toEqual(cursor);
    // What it gives, it takes.
    if (given) expect(readOptions({ cursor: given }, 99).options).toMatchObject({ before: new Date(given.before) });
  });

  test('a cursor bounds what is meant, and what is left of the limit', () => {
    const cursor = { before: '2026-11-23T00:00:00.000Z', limit: 2 };
    expect(readOptions({ limit: 5, cursor }, 99).options).toMatchObject({ before: new Date(cursor.before), limit: 2 });
    const earlier = readOptions({ before: '2026-11-01T00:00:00Z', cursor }, 99).options;
    expect(earlier.before).toEqual(new Date('2026-11-01T00:00:00Z'));
  });

  test('all faults are named together', () => {
    expect(() => readOptions({ que: 1, rate: -1, limit: 'x' }, 99)).toThrow(
      /que is not known; limit must.*; rate must/,
    );
  });
});

test.each([
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['2026-01-31T17:00:00+01:00', '2026-01-31T16:00:00.000Z'],
  ['2026-02-30', undefined],
  ['2026-01-31T17:00:00', undefined],
  ['yesterday', undefined],
  [20260131, undefined],
])('the bound %s is %s: a moment with its offset, or the beginning of a day in UTC', (written, moment) => {
  expect(parseBound(written)?.toISOString()).toBe(moment);
});
