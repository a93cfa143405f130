/** The one template for every tool, by itself; template.test.ts holds that it yields what osls yields. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { RULES } from '../../infra/parameters.ts';
import { MAX_BYTES } from '../../infra/template.ts';
import { logicalName } from '../../infra/template-parameters.ts';
import { COMBINATIONS } from './combinations.ts';
import { openTemplateFiles } from './compile.ts';
import { type Resolved, resolveTemplate } from './resolve.ts';

const files = await openTemplateFiles();
const text = String(files.get('template.json'));
const template = JSON.parse(text) as Readonly<Record<string, unknown>>;
const zips = [...files.keys()].filter((name) => name.endsWith('.zip'));

const resolve = (parameters: Readonly<Record<string, string>>): Resolved =>
  resolveTemplate(template, {
    CodeBucket: 'code',
    ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [logicalName(name), value])),
  });
type Properties = Readonly<Record<string, unknown>>;
const propertiesOf = ({ Resources }: Resolved, id: string) => Resources[id]?.['Properties'] as Properties;

test('fits into a call of CloudFormation, without a bucket or a stage of its own', () => {
  expect(Buffer.byteLength(text)).toBeLessThan(MAX_BYTES);
  expect(MAX_BYTES).toBe(51_200);
  expect(JSON.stringify(template)).toBe(text);
  expect(text).not.toMatch(/DeploymentBucket|OF-STACK|@[\w.]+@|mysafe-enable-(dev|prod)/);
});

test('zips are named by their content, and the sums are those of all files', async () => {
  expect(zips).toHaveLength(2);
  for (const name of zips) {
    const hash = createHash('sha256').update(files.get(name)!).digest('hex');
    expect(name).toMatch(new RegExp(`^(enable-password|replay-dead-letters)-${hash.slice(0, 16)}\\.zip$`));
    expect(text).toContain(`\${CodePrefix}${name}`);
  }
  const sums = String(files.get('SHA256SUMS'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split('  '));
  expect(sums.map(([, name]) => name).toSorted()).toEqual([...zips, 'template.json'].toSorted());
  for (const [sum, name = ''] of sums) expect(createHash('sha256').update(files.get(name)!).digest('hex')).toBe(sum);
});

test('asks for what osls asks for, with the same defaults, and for the code', () => {
  const { Parameters } = template as { Parameters: Readonly<Record<string, unknown>> };
  const names = Object.keys(RULES).map(logicalName);
  expect(Object.keys(Parameters).toSorted()).toEqual([...names, 'CodeBucket', 'CodePrefix'].toSorted());
  expect(() => resolve({})).not.toThrow();
  const { Code } = propertiesOf(
    resolveTemplate(template, { CodeBucket: 'b', CodePrefix: 'p/' }),
    'EnableDashpasswordLambdaFunction',
  ) as {
    Code: unknown;
  };
  expect(Code).toEqual({ S3Bucket: 'b', S3Key: `p/${zips.find((name) => name.startsWith('enable-password'))}` });
});

/** Of each parameter, a combination that sets it, and the same without it. */
const bothWays = Object.keys(RULES).map((name) => {
  const [, combination = {}] = Object.entries(COMBINATIONS).find(([, parameters]) => name in parameters) ?? [];
  const { [name]: _, ...without } = combination as Record<string, string>;
  // What a rule refuses without it cannot be resolved without it: another value, then.
  const other: Readonly<Record<string, string>> = {
    eventBridgeMessageGroup: 'other',
    userPoolArn: 'arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_other',
    vpcId: 'vpc-0f0f0f0f',
    batchWindowSeconds: '60',
    subnetIds: 'subnet-0a1b2c3d',
    reservedConcurrency: '25',
    securityGroupIds: 'sg-0f0f0f0f',
  };
  return {
    name,
    set: combination,
    unset: other[name] === undefined ? without : { ...combination, [name]: other[name] },
  };
});

describe.each(bothWays)('$name', ({ name, set, unset }) => {
  test('changes what is deployed', () => {
    expect(Object.keys(set)).toContain(name);
    expect(resolve(set)).not.toEqual(resolve(unset));
  });

  test('makes a new version of a function where that function changes, and only there', () => {
    for (const [id, version] of [
      ['EnableDashpasswordLambdaFunction', 'EnablePasswordVersion'],
      ['ReplayDashdeadDashlettersLambdaFunction', 'ReplayDeadLettersVersion'],
    ] as const) {
      // Of what Lambda keeps in a version.
      const made = (parameters: Readonly<Record<string, string>>) => {
        const { ReservedConcurrentExecutions: _, ...properties } = propertiesOf(resolve(parameters), id);
        return JSON.stringify(properties);
      };
      const described = (parameters: Readonly<Record<string, string>>) =>
        propertiesOf(resolve(parameters), version)['Description'];
      expect(described(set) !== described(unset), id).toBe(made(set) !== made(unset));
    }
  });
});

test('a version’s description has room for the longest parameters', () => {
  const description = propertiesOf(
    resolve({
      secretId: `arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:${'s'.repeat(48)}-AbCdEf`,
      subnetIds: Array(3).fill('subnet-0123456789abcdef0').join(),
      securityGroupIds: Array(2).fill('sg-0123456789abcdef0').join(),
      renewalSenders: Array(2).fill('AIDAEXAMPLE0123456789').join(),
      timeoutSeconds: '900',
      memorySize: '10240',
      seguraTimeoutMs: '900000',
      seguraConcurrency: '500',
      maxRequestAgeSeconds: '1209600',
      logLevel: 'CRITICAL',
    }),
    'EnablePasswordVersion',
  )['Description'] as string;
  expect(description).toContain(`${'s'.repeat(48)}-AbCdEf`);
  expect(description.length).toBeLessThanOrEqual(256);
});

test.each([
  [{ fifo: 'true', batchSize: '100', batchWindowSeconds: '5' }, /With Fifo/],
  [{ fifo: 'true', eventBridge: 'true' }, /EventBridgeMessageGroup must be given/],
  [{ batchSize: '100' }, /BatchWindowSeconds must not be 0/],
  [{ https: 'true', httpsAuthorization: 'JWT' }, /UserPoolArn must be given/],
  [{ subnetIds: 'subnet-0a1b2c3d' }, /VpcId .* must be given/],
  [{ securityGroupIds: 'sg-0a1b2c3d' }, /SubnetIds must be given/],
  [{ maximumConcurrency: '10' }, /ReservedConcurrency is below/],
  [{ secretId: 'no such name!' }, /SecretId does not take/],
  [{ timeoutSeconds: '7' }, /TimeoutSeconds does not take/],
])('%j is refused before anything is made', (parameters: Readonly<Record<string, string>>, message) => {
  expect(() => resolve(parameters)).toThrow(message);
});
