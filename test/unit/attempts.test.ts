/** Calls of AWS that are tried again: how often, with which waits, and never past their time. */
import { expect, test } from 'vitest';
import { createAttempts } from '../../functions/aws/attempts.ts';

/** Each call takes a time and is to be made again; the clock moves with calls and waits alone. */
const run = async (timeoutMs: number, callMs: number) => {
  let now = 0;
  const waits: number[] = [];
  const limits: number[] = [];
  const attempt = createAttempts({
    patience: { maxAttempts: 3, firstWaitMs: 100, attemptTimeoutMs: 5000 },
    now: () => now,
    random: () => 1,
    sleep: async (ms) => {
      waits.push(ms);
      now += ms;
    },
  });
  await attempt(timeoutMs, async (limitMs) => {
    limits.push(limitMs);
    now += callMs;
    return 'again';
  });
  return { waits, limits, endedAt: now };
};

test('a call is tried three times, with waits that double', async () => {
  expect(await run(60_000, 10)).toEqual({ waits: [100, 200], limits: [5000, 5000, 5000], endedAt: 330 });
});

test('no wait is begun that would end when there is no time for a call', async () => {
  expect(await run(110, 10)).toEqual({ waits: [], limits: [110], endedAt: 10 });
  expect(await run(111, 10)).toMatchObject({ waits: [100], limits: [111, 1] });
});

test('nothing is called where no time is left', async () => {
  expect(await run(0, 10)).toEqual({ waits: [], limits: [], endedAt: 0 });
});
