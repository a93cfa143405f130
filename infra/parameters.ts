/**
 * What each deployment parameter may be, and what follows from them. A wrong value fails at package time with a message
 * that names it. Defaults: parameters.yml. Read by serverless.yml through derived.cjs.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { placeholder } from './conditions.ts';

interface Rule {
  /** In words, for the message. */
  readonly must: string;
  readonly allows: (value: string) => boolean;
  /** The same, as a parameter of a CloudFormation template says it. */
  readonly parameter: Readonly<Record<string, unknown>>;
}

const number = (least: number, most: number): Rule => ({
  must: `be a whole number from ${least} to ${most}`,
  allows: (value) => /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most,
  parameter: { Type: 'Number', MinValue: least, MaxValue: most },
});
const oneOf = (...values: readonly string[]): Rule => ({
  must: `be ${values.join(' or ')}`,
  allows: (value) => values.includes(value),
  parameter: { Type: 'String', AllowedValues: values },
});
const flag = oneOf('true', 'false');
const either = (word: string, rule: Rule): Rule => ({
  must: `${rule.must}, or ${word === '' ? 'be left out' : word}`,
  allows: (value) => value === word || rule.allows(value),
  parameter: { Type: 'String', AllowedPattern: `^${word}$|${rule.parameter['AllowedPattern'] ?? '^[0-9]+$'}` },
});
const empty = (rule: Rule): Rule => either('', rule);
const pattern = (must: string, expression: RegExp): Rule => ({
  must,
  allows: (value) => expression.test(value),
  parameter: { Type: 'String', AllowedPattern: expression.source.replaceAll('\\/', '/') },
});
const arn = (service: string, resource = '.+', must = `be an ARN of ${service}`): Rule =>
  pattern(must, new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]+:\\d{12}:${resource}$`));

/** EC2 gives ids of 8 hexadecimal digits, and since 2016 of 17. */
const HEX = '([0-9a-f]{8}|[0-9a-f]{17})';
const id = (kind: string): RegExp => new RegExp(`^${kind}-${HEX}$`);
const ids = (kind: string): RegExp => new RegExp(`^${kind}-${HEX}(,${kind}-${HEX})*$`);

// A role can be given no right on an alias, and CloudWatch Logs takes none.
const kmsKey = arn('kms', 'key/[\\w-]+', 'be the ARN of a kms key, not of an alias');

const isEventPattern = (value: string): boolean => {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) && Object.keys(parsed).length > 0;
  } catch {
    return false; // said in the rule's own words
  }
};

/** CloudWatch Logs takes these and no other numbers of days. */
const RETENTIONS = '1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653'.split(' ');

export const RULES: Readonly<Record<string, Rule>> = {
  secretId: pattern(
    'be the name or the whole ARN of the secret, with the six characters at its end: mysafe/segura',
    /^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}|[\w/+=.@-]+)$/,
  ),
  secretKeyArn: empty(kmsKey),
  fifo: flag,
  outcomes: flag,
  customerKey: flag,
  timeoutSeconds: number(10, 900),
  memorySize: number(128, 10_240),
  batchSize: number(1, 10_000),
  batchWindowSeconds: number(0, 300),
  maximumConcurrency: number(2, 1000),
  reservedConcurrency: either('none', number(2, 1000)),
  seguraTimeoutMs: number(1, 900_000),
  seguraConcurrency: number(1, 500),
  // No message lives longer than 14 days.
  maxRequestAgeSeconds: number(0, 1_209_600),
  renewalSenders: empty(
    pattern('be IAM ids (AROA…, AIDA…), separated by commas', /^A[A-Z0-9]{15,127}(,A[A-Z0-9]{15,127})*$/),
  ),
  logLevel: oneOf('DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL', 'SILENT'),
  logRetentionDays: { ...oneOf(...RETENTIONS), must: `be one of ${RETENTIONS.join(', ')}` },
  logKeyArn: empty(kmsKey),
  vpcId: empty(pattern('be the id of a VPC', id('vpc'))),
  subnetIds: empty(pattern('be ids of subnets, separated by commas', ids('subnet'))),
  securityGroupIds: empty(pattern('be ids of security groups, separated by commas', ids('sg'))),
  eventBridge: flag,
  eventBusName: pattern('be the name or ARN of an event bus', /^[\w./:-]+$/),
  eventPattern: { ...pattern('be an event pattern in JSON', /^[{].+[}]$/), allows: isEventPattern },
  // EventBridge takes no more than 100 characters.
  eventBridgeMessageGroup: empty(
    pattern('be a message group of at most 100 characters, without spaces', /^[\w.:@/+=-]{1,100}$/),
  ),
  snsTopicArn: empty(arn('sns')),
  https: flag,
  httpsAuthorization: oneOf('IAM', 'JWT'),
  userPoolArn: empty(arn('cognito-idp', 'userpool/[\\w-]+')),
  apiGatewayAccountRole: flag,
  alarmEmail: empty(pattern('be an e-mail address', /^[^@\s]+@[^@\s]+$/)),
  requestAgeAlarmSeconds: number(1, 1_209_600),
};

export type Parameters = Readonly<Record<string, string>>;

/** CloudFormation takes no more than 64 characters for `mysafe-enable-<stage>-replay-dead-letters`. */
const STAGE = pattern(
  'be letters, digits and dashes, at most 30, beginning with a letter',
  /^[A-Za-z][A-Za-z0-9-]{0,29}$/,
);

/** What no single parameter can say by itself. */
const together = (values: Parameters): string[] => {
  const value = (name: string): string => values[name] ?? '';
  const faults: string[] = [];
  const batchSize = Number(value('batchSize'));
  const window = Number(value('batchWindowSeconds'));
  // NaN where none is reserved.
  if (Number(value('reservedConcurrency')) < Number(value('maximumConcurrency'))) {
    faults.push(
      'reservedConcurrency must not be below maximumConcurrency: what the mapping hands over would be throttled',
    );
  }
  if (value('fifo') === 'true' && batchSize > 10) faults.push('batchSize must be at most 10 with fifo');
  if (value('fifo') === 'true' && value('eventBridge') === 'true' && value('eventBridgeMessageGroup') === '') {
    faults.push(
      'eventBridgeMessageGroup must be given with eventBridge and fifo: all its events share that one group, so a request that waits holds up all that come after it',
    );
  }
  if (value('fifo') === 'true' && window > 0) faults.push('batchWindowSeconds must be 0 with fifo');
  if (value('fifo') === 'false' && batchSize > 10 && window < 1)
    faults.push('batchWindowSeconds must be 1 or more where batchSize is over 10');
  if (value('https') === 'true' && value('httpsAuthorization') === 'JWT' && value('userPoolArn') === '') {
    faults.push('userPoolArn must be given where httpsAuthorization is JWT');
  }
  if (value('subnetIds') !== '' && value('securityGroupIds') === '' && value('vpcId') === '') {
    faults.push('vpcId (or securityGroupIds) must be given with subnetIds');
  }
  if (value('subnetIds') === '' && value('securityGroupIds') !== '')
    faults.push('subnetIds must be given with securityGroupIds');
  if (value('fifo') === 'true' && value('snsTopicArn') !== '' && !value('snsTopicArn').endsWith('.fifo')) {
    faults.push('snsTopicArn must be a FIFO topic with fifo: a standard topic does not deliver to FIFO queues');
  }
  return faults;
};

/** AWS Lambda Developer Guide: six times the function's time-out, plus the batching window. */
export const visibilitySeconds = (values: Parameters): number =>
  6 * Number(values['timeoutSeconds']) + Number(values['batchWindowSeconds']);

/** @returns what is wrong with each, in words */
export const checkParameters = (values: Parameters): string[] => {
  const faults = Object.entries(RULES)
    .filter(([name, { allows }]) => !allows(values[name] ?? ''))
    .map(([name, { must }]) => `${name} must ${must}`);
  return faults.length > 0 ? faults : together(values);
};

/** SQS's `SenderId` of what a role sends begins with it. */
export const REPLAY_ROLE_ID = { 'Fn::GetAtt': ['ReplayDeadLettersRole', 'RoleId'] };

/** What more than one place says of what is switched on. */
export const HTTPS_ROLE_ID = { 'Fn::GetAtt': ['HttpsRole', 'RoleId'] };
export const OUTCOMES_URL = { Ref: 'OutcomesQueue' };
export const OWN_GROUP_ID = { 'Fn::GetAtt': ['SecurityGroup', 'GroupId'] };

/** Of a secret that is given by its name. */
export const secretArnOf = (name: string) => ({
  'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${name}-??????`,
});

const split = (value = ''): string[] => value.split(',').filter(Boolean);

interface Resolvers {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly resolveVariable: (address: string) => Promise<unknown>;
}

/** A parameter that nobody knows is a misspelt one, which would silently leave the default. */
const unknown = (options: Readonly<Record<string, unknown>> = {}): string[] =>
  [options['param'] ?? []]
    .flat()
    .map((given) => String(given).split('=')[0] ?? '')
    .filter((name) => !(name in RULES))
    .map((name) => `${name} is not a parameter`);

/** What follows from the parameters; the `custom` section of serverless.yml. */
const follow = (values: Parameters) => {
  const secretId = values['secretId'] ?? '';
  return {
    visibilitySeconds: visibilitySeconds(values),
    // Secrets Manager adds a dash and six characters that nobody knows beforehand.
    secretArn: secretId.startsWith('arn:') ? secretId : secretArnOf(secretId),
    eventPattern: JSON.parse(values['eventPattern'] ?? '{}') as unknown,
    // What makes up the function stands here and not under a condition: the framework names a version by what it sees.
    fifoSuffix: values['fifo'] === 'true' ? '.fifo' : '',
    queueKind: values['fifo'] === 'true' ? 'FIFO' : 'standard',
    topicRegion: values['snsTopicArn']?.split(':')[3] ?? '',
    topicSuffix: values['snsTopicArn']?.split('.')[1] ?? '',
    renewalSenders:
      values['renewalSenders'] === ''
        ? REPLAY_ROLE_ID
        : { 'Fn::Join': [',', [REPLAY_ROLE_ID, values['renewalSenders']]] },
    callerSenders: values['https'] === 'true' ? HTTPS_ROLE_ID : '',
    outcomeQueueUrl: values['outcomes'] === 'true' ? OUTCOMES_URL : '',
    subnetIds: split(values['subnetIds']),
    securityGroupIds:
      values['subnetIds'] !== '' && values['securityGroupIds'] === ''
        ? [OWN_GROUP_ID]
        : split(values['securityGroupIds']),
    userPoolId: values['userPoolArn']?.split('/')[1] ?? '',
    // Numbers for CloudFormation, which parameters never are.
    batchSize: Number(values['batchSize']),
    batchWindowSeconds: Number(values['batchWindowSeconds']),
    maximumConcurrency: Number(values['maximumConcurrency']),
    reservedConcurrency:
      values['reservedConcurrency'] === 'none' ? { Ref: 'AWS::NoValue' } : Number(values['reservedConcurrency']),
    requestAgeAlarmSeconds: Number(values['requestAgeAlarmSeconds']),
    timeoutSeconds: Number(values['timeoutSeconds']),
    memorySize: Number(values['memorySize']),
    logRetentionDays: Number(values['logRetentionDays']),
  };
};

export const DEFAULTS: Parameters = parse(readFileSync(join(import.meta.dirname, 'parameters.yml'), 'utf8'));

/**
 * The `custom` section of serverless.yml. What is wrong stands in `faults`, for the plugin to say: an error thrown here the
 * framework would print inside three others.
 */
export const derive = async ({ options, resolveVariable }: Resolvers) => {
  const values: Record<string, string> = {};
  for (const name of Object.keys(RULES)) values[name] = String((await resolveVariable(`param:${name}`)) ?? '');
  if (isOpen(values)) return leaveOpen();
  const faults = [...unknown(options), ...checkParameters(values)];
  if (!STAGE.allows(String(await resolveVariable('sls:stage')))) faults.unshift(`stage must ${STAGE.must}`);
  // With wrong values the framework would find faults of its own, in other words.
  return faults.length > 0 ? { ...follow(DEFAULTS), faults } : follow(values);
};

const isOpen = (values: Parameters): boolean =>
  Object.entries(values).every(([name, value]) => value === placeholder(name));

/** The framework takes nothing but numbers here: each stands for a parameter, and is used for nothing else. */
export const OPEN_NUMBERS = { timeoutSeconds: 877, memorySize: 8777, logRetentionDays: 2922 } as const;

/** What is derived may have the name of its parameter. */
const derived = (name: string): string => placeholder(`custom.${name}`);

const leaveOpen = () => {
  const names = Object.keys(follow({}));
  return {
    ...Object.fromEntries(names.map((name) => [name, derived(name)])),
    subnetIds: [derived('subnetIds')],
    securityGroupIds: [derived('securityGroupIds')],
    reservedConcurrency: { Ref: derived('reservedConcurrency') },
    ...OPEN_NUMBERS,
  };
};
