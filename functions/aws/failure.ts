/** What AWS, its SDK or the network refused, told apart from a bug of ours. No exception of the SDK leaves `aws/`. */
import { failureOf, isNetworkCode } from '../http/failure.ts';
import { TransportError } from '../http/request-handler.ts';

/** It did not work. */
export interface Failed {
  readonly kind: 'failed';
  /** AWS's name for it, Node's error code where no answer came, or `HTTP503` where an answer had no name. */
  readonly code: string;
  /** For people; never what an answer holds but its error text. */
  readonly detail: string;
}

/** In one line, for people. */
export const explainFailed = ({ code, detail }: Omit<Failed, 'kind'>): string =>
  detail === '' ? code : `${code}: ${detail}`;

interface SdkError extends Error {
  readonly $fault?: 'client' | 'server';
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
  readonly code?: string;
}

/** Of the SDK before a call went out: no credentials, no region, an SSO session that is over. */
const SDK_NAMES = /CredentialsProvider|TokenProvider|TimeoutError|ConfigError/;
/** An error of the SDK that has no name of its own. */
const REGION_WORDS = /^Region (is missing|not accepted)/;

/** AWS SDKs' own list, in one expression: throttling in all its spellings. */
export const isThrottling = (code: string): boolean =>
  /Throttl|TooManyRequests|LimitExceeded|^SlowDown$|^HTTP429$/i.test(code);

/** What a file refuses, or a call that we made wrongly, has a code of Node.js too: AWS cannot be blamed for either. */
const isOfNetwork = (error: Error): boolean =>
  'code' in error && typeof error.code === 'string' && isNetworkCode(error.code);

export const isAwsFailure = (error: unknown): error is SdkError =>
  error instanceof Error &&
  ('$metadata' in error ||
    '$fault' in error ||
    isOfNetwork(error) ||
    SDK_NAMES.test(error.name) ||
    REGION_WORDS.test(error.message));

/** Names that say nothing: of JavaScript, and of the SDK for an answer that had none. */
const NAMELESS = /^(Error|AggregateError|TransportError|SyntaxError|TypeError|RangeError|Unknown|UnknownError)$/;

const statusOf = (error: SdkError): number | undefined => error.$metadata?.httpStatusCode;

/** An answer came, and it was no error that AWS describes: a proxy's page, or a success that cannot be read. */
const isUnreadable = (error: SdkError): boolean => statusOf(error) !== undefined && error.$fault === undefined;

const codeOf = (error: SdkError): string => {
  const status = statusOf(error);
  if (status !== undefined) {
    if (isUnreadable(error)) return status < 300 ? 'UnreadableAnswer' : `HTTP${status}`;
    return NAMELESS.test(error.name) ? `HTTP${status}` : error.name;
  }
  return NAMELESS.test(error.name) ? (error.code ?? error.name) : error.name;
};

const detailOf = (error: SdkError): string => {
  // The SDK's own words would quote the answer, and that may be the secret.
  if (isUnreadable(error)) return `AWS answered with HTTP status ${statusOf(error)} and a body that cannot be read`;
  if (error.message === 'UnknownError') return `HTTP status ${statusOf(error)}`;
  // The first line only: AWS repeats a request whose signature is wrong on the next ones, session token and all.
  return error.message.split('\n', 1)[0] ?? '';
};

/** Whether another attempt may help: throttling, a fault of AWS, the network, a clock that was wrong and is corrected. */
const mayPass = (error: SdkError): boolean => {
  if (error instanceof TransportError) return error.failure !== 'tls' && error.failure !== 'proxy';
  const status = statusOf(error) ?? 0;
  // Of the network too, where the SDK asked somebody else first (for credentials).
  if (status === 0 && error.$fault === undefined && error.code !== undefined) return failureOf(error.code) !== 'tls';
  return (
    isThrottling(error.name) ||
    error.$fault === 'server' ||
    status >= 500 ||
    status === 429 ||
    error.$metadata?.clockSkewCorrected === true
  );
};

/** What AWS said, or why it did not. */
export type Read<Value> = { readonly kind: 'read'; readonly value: Value } | Failed;

/** @throws what is no failure of AWS */
export const attempt = async <Value>(read: () => Promise<Value>): Promise<Read<Value>> => {
  try {
    return { kind: 'read', value: await read() };
  } catch (error) {
    if (!isAwsFailure(error)) throw error;
    return readFailure(error).failed;
  }
};

/** What a call of the SDK threw, as a value; also a bug, for whoever calls must go on. */
export const readFailure = (error: unknown): { readonly failed: Failed; readonly again: boolean } => {
  const known: SdkError = error instanceof Error ? error : new Error(String(error));
  // A parser's message quotes what it read.
  const detail =
    known.name === 'SyntaxError' && !isUnreadable(known) ? 'what came back cannot be read' : detailOf(known);
  return { failed: { kind: 'failed', code: codeOf(known), detail }, again: mayPass(known) };
};
