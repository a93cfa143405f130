/** One call of an AWS JSON API: signed, tried again where AWS says so, ended in time, and silent about credentials. */
import { describe, expect, test } from 'vitest';
import {
  createCallAws,
  type EndpointSettings,
  isThrottling,
  SECRETS_MANAGER,
  SQS,
  secretsManagerEndpoint,
  sqsEndpoint,
} from '../../functions/aws/call.ts';
import { readCredentials } from '../../functions/aws/environment-credentials.ts';
import { createSecretReader } from '../../functions/aws/secret-value.ts';
import type { Answer, Call } from '../../functions/http/send.ts';

const ENDPOINT = new URL('https://sqs.eu-west-1.amazonaws.com');
const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret-access-key', sessionToken: 'session-token' };

const answered = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  kind: 'answered',
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const unanswered = (failure: 'timeout' | 'reset' | 'tls', code: string): Answer => ({
  kind: 'unanswered',
  failure,
  code,
  reusedSocket: false,
});
const fault = (type: string, status = 400, message: unknown = 'why') => answered(status, { __type: type, message });

/** Answers in this order, the last for good; each takes its time, and never more than its limit. */
const open = (answers: readonly Answer[], callMs = 10, given: () => typeof credentials = () => credentials) => {
  let now = Date.UTC(2026, 0, 1);
  const calls: Call[] = [];
  const waits: number[] = [];
  const left = [...answers];
  const call = createCallAws({
    send: async (sent) => {
      calls.push(sent);
      now += Math.min(callMs, sent.timeoutMs);
      return (left.length > 1 ? left.shift() : left[0]) as Answer;
    },
    credentials: given,
    now: () => now,
    random: () => 1,
    sleep: async (ms) => {
      waits.push(ms);
      now += ms;
    },
  });
  const ask = (timeoutMs = 60_000) =>
    call(SQS, ENDPOINT, 'eu-west-1', 'SendMessageBatch', { QueueUrl: 'q' }, timeoutMs);
  return { ask, call, calls, waits };
};

test('a call names its action, is signed, and gives what AWS answered', async () => {
  const { ask, calls } = open([answered(200, { Successful: [] })]);
  expect(await ask()).toEqual({ kind: 'ok', output: { Successful: [] } });
  expect(calls[0]?.headers).toMatchObject({
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'AmazonSQS.SendMessageBatch',
    'x-amz-date': '20260101T000000Z',
    authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=AKID\/20260101\/eu-west-1\/sqs\/aws4_request/),
  });
  expect(calls[0]?.body).toBe('{"QueueUrl":"q"}');
});

test('200 with what is no object is an empty answer, not a throw', async () => {
  for (const body of ['', 'null', '[', '"x"', '<html>']) {
    expect(await open([answered(200, body)]).ask()).toEqual({ kind: 'ok', output: {} });
  }
});

describe('a refusal', () => {
  test.each([
    ['com.amazonaws.sqs#QueueDoesNotExist', {}, 'QueueDoesNotExist'],
    ['AccessDeniedException', {}, 'AccessDeniedException'],
    ['AccessDenied:http://internal.amazon.com/coral/', {}, 'AccessDenied'],
    ['Other', { 'x-amzn-errortype': 'ResourceNotFoundException:http://x' }, 'ResourceNotFoundException'],
  ])('%s is named %s', async (type, headers, code) => {
    const { ask } = open([answered(400, { __type: type, message: 'why' }, headers)]);
    expect(await ask()).toEqual({ kind: 'failed', code, message: 'why' });
  });

  test('without a name has its status, without words too', async () => {
    expect(await open([answered(403, '<html>')]).ask()).toEqual({
      kind: 'failed',
      code: 'HTTP403',
      message: 'HTTP status 403',
    });
    expect(await open([fault('X', 400, { a: 1 })]).ask()).toMatchObject({ message: 'HTTP status 400' });
    expect(await open([answered(400, { __type: 'X', Message: 'big M' })]).ask()).toMatchObject({ message: 'big M' });
  });

  test('of a signature does not bring the session token into the log: AWS repeats what it was sent', async () => {
    const said =
      "The request signature we calculated does not match. The Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:session-token\n\nhost;x-amz-date'";
    const result = await open([fault('SignatureDoesNotMatch', 403, said)]).ask();
    expect(result).toMatchObject({ kind: 'failed', code: 'SignatureDoesNotMatch' });
    expect(JSON.stringify(result)).not.toMatch(/session-token|secret-access-key/);
  });
});

describe('again', () => {
  test.each([
    ['500', answered(500, '')],
    ['503', answered(503, '')],
    ['429', answered(429, '')],
    ['throttling', fault('ThrottlingException')],
    ['a request limit', fault('RequestThrottled')],
    ['a reset', unanswered('reset', 'ECONNRESET')],
    ['a time-out', unanswered('timeout', 'ETIMEDOUT')],
  ])('after %s', async (_, first) => {
    const { ask, calls } = open([first, answered(200, { done: true })]);
    expect(await ask()).toEqual({ kind: 'ok', output: { done: true } });
    expect(calls).toHaveLength(2);
  });

  test.each([
    ['a refusal', fault('AccessDeniedException')],
    ['a certificate that is not trusted', unanswered('tls', 'SELF_SIGNED_CERT_IN_CHAIN')],
    ['a redirect', answered(301, '')],
  ])('never after %s', async (_, first) => {
    const { ask, calls } = open([first, answered(200, {})]);
    expect((await ask()).kind).toBe('failed');
    expect(calls).toHaveLength(1);
  });

  test('three times at most, with growing waits, each signed anew', async () => {
    const { ask, calls, waits } = open([answered(500, '')], 1000);
    expect(await ask()).toMatchObject({ kind: 'failed', code: 'HTTP500' });
    expect(waits).toEqual([100, 200]);
    expect(new Set(calls.map(({ headers }) => headers['x-amz-date'])).size).toBe(3);
  });
});

describe('the limit', () => {
  test('of one attempt is five seconds, so that a hanging call leaves time for another', async () => {
    const { ask, calls } = open([unanswered('timeout', 'ETIMEDOUT'), answered(200, {})], 60_000);
    expect((await ask(20_000)).kind).toBe('ok');
    expect(calls.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 5000]);
  });

  test('of the whole call is never overrun', async () => {
    const { ask, calls } = open([unanswered('timeout', 'ETIMEDOUT')], 60_000);
    expect(await ask(7000)).toEqual({ kind: 'failed', code: 'ETIMEDOUT', message: 'no answer: timeout' });
    expect(calls.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 1900]);
  });

  test('that is over already makes no call: what came too late must not be carried out in part', async () => {
    for (const timeoutMs of [0, -500]) {
      const { ask, calls } = open([answered(200, {})]);
      expect(await ask(timeoutMs)).toMatchObject({ kind: 'failed', code: 'ETIMEDOUT' });
      expect(calls).toEqual([]);
    }
  });
});

describe('credentials', () => {
  test('that are missing fail the call, not the function', async () => {
    const { ask, calls } = open([answered(200, {})], 10, () => readCredentials({}) as typeof credentials);
    expect(await ask()).toMatchObject({
      kind: 'failed',
      code: 'CredentialsMissing',
      message: expect.stringMatching(/AWS_ACCESS_KEY_ID/),
    });
    expect(calls).toEqual([]);
  });

  test('are read as Lambda sets them, with or without a session', () => {
    const both = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' };
    expect(readCredentials(both)).toEqual({ accessKeyId: 'a', secretAccessKey: 's' });
    expect(readCredentials({ ...both, AWS_SESSION_TOKEN: 't' })).toMatchObject({ sessionToken: 't' });
    expect(() => readCredentials({ AWS_ACCESS_KEY_ID: 'a' })).toThrow(/AWS_SECRET_ACCESS_KEY/);
  });
});

describe('an endpoint', () => {
  test.each<readonly [string, string, EndpointSettings, string]>([
    ['of a region', 'eu-west-1', {}, 'https://secretsmanager.eu-west-1.amazonaws.com/'],
    ['of China', 'cn-north-1', {}, 'https://secretsmanager.cn-north-1.amazonaws.com.cn/'],
    ['of an isolated partition', 'us-isob-east-1', {}, 'https://secretsmanager.us-isob-east-1.sc2s.sgov.gov/'],
    ['of another isolated partition', 'us-iso-east-1', {}, 'https://secretsmanager.us-iso-east-1.c2s.ic.gov/'],
    ['of the European sovereign cloud', 'eusc-de-east-1', {}, 'https://secretsmanager.eusc-de-east-1.amazonaws.eu/'],
    [
      'with FIPS',
      'us-east-1',
      { AWS_USE_FIPS_ENDPOINT: 'true' },
      'https://secretsmanager-fips.us-east-1.amazonaws.com/',
    ],
    ['with IPv6', 'eu-west-1', { AWS_USE_DUALSTACK_ENDPOINT: 'TRUE' }, 'https://secretsmanager.eu-west-1.api.aws/'],
    ['given for all services', 'eu-west-1', { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, 'http://127.0.0.1:1/'],
    [
      'given for this one',
      'eu-west-1',
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:2' },
      'http://127.0.0.1:2/',
    ],
  ])('of Secrets Manager %s', (_, region, settings, href) => {
    expect(secretsManagerEndpoint(region, settings).href).toBe(href);
  });

  test('of SQS is that of the queue’s own URL, unless one is given', () => {
    const queue = 'https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/requests';
    expect(sqsEndpoint(queue, {}).href).toBe('https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/');
    expect(sqsEndpoint(queue, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }).href).toBe('http://127.0.0.1:1/');
    expect(sqsEndpoint(queue, { AWS_ENDPOINT_URL_SQS: 'http://[::1]:2', AWS_ENDPOINT_URL: 'http://x' }).href).toBe(
      'http://[::1]:2/',
    );
  });
});

test.each([
  ['ThrottlingException', true],
  ['RequestThrottled', true],
  ['Throttling', true],
  ['TooManyRequestsException', true],
  ['RequestLimitExceeded', true],
  ['SlowDown', true],
  ['HTTP429', true],
  ['AccessDenied', false],
  ['InternalFailure', false],
])('%s is throttling: %s', (code, expected) => {
  expect(isThrottling(code)).toBe(expected);
});

describe('a secret', () => {
  const reader = (answer: Answer) => {
    const { call, calls } = open([answer]);
    return { read: createSecretReader(call, 'eu-west-1', {}, 'mysafe/segura'), calls };
  };

  test('is read as text or bytes, the current version and no other', async () => {
    const { read, calls } = reader(answered(200, { SecretString: '{"a":1}' }));
    expect(await read(1000)).toEqual({ kind: 'read', text: '{"a":1}' });
    expect(calls[0]?.headers['x-amz-target']).toBe(`${SECRETS_MANAGER.target}.GetSecretValue`);
    expect(JSON.parse(calls[0]?.body ?? '')).toEqual({ SecretId: 'mysafe/segura', VersionStage: 'AWSCURRENT' });
    const bytes = Buffer.from('{"é":1}').toString('base64');
    expect(await reader(answered(200, { SecretBinary: bytes })).read(1000)).toEqual({ kind: 'read', text: '{"é":1}' });
  });

  test('without a value, or refused, says why', async () => {
    expect(await reader(answered(200, { Name: 'x' })).read(1000)).toMatchObject({ code: 'NoSecretValue' });
    expect(await reader(fault('ResourceNotFoundException')).read(1000)).toEqual({
      kind: 'unreadable',
      code: 'ResourceNotFoundException',
      message: 'why',
    });
  });
});
