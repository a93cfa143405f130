/** 10,000 dead letters (1,000 by hand), and a replay that is killed again and again on its way. */
import { expect, test } from 'vitest';
import { seeded } from '../../infra/local/faults.ts';
import { startSqs } from '../../infra/local/sqs.ts';
import { until } from '../../infra/local/world.ts';
import { runs } from '../depth.ts';
import { environmentOf, putLetters, runCommand } from './command.ts';

const LETTERS = runs(10_000);
const KILLS = runs(10, 2);
const CODES = ['1005', '1006', '1010', 'InvalidMessage', '1006'] as const;
const MEMORY_MIB = 150;
const REPLAY = ['dead-letters', 'replay', '--queue', 'rejected', '--code', '1006', '--yes', '--json'];
/** What a killed replay held comes back soon, for the next one. */
const KILLED_REPLAY = [...REPLAY, '--visibility-timeout', '2'];

test('each chosen original arrives at least once, no other moves, nothing is lost, in flat memory', async () => {
  const seed = Math.floor(Math.random() * 1e9);
  const random = seeded(seed);
  const sqs = await startSqs();
  try {
    const env = environmentOf(sqs);
    const all = Array.from({ length: LETTERS }, (_, index) => ({
      identifier: index + 1,
      code: CODES[index % CODES.length] ?? '1005',
      originalMessageId: `original-${index + 1}`,
    }));
    await putLetters(sqs, 'rejected', all);
    const chosen = all.filter(({ code }) => code === '1006').map(({ originalMessageId }) => originalMessageId);
    const others = all.filter(({ code }) => code !== '1006').map(({ originalMessageId }) => originalMessageId);
    const originals = (queue: 'requests' | 'rejected'): string[] =>
      sqs.messages(queue).map(({ messageAttributes }) => messageAttributes['OriginalMessageId']?.StringValue ?? '?');

    for (let kill = 1; kill <= KILLS; kill += 1) {
      // Somewhere between the first receive and the middle of the work, different each time.
      const killAt = sqs.journal.length + 5 + Math.floor(random() * 120);
      const { status } = await runCommand(KILLED_REPLAY, {
        env,
        watch: () => (sqs.journal.length >= killAt ? 'SIGKILL' : undefined),
      });
      expect(status, `run ${kill} was to be killed, seed ${seed}`).toBeNull();
      const there = new Set([...originals('requests'), ...originals('rejected')]);
      expect(
        chosen.filter((original) => !there.has(original)),
        `lost by run ${kill}, seed ${seed}`,
      ).toEqual([]);
    }

    const held = () => sqs.messages('rejected').filter(({ isInFlight }) => isInFlight);
    await until(() => held().length === 0, 'what the last killed replay held');
    let largestMiB = 0;
    for (let matched = 1; matched > 0; ) {
      const { status, json, maxRssMiB } = await runCommand(REPLAY, { env, isProcess: true });
      expect(status, `seed ${seed}`).toBe(0);
      ({ matched } = json as { matched: number });
      largestMiB = Math.max(largestMiB, maxRssMiB);
    }
    expect(new Set(originals('requests'))).toEqual(new Set(chosen));
    expect(originals('rejected').sort()).toEqual(others.sort());
    expect(held()).toEqual([]);

    const before = sqs.messages('rejected').map(({ messageId, body }) => `${messageId} ${body}`);
    const list = await runCommand(['dead-letters', 'list', '--json'], { env, isProcess: true });
    expect(list.json).toEqual({
      queues: [
        {
          queue: 'rejected',
          total: (LETTERS * 3) / 5,
          byCode: { '1005': LETTERS / 5, '1010': LETTERS / 5, InvalidMessage: LETTERS / 5 },
          unread: 0,
        },
        { queue: 'exhausted', total: 0, byCode: {}, unread: 0 },
      ],
    });
    const after = sqs.messages('rejected').map(({ messageId, body }) => `${messageId} ${body}`);
    expect(after.sort()).toEqual(before.sort());
    largestMiB = Math.max(largestMiB, list.maxRssMiB);
    expect(largestMiB).toBeLessThan(MEMORY_MIB);
    console.log(
      `seed ${seed}: largest memory ${largestMiB.toFixed(0)} MiB, ${originals('requests').length - chosen.length} sent twice`,
    );
  } finally {
    await sqs.close();
  }
}, 400_000);
