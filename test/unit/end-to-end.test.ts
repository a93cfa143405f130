/** What `doctor --end-to-end` says of what it saw: where the request stopped, and what to fix. */
import { expect, test } from 'vitest';
import type { AuditLine } from '../../functions/audit/read.ts';
import { LARGEST_IDENTIFIER } from '../../functions/cli/doctor/end-to-end.ts';
import { judgeWay, type Seen } from '../../functions/cli/doctor/stopped.ts';

const SENT = { messageId: 'm', requestId: 'doctor-1', at: Date.UTC(2026, 10, 26) };
const TARGET = { requests: 'r', rejected: 'x', outcomes: 'o', logGroup: '/aws/lambda/f' };

const line = (fields: Partial<AuditLine>): AuditLine => ({
  at: new Date(SENT.at + 1500),
  outcome: 'rejected',
  messageId: 'm',
  errorCode: '1005',
  ...fields,
});
const judge = (seen: Partial<Seen>, target: object = TARGET) =>
  judgeWay({ hasLetter: true, hasOutcome: true, ...seen }, target, SENT, LARGEST_IDENTIFIER);
const wrong = (seen: Partial<Seen>, target: object = TARGET) => judge(seen, target).filter(({ ok }) => ok === false);

test('a request that went the whole way has nothing wrong', () => {
  expect(judge({ line: line({}) }).map(({ name, ok }) => [name, ok])).toEqual([
    ['function received it', true],
    ['Segura, asked by the function', true],
    ['dead letter', true],
    ['outcome', true],
  ]);
});

test('an outcome that its reader took meanwhile counts as arrived', () => {
  expect(judge({ line: line({}), hasOutcome: false }).at(-1)).toMatchObject({ name: 'outcome', ok: true });
});

test.each<readonly [string, Partial<AuditLine>, RegExp]>([
  [
    'no right on the secret',
    { cause: 'credentials', errorCode: 'AccessDeniedException' },
    /secretsmanager:GetSecretValue/,
  ],
  ['no such secret', { cause: 'credentials', errorCode: 'ResourceNotFoundException' }, /SEGURA_SECRET_ID/],
  ['a malformed secret', { cause: 'credentials', errorCode: 'SECRET_MALFORMED' }, /doctor --only secret/],
  ['a refused token', { cause: 'credentials', errorCode: 'HTTP401' }, /doctor --only secret,segura/],
  ['no network', { cause: 'gateway', errorCode: 'ETIMEDOUT' }, /subnets, security group, routes and NAT/],
  ['a proxy', { cause: 'proxy', errorCode: 'HTTP407' }, /HTTPS_PROXY/],
])('a request kept for %s is told with what to fix', (_, fields, hint) => {
  const [first, ...more] = wrong({ line: line({ outcome: 'kept', ...fields }), hasLetter: false });
  expect(first).toMatchObject({ name: 'Segura, asked by the function', detail: expect.stringMatching(hint) });
  expect(more).toEqual([]);
});

test('what SQS did not confirm is named by the queue that the function could not write to', () => {
  const kept = line({ outcome: 'kept', cause: 'unconfirmed' });
  expect(wrong({ line: kept, hasLetter: false })).toMatchObject([
    { name: 'dead letter', detail: expect.stringMatching(/REJECTED_QUEUE_URL.*key policy/) },
  ]);
  // The dead letter is written first: where it is there, it was the outcome.
  expect(wrong({ line: kept, hasLetter: true })).toMatchObject([
    { name: 'outcome', detail: expect.stringContaining('OUTCOME_QUEUE_URL') },
  ]);
});

test('an identifier that Segura knows is told, and not taken for a success', () => {
  expect(wrong({ line: line({ outcome: 'enabled', errorCode: '' }) })[0]?.detail).toMatch(
    /is a password.*--identifier/,
  );
  expect(wrong({ line: line({ errorCode: '1006' }) })[0]?.detail).toMatch(/1006, not 1005.*--identifier/);
});

test('a dead letter that is elsewhere points to the function’s own variable', () => {
  expect(wrong({ line: line({}), hasLetter: false })).toMatchObject([
    { name: 'dead letter', detail: expect.stringContaining('REJECTED_QUEUE_URL') },
  ]);
});

test('a request that nobody received is told, with the log that was read', () => {
  expect(wrong({ hasLetter: false })).toMatchObject([
    { name: 'function received it', detail: expect.stringContaining('/aws/lambda/f') },
  ]);
});

test('a log that may not be read is wrong, and the dead letter alone still proves the way', () => {
  const checks = judge({ logFailure: 'your role needs logs:FilterLogEvents on it' });
  expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
    ['log', false],
    ['dead letter', true],
    ['outcome', true],
  ]);
});
