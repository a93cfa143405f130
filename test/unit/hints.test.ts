/** What AWS says, and what a person is told to fix. */
import { expect, test } from 'vitest';
import { type Failed, isAwsFailure, readFailure } from '../../functions/aws/failure.ts';
import { explain, fixOf, isLasting } from '../../functions/cli/terminal/hints.ts';

/** As explainFailed tells it, apart again. */
const failedOf = (failure: string): Failed => {
  const [code = '', ...words] = failure.split(': ');
  return { kind: 'failed', code, detail: words.join(': ') };
};

test.each([
  ['AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist.', 'no such queue', true],
  ['QueueDoesNotExist: The specified queue does not exist.', 'no such queue', true],
  ['AccessDenied: Access to the resource is denied.', 'your role needs sqs:SendMessage', true],
  ['KmsAccessDenied: The caller does not have access.', 'kms:Decrypt', true],
  ['KmsDisabled: The key is disabled.', 'switched off', true],
  ['CredentialsProviderError: Could not resolve credentials using profile: [x]', '--profile', true],
  ['ExpiredToken: The security token included in the request is expired', 'log in', true],
  ['ResourceNotFoundException: Secrets Manager cannot find it', 'no secret of this name', true],
  ['ResourceNotFoundException: The specified log group does not exist.', 'no such log group', true],
  ['ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:1:function:x', 'no such function', true],
  ['Error: Region is missing', 'give --region', true],
  ['Error: Region not accepted: region="us east"', 'check --region', true],
  ['ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:1', 'check the network', false],
  ['ENOTFOUND: getaddrinfo ENOTFOUND sqs.invalid', 'check the network', false],
])('%s is answered by what to fix', (failure, words, lasts) => {
  expect(fixOf(failure, 'sqs:SendMessage')).toContain(words);
  expect(explain(failedOf(failure))).toContain(`(${failure})`);
  expect(isLasting(failure)).toBe(lasts);
});

test('a passing failure has nothing to fix', () => {
  const failure = 'ServiceUnavailable: AccessDenied is what this is not';
  expect(fixOf(failure)).toBeUndefined();
  expect(explain(failedOf(failure))).toBe(failure);
  expect(isLasting(failure)).toBe(false);
});

test('a region that is missing is a failure of AWS, and none that passes', () => {
  const error = new Error('Region is missing');
  expect(isAwsFailure(error)).toBe(true);
  expect(readFailure(error)).toEqual({ failed: failedOf('Error: Region is missing'), again: false });
  expect(isAwsFailure(new Error('Region of mine'))).toBe(false);
});

test('where each address of a host refused, the code is told', () => {
  const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
  expect(isAwsFailure(error)).toBe(true);
  expect(readFailure(error).failed).toEqual({ kind: 'failed', code: 'ECONNREFUSED', detail: '' });
});
