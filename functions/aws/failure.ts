/** What AWS, its SDK or the network refused, told apart from a bug of ours. */
import { isThrottling } from './call.ts';

interface SdkError extends Error {
  readonly $fault?: 'client' | 'server';
  readonly $metadata?: object;
  readonly code?: string;
}

/** Of the SDK before a call went out: no credentials, no region, an SSO session that is over. */
const SDK_NAMES = /CredentialsProvider|TokenProvider|TimeoutError|ConfigError/;
/** An error of the SDK that has no name of its own. */
const REGION_WORDS = /^Region (is missing|not accepted)/;

export const isAwsFailure = (error: unknown): error is SdkError =>
  error instanceof Error &&
  ('$metadata' in error ||
    '$fault' in error ||
    'code' in error ||
    SDK_NAMES.test(error.name) ||
    REGION_WORDS.test(error.message));

/**
 * @returns AWS's name for it and its words, for people
 * @throws the error itself where it is no failure of AWS
 */
export const awsFailure = (error: unknown): string => {
  if (!isAwsFailure(error)) throw error;
  // Of the network: several addresses of one host were tried, and the error has no words.
  const isNameless = error.name === 'Error' || error.name === 'AggregateError';
  const name = isNameless ? (error.code ?? error.name) : error.name;
  return error.message === '' ? name : `${name}: ${error.message}`;
};

/** Throttling, a fault of AWS, the network: worth another attempt after the SDK's own. Whoever is denied, is denied. */
export const isPassing = (error: unknown): boolean =>
  isAwsFailure(error) &&
  (isThrottling(error.name) ||
    error.$fault === 'server' ||
    (error.$fault === undefined && !SDK_NAMES.test(error.name) && !REGION_WORDS.test(error.message)) ||
    error.name === 'TimeoutError');
