/** AWS configured as for the AWS CLI: profiles, their endpoints, regions and second factors. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startSqs } from '../../infra/local/sqs.ts';
import { environmentOf, runCommand, shell } from './command.ts';
import { makeFolder } from './folder.ts';

/** STS as far as AssumeRole: it wants the code of the serial number. */
const startSts = async (code: string) => {
  const asked: { readonly serial: string | null; readonly code: string | null }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const input = new URLSearchParams(body);
    asked.push({ serial: input.get('SerialNumber'), code: input.get('TokenCode') });
    const isRight = input.get('Action') === 'AssumeRole' && input.get('TokenCode') === code;
    const expires = new Date(Date.now() + 3_600_000).toISOString();
    response
      .writeHead(isRight ? 200 : 403, { 'content-type': 'text/xml' })
      .end(
        isRight
          ? `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAMFA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
          : '<ErrorResponse><Error><Code>AccessDenied</Code><Message>MultiFactorAuthentication failed</Message></Error></ErrorResponse>',
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

const open = async (config: (sqsUrl: string) => string, credentials = '') => {
  const sqs = await startSqs();
  const folder = await makeFolder();
  const files = {
    AWS_CONFIG_FILE: join(folder.path, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder.path, 'keys'),
  };
  await writeFile(files.AWS_CONFIG_FILE, config(sqs.url));
  await writeFile(files.AWS_SHARED_CREDENTIALS_FILE, credentials);
  const { AWS_ENDPOINT_URL_SQS: _, AWS_REGION: __, ...rest } = environmentOf(sqs);
  const elsewhere = 'http://sqs.us-east-1.localhost:1/000000000000/requests';
  const env = { ...rest, ...files, SOURCE_QUEUE_URL: elsewhere };
  return {
    sqs,
    env,
    sent: () => sqs.messages('requests').length,
    run: (words: readonly string[], more: Readonly<Record<string, string | undefined>> = {}) =>
      runCommand(words, { env: { ...env, ...more } }),
    [Symbol.asyncDispose]: async () => {
      await sqs.close();
      await folder[Symbol.asyncDispose]();
    },
  };
};

const KEYS = 'aws_access_key_id = AKIALOCAL\naws_secret_access_key = s\n';

describe.concurrent('a profile', () => {
  test.each([
    ['its endpoint_url', (url: string) => `[profile local]\nregion = us-east-1\nendpoint_url = ${url}\n${KEYS}`],
    [
      'the endpoint_url of its services, before its own',
      (url: string) =>
        `[profile local]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:1\nservices = mine\n${KEYS}\n[services mine]\nsqs =\n  endpoint_url = ${url}\n`,
    ],
  ])('reaches SQS by %s, whatever host the queue’s URL names', async (_, config) => {
    await using account = await open(config);
    const given = await account.run(['send', '1', '--profile', 'local']);
    expect([given.status, given.stderr]).toEqual([0, '']);
    expect((await account.run(['send', '1'], { AWS_PROFILE: 'local' })).status).toBe(0);
    expect(account.sent()).toBe(2);
  });

  test('gives way to variables, and these to --endpoint-url', async () => {
    await using account = await open(
      () => `[profile local]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:1\n${KEYS}`,
    );
    const { url } = account.sqs;
    const words = ['send', '1', '--profile', 'local'];
    expect((await account.run(words, { AWS_ENDPOINT_URL: url })).status).toBe(0);
    const both = { AWS_ENDPOINT_URL_SQS: url, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
    expect((await account.run(words, both)).status).toBe(0);
    const wrong = { AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1' };
    expect((await account.run([...words, '--endpoint-url', url], wrong)).status).toBe(0);
    expect(account.sent()).toBe(3);
  });

  test('whose endpoint_url is not a URL is said as that', async () => {
    await using account = await open(() => `[profile local]\nregion = us-east-1\nendpoint_url = sqs.local\n${KEYS}`);
    const { status, json } = await account.run(['send', '1', '--json', '--profile', 'local']);
    const message = 'endpoint_url of the profile local, for sqs, is not a URL such as http://127.0.0.1:4566';
    expect([status, json]).toMatchObject([2, { error: { code: 'WrongVariable', message } }]);
  });

  test.each([
    [['--profile', 'prd'], {}, '--profile'],
    [[], { AWS_PROFILE: 'prd' }, 'AWS_PROFILE'],
  ])('that is misspelt is said as that, with those there are: %j %j', async (words, variables, name) => {
    await using account = await open(() => `[default]\n[profile prod]\nregion = us-east-1\n`, `[ops]\n${KEYS}`);
    const { status, json } = await account.run(['send', '1', '--json', ...words], variables);
    expect([status, json]).toEqual([
      2,
      {
        error: {
          code: expect.stringMatching(/^Wrong/),
          message: `${name} names prd, and there is no such profile`,
          fix: 'name one of default, prod, ops',
        },
      },
    ]);
  });
});

describe('a profile with a second factor', () => {
  const SERIAL = 'arn:aws:iam::000000000000:mfa/ana';
  const config = (url: string): string =>
    `[profile base]\n${KEYS}\n[profile mfa]\nregion = us-east-1\nendpoint_url = ${url}\nrole_arn = arn:aws:iam::000000000000:role/ops\nsource_profile = base\nmfa_serial = ${SERIAL}\n`;

  test('says which code it wants, where nobody is there to give it', async () => {
    await using account = await open(config);
    const { status, json } = await account.run([
      'dead-letters',
      'list',
      '--queue',
      'rejected',
      '--profile',
      'mfa',
      '--json',
    ]);
    expect([status, json]).toEqual([
      1,
      {
        error: {
          code: 'MfaCodeNeeded',
          message: `the profile needs a code of ${SERIAL}, and nobody is at a terminal to give it`,
          fix: expect.stringMatching(/./),
        },
      },
    ]);
    expect(account.sent()).toBe(0);
  });

  // util-linux gives the command a terminal of its own.
  test.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'asks for the code once, on a terminal, and goes on with it',
    async () => {
      await using account = await open(config);
      await using sts = await startSts('123456');
      const main = join(import.meta.dirname, '../../functions/cli/main.ts');
      const typed = `stty cols 100; ${process.execPath} ${main} dead-letters list --queue rejected --profile mfa`;
      const child = spawn('script', ['-qec', typed, '/dev/null'], {
        env: {
          ...shell(),
          ...account.env,
          AWS_ACCESS_KEY_ID: undefined,
          AWS_SECRET_ACCESS_KEY: undefined,
          AWS_ENDPOINT_URL_STS: sts.url,
          TERM: 'xterm',
        },
      });
      let screen = '';
      let isTyped = false;
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        screen += chunk;
        if (!isTyped && screen.includes(SERIAL)) {
          isTyped = true;
          child.stdin.write('123456\r');
        }
      });
      const [status] = await once(child, 'close');
      expect(stripVTControlCharacters(screen)).toMatch(/^rejected {2}empty/m);
      expect(status).toBe(0);
      expect(sts.asked).toEqual([{ serial: SERIAL, code: '123456' }]);
    },
  );
});
