/** `doctor --end-to-end`: a request that must be rejected goes the whole way; where it stops, that is named. */
import { describe, expect, test } from 'vitest';
import type { WorldOptions } from '../../infra/local/world.ts';
import { openAccount } from './account.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean | null;
  readonly detail: string;
}

type Account = Awaited<ReturnType<typeof openAccount>>;

/** With delivery running, as the mapping does it. */
const openDelivered = async (options: WorldOptions = {}) => {
  const account = await openAccount(options);
  const source = account.world.poll({ pollSeconds: 1 });
  return {
    ...account,
    [Symbol.asyncDispose]: async () => {
      await source.stop();
      await account[Symbol.asyncDispose]();
    },
  };
};

const examine = async ({ run }: Account, env: Record<string, string | undefined> = {}) => {
  const { status, json } = await run(['doctor', '--end-to-end', '--json'], { env });
  const { checks } = json as { checks: Check[] };
  return { status, checks, wrong: checks.filter(({ ok }) => ok === false) };
};

const leftBehind = ({ world }: Account): number =>
  (['requests', 'rejected', 'exhausted'] as const).flatMap((queue) => world.messages(queue)).length;

describe('where all is well', () => {
  test('the request is followed to its dead letter, and nothing is left behind', async () => {
    await using account = await openDelivered();
    const { status, checks } = await examine(account);
    expect([status, checks.map(({ name, ok }) => [name, ok])]).toEqual([
      0,
      [
        ['sending', true],
        ['function received it', true],
        ['Segura, asked by the function', true],
        ['dead letter', true],
        ['left behind', true],
      ],
    ]);
    expect(leftBehind(account)).toBe(0);
    expect(account.world.segura.enableCalls().map(({ identifier }) => identifier)).toEqual(['9007199254740991']);
  });

  test('its outcome is removed too, and the dead letters and outcomes of others stay', async () => {
    await using account = await openDelivered({ outcomes: true });
    const { world } = account;
    await world.send(4711);
    await expect.poll(() => world.messages('rejected').length, { timeout: 30_000 }).toBe(1);
    const { status } = await examine(account, { OUTCOME_QUEUE_URL: world.sqs.queueUrl('outcomes') });
    expect(status).toBe(0);
    expect([world.messages('rejected').length, world.messages('outcomes').length]).toEqual([1, 1]);
  });

  test('so on FIFO queues', async () => {
    await using account = await openDelivered({ fifo: true });
    expect((await examine(account)).status).toBe(0);
    expect(leftBehind(account)).toBe(0);
  });
});

describe('a fault is named:', () => {
  test('delivery is switched off', async () => {
    await using account = await openDelivered();
    account.account.mapping.state = 'Disabled';
    expect((await examine(account)).wrong).toMatchObject([
      { name: 'delivery', detail: expect.stringContaining('npx mysafe-enable resume') },
    ]);
    expect(leftBehind(account)).toBe(0);
  });

  test('there is no mapping at all', async () => {
    await using account = await openDelivered();
    account.account.settings.fault = 'absent';
    expect((await examine(account)).wrong).toMatchObject([
      { name: 'delivery', detail: expect.stringContaining('no event source mapping') },
    ]);
  });

  test('nobody may ask for the mapping', async () => {
    await using account = await openDelivered();
    account.account.settings.fault = 'denied';
    expect((await examine(account)).wrong[0]?.detail).toContain('lambda:ListEventSourceMappings');
  });

  test('we may not send', async () => {
    await using account = await openDelivered();
    account.world.sqs.settings.faults.set('SendMessageBatch', { kind: 'denied' });
    expect((await examine(account)).wrong).toMatchObject([
      { name: 'sending', detail: expect.stringContaining('sqs:SendMessage') },
    ]);
  });

  test('the function may not read the secret', async () => {
    await using account = await openDelivered();
    account.world.secrets.settings.fault = 'denied';
    expect((await examine(account)).wrong[0]).toMatchObject({
      name: 'Segura, asked by the function',
      detail: expect.stringContaining('secretsmanager:GetSecretValue'),
    });
    expect(leftBehind(account)).toBe(0);
  }, 150_000);
});

test('doctor says which version runs, and where requests go', async () => {
  await using account = await openDelivered();
  const { status, json } = await account.run(['doctor', '--only', 'function', '--json']);
  expect([status, json]).toMatchObject([
    0,
    {
      checks: [
        { name: 'function', detail: expect.stringMatching(/^version 1 of 2026.*nodejs24\.x arm64/) },
        { name: 'delivery', detail: 'on, to live' },
      ],
    },
  ]);
});
