/** Variables in, typed settings out, or one error that names every bad one. */
import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../../functions/enable-password/environment.ts';
import { readEnvironment as readReplayEnvironment } from '../../functions/replay-dead-letters/environment.ts';
import { DEFAULTS, EnvironmentError } from '../../functions/settings/variables.ts';

const complete = {
  SEGURA_SECRET_ID: 'mysafe/segura',
  SOURCE_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/requests',
  REJECTED_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/rejected',
  AWS_REGION: 'eu-west-1',
};
type Variables = Readonly<Record<string, string | undefined>>;

const faultOf = (changes: Variables): string => {
  try {
    readEnvironment({ ...complete, ...changes });
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(EnvironmentError);
    expect(error).toMatchObject({ name: 'EnvironmentError', code: 'ENVIRONMENT_MALFORMED' });
    return (error as Error).message;
  }
};

test('what is required is enough; the defaults are those of the contract', () => {
  expect(readEnvironment(complete)).toMatchObject({
    secretId: 'mysafe/segura',
    sourceQueueUrl: complete.SOURCE_QUEUE_URL,
    rejectedQueueUrl: complete.REJECTED_QUEUE_URL,
    seguraTimeoutMs: 30_000,
    seguraConcurrency: 10,
    maxRequestAgeSeconds: 345_600,
    renewalSenders: [],
    callerSenders: [],
    aws: { region: 'eu-west-1', useFipsEndpoint: false, useDualstackEndpoint: false },
    serviceName: 'mysafe-enable',
    logLevel: 'INFO',
    metricsNamespace: 'mysafe-enable',
  });
  expect(readEnvironment(complete)).not.toHaveProperty('outcomeQueueUrl');
});

test('what is set holds', () => {
  const all = {
    OUTCOME_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/outcomes',
    SEGURA_TIMEOUT_MS: '5000',
    SEGURA_CONCURRENCY: '3',
    MAX_REQUEST_AGE_SECONDS: '0',
    RENEWAL_SENDERS: 'AROAEXAMPLE, AIDAEXAMPLE,',
    CALLER_SENDERS: ',AROAHTTPS',
    POWERTOOLS_SERVICE_NAME: 'mine',
    POWERTOOLS_LOG_LEVEL: 'WARN',
    POWERTOOLS_METRICS_NAMESPACE: 'ours',
    AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1',
    AWS_USE_DUALSTACK_ENDPOINT: 'TRUE',
  };
  expect(readEnvironment({ ...complete, ...all })).toMatchObject({
    outcomeQueueUrl: all.OUTCOME_QUEUE_URL,
    seguraTimeoutMs: 5000,
    seguraConcurrency: 3,
    maxRequestAgeSeconds: 0,
    renewalSenders: ['AROAEXAMPLE', 'AIDAEXAMPLE'],
    callerSenders: ['AROAHTTPS'],
    serviceName: 'mine',
    logLevel: 'WARN',
    metricsNamespace: 'ours',
    aws: { sqsEndpoint: 'http://127.0.0.1:1', secretsManagerEndpoint: undefined, useDualstackEndpoint: true },
  });
});

test('a variable that a template sets to nothing is as good as not set', () => {
  const nothing = Object.fromEntries(
    [...Object.keys(DEFAULTS), 'OUTCOME_QUEUE_URL', 'AWS_ENDPOINT_URL'].map((name) => [name, ' ']),
  );
  expect(readEnvironment({ ...complete, ...nothing })).toEqual(readEnvironment(complete));
});

describe('what is missing or malformed is named, with what to set it to', () => {
  test.each<readonly [Variables, RegExp]>([
    [{ SEGURA_SECRET_ID: undefined }, /SEGURA_SECRET_ID is missing: set it to the name or ARN of the secret/],
    [{ SOURCE_QUEUE_URL: '' }, /SOURCE_QUEUE_URL is missing: set it to the URL of the requests queue/],
    [{ REJECTED_QUEUE_URL: undefined }, /REJECTED_QUEUE_URL is missing/],
    [{ SOURCE_QUEUE_URL: 'requests' }, /SOURCE_QUEUE_URL is not a queue URL such as https:\/\/sqs/],
    [{ REJECTED_QUEUE_URL: 'arn:aws:sqs:eu-west-1:1:rejected' }, /REJECTED_QUEUE_URL is not a queue URL/],
    [{ OUTCOME_QUEUE_URL: 'https://' }, /OUTCOME_QUEUE_URL is not a queue URL/],
    [{ REJECTED_QUEUE_URL: complete.SOURCE_QUEUE_URL }, /REJECTED_QUEUE_URL must not be SOURCE_QUEUE_URL/],
    [{ OUTCOME_QUEUE_URL: complete.SOURCE_QUEUE_URL }, /OUTCOME_QUEUE_URL must be a queue of its own/],
    [{ OUTCOME_QUEUE_URL: complete.REJECTED_QUEUE_URL }, /OUTCOME_QUEUE_URL must be a queue of its own/],
    [{ SEGURA_TIMEOUT_MS: 'soon' }, /SEGURA_TIMEOUT_MS must be a whole number from 1 to 900000/],
    [{ SEGURA_TIMEOUT_MS: '0' }, /SEGURA_TIMEOUT_MS/],
    [{ SEGURA_TIMEOUT_MS: '1e4' }, /SEGURA_TIMEOUT_MS/],
    [{ SEGURA_TIMEOUT_MS: '30s' }, /SEGURA_TIMEOUT_MS/],
    [{ SEGURA_CONCURRENCY: '0' }, /SEGURA_CONCURRENCY must be a whole number from 1/],
    [{ SEGURA_CONCURRENCY: '501' }, /SEGURA_CONCURRENCY must be a whole number from 1 to 500/],
    [{ HTTPS_PROXY: 'http://' }, /HTTPS_PROXY is not a URL of a proxy such as/],
    [{ https_proxy: 'socks5://user:hunter2@proxy:1080' }, /^(?!.*hunter2).*HTTPS_PROXY is not a URL of a proxy/],
    [{ SEGURA_CONCURRENCY: '-1' }, /SEGURA_CONCURRENCY/],
    [{ SEGURA_CONCURRENCY: '1.5' }, /SEGURA_CONCURRENCY/],
    [{ MAX_REQUEST_AGE_SECONDS: '-1' }, /MAX_REQUEST_AGE_SECONDS must be a whole number from 0/],
    [{ MAX_REQUEST_AGE_SECONDS: '99999999999999999999' }, /MAX_REQUEST_AGE_SECONDS/],
    [{ RENEWAL_SENDERS: 'arn:aws:iam::1:role/replay' }, /RENEWAL_SENDERS must be IAM ids.*no ARN/],
    [{ RENEWAL_SENDERS: '*' }, /RENEWAL_SENDERS/],
    [{ CALLER_SENDERS: 'AROAEXAMPLE:session' }, /CALLER_SENDERS must be IAM ids.*without session/],
    [{ AWS_ENDPOINT_URL_SQS: 'localhost:4566' }, /AWS_ENDPOINT_URL_SQS is not a URL/],
    [{ AWS_ENDPOINT_URL_SECRETS_MANAGER: 'x' }, /AWS_ENDPOINT_URL_SECRETS_MANAGER is not a URL/],
    [
      { AWS_USE_FIPS_ENDPOINT: 'true', AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1' },
      /AWS_USE_FIPS_ENDPOINT and AWS_ENDPOINT_URL_SQS cannot hold together/,
    ],
    [
      { AWS_USE_FIPS_ENDPOINT: 'true', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
      /AWS_USE_FIPS_ENDPOINT and AWS_ENDPOINT_URL cannot hold together/,
    ],
    [{ AWS_USE_DUALSTACK_ENDPOINT: 'yes' }, /AWS_USE_DUALSTACK_ENDPOINT must be true or false/],
    [{ AWS_REGION: undefined, SOURCE_QUEUE_URL: 'http://127.0.0.1:1/q' }, /AWS_REGION is missing/],
  ])('%j', (changes, said) => {
    expect(faultOf(changes)).toMatch(said);
  });

  test('all of it together, and not its value', () => {
    const said = faultOf({
      SEGURA_SECRET_ID: undefined,
      SOURCE_QUEUE_URL: 'hunter2',
      SEGURA_TIMEOUT_MS: 'hunter2',
      AWS_ENDPOINT_URL: 'hunter2',
    });
    for (const name of ['SEGURA_SECRET_ID', 'SOURCE_QUEUE_URL', 'SEGURA_TIMEOUT_MS', 'AWS_ENDPOINT_URL']) {
      expect(said).toContain(name);
    }
    expect(said).not.toContain('hunter2');
  });
});

test.each([
  [{ AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'us-east-1' }, 'eu-west-1'],
  [{ AWS_REGION: undefined, AWS_DEFAULT_REGION: 'us-east-1' }, 'us-east-1'],
  [{ AWS_REGION: undefined }, 'eu-west-1'],
])('the region comes from %j or, at last, from the queue', (changes, region) => {
  expect(readEnvironment({ ...complete, ...changes }).aws.region).toBe(region);
});

describe('of replay-dead-letters', () => {
  const queues = {
    SOURCE_QUEUE_URL: complete.SOURCE_QUEUE_URL,
    REJECTED_QUEUE_URL: complete.REJECTED_QUEUE_URL,
    EXHAUSTED_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/exhausted',
  };

  test('the queues are enough, with the defaults of enable-password', () => {
    expect(readReplayEnvironment({ ...queues, MAX_REQUEST_AGE_SECONDS: ' ' })).toEqual({
      requestsQueueUrl: queues.SOURCE_QUEUE_URL,
      rejectedQueueUrl: queues.REJECTED_QUEUE_URL,
      exhaustedQueueUrl: queues.EXHAUSTED_QUEUE_URL,
      maxRequestAgeSeconds: 345_600,
      aws: { region: 'eu-west-1', useFipsEndpoint: false, useDualstackEndpoint: false },
      serviceName: 'mysafe-enable',
      logLevel: 'INFO',
    });
  });

  test.each<readonly [Variables, RegExp]>([
    [{ EXHAUSTED_QUEUE_URL: undefined }, /EXHAUSTED_QUEUE_URL is missing: set it to the URL of the exhausted queue/],
    [{ REJECTED_QUEUE_URL: 'arn:aws:sqs:eu-west-1:1:rejected' }, /REJECTED_QUEUE_URL is not a queue URL/],
    [{ REJECTED_QUEUE_URL: queues.SOURCE_QUEUE_URL }, /REJECTED_QUEUE_URL must not be SOURCE_QUEUE_URL/],
    [{ EXHAUSTED_QUEUE_URL: queues.SOURCE_QUEUE_URL }, /EXHAUSTED_QUEUE_URL must not be SOURCE_QUEUE_URL/],
    [{ MAX_REQUEST_AGE_SECONDS: 'soon' }, /MAX_REQUEST_AGE_SECONDS must be a whole number from 0/],
  ])('%j is refused', (changes, said) => {
    expect(() => readReplayEnvironment({ ...queues, ...changes })).toThrow(said);
  });
});
