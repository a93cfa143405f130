/** handler.ts itself, over real wires to stand-ins on loopback: what its wiring alone decides. */
import type { Context } from 'aws-lambda';
import { expect, test, vi } from 'vitest';
import { startSecretsManager } from '../../infra/local/secrets-manager.ts';
import { startSqs } from '../../infra/local/sqs.ts';
import { SECRET_ID, until } from '../../infra/local/world.ts';

const CALLS_AT_ONCE = 20;
const PER_CALL = 10;

test('two hundred rejections go to SQS in twenty calls at once', async () => {
  const [sqs, secrets] = await Promise.all([startSqs({}), startSecretsManager()]);
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    SEGURA_SECRET_ID: SECRET_ID,
    SOURCE_QUEUE_URL: sqs.queueUrl('requests'),
    REJECTED_QUEUE_URL: sqs.queueUrl('rejected'),
    POWERTOOLS_LOG_LEVEL: 'CRITICAL',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  try {
    for (const action of ['SendMessageBatch', 'ChangeMessageVisibilityBatch']) {
      sqs.settings.faults.set(action, { kind: 'hang' });
    }
    const { handler } = await import('../../functions/enable-password/handler.ts');
    const Records = Array.from({ length: CALLS_AT_ONCE * PER_CALL }, (_, index) => ({
      messageId: `message-${index}`,
      receiptHandle: `handle-${index}`,
      body: 'no request',
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(Date.now()) },
      messageAttributes: {},
      eventSource: 'aws:sqs',
    }));
    const endsAt = Date.now() + 5000;
    const context = { getRemainingTimeInMillis: () => endsAt - Date.now() } as Context;
    const invoked = handler({ Records }, context);
    await until(() => sqs.calls('SendMessageBatch').length >= CALLS_AT_ONCE, 'twenty calls under way', 4000);
    expect(sqs.calls('SendMessageBatch')).toHaveLength(CALLS_AT_ONCE);
    expect(await invoked).toMatchObject({ batchItemFailures: { length: Records.length } });
  } finally {
    vi.unstubAllEnvs();
    await Promise.all([sqs.close(), secrets.close()]);
  }
});
