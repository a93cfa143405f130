/** The compiled CloudFormation, asked for what it must guarantee, in every combination that changes resources. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { METRICS } from '../../functions/audit/line.ts';
import { keptWaitSeconds } from '../../functions/enable-password/waits.ts';
import { DEFAULTS } from '../../functions/settings/variables.ts';
import { logicalName } from '../../infra/template-parameters.ts';
import { checkTypes } from './check-types.ts';
import { COMBINATIONS } from './combinations.ts';
import { compile, openTemplateFiles, type Resource, type Template } from './compile.ts';
import { type Resolved, resolveTemplate } from './resolve.ts';

const root = join(import.meta.dirname, '../..');

const templates = new Map<string, Template>();
/** What does not fit CloudFormation's schemas, by template. */
let faults: ReadonlyMap<string, readonly string[]> = new Map();
/** The one for every tool. */
let open: Readonly<Record<string, unknown>> = {};
beforeAll(async () => {
  const compiled = Object.entries(COMBINATIONS).map(async ([name, parameters]) => {
    templates.set(name, await compile(parameters));
  });
  const files = await openTemplateFiles();
  open = JSON.parse(String(files.get('template.json')));
  await Promise.all(compiled);
  faults = await checkTypes(templates);
}, 600_000);

const ofType = ({ Resources }: Template, type: string): [string, Resource][] =>
  Object.entries(Resources).filter(([, { Type }]) => Type === type);
const statementsOf = (policy: unknown): Record<string, unknown>[] =>
  (policy as { Statement: Record<string, unknown>[] }).Statement;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

interface Metric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly unknown[];
}
/** What an alarm watches: one metric, or those of its arithmetic. */
const metricsOf = (alarm: Resource['Properties']): Metric[] =>
  ((alarm['Metrics'] ?? [{ MetricStat: { Metric: alarm } }]) as { MetricStat?: { Metric: Metric } }[]).flatMap(
    ({ MetricStat }) => MetricStat?.Metric ?? [],
  );

const dashboardMetrics = ({ Properties }: Resource): unknown[][] => {
  const { 'Fn::Sub': body } = Properties['DashboardBody'] as { 'Fn::Sub': string };
  const { widgets } = JSON.parse(body) as { widgets: { properties: { metrics: unknown[][] } }[] };
  return widgets.flatMap(({ properties }) => properties.metrics);
};

const resolveOpen = (parameters: Readonly<Record<string, string>>): Resolved =>
  resolveTemplate(open, {
    CodeBucket: 'code',
    ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [logicalName(name), value])),
  });

/** Without what is each way's own: where code comes from, how versions and deployments are named and told apart. */
const comparable = ({ Resources, Outputs }: Resolved): unknown => {
  const own = /^ServerlessDeploymentBucket|FunctionQualifiedArn$/;
  const kept = <Entry>(entries: Readonly<Record<string, Entry>>) =>
    Object.entries(entries).filter(([name]) => !own.test(name));
  const resources = kept(Resources).map(([id, { Properties, UpdateReplacePolicy, ...resource }]) => {
    const { Code: _, Description, ...properties } = Properties as Record<string, unknown>;
    return resource['Type'] === 'AWS::Lambda::Version'
      ? [id, { ...resource, Properties: properties }]
      : [id, { ...resource, UpdateReplacePolicy, Properties: { ...properties, Description } }];
  });
  const text = JSON.stringify({ Resources: Object.fromEntries(resources), Outputs: Object.fromEntries(kept(Outputs)) });
  return JSON.parse(
    text
      .replaceAll(/EnableDashpasswordLambdaVersion\w+/g, 'EnablePasswordVersion')
      .replaceAll(/ReplayDashdeadDashlettersLambdaVersion\w+/g, 'ReplayDeadLettersVersion')
      .replaceAll(/HttpsDeployment\w+/g, 'HttpsDeployment')
      // In descriptions, which stay as they were: another one would replace a security group.
      .replaceAll('mysafe-enable mysafe-enable-dev', 'mysafe-enable dev'),
  );
};

describe.each(Object.keys(COMBINATIONS))('%s', (name) => {
  const template = (): Template => templates.get(name)!;
  const parameters = COMBINATIONS[name] ?? {};
  const resource = (id: string): Resource => template().Resources[id]!;

  test('fits CloudFormation’s own resource schemas', () => {
    expect(faults.get(name)).toEqual([]);
  });

  test('queues are encrypted, TLS only, and keep dead letters for 14 days', () => {
    const queues = ofType(template(), 'AWS::SQS::Queue');
    const toFifo = parameters['fifo'] && parameters['eventBridge'];
    expect(queues.length).toBe(3 + (parameters['outcomes'] ? 2 : 0) + (toFifo ? 1 : 0));
    for (const [id, { Properties }] of queues) {
      if (parameters['customerKey']) expect(Properties['KmsMasterKeyId']).toEqual({ 'Fn::GetAtt': ['Key', 'Arn'] });
      expect(Properties['SqsManagedSseEnabled']).toBe(!parameters['customerKey']);
      expect(Properties['MessageRetentionPeriod']).toBe(1_209_600);
      const policies = ofType(template(), 'AWS::SQS::QueuePolicy').map(([, policy]) => policy.Properties);
      const [policy = {}, ...others] = policies.filter(({ Queues }) => JSON.stringify(Queues).includes(`"${id}"`));
      expect(others).toEqual([]);
      expect(statementsOf(policy['PolicyDocument'])).toContainEqual(
        expect.objectContaining({
          Effect: 'Deny',
          Action: 'sqs:*',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      );
      // EventBridge takes no FIFO queue for what it could not deliver.
      const isFifo = parameters['fifo'] === 'true' && id !== 'UndeliveredQueue';
      expect(Properties['FifoQueue'] === true).toBe(isFifo);
      expect(String(Properties['QueueName']).endsWith('.fifo')).toBe(isFifo);
    }
  });

  test('redrive: requests to exhausted only, after more receives than a day of outage or the age limit can take', () => {
    const { deadLetterTargetArn, maxReceiveCount } = resource('RequestsQueue').Properties['RedrivePolicy'] as {
      deadLetterTargetArn: unknown;
      maxReceiveCount: number;
    };
    expect(deadLetterTargetArn).toEqual({ 'Fn::GetAtt': ['ExhaustedQueue', 'Arn'] });
    const receivesIn = (seconds: number, random: number, retryAfterSeconds?: number): number => {
      let receives = 0;
      for (let at = 0; at < seconds; receives += 1) {
        const options = { receiveCount: receives, ageSeconds: at, askedSeconds: retryAfterSeconds, isOneOfMany: true };
        at += keptWaitSeconds(options, random);
      }
      return receives;
    };
    const age = parameters['maxRequestAgeSeconds'] ?? DEFAULTS.MAX_REQUEST_AGE_SECONDS;
    expect(maxReceiveCount).toBeGreaterThan(receivesIn(86_400, 0));
    expect(maxReceiveCount).toBeGreaterThan(receivesIn(Number(age), 0));
    // Before SQS deletes it, even where each wait is the longest that there is.
    expect(maxReceiveCount).toBeLessThan(receivesIn(1_209_600, 1, 900));
    expect(maxReceiveCount).toBeLessThanOrEqual(1000);
    expect(resource('ExhaustedQueue').Properties['RedriveAllowPolicy']).toMatchObject({ redrivePermission: 'byQueue' });
    expect(resource('RejectedQueue').Properties['RedriveAllowPolicy']).toEqual({ redrivePermission: 'denyAll' });
  });

  test('an outcome event that its reader failed on ten times waits in outcomes-undelivered', () => {
    expect('OutcomesUndeliveredQueue' in template().Resources).toBe('outcomes' in parameters);
    if (!('outcomes' in parameters)) return;
    expect(resource('OutcomesQueue').Properties['RedrivePolicy']).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': ['OutcomesUndeliveredQueue', 'Arn'] },
      maxReceiveCount: 10,
    });
    expect(resource('OutcomesUndeliveredQueue').Properties['RedriveAllowPolicy']).toMatchObject({
      redrivePermission: 'byQueue',
    });
  });

  test('the template for every tool yields the same resources', () => {
    expect(comparable(resolveOpen(parameters))).toEqual(comparable(resolveTemplate({ ...template() })));
  });

  test('a renewal is taken from replay-dead-letters, and from those whom the parameter names', () => {
    const { Environment } = resource('EnableDashpasswordLambdaFunction').Properties as {
      Environment: { Variables: Record<string, unknown> };
    };
    const role = { 'Fn::GetAtt': ['ReplayDeadLettersRole', 'RoleId'] };
    const named = parameters['renewalSenders'];
    expect(Environment.Variables['RENEWAL_SENDERS']).toEqual(named ? { 'Fn::Join': [',', [role, named]] } : role);
    if (!parameters['https']) expect(Environment.Variables['CALLER_SENDERS']).toBe('');
  });

  test('visibility timeout is six function timeouts plus the batching window', () => {
    const timeout = resource('EnableDashpasswordLambdaFunction').Properties['Timeout'] as number;
    const window = Number(resource('RequestsMapping').Properties['MaximumBatchingWindowInSeconds'] ?? 0);
    expect(resource('RequestsQueue').Properties['VisibilityTimeout']).toBe(6 * timeout + window);
  });

  test('the mapping points at the alias, reports partial failures, and its concurrency is reserved', () => {
    const { FunctionName, FunctionResponseTypes, ScalingConfig } = resource('RequestsMapping').Properties;
    expect(FunctionName).toEqual({ Ref: 'EnablePasswordAlias' });
    expect(FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
    const { MaximumConcurrency } = ScalingConfig as { MaximumConcurrency: string };
    const reserved = resource('EnableDashpasswordLambdaFunction').Properties['ReservedConcurrentExecutions'];
    expect(Number(MaximumConcurrency)).toBeGreaterThanOrEqual(2);
    if (parameters['reservedConcurrency'] === 'none') expect(reserved).toBeUndefined();
    else expect(reserved).toBeGreaterThanOrEqual(Number(MaximumConcurrency));
    const alias = resource('EnablePasswordAlias');
    const [, version] = (alias.Properties['FunctionVersion'] as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt']
      .map(String)
      .toReversed();
    expect(resource(version!).Type).toBe('AWS::Lambda::Version');
    expect(alias.UpdatePolicy).toMatchObject({
      CodeDeployLambdaAliasUpdate: { DeploymentGroupName: { Ref: 'DeploymentGroup' } },
    });
    const { AlarmConfiguration, AutoRollbackConfiguration } = resource('DeploymentGroup').Properties as {
      AlarmConfiguration: { Alarms: { Name: { Ref: string } }[] };
      AutoRollbackConfiguration: unknown;
    };
    expect(AutoRollbackConfiguration).toMatchObject({
      Enabled: true,
      Events: expect.arrayContaining(['DEPLOYMENT_STOP_ON_ALARM']),
    });
    for (const { Name } of AlarmConfiguration.Alarms) expect(resource(Name.Ref).Type).toBe('AWS::CloudWatch::Alarm');
    // Errors and bugs alone: whoever may send could ring the others.
    expect(AlarmConfiguration.Alarms.map(({ Name }) => Name.Ref)).toEqual(['NewVersionErrorsAlarm', 'BugAlarm']);
    // A fault of the version before must not stop the one that fixes it.
    expect(resource('NewVersionErrorsAlarm').Properties['Dimensions']).toContainEqual({
      Name: 'ExecutedVersion',
      Value: alias.Properties['FunctionVersion'],
    });
  });

  test('functions are nodejs24.x on arm64, traced, each with a role of its own and a log group that ends', () => {
    const functions = ofType(template(), 'AWS::Lambda::Function');
    expect(functions).toHaveLength(2);
    for (const [id, { Properties }] of functions) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
      });
      expect(template().Resources).toHaveProperty(id.replace('LambdaFunction', 'LogGroup'));
    }
    const groups = ofType(template(), 'AWS::Logs::LogGroup');
    expect(groups).toHaveLength(parameters['https'] ? 4 : 2);
    const key = parameters['logKeyArn'] ?? (parameters['customerKey'] ? { 'Fn::GetAtt': ['Key', 'Arn'] } : undefined);
    for (const [, { Properties }] of groups) {
      expect(Properties['RetentionInDays']).toBe(Number(parameters['logRetentionDays'] ?? 90));
      expect(Properties['KmsKeyId']).toEqual(key);
    }
    expect(new Set(functions.map(([, { Properties }]) => JSON.stringify(Properties['Role']))).size).toBe(2);
    expect(template().Resources).not.toHaveProperty('IamRoleLambdaExecution');
  });

  test('no service takes a role for another account, or the queues’ key for another service', () => {
    for (const [id, { Properties }] of ofType(template(), 'AWS::IAM::Role')) {
      const [trust] = statementsOf(Properties['AssumeRolePolicyDocument']);
      const { Service } = (trust?.['Principal'] ?? {}) as { Service?: string };
      // API Gateway says nothing of the account: it would get no role that asks for it.
      const operator = Service === 'apigateway.amazonaws.com' ? 'StringEqualsIfExists' : 'StringEquals';
      expect(trust?.['Condition'], id).toEqual({ [operator]: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } });
      const keys = ((Properties['Policies'] ?? []) as { PolicyDocument: unknown }[])
        .flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument))
        .filter(({ Action }) => JSON.stringify(Action).includes('kms:'));
      for (const { Condition } of keys) expect(Condition, id).toHaveProperty('StringEquals.kms:ViaService');
    }
  });

  test('the bucket of deployments is closed to the public, encrypted, TLS only, and keeps versions', () => {
    expect(resource('ServerlessDeploymentBucket').Properties).toMatchObject({
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: expect.anything(),
    });
    expect(JSON.stringify(resource('ServerlessDeploymentBucketPolicy'))).toContain('"aws:SecureTransport":false');
  });

  test('roles hold exactly what they need, with a wildcard only where AWS allows nothing else', () => {
    const roles = ofType(template(), 'AWS::IAM::Role').map(([id, { Properties }]) => {
      // API Gateway refuses a role for its logs that allows less than AWS's own.
      if (id !== 'HttpsAccountRole') expect(Properties).not.toHaveProperty('ManagedPolicyArns');
      const policies = (Properties['Policies'] ?? []) as { PolicyDocument: unknown }[];
      return [id, policies.flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument))] as const;
    });
    const wildcards = roles.flatMap(([, statements]) =>
      statements.filter(({ Resource }) => /[*?]/.test(JSON.stringify(Resource))).map(({ Sid }) => Sid),
    );
    const isNamed = parameters['secretId'] === undefined;
    expect(new Set(wildcards)).toEqual(
      new Set([
        'Trace',
        'WatchAlarms',
        ...(isNamed ? ['ReadSecret'] : []),
        ...('subnetIds' in parameters ? ['JoinVpc', 'KeepCodeFromVpc'] : []),
      ]),
    );
    const allowed = (role: string): unknown[] =>
      roles
        .filter(([id]) => id === role)
        .flatMap(([, statements]) => statements.filter(({ Effect }) => Effect === 'Allow'))
        .flatMap(({ Action }) => list(Action))
        .filter((action) => !/^(ec2|kms|logs|xray):/.test(String(action)));
    expect(allowed('EnablePasswordRole')).toEqual([
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ChangeMessageVisibility',
      'sqs:SendMessage',
      'secretsmanager:GetSecretValue',
    ]);
    expect(allowed('ReplayDeadLettersRole')).toEqual([
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ChangeMessageVisibility',
      'sqs:SendMessage',
    ]);
    const sids = (role: string) => roles.filter(([id]) => id === role).flatMap(([, all]) => all.map(({ Sid }) => Sid));
    expect(sids('EnablePasswordRole').includes('UseQueueKey')).toBe('customerKey' in parameters);
    expect(sids('EnablePasswordRole').includes('UseSecretKey')).toBe('secretKeyArn' in parameters);
    expect(sids('EnablePasswordRole').includes('JoinVpc')).toBe('subnetIds' in parameters);
    expect(sids('ReplayDeadLettersRole')).not.toContain('JoinVpc');
  });

  test('the function may read from requests alone, and write to rejected and outcomes alone', () => {
    const { Policies } = resource('EnablePasswordRole').Properties as { Policies: { PolicyDocument: unknown }[] };
    const resources = (sid: string) =>
      Policies.flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument))
        .filter(({ Sid }) => Sid === sid)
        .flatMap(({ Resource }) => list(Resource));
    expect(resources('Consume')).toEqual([{ 'Fn::GetAtt': ['RequestsQueue', 'Arn'] }]);
    expect(resources('Settle')).toEqual([
      { 'Fn::GetAtt': ['RejectedQueue', 'Arn'] },
      ...(parameters['outcomes'] ? [{ 'Fn::GetAtt': ['OutcomesQueue', 'Arn'] }] : []),
    ]);
  });

  test('only the ways in that are switched on may send, or use the key', () => {
    const senders = statementsOf(resource('RequestsQueuePolicy').Properties['PolicyDocument'])
      .filter(({ Effect }) => Effect === 'Allow')
      .map(({ Sid }) => Sid);
    const expected = [
      ...(parameters['eventBridge'] ? ['EventBridge'] : []),
      ...(parameters['snsTopicArn'] ? ['Sns'] : []),
    ];
    expect(senders).toEqual(expected);
    if (parameters['customerKey']) {
      const users = statementsOf(resource('Key').Properties['KeyPolicy']).map(({ Sid }) => Sid);
      const logs = 'logKeyArn' in parameters ? [] : ['Logs'];
      expect(users).toEqual(['Account', 'Services', ...logs, ...('snsTopicArn' in parameters ? ['Sns'] : [])]);
      const services = statementsOf(resource('Key').Properties['KeyPolicy']).find(({ Sid }) => Sid === 'Services');
      const events = parameters['eventBridge'] ? ['events.amazonaws.com'] : [];
      expect(services?.['Principal']).toEqual({ Service: ['cloudwatch.amazonaws.com', ...events] });
      expect(resource('AlarmTopic').Properties['KmsMasterKeyId']).toEqual({ 'Fn::GetAtt': ['Key', 'Arn'] });
    }
    // What a source cannot deliver may go to exhausted, if the queue is of its kind.
    const undelivered = statementsOf(resource('ExhaustedQueuePolicy').Properties['PolicyDocument'])
      .filter(({ Effect }) => Effect === 'Allow')
      .map(({ Sid }) => Sid);
    const [target] = (template().Resources['RequestsRule']?.Properties['Targets'] ?? []) as Record<string, unknown>[];
    expect(target?.['DeadLetterConfig']).toEqual(
      parameters['eventBridge'] && {
        Arn: { 'Fn::GetAtt': [parameters['fifo'] ? 'UndeliveredQueue' : 'ExhaustedQueue', 'Arn'] },
      },
    );
    expect(target?.['SqsParameters']).toEqual(
      parameters['eventBridgeMessageGroup'] && { MessageGroupId: parameters['eventBridgeMessageGroup'] },
    );
    expect(undelivered).toEqual([
      ...(parameters['eventBridge'] && !parameters['fifo'] ? ['EventBridgeUndelivered'] : []),
      ...(template().Resources['RequestsSubscription']?.Properties['RedrivePolicy'] ? ['SnsUndelivered'] : []),
    ]);
    expect('HttpsApi' in template().Resources).toBe(parameters['https'] === 'true');
  });

  test('every alarm goes to the topic, tells what to do, has its heading in the runbook, and watches what is there', async () => {
    const runbook = await readFile(join(root, 'infra/runbook.md'), 'utf8');
    const alarms = ofType(template(), 'AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeGreaterThanOrEqual(9);
    for (const [id, { Properties }] of alarms) {
      expect(Properties['AlarmActions']).toEqual([{ Ref: 'AlarmTopic' }]);
      const heading = /Runbook: (.+)\.$/.exec(String(Properties['AlarmDescription']))?.[1];
      expect(runbook, id).toMatch(new RegExp(`^## ${heading}$`, 'm'));
      for (const { Namespace, MetricName } of metricsOf(Properties)) {
        if (Namespace === 'mysafe-enable') expect(Object.keys(METRICS)).toContain(MetricName);
        else
          expect([
            'NumberOfMessagesSent',
            'ApproximateNumberOfMessagesVisible',
            'ApproximateAgeOfOldestMessage',
            'Errors',
            'Throttles',
          ]).toContain(MetricName);
      }
    }
  });

  test('the dashboard is JSON and names only metrics that are emitted', () => {
    const own = dashboardMetrics(resource('Dashboard')).filter(([namespace]) => namespace === 'mysafe-enable');
    expect(own.length).toBeGreaterThan(5);
    for (const [, metric] of own) expect(Object.keys(METRICS)).toContain(metric);
  });

  test('alarms and dashboard watch what the functions of this stage emit, and no other stage’s', () => {
    const functions = ofType(template(), 'AWS::Lambda::Function').map(
      ([, { Properties }]) => (Properties['Environment'] as { Variables: Record<string, unknown> }).Variables,
    );
    for (const variables of functions) expect(variables['POWERTOOLS_SERVICE_NAME']).toBe('mysafe-enable-dev');
    const watched = ofType(template(), 'AWS::CloudWatch::Alarm')
      .flatMap(([, { Properties }]) => metricsOf(Properties))
      .filter(({ Namespace }) => Namespace === 'mysafe-enable');
    expect(watched.length).toBeGreaterThan(5);
    for (const { MetricName, Dimensions } of watched) {
      expect(Dimensions, MetricName).toContainEqual({ Name: 'service', Value: 'mysafe-enable-dev' });
    }
    const shown = dashboardMetrics(resource('Dashboard')).flatMap(([first, , ...dimensions]) => {
      const { expression } = Object(first) as { expression?: string };
      if (expression !== undefined) return [/ service="([^"]*)"/.exec(expression)?.[1]];
      return first === 'mysafe-enable' ? [dimensions.slice(0, 2).join('=')] : [];
    });
    expect(new Set(shown)).toEqual(new Set(['service=mysafe-enable-dev', 'mysafe-enable-dev']));
  });
});

/** The names of resources that are published once, whose content a new name alone can change. */
const published = (name: string, start: string): string | undefined =>
  Object.keys(templates.get(name)!.Resources).find((id) => id.startsWith(start));

describe('a version of the function', () => {
  const version = (name: string) => published(name, 'EnableDashpasswordLambdaVersion');

  test.each(['fifo', 'with outcomes', 'in a VPC', 'in a VPC with its own security group', 'with HTTPS and IAM'])(
    'is published again where the function changes: %s',
    (name) => {
      expect(version(name)).not.toBe(version('as shipped'));
    },
  );

  // Lambda publishes no second version of the same code and configuration: the deployment would fail.
  test.each(['without reserved concurrency', 'with a customer key', 'with EventBridge', 'with SNS'])(
    'stays where the function does not change: %s',
    (name) => {
      expect(version(name)).toBe(version('as shipped'));
    },
  );
});

test('another authorisation of the endpoint is a new deployment of it, or it would never go live', () => {
  const deployment = (name: string) => published(name, 'HttpsDeployment');
  expect(deployment('with HTTPS and IAM')).toMatch(/^HttpsDeployment[0-9a-f]{12}$/);
  expect(deployment('with HTTPS and JWT')).not.toBe(deployment('with HTTPS and IAM'));
});

test('a misspelt property, a wrong value and a reference to nothing are found', async () => {
  const template = templates.get('as shipped')!;
  const change = (id: string, properties: Record<string, unknown>): Template => ({
    ...template,
    Resources: {
      ...template.Resources,
      [id]: { ...template.Resources[id]!, Properties: { ...template.Resources[id]!.Properties, ...properties } },
    },
  });
  const wrong = {
    VisibilityTimeOut: change('RequestsQueue', { VisibilityTimeOut: 5 }),
    ReportBatchItemFailure: change('RequestsMapping', { FunctionResponseTypes: ['ReportBatchItemFailure'] }),
    'no resource RequestQueue': change('RequestsMapping', {
      EventSourceArn: { 'Fn::GetAtt': ['RequestQueue', 'Arn'] },
    }),
  };
  const found = await checkTypes(new Map(Object.entries(wrong)));
  for (const words of Object.keys(wrong)) expect(found.get(words)?.join()).toContain(words);
});
