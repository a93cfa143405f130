/** The second function in AWS's own runtime client: its bundle carries the AWS SDK. */
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { bundleOf } from '../../infra/local/lambda.ts';
import { startWorld } from '../../infra/local/world.ts';
import { startRuntime } from './runtime.ts';

const taskRoot = dirname(bundleOf('replay-dead-letters'));

test('rejected letters go back to requests, with the counts of the contract', async () => {
  await using world = await startWorld({ passwords: { 10: 'no-access' } });
  await world.send(10);
  await world.send(99);
  await world.deliver();
  const env = { ...world.environment, EXHAUSTED_QUEUE_URL: world.sqs.queueUrl('exhausted') };
  await using runtime = await startRuntime({ taskRoot, env });
  const dryRun = await runtime.invoke({ queue: 'rejected', code: '1006', dryRun: true });
  expect(dryRun.payload).toEqual({ matched: 1, replayed: 1, duplicates: 0, expired: 0, failed: 0, dryRun: true });
  expect(world.messages('rejected')).toHaveLength(2);
  const real = await runtime.invoke({ queue: 'rejected', code: '1006', replayedBy: 'ops', reason: 'shared now' });
  expect(real.payload).toEqual({ matched: 1, replayed: 1, duplicates: 0, expired: 0, failed: 0, dryRun: false });
  expect(world.messages('rejected').map(({ body }) => body)).toEqual(['99']);
  expect(world.messages('requests')).toMatchObject([
    {
      body: '10',
      messageAttributes: {
        ReplayCount: { StringValue: '1' },
        ReplayedBy: { StringValue: 'ops' },
        ReplayReason: { StringValue: 'shared now' },
      },
    },
  ]);
});

test('an unknown or malformed option is an error that names it, and moves nothing', async () => {
  await using world = await startWorld();
  const env = { ...world.environment, EXHAUSTED_QUEUE_URL: world.sqs.queueUrl('exhausted') };
  await using runtime = await startRuntime({ taskRoot, env });
  const { functionError } = await runtime.invoke({ que: 'rejected', rate: 0, renew: true });
  expect(functionError).toMatch(/que is not known.*rate must be.*renew needs a reason/);
  expect(world.sqs.journal).toEqual([]);
});
