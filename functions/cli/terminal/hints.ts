/** What AWS and its SDK say, and what they leave unsaid: what to fix. */
import { explainFailed, type Failed } from '../../aws/failure.ts';

interface Hint {
  /** Of the failure's name, which stands before the colon (see aws/failure.ts); a region has no name of its own. */
  readonly when: RegExp;
  readonly fix: (rights: string) => string;
  /** May end by itself. */
  readonly passes?: boolean;
}

/** By name, the more special first. */
const HINTS: readonly Hint[] = [
  { when: /Region is missing/, fix: () => 'no AWS region is set: give --region, or set AWS_REGION' },
  { when: /Region not accepted/, fix: () => 'there is no such AWS region: check --region and AWS_REGION' },
  {
    when: /^[^:]*(NonExistentQueue|QueueDoesNotExist)/,
    fix: () => 'there is no such queue: check its URL, --stage, --region and --profile',
  },
  {
    when: /^[^:]*ResourceNotFound[^:]*: .*log group/i,
    fix: () => 'there is no such log group: check --stage, --log-group, LOG_GROUP and --region',
  },
  {
    when: /^[^:]*ResourceNotFound[^:]*: .*function/i,
    fix: () => 'there is no such function: check --stage, ENABLE_PASSWORD_FUNCTION, REPLAY_FUNCTION and --region',
  },
  {
    when: /^[^:]*ResourceNotFound/,
    fix: () => 'there is no secret of this name in this region: check SEGURA_SECRET_ID, --region and --profile',
  },
  {
    when: /^[^:]*Kms\.?AccessDenied/i,
    fix: () => 'your role needs kms:Decrypt and kms:GenerateDataKey on the key of the queue',
  },
  {
    when: /^[^:]*Kms\.?(Disabled|InvalidState|NotFound)/i,
    fix: () => 'the key of the queue is deleted or switched off: enable it, or cancel its deletion',
  },
  { when: /^[^:]*(AccessDenied|NotAuthorized)/, fix: (rights) => `your role needs ${rights}` },
  {
    when: /^[^:]*(Credentials|ExpiredToken|TokenProvider|InvalidClientTokenId|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch)/,
    fix: () => 'there are no valid AWS credentials: log in, and check --profile and AWS_PROFILE',
  },
  {
    when: /^[^:]*(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|TimeoutError)/,
    fix: () => 'AWS cannot be reached: check the network, --region and --endpoint-url',
    passes: true,
  },
];

const find = (failure: string): Hint | undefined => HINTS.find(({ when }) => when.test(failure));

/**
 * @param failure as explainFailed tells it
 * @param rights what a role needs that is denied
 * @returns what to fix, or `undefined` where nobody here can do anything about it
 */
export const fixOf = (failure: string, rights = 'the right that AWS names here'): string | undefined =>
  find(failure)?.fix(rights);

/** Another attempt would meet it again. */
export const isLasting = (failure: string): boolean => find(failure) !== undefined && !find(failure)?.passes;

/** What to fix, and in AWS's own words why. */
export const explain = (failed: Failed, rights?: string): string => {
  const failure = explainFailed(failed);
  const fix = fixOf(failure, rights);
  return fix === undefined ? failure : `${fix} (${failure})`;
};
