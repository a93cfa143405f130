/** The built bundle over real HTTP, its processes killed again and again: up to a thousand requests, and none is lost. */
import type { SQSRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { seeded } from '../../infra/local/faults.ts';
import { startWorld, until } from '../../infra/local/world.ts';
import { runs } from '../depth.ts';

const MESSAGES = runs(1000, 150);
const KILLS = runs(20, 3);
const SENT_AT_ONCE = 50;

/** Of each hundred, some that Segura refuses and some that are not a request. */
const kindOf = (index: number): 'disabled' | 'active' | '1005' | '1006' | 'InvalidMessage' => {
  const place = index % 100;
  if (place < 5) return '1005';
  if (place < 10) return '1006';
  if (place < 13) return 'InvalidMessage';
  return place < 20 ? 'active' : 'disabled';
};

test(`${MESSAGES} requests, processes killed at random moments: each is enabled or rejected, and deleted only then`, async () => {
  const seed = Math.floor(Math.random() * 1e9);
  const random = seeded(seed);
  const requests = Array.from({ length: MESSAGES }, (_, index) => {
    const kind = kindOf(index);
    return { identifier: index + 1, kind, body: kind === 'InvalidMessage' ? `no request ${index}` : String(index + 1) };
  });
  await using world = await startWorld({ sqs: { visibilitySeconds: 2 } });
  const { segura, sqs } = world;
  for (const { identifier, kind } of requests) {
    if (kind === '1006') segura.passwords.set(String(identifier), 'no-access');
    if (kind === 'disabled' || kind === 'active') segura.passwords.set(String(identifier), kind);
  }
  segura.byRate(
    0.2,
    seed,
    { kind: 'slow', ms: 60 },
    { kind: 'lost-answer' },
    { kind: 'kong', status: 502 },
    { kind: 'reset' },
  );

  const kinds = new Map<string, (typeof requests)[number]>();
  const sendAll = async (): Promise<void> => {
    for (let from = 0; from < MESSAGES; from += SENT_AT_ONCE) {
      await Promise.all(
        requests.slice(from, from + SENT_AT_ONCE).map(async (request) => {
          kinds.set(await world.send(request.body), request);
        }),
      );
    }
  };
  const letters = () =>
    world.messages('rejected').map(({ body, messageAttributes }) => ({
      body,
      code: messageAttributes['ErrorCode']?.StringValue,
      of: messageAttributes['OriginalMessageId']?.StringValue ?? '',
    }));
  const early: string[] = [];
  const checkDeleted = (records: readonly SQSRecord[], kept: readonly string[]): void => {
    const rejected = new Set(letters().map(({ of }) => of));
    for (const { messageId } of records.filter((record) => !kept.includes(record.messageId))) {
      const isActive = segura.passwords.get(String(kinds.get(messageId)?.identifier)) === 'active';
      if (!(isActive || rejected.has(messageId))) early.push(messageId);
    }
  };

  await sendAll();
  const polling = world.poll({
    maximumConcurrency: 4,
    onBatch: ({ records, kept }) => checkDeleted(records, kept),
  });
  try {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      // Somewhere in the work: after a call that reached Segura, or one that reached SQS.
      const journal = random() < 0.7 ? segura.journal : sqs.journal;
      const killAt = journal.length + 1 + Math.floor(random() * 40);
      await until(
        () => journal.length >= killAt || world.messages('requests').length === 0,
        `kill ${kill}, seed ${seed}`,
      );
      if (random() < 0.2) sqs.next('SendMessageBatch', { kind: 'lost-answer' });
      world.kill();
    }
    await until(() => world.messages('requests').length === 0, `an empty queue, seed ${seed}`, 30_000);
  } finally {
    await polling.stop();
  }

  expect(early, `deleted before it was settled, seed ${seed}`).toEqual([]);
  expect(world.messages('exhausted')).toEqual([]);
  const active = requests.filter(({ identifier }) => segura.passwords.get(String(identifier)) === 'active');
  expect(active).toEqual(requests.filter(({ kind }) => kind === 'disabled' || kind === 'active'));
  const told = new Map(letters().map(({ of, code, body }) => [of, { code, body }]));
  for (const [messageId, { kind, body }] of kinds) {
    const isRejected = kind !== 'disabled' && kind !== 'active';
    expect(told.get(messageId), `${messageId}, seed ${seed}`).toEqual(isRejected ? { code: kind, body } : undefined);
  }
  const audited = new Set(
    world
      .auditLines()
      .filter(({ outcome }) => outcome !== 'kept')
      .map(({ messageId }) => messageId),
  );
  expect([...kinds.keys()].filter((messageId) => !audited.has(messageId))).toEqual([]);
  console.log(
    `seed ${seed}: ${KILLS} kills, ${segura.enableCalls().length} calls, ${letters().length - told.size} dead letters twice`,
  );
}, 240_000);
