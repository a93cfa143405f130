/**
 * One call of an AWS JSON API (SQS, Secrets Manager): signed, tried again where AWS says that it may be, and ended in
 * time. A tenth of the AWS SDK's weight, for the function that is paid by the millisecond; the command line uses the SDK.
 */
import type { Answer, Send } from '../http/send.ts';
import type { Credentials } from './environment-credentials.ts';
import { sign } from './sign.ts';

export type Json = Readonly<Record<string, unknown>>;

export type AwsResult =
  | { readonly kind: 'ok'; readonly output: Json }
  /** `code` is AWS's error type, or Node's error code where no answer came. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface AwsApi {
  readonly service: 'sqs' | 'secretsmanager';
  /** `X-Amz-Target` before the dot. */
  readonly target: 'AmazonSQS' | 'secretsmanager';
  readonly contentType: 'application/x-amz-json-1.0' | 'application/x-amz-json-1.1';
}

export const SQS: AwsApi = { service: 'sqs', target: 'AmazonSQS', contentType: 'application/x-amz-json-1.0' };
export const SECRETS_MANAGER: AwsApi = {
  service: 'secretsmanager',
  target: 'secretsmanager',
  contentType: 'application/x-amz-json-1.1',
};

/** `timeoutMs` limits all attempts together. */
export type CallAws = (
  api: AwsApi,
  endpoint: URL,
  region: string,
  action: string,
  input: Json,
  timeoutMs: number,
) => Promise<AwsResult>;

export interface CallAwsParts {
  readonly send: Send;
  readonly credentials: () => Credentials;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

const MAX_ATTEMPTS = 3;
/** Both services answer within a fraction of this; a call that hangs longer is better tried again. */
const ATTEMPT_LIMIT_MS = 5000;
const FIRST_WAIT_MS = 100;

/** Wait after `attempt` attempts (from 1) on AWS: doubles each time, half of it by chance. */
export const retryWaitMs = (attempt: number, random: number, firstWaitMs = FIRST_WAIT_MS): number =>
  firstWaitMs * 2 ** (attempt - 1) * (0.5 + random / 2);

const readJson = (body: string): Json => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    return {}; // a proxy's error page; the status says enough
  }
};

/** AWS: `__type` is `namespace#Code` or `Code:uri`, the header likewise. */
const errorCode = (status: number, header: unknown, json: Json): string => {
  const type = typeof header === 'string' ? header : json['__type'];
  return typeof type === 'string' ? (type.split(':')[0]?.split('#').at(-1) ?? type) : `HTTP${status}`;
};

/** AWS SDKs' own list, in one expression: throttling in all its spellings. */
export const isThrottling = (code: string): boolean =>
  /Throttl|TooManyRequests|LimitExceeded|^SlowDown$|^HTTP429$/i.test(code);

interface Attempt {
  readonly result: AwsResult;
  readonly again: boolean;
}

const read = (answer: Answer): Attempt => {
  if (answer.kind === 'unanswered') {
    const { code, failure } = answer;
    return { result: { kind: 'failed', code, message: `no answer: ${failure}` }, again: failure !== 'tls' };
  }
  const { status, body, headers } = answer;
  const json = readJson(body);
  if (status === 200) return { result: { kind: 'ok', output: json }, again: false };
  const code = errorCode(status, headers['x-amzn-errortype'], json);
  const said = json['message'] ?? json['Message'];
  // The first line only: AWS repeats a request whose signature is wrong on the next ones, session token and all.
  const message = typeof said === 'string' ? (said.split('\n', 1)[0] ?? '') : `HTTP status ${status}`;
  return {
    result: { kind: 'failed', code, message },
    again: status >= 500 || status === 429 || isThrottling(code),
  };
};

export const createCallAws =
  ({ send, credentials, now, random, sleep }: CallAwsParts): CallAws =>
  async (api, endpoint, region, action, input, timeoutMs) => {
    // After the invocation's answer nothing may be carried out that the answer does not tell of.
    if (timeoutMs <= 0) return { kind: 'failed', code: 'ETIMEDOUT', message: 'no time left' };
    let signer: Credentials;
    try {
      signer = credentials();
    } catch (error) {
      return { kind: 'failed', code: 'CredentialsMissing', message: (error as Error).message };
    }
    const endsAt = now() + timeoutMs;
    const body = JSON.stringify(input);
    const headers = { 'content-type': api.contentType, 'x-amz-target': `${api.target}.${action}` };
    for (let attempt = 1; ; attempt++) {
      const signing = { credentials: signer, region, service: api.service, now: new Date(now()) };
      const limit = Math.min(ATTEMPT_LIMIT_MS, endsAt - now());
      const answer = await send({
        url: endpoint,
        headers: sign(endpoint, headers, body, signing),
        body,
        timeoutMs: limit,
      });
      const { result, again } = read(answer);
      const wait = retryWaitMs(attempt, random());
      if (!again || attempt === MAX_ATTEMPTS || now() + wait >= endsAt) return result;
      await sleep(wait);
    }
  };

/** The AWS SDK's own variables that choose an endpoint. */
export interface EndpointSettings {
  readonly AWS_ENDPOINT_URL?: string | undefined;
  readonly AWS_ENDPOINT_URL_SQS?: string | undefined;
  readonly AWS_ENDPOINT_URL_SECRETS_MANAGER?: string | undefined;
  readonly AWS_USE_FIPS_ENDPOINT?: string | undefined;
  readonly AWS_USE_DUALSTACK_ENDPOINT?: string | undefined;
}

/** AWS partitions by the region's prefix (AWS SDK, `partitions.json`). */
const DNS_SUFFIXES: readonly (readonly [prefix: string, suffix: string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['us-iso-', 'c2s.ic.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
  ['us-isof-', 'csp.hci.ic.gov'],
  ['eusc-', 'amazonaws.eu'],
];

const isTrue = (value: string | undefined): boolean => value?.toLowerCase() === 'true';

export const secretsManagerEndpoint = (region: string, settings: EndpointSettings): URL => {
  const given = settings.AWS_ENDPOINT_URL_SECRETS_MANAGER || settings.AWS_ENDPOINT_URL;
  if (given) return new URL(given);
  const suffix = isTrue(settings.AWS_USE_DUALSTACK_ENDPOINT)
    ? 'api.aws'
    : (DNS_SUFFIXES.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'amazonaws.com');
  return new URL(`https://secretsmanager${isTrue(settings.AWS_USE_FIPS_ENDPOINT) ? '-fips' : ''}.${region}.${suffix}`);
};

/** A queue's URL names its endpoint; a variable that the user set goes first (a VPC endpoint, a local server). */
export const sqsEndpoint = (queueUrl: string, settings: EndpointSettings): URL =>
  new URL(settings.AWS_ENDPOINT_URL_SQS || settings.AWS_ENDPOINT_URL || new URL(queueUrl).origin);
