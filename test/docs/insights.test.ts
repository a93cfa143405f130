/** The parser of queries itself: what it takes, and that it refuses what AWS refuses. */
import { describe, expect, test } from 'vitest';
import { parseQuery, toRow } from './insights.ts';

const rows = [
  { timestamp: '2026-11-23T09:00:00.000Z', outcome: 'enabled', identifier: 10, durationMs: 100, requestedBy: 'ana' },
  { timestamp: '2026-11-23T09:04:00.000Z', outcome: 'rejected', identifier: 11, durationMs: 300, errorCode: '1005' },
  { timestamp: '2026-11-23T10:00:00.000Z', outcome: 'enabled', identifier: 12, durationMs: 200, requestedBy: 'rui' },
].map(toRow);

describe('a query', () => {
  test.each([
    ['filter outcome = "enabled" | display identifier', [{ identifier: 10 }, { identifier: 12 }]],
    ['filter identifier in [10, 11] and not ispresent(errorCode) | display identifier', [{ identifier: 10 }]],
    [
      'filter (identifier = 10 or identifier = 12) and requestedBy like /^r/ | display identifier',
      [{ identifier: 12 }],
    ],
    ['filter durationMs >= 200 | sort durationMs desc | limit 1 | display identifier', [{ identifier: 11 }]],
    ['filter errorCode != "1006" | display identifier', [{ identifier: 11 }]],
    [
      'stats count(*) as lines, max(durationMs) as worst by outcome | filter lines > 1',
      [{ outcome: 'enabled', lines: 2, worst: 200 }],
    ],
    [
      'stats pct(durationMs, 50) as half, count_distinct(outcome) as outcomes, latest(identifier) as last by bin(1h)',
      [
        { 'bin(1h)': '2026-11-23T09:00:00.000Z', half: 100, outcomes: 2, last: 11 },
        { 'bin(1h)': '2026-11-23T10:00:00.000Z', half: 200, outcomes: 1, last: 12 },
      ],
    ],
    ['# a comment\nfilter requestedBy = "a|b"', []],
  ])('%s', (query, found) => {
    expect(parseQuery(query).run(rows)).toEqual(found);
  });

  test('names the fields that it reads, and not those it makes', () => {
    const { fields } = parseQuery('stats count(*) as lines by outcome | filter lines > 1 | sort lines desc');
    expect(fields).toEqual(new Set(['outcome']));
  });

  test.each([
    'select * from logs',
    'filter outcome == "enabled"',
    'filter outcome = enabled"',
    'filter outcome = "enabled" outcome = "kept"',
    'filter (outcome = "enabled"',
    'stats total(durationMs)',
    'stats count(*) as by outcome',
    'stats pct(durationMs) by outcome',
    'sort durationMs',
    'limit many',
    'fields outcome,',
    'filter outcome = "enabled" |',
  ])('is refused: %s', (query) => {
    expect(() => parseQuery(query)).toThrow(expect.objectContaining({ name: 'QueryError' }));
  });
});
