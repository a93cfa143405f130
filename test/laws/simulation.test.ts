/** The core through bad days in virtual time, with seeds that nobody has tried before. `npm run simulate` runs more. */
import { expect, test } from 'vitest';
import { runEpisode } from '../simulation/episode.ts';
import { plan } from '../simulation/main.ts';

const seed = Math.floor(Math.random() * 1e9);
const episodes = plan(4000, seed);
console.log(`simulation with seed ${seed}: npm run simulate -- --messages 4000 --seed ${seed}`);

test.each(episodes)('$kind with seed $seed, $messages messages: every invariant holds', async (episode) => {
  const { violations } = await runEpisode(episode);
  expect(violations.join('\n\n')).toBe('');
});

test('a day without Segura leaves exhausted empty, and 15 minutes after it every request is carried out', async () => {
  const { enabled, exhausted, recoverySeconds } = await runEpisode({ seed, kind: 'day-long-outage', messages: 20 });
  expect({ enabled, exhausted }).toEqual({ enabled: 20, exhausted: 0 });
  expect(recoverySeconds).toBeLessThanOrEqual(900);
});

test('the same seed gives the same run', async () => {
  const episode = { seed, kind: 'bad-day', messages: 300 } as const;
  expect(await runEpisode(episode)).toEqual(await runEpisode(episode));
});

test('an invariant that breaks is told with its seed and the story of the message', async () => {
  // Segura is made to forget what it answered: then nothing may count as enabled or rejected.
  const { violations } = await runEpisode({ seed: 7, kind: 'ordinary', messages: 100, isForgetful: true });
  expect(violations[0]).toMatch(/^seed 7 \(ordinary\) at \d+\.\d+ s: told as enabled, which nobody said\n {2}message-/);
  expect(violations[0]).toMatch(/s {2}receive 1: environment 1, invocation \d+\n/);
});
