/** What is secret stays out of texts that came from outside, however the other side wrote it back. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedaction } from '../../functions/segura/redaction.ts';
import { hide, parseSecret } from '../../functions/segura/secret.ts';
import { secretText } from './stage.ts';

const TOKEN = 'abc.DEF-123_/+=%ü"<end>';
const opened = () => {
  const redaction = createRedaction();
  redaction.hideSecret(parseSecret(secretText({ clientId: 'id', clientSecret: 'pass word/%' })));
  redaction.hide(hide(TOKEN));
  return redaction;
};

describe('a secret that comes back', () => {
  test.each([
    ['as it was sent', TOKEN],
    ['percent-encoded', encodeURIComponent(TOKEN)],
    ['percent-encoded in small letters', 'abc.DEF-123_%2f%2b%3d%25%c3%bc%22%3cend%3e'],
    ['as a form', new URLSearchParams({ t: TOKEN }).toString().slice(2)],
    ['in Base64', Buffer.from(TOKEN).toString('base64')],
    ['in Base64 for URLs', Buffer.from(TOKEN).toString('base64url')],
    ['as JSON text', JSON.stringify(TOKEN).slice(1, -1)],
    ['as HTML', 'abc.DEF-123_/+=%ü&quot;&lt;end&gt;'],
  ])('%s, is masked', (_, written) => {
    const text = `Token ${written} was refused`;
    const clean = opened().redact(text);
    expect(clean).toContain('[secret]');
    expect(clean).not.toContain(written.slice(4, -4));
  });

  test('as the header of client_secret_basic, is masked', () => {
    const basic = Buffer.from('id:pass word/%').toString('base64');
    expect(opened().redact(`got ${basic}`)).toBe('got [secret]');
  });

  test('at any place of any Base64 text, is masked', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (before, after) => {
        const text = Buffer.from(before + TOKEN + after).toString('base64');
        const core = Buffer.from(TOKEN).toString('base64').slice(4, -4);
        expect(opened().redact(text)).not.toContain(core);
        expect(opened().redact(text)).toContain('[secret]');
      }),
    );
  });

  test('of before is masked too', () => {
    const redaction = opened();
    for (let nth = 0; nth < 100; nth += 1) redaction.hide(hide(`later-token-${nth}`));
    expect(redaction.redact(`${TOKEN} and later-token-7`)).toBe('[secret] and [secret]');
  });

  test('cut in two by the length of the text, leaves no half behind', () => {
    const filler = 'x'.repeat(8192 - TOKEN.length + 5);
    expect(opened().redact(`${filler} ${TOKEN} more`)).not.toContain('abc.DEF');
  });
});

test.each([
  ['a JSON Web Token of anybody', 'sub eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl end', 'sub [secret] end'],
  ['a bearer token of anybody', 'got "Authorization: Bearer 0123456789abcdef"', 'got "Authorization: Bearer [secret]"'],
])('%s is masked', (_, text, clean) => {
  expect(opened().redact(text)).toBe(clean);
});

test.each([
  '1005: Password not found',
  '1006: User does not have access',
  'request_id: 0123456789abcdef0123456789abcdef',
])('what holds no secret stays as it is: %s', (text) => {
  expect(opened().redact(text)).toBe(text);
});
