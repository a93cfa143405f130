/** What AWS and its SDK say, and what they leave unsaid: what to mend. */
import { awsFailure, isAwsFailure } from '../../aws/failure.ts';

interface Hint {
  /** Of the failure's name, which stands before the colon (see aws/failure.ts); a region has no name of its own. */
  readonly when: RegExp;
  readonly mend: (rights: string) => string;
  /** May be over by itself. */
  readonly passes?: boolean;
}

/** By name, the more special first. */
const HINTS: readonly Hint[] = [
  { when: /Region is missing/, mend: () => 'no AWS region is set: give --region, or set AWS_REGION' },
  { when: /Region not accepted/, mend: () => 'there is no such AWS region: check --region and AWS_REGION' },
  {
    when: /^[^:]*(NonExistentQueue|QueueDoesNotExist)/,
    mend: () => 'there is no such queue: check its URL, --stage, --region and --profile',
  },
  {
    when: /^[^:]*ResourceNotFound/,
    mend: () => 'there is no secret of this name in this region: check SEGURA_SECRET_ID, --region and --profile',
  },
  {
    when: /^[^:]*Kms\.?AccessDenied/i,
    mend: () => 'your role wants kms:Decrypt and kms:GenerateDataKey on the key of the queue',
  },
  {
    when: /^[^:]*Kms\.?(Disabled|InvalidState|NotFound)/i,
    mend: () => 'the key of the queue is gone or switched off: have it back',
  },
  { when: /^[^:]*(AccessDenied|NotAuthorized)/, mend: (rights) => `your role wants ${rights}` },
  {
    when: /^[^:]*(Credentials|ExpiredToken|TokenProvider|InvalidClientTokenId|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch)/,
    mend: () => 'there are no valid AWS credentials: log in, and check --profile and AWS_PROFILE',
  },
  {
    when: /^[^:]*(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|TimeoutError)/,
    mend: () => 'AWS is not to be reached: check the network, --region and --endpoint-url',
    passes: true,
  },
];

const find = (failure: string): Hint | undefined => HINTS.find(({ when }) => when.test(failure));

/**
 * @param failure as awsFailure tells it
 * @param rights what a role wants that is denied
 * @returns what to mend, or `undefined` where nobody here can do anything about it
 */
export const mendOf = (failure: string, rights = 'the right that AWS names here'): string | undefined =>
  find(failure)?.mend(rights);

export const mendOfError = (error: unknown): string | undefined =>
  isAwsFailure(error) ? mendOf(awsFailure(error)) : undefined;

/** Another attempt would meet it again. */
export const isLasting = (failure: string): boolean => find(failure) !== undefined && !find(failure)?.passes;

/** What to mend, and in AWS's own words why. */
export const explain = (failure: string, rights?: string): string => {
  const mend = mendOf(failure, rights);
  return mend === undefined ? failure : `${mend} (${failure})`;
};
