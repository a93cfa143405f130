/** One attempt to enable a password: where it goes and what it carries. */
import { expect, test } from 'vitest';
import type { Call } from '../../functions/http/send.ts';
import { enablePassword } from '../../functions/segura/client.ts';
import { hide, parseSecret } from '../../functions/segura/secret.ts';
import { secretText } from './stage.ts';

const call = async (changes: object = {}, identifier = 10): Promise<Call> => {
  const sent: Call[] = [];
  const secret = parseSecret(secretText(changes));
  const send = async (each: Call) => {
    sent.push(each);
    return { kind: 'answered', status: 200, headers: {}, body: '' } as const;
  };
  await enablePassword(
    identifier,
    { value: hide('the-token'), vault: { secret, send }, renewAt: 0, expiresAt: 0 },
    1234,
  );
  return sent[0]!;
};

test.each([
  ['https://segura.example.com', 'https://segura.example.com/api/mysafe/password/active/10'],
  ['https://segura.example.com/', 'https://segura.example.com/api/mysafe/password/active/10'],
  ['https://segura.example.com//', 'https://segura.example.com/api/mysafe/password/active/10'],
  ['https://segura.example.com:8443/pam', 'https://segura.example.com:8443/pam/api/mysafe/password/active/10'],
  ['https://segura.example.com/a/b/', 'https://segura.example.com/a/b/api/mysafe/password/active/10'],
  ['http://[::1]:8080', 'http://[::1]:8080/api/mysafe/password/active/10'],
])('under %s the endpoint is %s, with one slash and its prefix', async (url, href) => {
  const sent = await call({ url });
  expect(sent.url.origin + sent.path).toBe(href);
});

test('the largest identifier is sent in decimal digits', async () => {
  expect((await call({}, Number.MAX_SAFE_INTEGER)).path).toMatch(/\/9007199254740991$/);
});

test('it is a call without a body that asks for JSON, with the token and nothing else of the secret', async () => {
  const { headers, body, timeoutMs } = await call();
  expect(headers).toEqual({
    Accept: 'application/json',
    Authorization: 'Bearer the-token',
    'User-Agent': 'mysafe-enable',
  });
  expect(body).toBeUndefined();
  expect(timeoutMs).toBe(1234);
});

test('a referer is sent where the API key allows only certain ones', async () => {
  expect((await call({ referer: 'https://itsm.example.com' })).headers['Referer']).toBe('https://itsm.example.com');
});
