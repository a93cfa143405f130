/** Region and endpoints of AWS, from the AWS SDK's own variables, and the URLs of queues: read once and for both functions. */
import { isHttpUrl } from '../http/url.ts';
import type { Reader } from '../settings/variables.ts';
import { isSameQueue, QUEUE_URL_EXAMPLE, regionOfQueue } from './queue-url.ts';

export interface AwsSettings {
  readonly region: string;
  readonly sqsEndpoint?: string | undefined;
  readonly secretsManagerEndpoint?: string | undefined;
  readonly useFipsEndpoint: boolean;
  readonly useDualstackEndpoint: boolean;
  /** `AWS_SDK_UA_APP_ID`: stands in the user agent. */
  readonly appId?: string | undefined;
}

const ENDPOINT_VARIABLES = ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL_SECRETS_MANAGER'] as const;

/** A queue's URL names the region where Lambda does not. */
export const readAwsSettings = ({ text, url, flag, fault }: Reader, queueUrl: string): AwsSettings => {
  const region = text('AWS_REGION') ?? text('AWS_DEFAULT_REGION') ?? regionOfQueue(queueUrl);
  if (region === undefined) {
    fault('AWS_REGION is missing: Lambda sets it; elsewhere set it to the region of the queues');
  }
  const ofAll = url('AWS_ENDPOINT_URL');
  const sqsEndpoint = url('AWS_ENDPOINT_URL_SQS') ?? ofAll;
  const secretsManagerEndpoint = url('AWS_ENDPOINT_URL_SECRETS_MANAGER') ?? ofAll;
  const useFipsEndpoint = flag('AWS_USE_FIPS_ENDPOINT');
  if (useFipsEndpoint && (sqsEndpoint ?? secretsManagerEndpoint) !== undefined) {
    const name = ENDPOINT_VARIABLES.find((each) => text(each) !== undefined);
    fault(`AWS_USE_FIPS_ENDPOINT and ${name} cannot hold together, the AWS SDK refuses both: unset one of them`);
  }
  return {
    region: region ?? '',
    sqsEndpoint,
    secretsManagerEndpoint,
    useFipsEndpoint,
    useDualstackEndpoint: flag('AWS_USE_DUALSTACK_ENDPOINT'),
    appId: text('AWS_SDK_UA_APP_ID'),
  };
};

/** Reads variables that name queues. What is not a URL of one is `''`, so that nothing more is said of it. */
export const createQueueReader = ({ text, required, fault }: Reader) => {
  const queueUrl = (name: string, value: string): string => {
    if (value === '' || isHttpUrl(value)) return value;
    fault(`${name} is not a queue URL such as ${QUEUE_URL_EXAMPLE}`);
    return '';
  };
  return {
    optionalQueueUrl: (name: string): string => queueUrl(name, text(name) ?? ''),
    requiredQueueUrl: (name: string, queue: string): string =>
      queueUrl(name, required(name, `the URL of the ${queue} queue`)),
    /** Of two queues that must be different ones. */
    isSame: (a: string, b: string): boolean => a !== '' && b !== '' && isSameQueue(a, b),
  };
};
