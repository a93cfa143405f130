/** The AWS SDK's clients over our transport: where they call, as whom, what is read of an answer, and what is never told. */
import { createHook } from 'node:async_hooks';
import { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FUNCTION_PATIENCE } from '../../functions/aws/attempts.ts';
import { createSecretsManagerClient, createSqsClient, openWhenUsed } from '../../functions/aws/clients.ts';
import { isThrottling } from '../../functions/aws/failure.ts';
import { createSecretReader } from '../../functions/aws/secret-value.ts';
import type { AwsSettings } from '../../functions/aws/settings.ts';
import { createSqs } from '../../functions/aws/sqs.ts';
import type { Answer, Call } from '../../functions/http/send.ts';

const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/1/rejected';
const SETTINGS: AwsSettings = { region: 'eu-west-1', useFipsEndpoint: false, useDualstackEndpoint: false };
const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'AKID',
  AWS_SECRET_ACCESS_KEY: 'secret-access-key',
  AWS_SESSION_TOKEN: 'session-token',
};

beforeAll(() => {
  for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value);
});
afterAll(() => {
  vi.unstubAllEnvs();
});

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
const SECRET = answered(200, { SecretString: '{"a":1}' });

/** Answers in this order, the last for good; each takes its time, and never more than its limit. */
const open = (
  answers: readonly Answer[],
  {
    callMs = 10,
    settings = {},
    secretId = 'mysafe/segura',
    queueUrl = QUEUE,
  }: {
    callMs?: number;
    settings?: Partial<AwsSettings>;
    secretId?: string;
    queueUrl?: string;
  } = {},
) => {
  let now = 0;
  const calls: Call[] = [];
  const waits: number[] = [];
  const left = [...answers];
  const connection = {
    close: () => undefined,
    send: async (call: Call) => {
      calls.push(call);
      now += Math.min(callMs, call.timeoutMs);
      return (left.length > 1 ? left.shift() : left[0]) as Answer;
    },
  };
  const parts = {
    patience: FUNCTION_PATIENCE,
    now: () => now,
    random: () => 1,
    sleep: async (ms: number) => {
      waits.push(ms);
      now += ms;
    },
  };
  const all = { ...SETTINGS, ...settings };
  const sqs = createSqs({ ...parts, client: createSqsClient(all, connection) });
  const read = createSecretReader({
    ...parts,
    client: createSecretsManagerClient(all, secretId, connection),
    secretId,
  });
  const message = { queueUrl, body: 'b', attributes: { bytes: { dataType: 'Binary', binaryValue: 'AAH/' } } };
  return {
    read: (timeoutMs = 60_000) => read(timeoutMs),
    send: () => sqs.sendMessages([message], 60_000),
    calls,
    waits,
  };
};

describe('a call', () => {
  // The first test here: the SDK looks once in a process.
  test('goes out at once: the SDK looks for no file of profiles first', async () => {
    const opened: string[] = [];
    const hook = createHook({
      init: (_, type) => {
        if (type.startsWith('FSREQ')) opened.push(type);
      },
    }).enable();
    const { send, read } = open([answered(200, {}), SECRET]);
    await send();
    await read();
    hook.disable();
    expect(opened).toEqual([]);
  });

  test('names its action, is signed by the SDK with session and region, and says who calls', async () => {
    const { send, calls } = open([answered(200, { Successful: [{ Id: '0', MessageId: 'm' }] })]);
    expect(await send()).toEqual([{ kind: 'confirmed', messageId: 'm' }]);
    expect(calls[0]).toMatchObject({
      method: 'POST',
      path: '/',
      url: new URL('https://sqs.eu-west-1.amazonaws.com'),
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AmazonSQS.SendMessageBatch',
        'x-amz-security-token': 'session-token',
        'user-agent': expect.stringMatching(/^aws-sdk-js\/3\./),
        authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/sqs\/aws4_request/),
      },
    });
    expect(JSON.parse(calls[0]?.body ?? '')).toMatchObject({
      QueueUrl: QUEUE,
      Entries: [{ MessageBody: 'b', MessageAttributes: { bytes: { DataType: 'Binary', BinaryValue: 'AAH/' } } }],
    });
  });

  test('leaves host and length to the transport, which writes them once', async () => {
    const { read, calls } = open([SECRET]);
    await read();
    const names = Object.keys(calls[0]?.headers ?? {}).map((name) => name.toLowerCase());
    expect(names).not.toContain('host');
    expect(names).not.toContain('content-length');
    expect(calls[0]?.headers['authorization']).toMatch(/SignedHeaders=[^,]*host/);
  });

  test('writes nothing to the console, also where a queue’s URL is not its endpoint', async () => {
    const written: unknown[] = [];
    const { warn } = console;
    console.warn = (...words) => void written.push(words);
    const { send } = open([answered(200, {})], { queueUrl: 'https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/q' });
    await send();
    console.warn = warn;
    expect(written).toEqual([]);
  });
});

describe('a refusal', () => {
  test.each([
    ['com.amazonaws.secretsmanager#ResourceNotFoundException', {}, 'ResourceNotFoundException'],
    ['AccessDeniedException', {}, 'AccessDeniedException'],
    ['AccessDenied:http://internal.amazon.com/coral/', {}, 'AccessDenied'],
  ])('%s is named %s', async (type, headers, code) => {
    const { read } = open([answered(400, { __type: type, message: 'why' }, headers)]);
    expect(await read()).toEqual({ kind: 'failed', code, detail: 'why' });
  });

  test('that is no answer of AWS has its status, and nothing of the page', async () => {
    expect(await open([answered(403, '<html>page')]).read()).toEqual({
      kind: 'failed',
      code: 'HTTP403',
      detail: 'AWS answered with HTTP status 403 and a body that cannot be read',
    });
    expect(await open([answered(400, '')]).read()).toMatchObject({ code: 'HTTP400' });
  });

  test('of a signature does not bring the session token into the log: AWS repeats what it was sent', async () => {
    const said =
      "The request signature we calculated does not match. The Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:session-token\n\nhost;x-amz-date'";
    const result = await open([fault('SignatureDoesNotMatch', 403, said)]).read();
    expect(result).toMatchObject({ kind: 'failed', code: 'SignatureDoesNotMatch' });
    expect(JSON.stringify(result)).not.toMatch(/session-token|secret-access-key/);
  });

  test('a secret in an answer that cannot be read stays out of the words about it', async () => {
    for (const body of ['{"SecretString": "hunter2"', '"hunter2"', '[hunter2]', '{"SecretString": {"a": "hunter2"}}']) {
      const result = await open([answered(200, body)]).read();
      expect(result.kind, body).toBe('failed');
      expect(JSON.stringify(result)).not.toContain('hunter2');
    }
  });
});

describe('again', () => {
  test.each([
    ['500', answered(500, '')],
    ['503 of a proxy', answered(503, '<html>')],
    ['429', answered(429, '')],
    ['throttling', fault('ThrottlingException')],
    ['a request limit', fault('RequestThrottled')],
    ['a reset', unanswered('reset', 'ECONNRESET')],
    ['a time-out', unanswered('timeout', 'ETIMEDOUT')],
  ])('after %s', async (_, first) => {
    const { read, calls } = open([first, SECRET]);
    expect(await read()).toEqual({ kind: 'read', text: '{"a":1}' });
    expect(calls).toHaveLength(2);
  });

  test('after a clock that was wrong, with the time that AWS told', async () => {
    const date = new Date(Date.now() + 3_600_000);
    const { read, calls } = open([
      answered(403, { __type: 'SignatureDoesNotMatch', message: 'expired' }, { date: date.toUTCString() }),
      SECRET,
    ]);
    expect(await read()).toMatchObject({ kind: 'read' });
    const hour = date.toISOString().slice(0, 13).replace(/-/g, '');
    expect(calls[1]?.headers['x-amz-date']).toContain(hour);
  });

  test.each([
    ['a refusal', fault('AccessDeniedException')],
    ['a certificate that is not trusted', unanswered('tls', 'SELF_SIGNED_CERT_IN_CHAIN')],
    ['a redirect', answered(301, '')],
  ])('never after %s', async (_, first) => {
    const { read, calls } = open([first, SECRET]);
    expect((await read()).kind).toBe('failed');
    expect(calls).toHaveLength(1);
  });

  test('three times at most, with growing waits', async () => {
    const { read, calls, waits } = open([answered(500, '')]);
    expect(await read()).toMatchObject({ kind: 'failed', code: 'HTTP500' });
    expect(waits).toEqual([100, 200]);
    expect(calls).toHaveLength(3);
  });
});

describe('the limit', () => {
  test('of one attempt is five seconds, so that a hanging call leaves time for another', async () => {
    const { read, calls } = open([unanswered('timeout', 'ETIMEDOUT'), SECRET], { callMs: 60_000 });
    expect((await read(20_000)).kind).toBe('read');
    expect(calls.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 5000]);
  });

  test('of the whole call is never overrun', async () => {
    const { read, calls } = open([unanswered('timeout', 'ETIMEDOUT')], { callMs: 60_000 });
    expect(await read(7000)).toEqual({ kind: 'failed', code: 'ETIMEDOUT', detail: 'no answer: timeout' });
    expect(calls.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 1900]);
  });

  test('that has passed already makes no call: what came too late must not be carried out in part', async () => {
    for (const timeoutMs of [0, -500]) {
      const { read, calls } = open([SECRET]);
      expect(await read(timeoutMs)).toMatchObject({ kind: 'failed', code: 'ETIMEDOUT' });
      expect(calls).toEqual([]);
    }
  });
});

describe('the host', () => {
  const hostOfSecret = async (settings: Partial<AwsSettings>, secretId?: string) => {
    const { read, calls } = open([SECRET], { settings, ...(secretId ? { secretId } : {}) });
    await read();
    return {
      href: calls[0]?.url.href,
      region: /Credential=[^/]+\/\d+\/([^/]+)/.exec(calls[0]?.headers['authorization'] ?? '')?.[1],
    };
  };

  test.each<readonly [string, Partial<AwsSettings>, string]>([
    ['of a region', {}, 'https://secretsmanager.eu-west-1.amazonaws.com/'],
    ['of China', { region: 'cn-north-1' }, 'https://secretsmanager.cn-north-1.amazonaws.com.cn/'],
    ['of an isolated partition', { region: 'us-isob-east-1' }, 'https://secretsmanager.us-isob-east-1.sc2s.sgov.gov/'],
    [
      'with FIPS',
      { region: 'us-east-1', useFipsEndpoint: true },
      'https://secretsmanager-fips.us-east-1.amazonaws.com/',
    ],
    ['with IPv6', { useDualstackEndpoint: true }, 'https://secretsmanager.eu-west-1.amazonaws.com/'],
    ['that is given', { secretsManagerEndpoint: 'http://127.0.0.1:2' }, 'http://127.0.0.1:2/'],
  ])('of Secrets Manager %s', async (_, settings, href) => {
    expect((await hostOfSecret(settings)).href).toBe(href);
  });

  test('of a secret that is given by ARN is that of the ARN’s region', async () => {
    expect(await hostOfSecret({}, 'arn:aws:secretsmanager:us-west-2:123456789012:secret:mysafe-AbCdEf')).toEqual({
      href: 'https://secretsmanager.us-west-2.amazonaws.com/',
      region: 'us-west-2',
    });
  });

  test.each<readonly [string, string, Partial<AwsSettings>, string]>([
    [
      'its URL names',
      'https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/q',
      {},
      'https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/',
    ],
    ['is given', QUEUE, { sqsEndpoint: 'http://[::1]:2' }, 'http://[::1]:2/'],
    ['has FIPS', QUEUE, { region: 'us-east-1', useFipsEndpoint: true }, 'https://sqs-fips.us-east-1.amazonaws.com/'],
    ['has IPv6', QUEUE, { useDualstackEndpoint: true }, 'https://sqs.eu-west-1.api.aws/'],
  ])('of SQS is what %s', async (_, queueUrl, settings, href) => {
    const { send, calls } = open([answered(200, {})], { queueUrl, settings });
    await send();
    expect(calls[0]?.url.href).toBe(href);
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
  test('is read as text or bytes, the current version and no other', async () => {
    const { read, calls } = open([SECRET]);
    expect(await read()).toEqual({ kind: 'read', text: '{"a":1}' });
    expect(calls[0]?.headers['x-amz-target']).toBe('secretsmanager.GetSecretValue');
    expect(JSON.parse(calls[0]?.body ?? '')).toEqual({ SecretId: 'mysafe/segura', VersionStage: 'AWSCURRENT' });
    const bytes = Buffer.from('{"é":1}').toString('base64');
    expect(await open([answered(200, { SecretBinary: bytes })]).read()).toEqual({ kind: 'read', text: '{"é":1}' });
  });

  test('without a value says so', async () => {
    expect(await open([answered(200, { Name: 'x' })]).read()).toMatchObject({ kind: 'failed', code: 'NoSecretValue' });
  });
});

test('a client that is opened when it is used is opened by its first call, once for all', async () => {
  let opened = 0;
  const calls: string[] = [];
  const connection = {
    close: () => undefined,
    send: async ({ headers }: Call) => {
      calls.push(headers['x-amz-target'] ?? '');
      return answered(200, {});
    },
  };
  const client = openWhenUsed(() => {
    opened += 1;
    return createSqsClient(SETTINGS, connection);
  });
  expect(opened).toBe(0);
  const entries = [{ Id: '0', ReceiptHandle: 'handle' }];
  for (const _ of [1, 2]) await client.send(new DeleteMessageBatchCommand({ QueueUrl: QUEUE, Entries: entries }));
  expect(opened).toBe(1);
  expect(calls).toEqual(['AmazonSQS.DeleteMessageBatch', 'AmazonSQS.DeleteMessageBatch']);
});
