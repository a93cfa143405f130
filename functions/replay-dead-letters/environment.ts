/** The environment of replay-dead-letters: the same variables, and the same defaults, as of enable-password. */
import { type AwsSettings, createQueueReader, readAwsSettings } from '../aws/settings.ts';
import type { ProxySettings } from '../http/proxy.ts';
import { createReader, EnvironmentError, type Variables } from '../settings/variables.ts';

export interface Environment {
  readonly requestsQueueUrl: string;
  readonly rejectedQueueUrl: string;
  readonly exhaustedQueueUrl: string;
  readonly maxRequestAgeSeconds: number;
  readonly aws: AwsSettings;
  readonly proxy?: ProxySettings | undefined;
  readonly serviceName: string;
  readonly logLevel: string;
}

/** @throws EnvironmentError that lists all faults together. */
export const readEnvironment = (variables: Variables): Environment => {
  const faults: string[] = [];
  const reader = createReader(variables, faults);
  const { integer } = reader;
  const { requiredQueueUrl, isSame } = createQueueReader(reader);
  const requestsQueueUrl = requiredQueueUrl('SOURCE_QUEUE_URL', 'requests');
  const rejectedQueueUrl = requiredQueueUrl('REJECTED_QUEUE_URL', 'rejected');
  const exhaustedQueueUrl = requiredQueueUrl('EXHAUSTED_QUEUE_URL', 'exhausted');
  for (const [name, url] of Object.entries({
    REJECTED_QUEUE_URL: rejectedQueueUrl,
    EXHAUSTED_QUEUE_URL: exhaustedQueueUrl,
  })) {
    if (isSame(url, requestsQueueUrl)) {
      faults.push(`${name} must not be SOURCE_QUEUE_URL: requests under way would be taken for dead letters`);
    }
  }
  const maxRequestAgeSeconds = integer('MAX_REQUEST_AGE_SECONDS', 0, Number.MAX_SAFE_INTEGER);
  const aws = readAwsSettings(reader, requestsQueueUrl);
  const proxy = reader.proxy();
  const telemetry = reader.telemetry();
  if (faults.length > 0) throw new EnvironmentError(faults);
  return {
    requestsQueueUrl,
    rejectedQueueUrl,
    exhaustedQueueUrl,
    maxRequestAgeSeconds,
    aws,
    proxy,
    ...telemetry,
  };
};
