/** The environment of replay-dead-letters: the same variables, and the same defaults, as of enable-password. */
import { DEFAULTS, EnvironmentError } from '../enable-password/environment.ts';

export interface Environment {
  readonly requestsQueueUrl: string;
  readonly rejectedQueueUrl: string;
  readonly exhaustedQueueUrl: string;
  readonly maxRequestAgeSeconds: number;
  readonly serviceName: string;
  readonly logLevel: string;
}

const QUEUE_VARIABLES = ['SOURCE_QUEUE_URL', 'REJECTED_QUEUE_URL', 'EXHAUSTED_QUEUE_URL'] as const;

/** @throws EnvironmentError that names each variable that is missing. */
export const readEnvironment = (variables: Readonly<Record<string, string | undefined>>): Environment => {
  const faults: string[] = QUEUE_VARIABLES.filter((name) => !URL.canParse(variables[name] ?? '')).map(
    (name) => `${name} is missing or no queue URL such as https://sqs.eu-west-1.amazonaws.com/123456789012/requests`,
  );
  const age = variables['MAX_REQUEST_AGE_SECONDS'] || String(DEFAULTS.MAX_REQUEST_AGE_SECONDS);
  if (!/^\d+$/.test(age)) faults.push('MAX_REQUEST_AGE_SECONDS must be a whole number from 0');
  if (faults.length > 0) throw new EnvironmentError(faults);
  return {
    requestsQueueUrl: variables['SOURCE_QUEUE_URL'] ?? '',
    rejectedQueueUrl: variables['REJECTED_QUEUE_URL'] ?? '',
    exhaustedQueueUrl: variables['EXHAUSTED_QUEUE_URL'] ?? '',
    maxRequestAgeSeconds: Number(age),
    serviceName: variables['POWERTOOLS_SERVICE_NAME'] || DEFAULTS.POWERTOOLS_SERVICE_NAME,
    logLevel: variables['POWERTOOLS_LOG_LEVEL'] || DEFAULTS.POWERTOOLS_LOG_LEVEL,
  };
};
