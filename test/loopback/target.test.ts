/** Where the command line finds its queues: a stage, its stack or its names, variables, options. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { signerOf, startSqs } from '../../infra/local/sqs.ts';
import { environmentOf, runCommand } from './command.ts';

const urlIn = (region: string, queue: string): string => `https://sqs.${region}.amazonaws.com/000000000000/${queue}`;

const makeFolder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'mysafe-enable-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};

/** DescribeStacks, for one stack; 400 for any other, as AWS says it. */
const startCloudFormation = async (stackName: string, outputs: Readonly<Record<string, string>>) => {
  const asked: string[] = [];
  const regions: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const name = new URLSearchParams(body).get('StackName') ?? '';
    asked.push(name);
    regions.push(signerOf(request).region);
    const members = Object.entries(outputs).map(
      ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
    );
    const [status, text] =
      name === stackName
        ? [
            200,
            `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>${name}</StackName><Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
          ]
        : [
            400,
            `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message></Error></ErrorResponse>`,
          ];
    response.writeHead(Number(status), { 'content-type': 'text/xml' }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    asked,
    regions,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

const openAccount = async () => {
  const sqs = await startSqs();
  const stack = await startCloudFormation('mysafe-enable-prod', {
    SourceQueueUrl: sqs.queueUrl('requests'),
    RejectedQueueUrl: sqs.queueUrl('rejected'),
    ExhaustedQueueUrl: sqs.queueUrl('exhausted'),
    SeguraSecretId: 'mysafe/segura',
  });
  const { SOURCE_QUEUE_URL: _, REJECTED_QUEUE_URL: __, EXHAUSTED_QUEUE_URL: ___, ...credentials } = environmentOf(sqs);
  const env = { ...credentials, AWS_ENDPOINT_URL_CLOUDFORMATION: stack.url };
  return {
    sqs,
    stack,
    regions: () => sqs.journal.map(({ region }) => region),
    run: (args: string[], more: Record<string, string | undefined> = {}) =>
      runCommand(args, { env: { ...env, ...more } }),
    [Symbol.asyncDispose]: async () => {
      await stack[Symbol.asyncDispose]();
      await sqs.close();
    },
  };
};

describe.concurrent('the queues are those', () => {
  test('of the stage’s stack, whatever variables are left from another stage', async () => {
    await using account = await openAccount();
    const { status } = await account.run(['send', '1', '--stage', 'prod'], {
      SOURCE_QUEUE_URL: 'https://sqs.invalid/1/other',
    });
    expect(status).toBe(0);
    expect(account.stack.asked).toEqual(['mysafe-enable-prod']);
    expect(account.sqs.messages('requests')).toHaveLength(1);
  });

  test('of the stage’s name, where there is no stack to read', async () => {
    await using account = await openAccount();
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = new SQSClient({ endpoint: account.sqs.url, region: 'us-east-1', credentials });
    await client.send(new CreateQueueCommand({ QueueName: 'mysafe-enable-dev-requests' }));
    client.destroy();
    const { status, stderr } = await account.run(['send', '1', '--stage', 'dev']);
    expect([status, stderr]).toEqual([0, '']);
    expect(account.sqs.calls('SendMessageBatch').map(({ queue }) => queue)).toEqual(['mysafe-enable-dev-requests']);
  });

  test('given outright, before all others', async () => {
    await using account = await openAccount();
    const { status } = await account.run(['send', '1', '--requests-queue-url', account.sqs.queueUrl('requests')], {
      SOURCE_QUEUE_URL: 'https://sqs.invalid/1/other',
    });
    expect(status).toBe(0);
    expect(account.sqs.messages('requests')).toHaveLength(1);
  });

  test('reached by --endpoint-url, whatever host their URL names', async () => {
    await using account = await openAccount();
    const url = 'http://sqs.us-east-1.localhost:1/000000000000/requests';
    const args = ['send', '1', '--requests-queue-url', url, '--endpoint-url', account.sqs.url];
    expect((await account.run(args, { AWS_ENDPOINT_URL_SQS: undefined })).status).toBe(0);
    expect(account.sqs.messages('requests')).toHaveLength(1);
  });

  test.each([
    [['send', '1', '--requests-queue-url', urlIn('eu-west-1', 'requests')], {}],
    [['send', '1'], { SOURCE_QUEUE_URL: urlIn('eu-west-1', 'requests') }],
    [['dead-letters', 'list'], { REJECTED_QUEUE_URL: urlIn('eu-west-1', 'rejected') }],
    [['dead-letters', 'list'], { EXHAUSTED_QUEUE_URL: urlIn('eu-west-1', 'exhausted') }],
  ])('in the region that their URL names, where no region is set: %j %j', async (args, variables) => {
    await using account = await openAccount();
    const { stderr } = await account.run(args, { AWS_REGION: undefined, ...variables });
    expect(stderr).not.toContain('Region is missing');
    expect(new Set(account.regions())).toEqual(new Set(['eu-west-1']));
  });

  test('of the stage in the region of the configuration, whatever URL is left from another', async () => {
    await using account = await openAccount();
    await using folder = await makeFolder();
    const config = join(folder.path, 'config');
    await writeFile(config, '[default]\nregion = eu-central-1\n');
    const { status } = await account.run(['send', '1', '--stage', 'prod'], {
      AWS_REGION: undefined,
      AWS_CONFIG_FILE: config,
      SOURCE_QUEUE_URL: urlIn('us-west-2', 'requests'),
    });
    expect(status).toBe(0);
    expect(account.stack.regions).toEqual(['eu-central-1']);
  });

  test('nowhere without a region: the message says what to give', async () => {
    await using account = await openAccount();
    const { status, stderr } = await account.run(['send', '1', '--stage', 'prod'], { AWS_REGION: undefined });
    expect(status).toBe(1);
    expect(stderr).toMatch(/Region is missing\nWhat to fix: no AWS region is set: give --region/);
  });

  test.each([
    [['send', '1', '--requests-queue-url', urlIn('eu-west-1', 'requests')], {}, 'SOURCE_QUEUE_URL'],
    [['dead-letters', 'list'], { EXHAUSTED_QUEUE_URL: urlIn('eu-west-1', 'exhausted') }, 'EXHAUSTED_QUEUE_URL'],
  ])('not in another region than --region: both are named, with 2: %j %j', async (args, variables, name) => {
    await using account = await openAccount();
    const { status, stderr } = await account.run([...args, '--region', 'us-east-2'], {
      AWS_ENDPOINT_URL_SQS: undefined,
      ...variables,
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining(`--region us-east-2: ${name}`)]);
    expect(stderr).toContain('names a queue in eu-west-1\nWhat to fix: give --region eu-west-1, or');
  });

  test('of no stage: the message says what was looked for, with 2', async () => {
    await using account = await openAccount();
    const { status, stderr } = await account.run(['send', '1', '--stage', 'nowhere']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/stage nowhere.*mysafe-enable-nowhere.*--region/s);
  });

  test('of which one is missing: it is named, with 2', async () => {
    await using account = await openAccount();
    const { status, stderr } = await account.run(['dead-letters', 'list', '--queue', 'exhausted'], {
      REJECTED_QUEUE_URL: account.sqs.queueUrl('rejected'),
    });
    expect(status).toBe(2);
    expect(stderr).toContain('EXHAUSTED_QUEUE_URL');
  });
});

describe.concurrent('a variable', () => {
  const replay = async (variables: Readonly<Record<string, string>>) => {
    await using account = await openAccount();
    const { status, stderr } = await account.run(
      ['dead-letters', 'replay', '--yes', '--stage', 'prod', '--json'],
      variables,
    );
    return { status, stderr };
  };

  test.each(['', ' '])('MAX_REQUEST_AGE_SECONDS that is set to "%s" is as good as not set', async (value) => {
    expect((await replay({ MAX_REQUEST_AGE_SECONDS: value })).status).toBe(0);
  });

  test.each([
    ['MAX_REQUEST_AGE_SECONDS', 'abc'],
    ['AWS_ENDPOINT_URL_CLOUDFORMATION', 'localhost'],
    ['AWS_REGION', 'nowhere_1'],
  ])('%s that is malformed is named, with 2', async (name, value) => {
    const { status, stderr } = await replay({ [name]: value });
    expect([status, stderr]).toEqual([2, expect.stringContaining(`mysafe-enable: ${name} `)]);
  });
});
