/** The built bundle on its way to AWS and Segura: as whom it calls, which hosts, and by which proxy. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCertificates } from '../../infra/local/certificates.ts';
import { bundleOf } from '../../infra/local/lambda.ts';
import { batchResponse, startWorld } from '../../infra/local/world.ts';
import { runCommand } from '../loopback/command.ts';
import { startConnectProxy } from '../loopback/connect-proxy.ts';
import { startRuntime } from './runtime.ts';

const taskRoot = dirname(bundleOf('enable-password'));
const QUEUES = 'https://sqs.us-east-1.amazonaws.com/123456789012';
const ENVIRONMENT = {
  SEGURA_SECRET_ID: 'mysafe/segura',
  SOURCE_QUEUE_URL: `${QUEUES}/requests`,
  REJECTED_QUEUE_URL: `${QUEUES}/rejected`,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIAROLE',
  AWS_SECRET_ACCESS_KEY: 'secret-access-key',
  AWS_SESSION_TOKEN: 'session-token',
};

/** No request, so that it goes to `rejected` without Segura. */
const record = (messageId: string) => ({
  messageId,
  receiptHandle: `handle-${messageId}`,
  body: 'please',
  attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(Date.now()), SenderId: 'AIDA' },
  messageAttributes: {},
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:requests',
});

/** Takes every batch after a moment, and notes who calls and how many connections there are at once. */
const startAws = async (waitMs = 0) => {
  const calls: IncomingHttpHeaders[] = [];
  const sockets = new Set<unknown>();
  let mostSockets = 0;
  const server = createServer(async (request, response) => {
    calls.push(request.headers);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { Entries = [] } = JSON.parse(body) as { Entries?: { Id: string }[] };
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    const isSecret = String(request.headers['x-amz-target']).startsWith('secretsmanager');
    response.end(JSON.stringify(isSecret ? { SecretString: '{}' } : { Successful: Entries.map(({ Id }) => ({ Id })) }));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    mostSockets = Math.max(mostSockets, sockets.size);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    mostSockets: () => mostSockets,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

test('both services are called by the AWS SDK, with the role’s credentials and its session', async () => {
  using aws = await startAws();
  await using runtime = await startRuntime({ taskRoot, env: { ...ENVIRONMENT, AWS_ENDPOINT_URL: aws.url } });
  expect(batchResponse(await runtime.invoke({ Records: [record('a')] }))).toEqual({ batchItemFailures: [] });
  const targets = new Set(aws.calls.map((headers) => headers['x-amz-target']));
  expect(targets).toEqual(new Set(['secretsmanager.GetSecretValue', 'AmazonSQS.SendMessageBatch']));
  for (const headers of aws.calls) {
    expect(headers['user-agent']).toMatch(/^aws-sdk-js\/3\./);
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIAROLE\/\d{8}\/us-east-1\/(sqs|secretsmanager)\//,
    );
    expect(headers['x-amz-security-token']).toBe('session-token');
  }
});

test('many dead letters go to SQS over more than a few connections, and over no more than twenty', async () => {
  using aws = await startAws(300);
  await using runtime = await startRuntime({ taskRoot, env: { ...ENVIRONMENT, AWS_ENDPOINT_URL: aws.url } });
  const Records = Array.from({ length: 200 }, (_, index) => record(String(index)));
  expect(batchResponse(await runtime.invoke({ Records }))).toEqual({ batchItemFailures: [] });
  // The secret has one of its own for a while.
  expect(aws.mostSockets()).toBeGreaterThan(10);
  expect(aws.mostSockets()).toBeLessThanOrEqual(21);
});

test.each([
  ['ordinary', {}, ['secretsmanager.us-east-1.amazonaws.com:443', 'sqs.us-east-1.amazonaws.com:443']],
  [
    'FIPS',
    { AWS_USE_FIPS_ENDPOINT: 'true' },
    ['secretsmanager-fips.us-east-1.amazonaws.com:443', 'sqs-fips.us-east-1.amazonaws.com:443'],
  ],
  [
    'dual-stack',
    { AWS_USE_DUALSTACK_ENDPOINT: 'true' },
    ['secretsmanager.us-east-1.amazonaws.com:443', 'sqs.us-east-1.api.aws:443'],
  ],
])('%s hosts are the AWS SDK’s own choice', async (_, variables, hosts) => {
  using proxy = await startConnectProxy({ refuses: '403 Forbidden' });
  const env = { ...ENVIRONMENT, ...variables, HTTPS_PROXY: proxy.url };
  await using runtime = await startRuntime({ taskRoot, env });
  const kept = batchResponse(await runtime.invoke({ Records: [record('a')] }));
  expect(kept).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }] });
  expect([...new Set(proxy.tunnels.map(({ target }) => target))].sort()).toEqual(hosts);
  // What is wrong is told, and not the password that stands in the variable.
  expect(runtime.output()).toContain('HTTP403');
  expect(runtime.output()).not.toContain('hunter2');
});

test('FIPS beside an endpoint of one’s own is an init error that names both', async () => {
  const env = { ...ENVIRONMENT, AWS_USE_FIPS_ENDPOINT: 'true', AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1' };
  await using runtime = await startRuntime({ taskRoot, env });
  expect(runtime.initError?.errorMessage).toMatch(
    /AWS_USE_FIPS_ENDPOINT and AWS_ENDPOINT_URL_SQS cannot hold together/,
  );
});

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aws-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** TLS in front of a stand-in that speaks plain HTTP. */
const startTls = async (url: string, { key, cert }: { readonly key: string; readonly cert: string }) => {
  const server = createHttpsServer({ key, cert }, (request, response) => {
    const { method, url: path, headers } = request;
    const forwarded = httpRequest(new URL(path ?? '/', url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    target: `127.0.0.1:${port}`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

test('a proxy sees every call of the function, of send and of doctor', async () => {
  const { ca, server: certificate } = await createCertificates();
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, ca);
  await using world = await startWorld({ tls: 'private-ca', passwords: { 10: 'disabled' } });
  using proxy = await startConnectProxy();
  const { AWS_ENDPOINT_URL_SQS = '', AWS_ENDPOINT_URL_SECRETS_MANAGER = '' } = world.environment;
  using sqs = await startTls(AWS_ENDPOINT_URL_SQS, certificate);
  using secrets = await startTls(AWS_ENDPOINT_URL_SECRETS_MANAGER, certificate);
  const env = {
    ...world.environment,
    AWS_ENDPOINT_URL_SQS: `https://${sqs.target}`,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `https://${secrets.target}`,
    NODE_EXTRA_CA_CERTS: caFile,
    https_proxy: proxy.url,
  };
  const targets = () => new Set(proxy.tunnels.splice(0).map(({ target }) => target));
  const segura = new URL(world.segura.url).host;

  const sent = await runCommand(['send', '10', '99', '--json'], { env });
  expect([sent.status, sent.json]).toMatchObject([0, { sent: 2, failed: 0 }]);
  expect(targets()).toEqual(new Set([sqs.target]));

  await using runtime = await startRuntime({ taskRoot, env });
  const records = await world.receiveRecords();
  expect(batchResponse(await runtime.invoke({ Records: records }))).toEqual({ batchItemFailures: [] });
  expect(world.segura.passwords.get('10')).toBe('active');
  expect(world.messages('rejected')).toHaveLength(1);
  expect(targets()).toEqual(new Set([sqs.target, secrets.target, segura]));

  const { stdout, stderr } = await runCommand(['doctor', '--json'], { env });
  expect(targets()).toEqual(new Set([sqs.target, secrets.target, segura]));
  expect(stdout + stderr + runtime.output()).not.toContain('hunter2');
});
