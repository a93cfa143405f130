/** The core through bad days in virtual time, with seeds that nobody has tried before. `npm run simulate` runs more. */
import { expect, test } from 'vitest';
import { runEpisode } from '../simulation/episode.ts';
import { plan } from '../simulation/main.ts';

const seed = Math.floor(Math.random() * 1e9);

test.each(plan(5000, seed))('$kind with seed $seed: every invariant holds', async (episode) => {
  const { violations, exhausted } = await runEpisode(episode);
  expect(violations).toEqual([]);
  expect(exhausted).toBe(0);
});

test('the same seed gives the same run', async () => {
  const episode = { seed, kind: 'bad-day', messages: 300 } as const;
  expect(await runEpisode(episode)).toEqual(await runEpisode(episode));
});

test('an invariant that breaks is told with its seed', async () => {
  // Segura is made to forget what it answered: then nothing may count as enabled or rejected.
  const { violations } = await runEpisode({ seed: 7, kind: 'ordinary', messages: 200, sabotage: 'reject-all' });
  expect(violations.length).toBeGreaterThan(0);
  expect(violations[0]).toMatch(/^seed 7 \(ordinary\)/);
});
