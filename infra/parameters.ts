/**
 * What each deployment parameter may be, and what follows from them. A wrong value fails at package time with a message
 * that names it. Defaults: parameters.yml. Read by serverless.yml through derived.cjs.
 */

interface Rule {
  /** In words, for the message. */
  readonly must: string;
  readonly allows: (value: string) => boolean;
}

const number = (least: number, most: number): Rule => ({
  must: `be a whole number from ${least} to ${most}`,
  allows: (value) => /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most,
});
const oneOf = (...values: readonly string[]): Rule => ({
  must: `be ${values.join(' or ')}`,
  allows: (value) => values.includes(value),
});
const flag = oneOf('true', 'false');
const empty = (rule: Rule): Rule => ({
  must: `${rule.must}, or be left out`,
  allows: (value) => value === '' || rule.allows(value),
});
const pattern = (must: string, expression: RegExp): Rule => ({ must, allows: (value) => expression.test(value) });
const arn = (service: string, resource = '.+'): Rule =>
  pattern(`be an ARN of ${service}`, new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]+:\\d{12}:${resource}$`));

const isEventPattern = (value: string): boolean => {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) && Object.keys(parsed).length > 0;
  } catch {
    return false; // said in the rule's own words
  }
};

/** CloudWatch Logs takes these and no other numbers of days. */
const RETENTIONS = [
  '1',
  '3',
  '5',
  '7',
  '14',
  '30',
  '60',
  '90',
  '120',
  '150',
  '180',
  '365',
  '400',
  '545',
  '731',
  '1096',
  '1827',
  '2192',
  '2557',
  '2922',
  '3288',
  '3653',
];

export const RULES: Readonly<Record<string, Rule>> = {
  secretId: pattern(
    'be the name or ARN of the secret: --param="secretId=mysafe/segura"',
    /^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+|[\w/+=.@-]+)$/,
  ),
  secretKeyArn: empty(arn('kms')),
  fifo: flag,
  outcomes: flag,
  customerKey: flag,
  timeoutSeconds: number(10, 900),
  memorySize: number(128, 10_240),
  batchSize: number(1, 10_000),
  batchWindowSeconds: number(0, 300),
  maximumConcurrency: number(2, 1000),
  reservedConcurrency: number(2, 1000),
  seguraTimeoutMs: number(1, 900_000),
  seguraConcurrency: number(1, 10_000),
  maxRequestAgeSeconds: number(0, Number.MAX_SAFE_INTEGER),
  logLevel: oneOf('DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL', 'SILENT'),
  logRetentionDays: { must: `be one of ${RETENTIONS.join(', ')}`, allows: (value) => RETENTIONS.includes(value) },
  logKeyArn: empty(arn('kms')),
  vpcId: empty(pattern('be the id of a VPC', /^vpc-[0-9a-f]+$/)),
  subnetIds: empty(pattern('be ids of subnets, separated by commas', /^subnet-[0-9a-f]+(,subnet-[0-9a-f]+)*$/)),
  securityGroupIds: empty(pattern('be ids of security groups, separated by commas', /^sg-[0-9a-f]+(,sg-[0-9a-f]+)*$/)),
  eventBridge: flag,
  eventBusName: pattern('be the name or ARN of an event bus', /^[\w./:-]+$/),
  eventPattern: { must: 'be an event pattern in JSON', allows: isEventPattern },
  snsTopicArn: empty(arn('sns')),
  https: flag,
  httpsAuthorization: oneOf('IAM', 'JWT'),
  userPoolArn: empty(arn('cognito-idp', 'userpool/[\\w-]+')),
  alarmEmail: empty(pattern('be an e-mail address', /^[^@\s]+@[^@\s]+$/)),
  requestAgeAlarmSeconds: number(1, Number.MAX_SAFE_INTEGER),
};

export type Parameters = Readonly<Record<string, string>>;

/** What no single parameter can say by itself. */
const together = (values: Parameters): string[] => {
  const value = (name: string): string => values[name] ?? '';
  const faults: string[] = [];
  const batchSize = Number(value('batchSize'));
  const window = Number(value('batchWindowSeconds'));
  if (Number(value('reservedConcurrency')) < Number(value('maximumConcurrency'))) {
    faults.push(
      'reservedConcurrency must not be below maximumConcurrency: what the mapping hands over would be throttled',
    );
  }
  if (value('fifo') === 'true' && batchSize > 10) faults.push('batchSize must be at most 10 with fifo');
  if (value('fifo') === 'true' && window > 0) faults.push('batchWindowSeconds must be 0 with fifo');
  if (batchSize > 10 && window < 1) faults.push('batchWindowSeconds must be 1 or more where batchSize is over 10');
  if (value('https') === 'true' && value('httpsAuthorization') === 'JWT' && value('userPoolArn') === '') {
    faults.push('userPoolArn must be given where httpsAuthorization is JWT');
  }
  if (value('subnetIds') !== '' && value('securityGroupIds') === '' && value('vpcId') === '') {
    faults.push('vpcId (or securityGroupIds) must be given with subnetIds');
  }
  if (value('subnetIds') === '' && value('securityGroupIds') !== '')
    faults.push('subnetIds must be given with securityGroupIds');
  if (visibilitySeconds(values) > 43_200)
    faults.push('timeoutSeconds is too long: six times it is over SQS’s 12 hours');
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

const split = (value = ''): string[] => value.split(',').filter(Boolean);

interface Resolvers {
  readonly resolveVariable: (address: string) => Promise<unknown>;
}

/** The `custom` section of serverless.yml. @throws Error that lists all faults together. */
export const derive = async ({ resolveVariable }: Resolvers) => {
  const values: Record<string, string> = {};
  for (const name of Object.keys(RULES)) values[name] = String((await resolveVariable(`param:${name}`)) ?? '');
  const faults = checkParameters(values);
  if (faults.length > 0) throw new Error(`Parameters: ${faults.join('; ')} (docs/platform-engineer.md has them all)`);
  const secretId = values['secretId'] ?? '';
  return {
    visibilitySeconds: visibilitySeconds(values),
    // Secrets Manager adds a dash and six characters that nobody knows beforehand.
    secretArn: secretId.startsWith('arn:')
      ? secretId
      : {
          'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${secretId}-??????`,
        },
    eventPattern: JSON.parse(values['eventPattern'] ?? '{}') as unknown,
    // What makes up the function stands here and not under a condition: the framework names a version by what it sees.
    queueKind: values['fifo'] === 'true' ? 'FIFO' : 'standard',
    outcomeQueueUrl: values['outcomes'] === 'true' ? { Ref: 'OutcomesQueue' } : '',
    subnetIds: split(values['subnetIds']),
    securityGroupIds:
      values['subnetIds'] !== '' && values['securityGroupIds'] === ''
        ? [{ 'Fn::GetAtt': ['SecurityGroup', 'GroupId'] }]
        : split(values['securityGroupIds']),
    userPoolId: values['userPoolArn']?.split('/')[1] ?? '',
    // Numbers for CloudFormation, which parameters never are.
    batchSize: Number(values['batchSize']),
    batchWindowSeconds: Number(values['batchWindowSeconds']),
    maximumConcurrency: Number(values['maximumConcurrency']),
    reservedConcurrency: Number(values['reservedConcurrency']),
    requestAgeAlarmSeconds: Number(values['requestAgeAlarmSeconds']),
    timeoutSeconds: Number(values['timeoutSeconds']),
    memorySize: Number(values['memorySize']),
    logRetentionDays: Number(values['logRetentionDays']),
  };
};
