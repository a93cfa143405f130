/** No secret is ever printed: planted in every place it could come from, and looked for in everything the function wrote. */
import { expect, test } from 'vitest';
import { startWorld, type World } from '../simulator/world.ts';

const PLANTED = /PLANTED/;
const CLIENT_SECRET = 'PLANTED-client-secret';
const TOKEN = 'PLANTED-access-token';
const ENV = {
  AWS_SECRET_ACCESS_KEY: 'PLANTED-aws-key',
  AWS_SESSION_TOKEN: 'PLANTED-session',
  POWERTOOLS_LOG_LEVEL: 'DEBUG',
};

const json = (status: number, value: unknown) =>
  ({ kind: 'answer', status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }) as const;

/** Both streams, and what a dead letter tells beside its body. */
const written = (world: World): string =>
  `${world.lambda.text()}${JSON.stringify(world.messages('rejected').map(({ messageAttributes }) => messageAttributes))}`;

const expectClean = (world: World, audited: number): void => {
  expect(world.auditLines()).toHaveLength(audited);
  expect(written(world)).not.toMatch(PLANTED);
};

const options = {
  env: ENV,
  secret: { clientSecret: CLIENT_SECRET },
  segura: { clientSecret: CLIENT_SECRET },
  passwords: { 10: 'disabled' },
} as const;

test('a Segura that repeats token and client secret in its answers', async () => {
  await using world = await startWorld(options);
  world.segura.nextToken(json(200, { token_type: 'Bearer', expires_in: 3600, access_token: TOKEN }));
  const echo = `1005: Password not found for ${TOKEN} of ${CLIENT_SECRET}`;
  world.segura.next(
    json(400, { code: 400, response: { status: 400, message: echo, error: true } }),
    json(403, { message: `${TOKEN} ${CLIENT_SECRET}` }),
    json(200, `${TOKEN} ${CLIENT_SECRET}`),
  );
  for (const identifier of [10, 11, 12]) await world.send(identifier);
  await world.deliver();
  expectClean(world, 3);
  expect(world.messages('rejected')[0]?.messageAttributes['ErrorMessage']?.StringValue).toMatch(/^1005: .*\[secret\]/);
});

test('a token endpoint that repeats the client secret in its refusal', async () => {
  await using world = await startWorld(options);
  world.segura.settings.tokenOutage = json(401, { error: 'invalid_client', message: `wrong: ${CLIENT_SECRET}` });
  await world.send(10);
  await world.deliver();
  expectClean(world, 1);
});

test('message bodies: no request at all, and fields that nobody knows', async () => {
  await using world = await startWorld(options);
  await world.send('PLANTED-body, no JSON');
  await world.send({ identifier: 10, password: 'PLANTED-field' });
  await world.send({ identifier: 'PLANTED-identifier' });
  await world.deliver();
  expectClean(world, 3);
});

test('a secret that is malformed', async () => {
  await using world = await startWorld(options);
  for (const secret of [
    `{"clientSecret": "${CLIENT_SECRET}"`,
    JSON.stringify({ url: `ftp://${CLIENT_SECRET}`, clientSecret: CLIENT_SECRET, clientKey: CLIENT_SECRET }),
  ]) {
    world.secrets.put('mysafe/segura', secret);
    await world.invoke({ Records: [{ messageId: 'm', receiptHandle: 'r', body: '10', eventSource: 'aws:sqs' }] });
  }
  expectClean(world, 2);
});

test('certificate keys, with TLS that works and TLS that fails', async () => {
  for (const secret of [{}, { caCertificate: undefined }]) {
    await using world = await startWorld({ ...options, tls: 'mutual', secret: { ...options.secret, ...secret } });
    await world.send(10);
    await world.deliver();
    expectClean(world, 1);
    const keyLines = (world.certificates?.client.key ?? '')
      .split('\n')
      .filter((line) => line.length > 20 && !line.startsWith('-----'));
    expect(keyLines.length).toBeGreaterThan(0);
    for (const line of keyLines) expect(written(world)).not.toContain(line.trim());
  }
});

test('an event of another kind, and an SQS that refuses us', async () => {
  await using world = await startWorld(options);
  await world.invoke({ detail: { clientSecret: CLIENT_SECRET, token: TOKEN } });
  world.sqs.settings.faults.set('SendMessageBatch', { kind: 'denied' });
  await world.send('PLANTED-body');
  await world.deliver();
  expectClean(world, 1);
});
