/** What `doctor --record` writes of an answer: its shape and known words, and nothing by which anybody could be known. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordAnswer, shareableText } from '../../functions/cli/doctor/record.ts';
import type { Answer } from '../../functions/http/send.ts';
import answers from '../../infra/local/answers.json' with { type: 'json' };

const row = { means: 'not-found', cameBack: "400 in Segura's own envelope, 1005" };
const answered = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  kind: 'answered',
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

test('the vendor’s own sentences are kept as they are', () => {
  for (const { endpoint, body } of answers) {
    if (endpoint !== 'enable' || !body.includes('"message"')) continue;
    const { response } = JSON.parse(body) as { response?: { message?: string } };
    const message = response?.message ?? '';
    if (/^10(05|06|09|10): |successfully activated|already/.test(message)) expect(shareableText(message)).toBe(message);
  }
  expect(shareableText('no Route matched with those values')).toBe('no Route matched with those values');
});

test('an answer keeps its shape, its statuses and Segura’s numbers', () => {
  const body = {
    code: 400,
    response: { status: 400, message: '1005: Password not found', error: true, error_code: 1 },
  };
  expect(recordAnswer('enable identifier 0', answered(400, body, { 'content-type': 'application/json' }), row)).toEqual(
    {
      call: 'enable identifier 0',
      status: 400,
      failure: null,
      headers: { 'content-type': 'application/json' },
      body,
      ...row,
    },
  );
});

test.each<readonly [string, unknown, Record<string, string>]>([
  ['a token', { access_token: 'planted', token_type: 'Bearer', expires_in: 3600 }, {}],
  ['a person in a sentence', { message: 'User planted does not have access' }, {}],
  ['a host in a page', '<html><title>planted.example.com</title></html>', {}],
  ['a mail address', 'write to planted@example.com', {}],
  ['a name for a field', { planted: true }, {}],
  ['a cookie', '', { 'set-cookie': 'session=planted' }],
  ['a realm', '', { 'www-authenticate': 'Bearer realm="planted"' }],
  ['a server of its own name', '', { server: 'planted/1.0', via: '1.1 planted (squid)' }],
  ['a tenant', { response: { status: 200 }, tenant: 'planted' }, {}],
])('%s is not in it', (_, body, headers) => {
  expect(JSON.stringify(recordAnswer('token', answered(200, body, headers), row))).not.toContain('planted');
});

test('an address, an id and a long number are not in it', () => {
  const text = 'IP address not allowed: 10.1.22.133, request_id: 0123456789abcdef0123456789abcdef, 1234567890';
  expect(shareableText(text)).toBe(
    'IP address not allowed: 10.1.22.133, [word]: [word], [number]'.replace('10.1.22.133', '[address]'),
  );
});

test('no word is in it that was not on the list, whatever the answer', () => {
  const planted = fc.stringMatching(/^[a-z]{9,20}$/).filter((word) => shareableText(word) === '[word]');
  fc.assert(
    fc.property(planted, fc.jsonValue(), (word, value) => {
      const text = JSON.stringify({ a: word, b: value, c: [`x${word}`, { [word]: `${word}@host` }] });
      expect(JSON.stringify(recordAnswer('token', answered(200, text), row))).not.toContain(word);
    }),
  );
});
