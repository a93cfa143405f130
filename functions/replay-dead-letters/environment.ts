/** The environment of replay-dead-letters. */

export interface Environment {
  readonly requestsQueueUrl: string;
  readonly rejectedQueueUrl: string;
  readonly exhaustedQueueUrl: string;
  readonly maxRequestAgeSeconds: number;
  readonly serviceName: string;
  readonly logLevel: string;
}

const QUEUE_VARIABLES = ['SOURCE_QUEUE_URL', 'REJECTED_QUEUE_URL', 'EXHAUSTED_QUEUE_URL'] as const;
const DEFAULT_MAX_AGE_SECONDS = 345_600;

/** @throws Error that names each variable that is missing. */
export const readEnvironment = (variables: Readonly<Record<string, string | undefined>>): Environment => {
  const faults: string[] = QUEUE_VARIABLES.filter((name) => !URL.canParse(variables[name] ?? '')).map(
    (name) => `${name} is no queue URL`,
  );
  const age = variables['MAX_REQUEST_AGE_SECONDS'] || String(DEFAULT_MAX_AGE_SECONDS);
  if (!/^\d+$/.test(age)) faults.push('MAX_REQUEST_AGE_SECONDS must be a whole number from 0');
  if (faults.length > 0) throw new Error(`The environment is not complete: ${faults.join('; ')}`);
  return {
    requestsQueueUrl: variables['SOURCE_QUEUE_URL'] ?? '',
    rejectedQueueUrl: variables['REJECTED_QUEUE_URL'] ?? '',
    exhaustedQueueUrl: variables['EXHAUSTED_QUEUE_URL'] ?? '',
    maxRequestAgeSeconds: Number(age),
    serviceName: variables['POWERTOOLS_SERVICE_NAME'] || 'mysafe-enable',
    logLevel: variables['POWERTOOLS_LOG_LEVEL'] || 'INFO',
  };
};
