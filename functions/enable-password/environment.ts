/** The environment of enable-password: variables in, typed settings out, or one error that names every bad one. */
import { type AwsSettings, createQueueReader, readAwsSettings } from '../aws/settings.ts';
import type { ProxySettings } from '../http/proxy.ts';
import { createReader, DEFAULTS, EnvironmentError, type Variables } from '../settings/variables.ts';

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
  readonly proxy?: ProxySettings | undefined;
  readonly serviceName: string;
  readonly logLevel: string;
  readonly metricsNamespace: string;
}

/** Lambda has 1,024 descriptors, and each call under way is a socket; what is left is for AWS and for files. */
const MAX_CONCURRENCY = 500;

/** @throws EnvironmentError that lists all faults together. */
export const readEnvironment = (variables: Variables): Environment => {
  const faults: string[] = [];
  const reader = createReader(variables, faults);
  const { text, required, integer, senderIds } = reader;
  const { optionalQueueUrl, requiredQueueUrl, isSame } = createQueueReader(reader);
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
  const seguraTimeoutMs = integer('SEGURA_TIMEOUT_MS', 1, 900_000);
  const seguraConcurrency = integer('SEGURA_CONCURRENCY', 1, MAX_CONCURRENCY);
  const maxRequestAgeSeconds = integer('MAX_REQUEST_AGE_SECONDS', 0, Number.MAX_SAFE_INTEGER);
  const renewalSenders = senderIds('RENEWAL_SENDERS');
  const callerSenders = senderIds('CALLER_SENDERS');
  const aws = readAwsSettings(reader, sourceQueueUrl);
  const proxy = reader.proxy();
  const telemetry = reader.telemetry();
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
    proxy,
    ...telemetry,
    metricsNamespace: text('POWERTOOLS_METRICS_NAMESPACE') ?? DEFAULTS.POWERTOOLS_METRICS_NAMESPACE,
  };
};
