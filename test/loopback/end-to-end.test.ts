/** `doctor --end-to-end`: a request that must be rejected goes the whole way; where it stops, that is named. */
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import type { WorldOptions } from '../../infra/local/world.ts';
import { openAccount } from './account.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean | null;
  readonly detail: string;
}

type Account = Awaited<ReturnType<typeof openDelivered>>;

/** With delivery running, as the mapping does it. */
const openDelivered = async (options: WorldOptions = {}) => {
  const account = await openAccount(options);
  const source = account.world.poll({ pollSeconds: 1 });
  return {
    ...account,
    stopDelivery: () => source.stop(),
    [Symbol.asyncDispose]: async () => {
      await source.stop();
      await account[Symbol.asyncDispose]();
    },
  };
};

const examine = async (
  { run }: Account,
  env: Record<string, string | undefined> = {},
  words: readonly string[] = [],
) => {
  const startedAt = Date.now();
  const saidAt = new Map<string, number>();
  let seen = 0;
  const meanwhile = (_: string, stderr: string): void => {
    if (stderr.length === seen) return;
    seen = stderr.length;
    for (const [, name = ''] of stderr.matchAll(/^[✓✗–] (.+?) {2,}/gm)) {
      if (!saidAt.has(name)) saidAt.set(name, Date.now());
    }
  };
  const { status, json } = await run(['doctor', '--end-to-end', '--json', ...words], { env, meanwhile });
  const { checks } = json as { checks: Check[] };
  /** When people were told, which is before what it left was taken away. */
  const namedAfterMs = (name: string): number => (saidAt.get(name) ?? Number.POSITIVE_INFINITY) - startedAt;
  return { status, checks, wrong: checks.filter(({ ok }) => ok === false), namedAfterMs };
};

const leftBehind = ({ world }: Account): number =>
  (['requests', 'rejected', 'exhausted', 'outcomes'] as const).flatMap((queue) => world.messages(queue)).length;

describe.concurrent('where all is well', () => {
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

/** What is wrong, what doctor says, and where it stopped. Each in a world of its own, all at once: a kept request takes a minute. */
interface Fault {
  readonly name: string;
  readonly options?: WorldOptions;
  readonly plant?: (account: Account) => void | Promise<void>;
  readonly env?: (account: Account) => Record<string, string>;
  readonly words?: readonly string[];
  readonly stoppedAt: string;
  readonly says: RegExp;
  /** Where SQS or Lambda holds it for longer than anybody would wait, that is said; it is not ours to delete. */
  readonly stays?: true;
}

const variablesOf = ({ world }: Account, changes: Record<string, string | undefined> = {}): Record<string, string> => {
  const variables = { ...world.environment, ...changes };
  return Object.fromEntries(Object.entries(variables).filter((entry): entry is [string, string] => Boolean(entry[1])));
};
const outcomesOf = ({ world }: Account) => ({ OUTCOME_QUEUE_URL: world.sqs.queueUrl('outcomes') });

/** What Lambda would have written into the log: a bundle that never answers, and one that cannot be loaded. */
const HANGING = `console.log(JSON.stringify({ message: '2026-11-26T12:00:00Z 7f3a Task timed out after 3.00 seconds' }));
  export const handler = () => new Promise(() => {});`;
const CRASHING = `console.log(JSON.stringify({ errorType: 'EnvironmentError', errorMessage: 'The environment is not complete' }));
  await new Promise((resolve) => setTimeout(resolve, 200));
  throw new Error('simulated');`;
const bundleOfCode = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

const SEGURA = 'Segura, asked by the function';
const RECEIVED = 'function received it';

const FAULTS: readonly Fault[] = [
  {
    name: 'delivery is switched off',
    plant: ({ account }) => {
      account.mapping.state = 'Disabled';
    },
    stoppedAt: 'delivery',
    says: /^disabled since .*npx mysafe-enable resume/,
  },
  {
    name: 'there is no mapping at all',
    plant: ({ account }) => {
      account.settings.fault = 'absent';
    },
    stoppedAt: 'delivery',
    says: /no event source mapping/,
  },
  {
    name: 'nobody may ask for the mapping',
    plant: ({ account }) => {
      account.settings.fault = 'denied';
    },
    stoppedAt: 'delivery',
    says: /lambda:ListEventSourceMappings/,
  },
  {
    name: 'the mapping calls an old version',
    plant: ({ account }) => {
      account.settings.qualifier = '3';
    },
    stoppedAt: 'delivery',
    says: /calls 3, not the alias live/,
  },
  {
    name: 'the mapping calls the newest code, past the alias',
    plant: ({ account }) => {
      account.settings.qualifier = '';
    },
    stoppedAt: 'delivery',
    says: /calls the newest code, not the alias live/,
  },
  {
    name: 'the reserved concurrency is 0',
    plant: ({ account }) => {
      account.settings.reservedConcurrency = 0;
    },
    stoppedAt: 'function',
    says: /reserved concurrency is 0/,
  },
  {
    name: 'the function has the URL of another queue',
    plant: (account) => {
      account.account.settings.variables = variablesOf(account, { REJECTED_QUEUE_URL: 'https://sqs.invalid/1/other' });
    },
    stoppedAt: 'function',
    says: /REJECTED_QUEUE_URL names something else/,
  },
  {
    name: 'a variable of the function is missing, so that it does not start',
    plant: (account) => {
      account.account.settings.variables = variablesOf(account, { SEGURA_SECRET_ID: undefined });
    },
    stoppedAt: 'function',
    says: /cannot start, for it has no SEGURA_SECRET_ID/,
  },
  {
    name: 'we may not send',
    plant: ({ world }) => {
      world.sqs.settings.faults.set('SendMessageBatch requests', { kind: 'denied' });
    },
    stoppedAt: 'sending',
    says: /sqs:SendMessage on requests/,
  },
  {
    name: 'the key of the queue does not let us send',
    plant: ({ world }) => {
      world.sqs.settings.faults.set('SendMessageBatch requests', { kind: 'key-denied' });
    },
    stoppedAt: 'sending',
    says: /kms:Decrypt and kms:GenerateDataKey on the key/,
  },
  {
    name: 'the key of the queue does not let Lambda receive',
    plant: async ({ account, stopDelivery }) => {
      account.settings.lastResult = 'PROBLEM: Lambda cannot use the KMS key of the queue';
      await stopDelivery();
    },
    stoppedAt: RECEIVED,
    says: /PROBLEM: .*KMS key.*kms:Decrypt/,
  },
  {
    name: 'the function crashes at its start',
    options: { bundle: bundleOfCode(CRASHING) },
    stoppedAt: RECEIVED,
    says: /fails at its start.*EnvironmentError: The environment is not complete/,
    stays: true,
  },
  {
    name: 'the function runs into its time-out',
    options: { bundle: bundleOfCode(HANGING), timeoutMs: 3000 },
    stoppedAt: RECEIVED,
    says: /Task timed out/,
    stays: true,
  },
  {
    name: 'the function may not read the secret',
    plant: ({ world }) => {
      world.secrets.settings.fault = 'denied';
    },
    stoppedAt: SEGURA,
    says: /secretsmanager:GetSecretValue/,
  },
  {
    name: 'the credentials are wrong',
    options: { secret: { clientSecret: 'wrong' } },
    stoppedAt: SEGURA,
    says: /kept, cause credentials.*doctor --only secret,segura/,
  },
  {
    name: 'Segura cannot be reached',
    options: { secret: { url: 'https://127.0.0.1:9', accessTokenUrl: 'https://127.0.0.1:9/token' } },
    stoppedAt: SEGURA,
    says: /ECONNREFUSED: the function does not reach Segura: check its subnets/,
  },
  {
    name: 'Segura forbids the address',
    plant: ({ world }) => {
      world.segura.settings.outage = { kind: 'kong', status: 403, message: 'Your IP address is not allowed' };
    },
    stoppedAt: SEGURA,
    says: /kept, cause credentials, HTTP403/,
  },
  {
    name: 'Segura knows the identifier',
    options: { passwords: { 4711: 'disabled' } },
    words: ['--identifier', '4711'],
    stoppedAt: SEGURA,
    says: /identifier 4711 is a password/,
  },
  {
    name: 'the function cannot write dead letters',
    plant: ({ world }) => {
      world.sqs.settings.faults.set('SendMessageBatch rejected', { kind: 'denied' });
    },
    stoppedAt: 'dead letter',
    says: /cannot write to rejected.*REJECTED_QUEUE_URL.*key policy/,
    stays: true,
  },
  {
    name: 'the function cannot write outcomes',
    options: { outcomes: true },
    plant: ({ world }) => {
      world.sqs.settings.faults.set('SendMessageBatch outcomes', { kind: 'denied' });
    },
    env: outcomesOf,
    stoppedAt: 'outcome',
    says: /cannot write to outcomes.*OUTCOME_QUEUE_URL/,
    stays: true,
  },
];

describe.concurrent('a fault is named where the request stopped, and nothing is left behind:', () => {
  test.each(FAULTS)(
    '$name',
    async ({ options, plant, env, words = [], stoppedAt, says, stays }) => {
      await using account = await openDelivered(options);
      await plant?.(account);
      const { namedAfterMs, wrong } = await examine(account, env?.(account), words);
      expect(wrong[0]).toMatchObject({ name: stoppedAt, detail: expect.stringMatching(says) });
      expect(namedAfterMs(stoppedAt)).toBeLessThan(60_000);
      const left = leftBehind(account);
      if (left === 0) expect(wrong).toHaveLength(1);
      else {
        // Not ours to delete while Lambda has it, and said.
        expect(stays).toBe(true);
        expect(wrong[1]).toMatchObject({ name: 'left behind', detail: expect.stringContaining('--message-id') });
      }
    },
    200_000,
  );
});

test.concurrent('an outcome that its reader was quicker to take counts as arrived', async () => {
  await using account = await openDelivered({ outcomes: true });
  const { world } = account;
  const client = world.client;
  const QueueUrl = world.sqs.queueUrl('outcomes');
  let isReading = true;
  const read = async (): Promise<void> => {
    while (isReading) {
      const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
      for (const { ReceiptHandle } of Messages)
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  };
  const reader = read();
  const { status, checks } = await examine(account, outcomesOf(account));
  isReading = false;
  await reader;
  expect([status, checks.find(({ name }) => name === 'outcome')?.ok]).toEqual([0, true]);
}, 300_000);

test.concurrent('doctor says which version runs, and where requests go', async () => {
  await using account = await openDelivered();
  const { status, json } = await account.run(['doctor', '--only', 'function', '--json']);
  expect([status, json]).toMatchObject([
    0,
    {
      checks: [
        {
          name: 'function',
          detail: expect.stringMatching(/^version 1 of 2026.*, mysafe-enable 0\.0\.0-local, nodejs24\.x arm64/),
        },
        { name: 'delivery', detail: 'on, to live' },
      ],
    },
  ]);
});

test.concurrent('a variable of the function that names the same queue by another host, or the secret by its ARN, is no fault', async () => {
  await using account = await openDelivered();
  account.account.settings.variables = variablesOf(account, {
    SOURCE_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/requests',
    SEGURA_SECRET_ID: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:mysafe/segura-AbCdEf',
  });
  expect((await examine(account)).status).toBe(0);
}, 240_000);
