/** Deployment parameters: each has a default that fits, a rule and a row in the documentation; a wrong one fails early. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DEFAULTS } from '../../functions/settings/variables.ts';
import { checkParameters, RULES } from '../../infra/parameters.ts';
import { packaged } from './compile.ts';

const root = join(import.meta.dirname, '../..');
const defaults: Readonly<Record<string, string>> = parse(await readFile(join(root, 'infra/parameters.yml'), 'utf8'));

test('each has a default, a rule, and a row in the documentation that gives the default', async () => {
  const rows = (await readFile(join(root, 'docs/platform-engineer.md'), 'utf8')).split('\n');
  expect(Object.keys(defaults).toSorted()).toEqual(Object.keys(RULES).toSorted());
  for (const [name, value] of Object.entries(defaults)) {
    const start = value === '' ? `| \`${name}\` | |` : `| \`${name}\` | \`${value}\` |`;
    expect(
      rows.filter((row) => row.startsWith(start)),
      start,
    ).toHaveLength(1);
  }
});

test('the defaults are right, and agree with those of the function', () => {
  expect(checkParameters(defaults)).toEqual([]);
  expect(Number(defaults['seguraTimeoutMs'])).toBe(DEFAULTS.SEGURA_TIMEOUT_MS);
  expect(Number(defaults['seguraConcurrency'])).toBe(DEFAULTS.SEGURA_CONCURRENCY);
  expect(Number(defaults['maxRequestAgeSeconds'])).toBe(DEFAULTS.MAX_REQUEST_AGE_SECONDS);
  expect(defaults['logLevel']).toBe(DEFAULTS.POWERTOOLS_LOG_LEVEL);
});

const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:approved';
const SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:mysafe/segura';

const WRONG: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
  [{ secretId: '' }, /^secretId must be the name or the whole ARN/],
  [{ secretId: 'no such name!' }, /^secretId must/],
  [{ secretId: SECRET }, /^secretId must .* six characters at its end/],
  [
    { secretKeyArn: 'arn:aws:kms:eu-west-1:123456789012:alias/mine' },
    /^secretKeyArn must be the ARN of a kms key, not of an alias/,
  ],
  [
    { logKeyArn: 'arn:aws:kms:eu-west-1:123456789012:alias/mine' },
    /^logKeyArn must be the ARN of a kms key, not of an alias/,
  ],
  [{ secretKeyArn: 'alias/mine' }, /^secretKeyArn must be the ARN of a kms key, not of an alias, or be left out$/],
  [{ fifo: 'yes' }, /^fifo must be true or false$/],
  [{ timeoutSeconds: '901' }, /^timeoutSeconds must be a whole number from 10 to 900$/],
  [{ memorySize: '64' }, /^memorySize must/],
  [{ batchSize: '0' }, /^batchSize must/],
  [{ batchSize: '1e1' }, /^batchSize must/],
  [{ batchSize: '100' }, /^batchWindowSeconds must be 1 or more/],
  [{ fifo: 'true', batchSize: '11' }, /^batchSize must be at most 10 with fifo/],
  [{ fifo: 'true', batchWindowSeconds: '5' }, /^batchWindowSeconds must be 0 with fifo/],
  [{ maximumConcurrency: '1' }, /^maximumConcurrency must be a whole number from 2/],
  [{ maximumConcurrency: '10' }, /^reservedConcurrency must not be below maximumConcurrency/],
  // 0 would stop the function, and every delivery would count as a receive.
  [{ reservedConcurrency: '0' }, /^reservedConcurrency must be a whole number from 2 to 1000, or none$/],
  [{ maxRequestAgeSeconds: '1209601' }, /^maxRequestAgeSeconds must/],
  [{ logLevel: 'info' }, /^logLevel must be DEBUG or INFO/],
  [{ logRetentionDays: '10' }, /^logRetentionDays must be one of 1, 3, 5/],
  [{ subnetIds: 'subnet-0a1b2c3d' }, /^vpcId \(or securityGroupIds\) must be given/],
  [{ subnetIds: 'vpc-1' }, /^subnetIds must be ids of subnets/],
  [{ subnetIds: 'subnet-0a1b', vpcId: 'vpc-0a1b2c3d' }, /^subnetIds must be ids of subnets/],
  [{ securityGroupIds: 'sg-0a1b2c3d' }, /^subnetIds must be given/],
  [{ eventPattern: '{}' }, /^eventPattern must be an event pattern in JSON$/],
  [{ eventPattern: '{"source":' }, /^eventPattern must/],
  [
    { fifo: 'true', eventBridge: 'true' },
    /^eventBridgeMessageGroup must be given with eventBridge and fifo: .*holds up/,
  ],
  [{ eventBridgeMessageGroup: 'x'.repeat(101) }, /^eventBridgeMessageGroup must be a message group of at most 100/],
  [{ renewalSenders: 'arn:aws:iam::123456789012:user/ana' }, /^renewalSenders must be IAM ids/],
  [{ apiGatewayAccountRole: 'yes' }, /^apiGatewayAccountRole must be true or false$/],
  [{ fifo: 'true', snsTopicArn: TOPIC }, /^snsTopicArn must be a FIFO topic/],
  [{ https: 'true', httpsAuthorization: 'NONE' }, /^httpsAuthorization must be IAM or JWT$/],
  [{ https: 'true', httpsAuthorization: 'JWT' }, /^userPoolArn must be given/],
  [{ alarmEmail: 'nobody' }, /^alarmEmail must be an e-mail address/],
];

test.each(WRONG)('%j is refused by its name', (changes, message) => {
  const faults = checkParameters({ ...defaults, ...changes });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(message);
});

test.each([
  { secretId: `${SECRET}-AbCdEf` },
  { reservedConcurrency: 'none', maximumConcurrency: '50' },
  { batchSize: '1000', batchWindowSeconds: '5' },
  { fifo: 'true', snsTopicArn: `${TOPIC}.fifo` },
  { maxRequestAgeSeconds: '0' },
  { fifo: 'true', eventBridge: 'true', eventBridgeMessageGroup: 'itsm' },
  { renewalSenders: 'AIDAEXAMPLE0123456789,AROAEXAMPLE0123456789' },
])('%j is taken', (changes: Readonly<Record<string, string>>) => {
  expect(checkParameters({ ...defaults, ...changes })).toEqual([]);
});

// Side by side, so that the framework is loaded once.
describe.concurrent('packaging', () => {
  const refusal = (parameters: Readonly<Record<string, string>>, stage?: string): Promise<string> =>
    packaged(parameters, stage).then(
      () => 'packaged',
      (error: Error) => error.message,
    );

  test('works with no parameter at all', async () => {
    expect(await refusal({})).toBe('packaged');
  });

  test('fails with one message for all faults, without a stack', async () => {
    const message = await refusal({ fifo: 'yes', batchSize: '0', maximumConcurency: '3' });
    for (const name of ['fifo must be', 'batchSize must be', 'maximumConcurency is not a parameter']) {
      expect(message).toContain(name);
    }
    expect(message).not.toMatch(/parameters\.ts:\d/);
    // First and alone, not inside what the framework says of its own reading.
    expect(message).toMatch(/Error:\s+maximumConcurency is not a parameter; fifo must be/);
    expect(message).not.toMatch(/Cannot resolve|errored with/);
  });

  test('fails for a stage whose names would be too long', async () => {
    expect(await refusal({}, 'x'.repeat(31))).toMatch(/stage must be letters, digits and dashes, at most 30/);
  });
});
