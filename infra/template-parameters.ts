/**
 * What the one template for every tool asks for, and what follows from it. CloudFormation cannot calculate, and its Rules
 * compare strings alone: where osls computes, there are lists of allowed values here, with a mapping.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import {
  HTTPS_ROLE_ID,
  OUTCOMES_URL,
  OWN_GROUP_ID,
  type Parameters,
  REPLAY_ROLE_ID,
  RULES,
  secretArnOf,
  visibilitySeconds,
} from './parameters.ts';

const root = join(import.meta.dirname, '..');

/** `secretId` is `SecretId` in the template, where parameters are named so. */
export const logicalName = (name: string): string =>
  // A resource has the name already.
  name === 'alarmEmail' ? 'AlarmAddress' : `${name[0]?.toUpperCase()}${name.slice(1)}`;
const ref = (name: string) => ({ Ref: logicalName(name) });

/** Fewer values than osls takes. */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  logRetentionDays: ['7', '14', '30', '90', '180', '365', '731', '1827', '3653'],
  timeoutSeconds: ['30', '60', '120', '300', '900'],
  batchSize: ['1', '5', '10', '100', '1000', '10000'],
  batchWindowSeconds: ['0', '1', '5', '60', '300'],
  maximumConcurrency: ['2', '5', '10'],
  reservedConcurrency: ['none', '5', '10', '25'],
};

/**
 * A version's description has to hold whatever the function is made of (see open-template.ts), and may have 256 characters. So
 * names and lists are shorter here than in osls.
 */
const SHORTER: Readonly<Record<string, string>> = {
  secretId:
    '^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\\d{12}:secret:[\\w/+=.@-]{1,48}-[A-Za-z0-9]{6}|[\\w/+=.@-]{1,55})$',
  subnetIds: '^$|^subnet-[0-9a-f]{8,17}(,subnet-[0-9a-f]{8,17}){0,2}$',
  securityGroupIds: '^$|^sg-[0-9a-f]{8,17}(,sg-[0-9a-f]{8,17})?$',
  snsTopicArn: '^$|^arn:aws.*:sns:.+$',
  userPoolArn: '^$|^arn:aws.*:userpool/.+$',
  renewalSenders: '^$|^A[A-Z0-9]{15,20}(,A[A-Z0-9]{15,20})?$',
};

/** Where the pattern, which CloudFormation shows, does not say it by itself. */
const SAID = ['secretId', 'renewalSenders'];

/** Keys of the mapping, which are strings, and some emulators look a number up as a number. */
const KEYS = ['timeoutSeconds', 'batchWindowSeconds'];

const shapeOf = (name: string): Readonly<Record<string, unknown>> => {
  const { parameter } = RULES[name] ?? {};
  const values = LISTS[name];
  if (values && !KEYS.includes(name) && values.every((value) => /^\d+$/.test(value))) {
    return { Type: 'Number', AllowedValues: values.map(Number) };
  }
  if (values) return { Type: 'String', AllowedValues: values };
  const shorter = SHORTER[name];
  return shorter === undefined ? { ...parameter } : { Type: 'String', AllowedPattern: shorter };
};

export const templateParameters = () => {
  const defaults: Parameters = parse(readFileSync(join(root, 'infra/parameters.yml'), 'utf8'));
  return {
    CodeBucket: { Type: 'String', Description: 'S3 bucket of both zips' },
    CodePrefix: {
      Type: 'String',
      Default: '',
      Description: 'what stands before their names, such as mysafe-enable/',
    },
    ...Object.fromEntries(
      Object.keys(RULES).map((name) => {
        const shape = shapeOf(name);
        const says = SAID.includes(name) ? { ConstraintDescription: `must ${RULES[name]?.must}` } : {};
        const Default = shape['Type'] === 'Number' ? Number(defaults[name]) : defaults[name];
        return [logicalName(name), { ...shape, Default, ...says }];
      }),
    ),
  };
};

const padded = (name: string, separator: string, times: number) => ({
  'Fn::Split': [separator, { 'Fn::Sub': `\${${logicalName(name)}}${separator.repeat(times)}` }],
});
const select = (index: number, list: unknown) => ({ 'Fn::Select': [index, list] });
const when = (condition: string, then: unknown, otherwise: unknown) => ({ 'Fn::If': [condition, then, otherwise] });

/** What parameters.ts computes, in CloudFormation's words; a parameter that is not here stands for itself. */
const EXPRESSIONS: Readonly<Record<string, unknown>> = {
  visibilitySeconds: { 'Fn::FindInMap': ['Visibility', ref('timeoutSeconds'), ref('batchWindowSeconds')] },
  secretArn: when('SecretIsArn', ref('secretId'), secretArnOf('${SecretId}')),
  fifoSuffix: when('IsFifo', '.fifo', ''),
  queueKind: when('IsFifo', 'FIFO', 'standard'),
  topicRegion: select(3, padded('snsTopicArn', ':', 4)),
  topicSuffix: select(1, padded('snsTopicArn', '.', 1)),
  renewalSenders: when('HasSenders', { 'Fn::Join': [',', [REPLAY_ROLE_ID, ref('renewalSenders')]] }, REPLAY_ROLE_ID),
  callerSenders: when('HasHttps', HTTPS_ROLE_ID, ''),
  outcomeQueueUrl: when('HasOutcomes', OUTCOMES_URL, ''),
  subnetIds: when('InVpc', { 'Fn::Split': [',', ref('subnetIds')] }, []),
  securityGroupIds: when(
    'HasGroups',
    { 'Fn::Split': [',', ref('securityGroupIds')] },
    when('InVpc', [OWN_GROUP_ID], []),
  ),
  userPoolId: select(1, padded('userPoolArn', '/', 1)),
  reservedConcurrency: when('Reserves', ref('reservedConcurrency'), { Ref: 'AWS::NoValue' }),
};
export const expressionOf = (name: string): unknown => {
  const [, derived] = /^custom\.(.+)$/.exec(name) ?? [];
  return derived === undefined ? ref(name) : (EXPRESSIONS[derived] ?? ref(derived));
};

/** The conditions that those expressions ask for, beside conditions.yml. */
export const MORE_CONDITIONS = {
  SecretIsArn: { 'Fn::Equals': [select(0, { 'Fn::Split': [':', ref('secretId')] }), 'arn'] },
  HasSenders: { 'Fn::Not': [{ 'Fn::Equals': [ref('renewalSenders'), ''] }] },
  Reserves: { 'Fn::Not': [{ 'Fn::Equals': [ref('reservedConcurrency'), 'none'] }] },
};

export const templateMappings = () => ({
  Visibility: Object.fromEntries(
    (LISTS['timeoutSeconds'] ?? []).map((timeoutSeconds) => [
      timeoutSeconds,
      Object.fromEntries(
        (LISTS['batchWindowSeconds'] ?? []).map((batchWindowSeconds) => [
          batchWindowSeconds,
          String(visibilitySeconds({ timeoutSeconds, batchWindowSeconds })),
        ]),
      ),
    ]),
  ),
});

const equals = (name: string, value: string) => ({ 'Fn::Equals': [ref(name), value] });
const given = (name: string) => ({ 'Fn::Not': [equals(name, '')] });
const both = (...conditions: readonly unknown[]) => ({ 'Fn::And': conditions });
const among = (name: string, values: readonly string[]) => ({ 'Fn::Contains': [values, ref(name)] });
const rule = (when: unknown, assert: unknown, says: string) => ({
  RuleCondition: when,
  Assertions: [{ Assert: assert, AssertDescription: says }],
});
const small = (LISTS['batchSize'] ?? []).filter((size) => Number(size) <= 10);

/** What no single parameter can say by itself, as far as Rules can; the rest AWS refuses when it is made. */
export const templateRules = () => ({
  FifoBatches: rule(
    equals('fifo', 'true'),
    both(among('batchSize', small), equals('batchWindowSeconds', '0')),
    'With Fifo, BatchSize is at most 10 and BatchWindowSeconds 0',
  ),
  FifoGroup: rule(
    both(equals('fifo', 'true'), equals('eventBridge', 'true')),
    given('eventBridgeMessageGroup'),
    'EventBridgeMessageGroup must be given with EventBridge and Fifo',
  ),
  BatchWindow: rule(
    { 'Fn::Not': [among('batchSize', small)] },
    { 'Fn::Not': [equals('batchWindowSeconds', '0')] },
    'BatchWindowSeconds must not be 0 where BatchSize is over 10',
  ),
  UserPool: rule(
    both(equals('https', 'true'), equals('httpsAuthorization', 'JWT')),
    given('userPoolArn'),
    'UserPoolArn must be given where HttpsAuthorization is JWT',
  ),
  Vpc: rule(
    both(given('subnetIds'), equals('securityGroupIds', '')),
    given('vpcId'),
    'VpcId (or SecurityGroupIds) must be given with SubnetIds',
  ),
  Subnets: rule(given('securityGroupIds'), given('subnetIds'), 'SubnetIds must be given with SecurityGroupIds'),
  ...Object.fromEntries(
    (LISTS['maximumConcurrency'] ?? []).flatMap((most) => {
      const tooFew = (LISTS['reservedConcurrency'] ?? []).filter((each) => Number(each) < Number(most));
      if (tooFew.length === 0) return [];
      const enough = { 'Fn::Not': [among('reservedConcurrency', tooFew)] };
      return [
        [
          `Reserved${most}`,
          rule(equals('maximumConcurrency', most), enough, 'ReservedConcurrency is below MaximumConcurrency'),
        ],
      ];
    }),
  ),
});
