/** A thousand messages through real processes that are killed at random moments, with a vault and an SQS that falter. */
import { expect, test } from 'vitest';
import { startWorld, until } from '../simulator/world.ts';

const MESSAGES = 1000;
const KILLS = 12;

test('killed in the middle of batches: nothing is lost, nothing is wrongly rejected', async () => {
  const seed = Math.floor(Math.random() * 1e9);
  const passwords = Object.fromEntries(
    Array.from({ length: MESSAGES }, (_, index) => [
      index + 1,
      index % 50 === 0 ? ('no-access' as const) : ('disabled' as const),
    ]),
  );
  await using world = await startWorld({ passwords, timeoutMs: 20_000, sqs: { visibilitySeconds: 3 } });
  world.segura.byRate(
    0.1,
    seed,
    { kind: 'kong', status: 502 },
    { kind: 'reset' },
    { kind: 'lost-answer' },
    { kind: 'slow', ms: 300 },
  );
  const unknown = Array.from({ length: 20 }, (_, index) => 90_001 + index);
  const identifiers = [...Array.from({ length: MESSAGES }, (_, index) => index + 1), ...unknown];
  for (let from = 0; from < identifiers.length; from += 50) {
    await Promise.all(identifiers.slice(from, from + 50).map((identifier) => world.send({ identifier })));
  }

  const source = world.poll({ maximumConcurrency: 4, batchSize: 10 });
  for (let kill = 0; kill < KILLS; kill += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 250));
    world.kill();
  }
  // A message that was kept comes back after 30 s at the earliest: what is kept now is not lost, but waits.
  const isThrough = () => world.messages('requests').every(({ visibleInMs }) => visibleInMs > 10_000);
  await until(isThrough, `every message to be settled or kept (seed ${seed})`, 45_000);
  await source.stop();

  const waiting = new Set(
    world.messages('requests').map(({ body }) => (JSON.parse(body) as { identifier: number }).identifier),
  );
  const letters = world.messages('rejected');
  const rejected = new Map(
    letters.map(({ body, messageAttributes }) => [
      (JSON.parse(body) as { identifier: number }).identifier,
      messageAttributes['ErrorCode']?.StringValue,
    ]),
  );
  expect(world.messages('exhausted')).toEqual([]);
  for (const identifier of identifiers) {
    const state = world.segura.passwords.get(String(identifier));
    const isSettled = state === 'active' || rejected.has(identifier);
    expect(isSettled || waiting.has(identifier), `identifier ${identifier} is lost, seed ${seed}`).toBe(true);
    if (!rejected.has(identifier)) continue;
    const expected = identifier > 90_000 ? '1005' : '1006';
    expect([rejected.get(identifier), state], `identifier ${identifier}, seed ${seed}`).toEqual([
      expected,
      identifier > 90_000 ? undefined : 'no-access',
    ]);
  }
  expect(world.lambda.starts()).toBeGreaterThan(3);
}, 90_000);
