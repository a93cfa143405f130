/** The core through days with faults in virtual time, with seeds that nobody has tried before. `npm run simulate` runs more. */
import { expect, test } from 'vitest';
import { runs } from '../depth.ts';
import { runEpisode } from '../simulation/episode.ts';
import { plan } from '../simulation/plan.ts';

const MESSAGES = runs(3000, 600);
const seed = Math.floor(Math.random() * 1e9);
console.log(`npm run simulate -- --messages ${MESSAGES} --seed ${seed}`);

test.each(plan(MESSAGES, seed))('$kind with seed $seed, $messages messages: every invariant holds', async (episode) => {
  const { violations } = await runEpisode(episode);
  expect(violations.join('\n\n')).toBe('');
});

test('a message is exhausted by crashes alone', async () => {
  const { exhausted, violations } = await runEpisode({ seed: 1, kind: 'crash-loop', messages: 500 });
  expect(exhausted).toBeGreaterThan(0);
  expect(violations).toEqual([]);
});

test('the same seed gives the same run', async () => {
  const episode = { seed, kind: 'bad-day', messages: 300 } as const;
  expect(await runEpisode(episode)).toEqual(await runEpisode(episode));
});

test('an invariant that breaks is told with its seed and the story of the message', async () => {
  // Segura is made to forget what it answered: then nothing may count as enabled or rejected.
  const { violations } = await runEpisode({ seed: 7, kind: 'ordinary', messages: 100, isForgetful: true });
  const told = violations.find((violation) => violation.includes('told as enabled, which nobody said'));
  expect(told).toMatch(/^seed 7 \(ordinary\) at \d+\.\d+ s: .*\n {2}message-\d+, identifier/);
  expect(told).toMatch(
    /\d s {2}receive 1: environment \d+, invocation \d+\n.*Segura: (?:already-)?enabled\n.*HTTP 200/,
  );
});
