/** No secret is ever printed: planted in every place it could come from, and looked for in everything the function wrote. */
import { describe, expect, test } from 'vitest';
import type { World } from '../../infra/local/world.ts';
import { envelope, json, type Play, startEcho } from './echo.ts';
import { openWorld } from './in-process-lambda.ts';

const planted = {
  clientSecret: 'PLANTED-client-secret',
  token: 'PLANTED-token',
  secretAccessKey: 'PLANTED-aws-secret-key',
  sessionToken: 'PLANTED-session-token',
  body: 'PLANTED-message-body',
  environment: 'PLANTED-environment',
  parameter: 'PLANTED-token-parameter',
};
const ENV = {
  AWS_SECRET_ACCESS_KEY: planted.secretAccessKey,
  AWS_SESSION_TOKEN: planted.sessionToken,
  DATABASE_PASSWORD: planted.environment,
  POWERTOOLS_LOG_LEVEL: 'DEBUG',
};

/** The planted values of which any trace was left; a part of one, such as a text that was cut, counts as `PLANTED`. */
const found = (told: string): string[] => {
  const whole = Object.values(planted).filter(
    (value) => told.includes(value) || told.includes(Buffer.from(value).toString('base64')),
  );
  return whole.length === 0 && told.includes('PLANTED') ? ['PLANTED'] : whole;
};

test('the search finds what it looks for: a line that tells a secret is noticed', () => {
  expect(found(`{"detail":"Bearer ${planted.token}"}`)).toEqual([planted.token]);
  expect(found(Buffer.from(planted.clientSecret).toString('base64'))).toEqual([planted.clientSecret]);
  expect(found('{"detail":"PLANTED-cli')).toEqual(['PLANTED']);
});

/** Both streams, and what a dead letter tells beside its body. */
const written = (world: World): string =>
  `${world.lambda.text()}${JSON.stringify(world.messages('rejected').map(({ messageAttributes }) => messageAttributes))}`;

const expectClean = (world: World, audited: number): void => {
  expect(world.auditLines()).toHaveLength(audited);
  expect(found(written(world))).toEqual([]);
};

const options = {
  env: ENV,
  secret: { clientSecret: planted.clientSecret },
  segura: { clientSecret: planted.clientSecret },
  passwords: { 10: 'disabled' },
} as const;
const answer = (status: number, value: unknown) =>
  ({ kind: 'answer', headers: { 'content-type': 'application/json' }, ...json(status, value) }) as const;

test('a Segura that repeats token and client secret in its answers', async () => {
  await using world = await openWorld(options);
  world.segura.nextToken(answer(200, { token_type: 'Bearer', expires_in: 3600, access_token: planted.token }));
  const echo = `1005: Password not found for ${planted.token} of ${planted.clientSecret}`;
  world.segura.next(
    answer(400, { code: 400, response: { status: 400, message: echo, error: true } }),
    answer(403, { message: `${planted.token} ${planted.clientSecret}` }),
    answer(200, `${planted.token} ${planted.clientSecret}`),
  );
  for (const identifier of [10, 11, 12]) await world.send(identifier);
  await world.deliver();
  expectClean(world, 3);
  expect(world.messages('rejected')[0]?.messageAttributes['ErrorMessage']?.StringValue).toMatch(/^1005: .*\[secret\]/);
});

test('message bodies: no request at all, and fields that nobody knows', async () => {
  await using world = await openWorld(options);
  await world.send('PLANTED-body, no JSON');
  await world.send({ identifier: 10, password: 'PLANTED-field' });
  await world.send({ identifier: 'PLANTED-identifier' });
  await world.deliver();
  expectClean(world, 3);
});

test('certificate keys, with TLS that works and TLS that fails', async () => {
  for (const secret of [{}, { caCertificate: undefined }]) {
    await using world = await openWorld({ ...options, tls: 'mutual', secret: { ...options.secret, ...secret } });
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

const MALFORMED = {
  'a secret that is broken': `{"clientSecret": "${planted.clientSecret}", url}`,
  'a secret that is no https address': JSON.stringify({
    url: `ftp://${planted.clientSecret}`,
    clientSecret: planted.clientSecret,
    clientKey: planted.clientSecret,
  }),
  'a secret in which all is in the wrong place': JSON.stringify({
    url: planted.clientSecret,
    accessTokenUrl: `https://${planted.token}@x`,
    clientId: 5,
    clientSecret: planted.clientSecret,
    tokenAuthMethod: planted.clientSecret,
    referer: `${planted.token}\n`,
    caCertificate: planted.clientSecret,
    clientKey: planted.token,
  }),
};

describe('where everything that is told is repeated', () => {
  const record = (messageId: string, body: unknown) => ({
    messageId,
    receiptHandle: `handle-${messageId}`,
    body: JSON.stringify(body),
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(Date.now()) },
    messageAttributes: {},
    eventSource: 'aws:sqs',
  });
  const Records = [
    record('a', 10),
    record('b', { identifier: 11, secretNote: planted.body }),
    record('c', planted.body),
  ];

  const run = async (play: Play, env: Readonly<Record<string, string>> = {}) => {
    const secret = { clientSecret: planted.clientSecret, tokenParameters: { tenant: planted.parameter } };
    await using world = await startEcho(play, { secret, token: planted.token, env: { ...ENV, ...env } });
    const result = await world.lambda.invoke({ Records }, { remainingMs: 8000 });
    // Events of another kind throw, and must not be quoted.
    await world.lambda.invoke({ Records: [{ eventSource: 'aws:s3', body: planted.body }] });
    await world.lambda.invoke({ detail: { clientSecret: planted.clientSecret, token: planted.token } });
    const { text, lines } = world.lambda;
    return { told: `${text()}\n${result.functionError ?? ''}`, lines };
  };

  const audited = (lines: readonly Record<string, unknown>[]) =>
    lines.filter(({ message }) => message === 'password enable').map(({ outcome, errorCode }) => [outcome, errorCode]);

  test.each<readonly [string, Play]>([
    ['all is well', () => undefined],
    [
      'Segura repeats it in a rejection',
      (part, echo) => (part === 'segura' ? envelope(400, `1006: ${echo}`) : undefined),
    ],
    ['Segura repeats it in a fault of its own', (part, echo) => (part === 'segura' ? envelope(500, echo) : undefined)],
    ['Segura repeats it in a 200 that is none', (part, echo) => (part === 'segura' ? json(200, { echo }) : undefined)],
    [
      'Segura repeats it in an unknown refusal',
      (part, echo) => (part === 'segura' ? envelope(400, `1039: ${echo}`) : undefined),
    ],
    ['Kong repeats it in a 401', (part, echo) => (part === 'segura' ? json(401, { message: echo }) : undefined)],
    ['a redirect repeats it', (part, echo) => (part === 'segura' ? { status: 302, body: echo } : undefined)],
    [
      'the token endpoint repeats it in a refusal',
      (part, echo) =>
        part === 'token' ? json(401, { error: 'invalid_client', error_description: echo, message: echo }) : undefined,
    ],
    [
      'the token endpoint repeats it in a 200',
      (part, echo) => (part === 'token' ? json(200, { echo, access_token: `${planted.token}\n` }) : undefined),
    ],
    [
      'Secrets Manager repeats it, as AWS does where a signature is wrong',
      (part, echo) =>
        part === 'secret'
          ? json(403, {
              __type: 'SignatureDoesNotMatch',
              message: `The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'${echo}'`,
            })
          : undefined,
    ],
    ...Object.entries(MALFORMED).map(([what, text]): [string, Play] => [
      `Secrets Manager gives ${what}`,
      (part) => (part === 'secret' ? json(200, { SecretString: text }) : undefined),
    ]),
    [
      'SQS repeats it, as AWS does where a signature is wrong',
      (part, echo) =>
        part === 'sqs'
          ? json(403, {
              __type: 'com.amazon#SignatureDoesNotMatch',
              message: `The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'${echo}'`,
            })
          : undefined,
    ],
    [
      'every server answers with a page that repeats it',
      (part, echo) => (part === 'secret' ? undefined : { status: 503, body: `<html>${echo}</html>` }),
    ],
  ])('%s: nothing secret is written', async (_, play) => {
    const { told, lines } = await run(play);
    expect(audited(lines)).toHaveLength(3);
    expect(found(told)).toEqual([]);
  });

  test('a call that throws with its request attached: nothing secret is written, and the message is kept', async () => {
    // Before the bundle is loaded: the request function that it takes from Node throws, as a library might.
    const preload = `
    const http = process.getBuiltinModule('node:http');
    const { request } = http;
    http.request = (options) => {
      if (!String(options.path).includes('/password/active/')) return request(options);
      const error = new TypeError('cannot read properties of undefined');
      Object.assign(error, { request: options, config: { headers: options.headers }, response: { body: options } });
      error.cause = new Error(JSON.stringify(options.headers));
      throw error;
    };`;
    const { told, lines } = await run(() => undefined, {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
    });
    expect(audited(lines)).toEqual(
      expect.arrayContaining([
        ['kept', undefined],
        ['rejected', 'InvalidMessage'],
      ]),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: 'bug: message kept',
        errorCode: 'TypeError',
        detail: expect.stringMatching(/cannot read properties/),
      }),
    );
    expect(found(told)).toEqual([]);
  });
});
