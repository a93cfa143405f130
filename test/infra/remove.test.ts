/** `npm run remove` and the region: osls as it is called, against queues on loopback and an AWS that answers nothing else. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { startSqs } from '../../infra/local/sqs.ts';
import { findRegion } from '../../infra/region.ts';

const root = join(import.meta.dirname, '../..');

/** Lists the queues as the stack's; refuses all other calls, and says which they were. */
const startStack = async (stackName: string, queueUrls: readonly string[]) => {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const call = new URLSearchParams(body);
    const action = call.get('Action') ?? request.headers['x-amz-target'] ?? 'unknown';
    asked.push(String(action));
    const members = queueUrls.map(
      (url) =>
        `<member><ResourceType>AWS::SQS::Queue</ResourceType><PhysicalResourceId>${url}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>`,
    );
    if (action === 'ListStackResources' && call.get('StackName') === stackName) {
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end(
          `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>${members.join('')}</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`,
        );
      return;
    }
    response
      .writeHead(400, { 'content-type': 'text/xml' })
      .end(
        '<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>not here</Message></Error></ErrorResponse>',
      );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

const osls = (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; output: string }> =>
  new Promise((resolve) => {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    execFile(
      process.execPath,
      [join(root, 'node_modules/osls/bin/serverless.js'), ...args],
      {
        cwd: root,
        env: {
          PATH,
          NODE_COMPILE_CACHE,
          HOME: tmpdir(),
          AWS_ACCESS_KEY_ID: 'test',
          AWS_SECRET_ACCESS_KEY: 'test',
          AWS_MAX_ATTEMPTS: '1',
          ...env,
        },
      },
      (error, stdout, stderr) => resolve({ code: error ? 1 : 0, output: `${stdout}${stderr}` }),
    );
  });

test.concurrent('remove refuses while requests or letters wait, names the queues, and removes nothing', async () => {
  const sqs = await startSqs();
  const client = new SQSClient({
    endpoint: sqs.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await using closing = { [Symbol.asyncDispose]: () => sqs.close() };
  expect(closing).toBeDefined();
  await using stack = await startStack('mysafe-enable-prod', [sqs.queueUrl('requests'), sqs.queueUrl('rejected')]);
  const env = { AWS_ENDPOINT_URL: stack.url, AWS_ENDPOINT_URL_SQS: sqs.url, AWS_REGION: 'us-east-1' };
  await client.send(new SendMessageCommand({ QueueUrl: sqs.queueUrl('rejected'), MessageBody: '10' }));
  client.destroy();

  const refused = await osls(['remove', '--stage', 'prod'], env);
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(
    /Error:\s+not removed, for messages would be lost: \S*rejected has about 1\. .*--force/,
  );
  expect(refused.output).not.toContain('requests has about');
  // Not after a line that says it is being removed.
  expect(refused.output).not.toContain('Removing');
  expect(stack.asked.filter((action) => action !== 'GetCallerIdentity')).toEqual(['ListStackResources']);

  // What comes after is osls's own work, which this AWS refuses.
  const forced = await osls(['remove', '--stage', 'prod', '--force'], env);
  expect(forced.output).not.toContain('not removed');
  expect(stack.asked).toContain('DescribeStackResource');
}, 300_000);

test.concurrent('remove says it in a sentence where nobody could see whether messages wait', async () => {
  await using stack = await startStack('mysafe-enable-prod', []);
  const { code, output } = await osls(['remove', '--stage', 'other'], {
    AWS_ENDPOINT_URL: stack.url,
    AWS_REGION: 'us-east-1',
  });
  expect(code).toBe(1);
  expect(output).toMatch(
    /Error:\s+not removed: .* mysafe-enable-other \(ValidationError: not here\)\. Fix that, or give --force/,
  );
  expect(output).not.toMatch(/Removing|\n\s+at /);
}, 200_000);

test('the region is found as the AWS CLI finds it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'region-'));
  try {
    const config = join(folder, 'config');
    await writeFile(
      config,
      '[default]\nregion = eu-west-1\n\n[profile prod]\nsso_session = x\nregion=eu-central-1\n[sso-session x]\nregion = us-east-2\n',
    );
    const files = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none') };
    const both = { AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-west-2' };
    expect(findRegion({ region: 'sa-east-1' }, { ...files, ...both })).toBe('sa-east-1');
    expect(findRegion({}, { ...files, ...both })).toBe('us-east-1');
    expect(findRegion({}, { ...files, AWS_DEFAULT_REGION: 'us-west-2' })).toBe('us-west-2');
    expect(findRegion({}, files)).toBe('eu-west-1');
    expect(findRegion({}, { ...files, AWS_PROFILE: 'prod' })).toBe('eu-central-1');
    expect(findRegion({ 'aws-profile': 'prod' }, files)).toBe('eu-central-1');
    expect(findRegion({ 'aws-profile': 'nobody' }, files)).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.concurrent.each(['deploy', 'remove'])(
  '%s says that the region is missing, and calls nobody',
  async (command) => {
    const folder = await mkdtemp(join(tmpdir(), 'region-'));
    try {
      await using stack = await startStack('none', []);
      const { code, output } = await osls([command], { HOME: folder, AWS_ENDPOINT_URL: stack.url });
      expect(code).toBe(1);
      expect(output).toMatch(/Error:\s+the region is missing: give --region, or set AWS_REGION/);
      expect(output).not.toMatch(/Deploying|Removing/);
      expect(stack.asked.filter((action) => action !== 'GetCallerIdentity')).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  200_000,
);
