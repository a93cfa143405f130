/**
 * The built function in a world that repeats whatever it is told: Segura, the token endpoint, Secrets Manager and SQS put
 * each request they get, headers and all, into their answers; and calls that throw have the request attached.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { bundleOf, createLambda } from '../simulator/lambda.ts';
import { record } from './stage.ts';

const planted = {
  clientSecret: 'PLANTED-client-secret',
  token: 'PLANTED-token',
  secretAccessKey: 'PLANTED-aws-secret-key',
  sessionToken: 'PLANTED-session-token',
  body: 'PLANTED-message-body',
  environment: 'PLANTED-environment',
  parameter: 'PLANTED-token-parameter',
};

type Part = 'secret' | 'token' | 'segura' | 'sqs';
/** What a part answers: `echo` is the request as it was received, for the part to put into its words. */
type Play = (part: Part, echo: string, path: string) => { readonly status: number; readonly body: string } | undefined;

const partOf = ({ headers, url = '' }: IncomingMessage): Part => {
  const target = String(headers['x-amz-target'] ?? '');
  if (target.startsWith('secretsmanager')) return 'secret';
  if (target.startsWith('AmazonSQS')) return 'sqs';
  return url.includes('/oauth2/token') ? 'token' : 'segura';
};

const json = (status: number, value: unknown) => ({ status, body: JSON.stringify(value) });
const envelope = (status: number, message: string) =>
  json(status, {
    code: status,
    response: { status, message, error: status !== 200 },
    exception: status === 200 ? null : { message },
  });

/** One server for all; `play` answers, or leaves it to what is right. */
const startWorld = async (play: Play, environment: Readonly<Record<string, string>> = {}) => {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const part = partOf(request);
    const echo = `${request.rawHeaders.join(' ')} ${body}`;
    const right = () => {
      if (part === 'secret') return json(200, { SecretString: secret });
      if (part === 'token') return json(200, { access_token: planted.token, expires_in: 3600 });
      if (part === 'segura') return envelope(200, 'Password successfully activated');
      const { Entries = [] } = JSON.parse(body) as { Entries?: { Id: string }[] };
      return json(200, { Successful: Entries.map(({ Id }) => ({ Id })), Failed: [] });
    };
    const answer = play(part, echo, request.url ?? '') ?? right();
    const repeated = echo.replaceAll(/[^ -~]/g, ' ').slice(0, 2000);
    response.writeHead(answer.status, { 'X-Repeated': repeated, 'WWW-Authenticate': repeated, 'Set-Cookie': repeated });
    response.end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secret = JSON.stringify({
    url,
    accessTokenUrl: `${url}/iso/oauth2/token`,
    clientId: 'client',
    clientSecret: planted.clientSecret,
    tokenParameters: { tenant: planted.parameter },
  });
  const lambda = createLambda({
    bundle: bundleOf('enable-password'),
    env: {
      SEGURA_SECRET_ID: 'mysafe/segura',
      SOURCE_QUEUE_URL: `${url}/1/requests`,
      REJECTED_QUEUE_URL: `${url}/1/rejected`,
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: 'AKID',
      AWS_SECRET_ACCESS_KEY: planted.secretAccessKey,
      AWS_SESSION_TOKEN: planted.sessionToken,
      DATABASE_PASSWORD: planted.environment,
      POWERTOOLS_LOG_LEVEL: 'DEBUG',
      ...environment,
    },
  });
  return {
    lambda,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await lambda.close();
      server.closeAllConnections();
      server.close();
    },
  };
};

const records = [record('a', 10), record('b', { identifier: 11, secretNote: planted.body }), record('c', planted.body)];

const run = async (play: Play, environment?: Readonly<Record<string, string>>) => {
  await using world = await startWorld(play, environment);
  const result = await world.lambda.invoke({ Records: records }, { remainingMs: 8000 });
  await world.lambda.invoke({ Records: [{ eventSource: 'aws:s3', body: planted.body }] });
  const { text, lines } = world.lambda;
  const told = `${text()}\n${result.functionError ?? ''}`;
  return { told, lines };
};

const audited = (lines: readonly Record<string, unknown>[]) =>
  lines.filter(({ message }) => message === 'password enable').map(({ outcome, errorCode }) => [outcome, errorCode]);

/** The planted values of which any trace was left. */
const found = (told: string): string[] =>
  Object.values(planted).filter(
    (value) => told.includes(value) || told.includes(Buffer.from(value).toString('base64')),
  );

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
  [
    'Secrets Manager gives a secret that is broken',
    (part) =>
      part === 'secret' ? json(200, { SecretString: `{"clientSecret": "${planted.clientSecret}", url}` }) : undefined,
  ],
  [
    'Secrets Manager gives a secret in which all is in the wrong place',
    (part) =>
      part === 'secret'
        ? json(200, {
            SecretString: JSON.stringify({
              url: planted.clientSecret,
              accessTokenUrl: `https://${planted.token}@x`,
              clientId: 5,
              clientSecret: planted.clientSecret,
              tokenAuthMethod: planted.clientSecret,
              referer: `${planted.token}\n`,
              caCertificate: planted.clientSecret,
              clientKey: planted.token,
            }),
          })
        : undefined,
  ],
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

test('the search finds what it looks for: a line that tells a secret is noticed', () => {
  expect(found(`{"detail":"Bearer ${planted.token}"}`)).toEqual([planted.token]);
  expect(found(Buffer.from(planted.clientSecret).toString('base64'))).toEqual([planted.clientSecret]);
});
