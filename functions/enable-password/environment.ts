/** The environment of enable-password: variables in, typed settings out, or one error that names every bad one. */
import type { AwsSettings } from '../aws/clients.ts';
import { isHttpUrl, isSameQueue, QUEUE_URL_EXAMPLE, regionOfQueue } from '../aws/queue-url.ts';

export interface Environment {
  readonly secretId: string;
  readonly sourceQueueUrl: string;
  readonly rejectedQueueUrl: string;
  readonly outcomeQueueUrl?: string;
  readonly seguraTimeoutMs: number;
  readonly seguraConcurrency: number;
  /** 0 turns the age limit off. */
  readonly maxRequestAgeSeconds: number;
  /** IAM ids whose messages may carry `RenewedAt`, and `Caller` (see requests/provenance.ts). */
  readonly renewalSenders: readonly string[];
  readonly callerSenders: readonly string[];
  readonly aws: AwsSettings;
  readonly serviceName: string;
  readonly logLevel: string;
  readonly metricsNamespace: string;
}

/** What holds where a variable is not set; README and template are compared with it by a test. */
export const DEFAULTS = {
  SEGURA_TIMEOUT_MS: 30_000,
  SEGURA_CONCURRENCY: 10,
  MAX_REQUEST_AGE_SECONDS: 345_600,
  POWERTOOLS_SERVICE_NAME: 'mysafe-enable',
  POWERTOOLS_LOG_LEVEL: 'INFO',
  POWERTOOLS_METRICS_NAMESPACE: 'mysafe-enable',
} as const;

/** Variables are missing or malformed; the message names each and says what it must be. */
export class EnvironmentError extends Error {
  readonly code = 'ENVIRONMENT_MALFORMED';
  constructor(faults: readonly string[]) {
    super(`The environment is not complete: ${faults.join('; ')}`);
    this.name = 'EnvironmentError';
  }
}

type Variables = Readonly<Record<string, string | undefined>>;

const ENDPOINT_VARIABLES = ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL_SECRETS_MANAGER'] as const;

/** Reads single variables and gathers what is wrong with them in `faults`. */
export const createReader = (variables: Variables, faults: string[]) => {
  // A template often sets a variable to nothing: as good as not set.
  const text = (name: string): string | undefined => variables[name]?.trim() || undefined;

  const required = (name: string, what: string): string => {
    const value = text(name);
    if (value === undefined) faults.push(`${name} is missing: set it to ${what}`);
    return value ?? '';
  };

  /** `''` for what is no queue URL, so that nothing more is said of it. */
  const queueUrl = (name: string, value: string): string => {
    if (value === '' || isHttpUrl(value)) return value;
    faults.push(`${name} is no queue URL such as ${QUEUE_URL_EXAMPLE}`);
    return '';
  };

  return {
    text,
    required,
    fault: (what: string): void => void faults.push(what),
    url: (name: string): string | undefined => {
      const value = text(name);
      if (value === undefined || isHttpUrl(value)) return value;
      faults.push(`${name} is no URL such as http://127.0.0.1:4566`);
      return undefined;
    },
    /** As the AWS SDK reads it. */
    flag: (name: string): boolean => {
      const value = text(name)?.toLowerCase() ?? 'false';
      if (value !== 'true' && value !== 'false') faults.push(`${name} must be true or false`);
      return value === 'true';
    },
    optionalQueueUrl: (name: string): string => queueUrl(name, text(name) ?? ''),
    requiredQueueUrl: (name: string, queue: string): string =>
      queueUrl(name, required(name, `the URL of the ${queue} queue`)),
    /** Of two queues that must be different ones. */
    isSame: (a: string, b: string): boolean => a !== '' && b !== '' && isSameQueue(a, b),
    /** IAM ids with commas between; a template may leave one of them empty. */
    senderIds: (name: string): readonly string[] => {
      const ids = (text(name) ?? '').split(',').flatMap((id) => id.trim() || []);
      if (!ids.every((id) => /^\w{1,128}$/.test(id))) {
        faults.push(
          `${name} must be IAM ids with commas between, such as AROAEXAMPLEEXAMPLE123: of a user AIDA…, of a role AROA… without session, no ARN`,
        );
      }
      return ids;
    },
    integer: (name: keyof typeof DEFAULTS, fallback: number, least: number, most: number): number => {
      const value = text(name);
      if (value === undefined) return fallback;
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (number >= least && number <= most) return number;
      faults.push(`${name} must be a whole number from ${least} to ${most}`);
      return fallback;
    },
  };
};

/**
 * The AWS SDK's own variables, read once for both functions. A queue's URL names the region where Lambda does not.
 */
export const readAwsSettings = (
  { text, url, flag, fault }: ReturnType<typeof createReader>,
  queueUrl: string,
): AwsSettings => {
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

/** @throws EnvironmentError that lists all faults together. */
export const readEnvironment = (variables: Variables): Environment => {
  const faults: string[] = [];
  const reader = createReader(variables, faults);
  const { text, required, optionalQueueUrl, requiredQueueUrl, isSame, integer, senderIds } = reader;
  const secretId = required('SEGURA_SECRET_ID', 'the name or ARN of the secret');
  const sourceQueueUrl = requiredQueueUrl('SOURCE_QUEUE_URL', 'requests');
  const rejectedQueueUrl = requiredQueueUrl('REJECTED_QUEUE_URL', 'rejected');
  if (isSame(rejectedQueueUrl, sourceQueueUrl)) {
    faults.push('REJECTED_QUEUE_URL must not be SOURCE_QUEUE_URL: a dead letter would be consumed again');
  }
  const outcomeQueueUrl = optionalQueueUrl('OUTCOME_QUEUE_URL');
  if (isSame(outcomeQueueUrl, sourceQueueUrl) || isSame(outcomeQueueUrl, rejectedQueueUrl)) {
    faults.push('OUTCOME_QUEUE_URL must be a queue of its own');
  }
  const seguraTimeoutMs = integer('SEGURA_TIMEOUT_MS', DEFAULTS.SEGURA_TIMEOUT_MS, 1, 900_000);
  const seguraConcurrency = integer('SEGURA_CONCURRENCY', DEFAULTS.SEGURA_CONCURRENCY, 1, 10_000);
  const maxRequestAgeSeconds = integer(
    'MAX_REQUEST_AGE_SECONDS',
    DEFAULTS.MAX_REQUEST_AGE_SECONDS,
    0,
    Number.MAX_SAFE_INTEGER,
  );
  const renewalSenders = senderIds('RENEWAL_SENDERS');
  const callerSenders = senderIds('CALLER_SENDERS');
  const aws = readAwsSettings(reader, sourceQueueUrl);
  if (faults.length > 0) throw new EnvironmentError(faults);

  return {
    secretId,
    sourceQueueUrl,
    rejectedQueueUrl,
    ...(outcomeQueueUrl === '' ? {} : { outcomeQueueUrl }),
    seguraTimeoutMs,
    seguraConcurrency,
    maxRequestAgeSeconds,
    renewalSenders,
    callerSenders,
    aws,
    serviceName: text('POWERTOOLS_SERVICE_NAME') ?? DEFAULTS.POWERTOOLS_SERVICE_NAME,
    logLevel: text('POWERTOOLS_LOG_LEVEL') ?? DEFAULTS.POWERTOOLS_LOG_LEVEL,
    metricsNamespace: text('POWERTOOLS_METRICS_NAMESPACE') ?? DEFAULTS.POWERTOOLS_METRICS_NAMESPACE,
  };
};
