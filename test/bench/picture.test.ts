/** What the picture of the benchmark shows of a run. */
import { expect, test } from 'vitest';
import { figuresOf } from './picture.ts';
import { compare, MEASURES, type Measured, type Transport } from './report.ts';
import { summarize } from './statistics.ts';

const measured = (id: string, times: number): Measured => ({
  id,
  name: id,
  bytes: 1,
  gzippedBytes: 1,
  measures: Object.fromEntries(
    MEASURES.map((measure) => [measure, summarize([measure === 'coldStartMs' ? 100 * times : times])]),
  ) as Measured['measures'],
});

const run = (ids: Readonly<Record<string, number>>, ...transports: Transport[]) => ({
  transports: transports.map((transport) =>
    compare(
      transport,
      Object.entries(ids).map(([id, times]) => measured(id, times)),
    ),
  ),
});

const ALL = { 'at-once': 0.1, bare: 1, ours: 1.2, middy: 3, powertools: 2 };

test('cold start and warm batch of each way are drawn as ratios to the bare handler, ours first', () => {
  expect(figuresOf(run(ALL, 'http'))).toEqual([
    { way: 'mysafe-enable', what: 'cold start, http', ratio: 1.2 },
    { way: 'Powertools Batch', what: 'cold start, http', ratio: 2 },
    { way: 'middy + axios', what: 'cold start, http', ratio: 3 },
    { way: 'mysafe-enable', what: 'warm batch of ten, http', ratio: 1.2 },
    { way: 'Powertools Batch', what: 'warm batch of ten, http', ratio: 2 },
    { way: 'middy + axios', what: 'warm batch of ten, http', ratio: 3 },
  ]);
});

test('http and https stand beside each other', () => {
  const whats = figuresOf(run(ALL, 'http', 'https')).map(({ what }) => what);
  expect([...new Set(whats)]).toEqual([
    'cold start, http',
    'cold start, https',
    'warm batch of ten, http',
    'warm batch of ten, https',
  ]);
});

test('a way that was not measured is named, instead of a bar left out', () => {
  expect(() => figuresOf(run({ bare: 1, ours: 1.2, middy: 3 }, 'http'))).toThrow(
    'There is no cold start of Powertools Batch over http to draw.',
  );
});
