/** Which region a queue's URL names, and when two name the same queue. */
import { expect, test } from 'vitest';
import { isSameQueue, regionOfQueue } from '../../functions/aws/queue-url.ts';
import { isHttpUrl } from '../../functions/http/url.ts';

const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/1/requests';

test.each([
  [QUEUE, true],
  ['http://127.0.0.1:4566/000000000000/requests', true],
  ['arn:aws:sqs:eu-west-1:1:requests', false],
  ['requests', false],
  ['https://', false],
])('that %s is a URL: %s', (value, expected) => {
  expect(isHttpUrl(value)).toBe(expected);
});

test.each([
  [QUEUE, 'eu-west-1'],
  ['https://sqs.us-gov-west-1.amazonaws.com/1/q', 'us-gov-west-1'],
  ['https://sqs.cn-north-1.amazonaws.com.cn/1/q', 'cn-north-1'],
  ['https://sqs-fips.us-east-1.amazonaws.com/1/q', 'us-east-1'],
  ['https://sqs.eu-west-1.api.aws/1/q', 'eu-west-1'],
  ['https://vpce-1-2.sqs.eu-west-1.vpce.amazonaws.com/1/q', 'eu-west-1'],
  ['https://queue.amazonaws.com/1/q', undefined],
  ['http://127.0.0.1:4566/1/sqs.eu-west-1.x', undefined],
  ['https://sqs.invalid/1/q', undefined],
])('%s names the region %s', (url, region) => {
  expect(regionOfQueue(url)).toBe(region);
});

test.each([
  ['itself', QUEUE, true],
  ['a slash at the end', `${QUEUE}/`, true],
  ['another host of the region', 'https://vpce-1-2.sqs.eu-west-1.vpce.amazonaws.com/1/requests', true],
  ['a host that names no region', 'https://queue.amazonaws.com/1/requests', true],
  ['another name', 'https://sqs.eu-west-1.amazonaws.com/1/rejected', false],
  ['another account', 'https://sqs.eu-west-1.amazonaws.com/2/requests', false],
  ['another region', 'https://sqs.us-east-1.amazonaws.com/1/requests', false],
])('the same queue with %s', (_, other, expected) => {
  expect(isSameQueue(QUEUE, other)).toBe(expected);
});
