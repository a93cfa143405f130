/** The built function settles a large batch with many calls to SQS at once. */
import { expect, test } from 'vitest';
import { startWorld, until } from '../../infra/local/world.ts';

const CALLS_AT_ONCE = 20;
const PER_CALL = 10;

test('two hundred rejections go to SQS in twenty calls at once', async () => {
  await using world = await startWorld();
  world.sqs.settings.faults.set('SendMessageBatch', { kind: 'hang' });
  const records = Array.from({ length: CALLS_AT_ONCE * PER_CALL }, (_, index) => ({
    messageId: `message-${index}`,
    receiptHandle: `handle-${index}`,
    body: 'no request',
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(Date.now()) },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: world.sqs.arnOf('requests'),
  }));
  const invoked = world.invoke({ Records: records });
  await until(() => world.sqs.calls('SendMessageBatch').length >= CALLS_AT_ONCE, 'twenty calls under way');
  world.kill();
  await invoked;
  expect(world.sqs.calls('SendMessageBatch')).toHaveLength(CALLS_AT_ONCE);
});
