/** What is read out of an answer: the words for people, Segura's envelope, how long we are asked to wait. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge } from '../../functions/segura/answers.ts';
import { readAnswer, sentenceOf } from '../../functions/segura/reading.ts';
import { runs } from '../depth.ts';

const NOW = Date.UTC(2026, 10, 23, 12);

const read = (body: unknown, status = 400, headers: Record<string, string | string[]> = {}) =>
  readAnswer({ kind: 'answered', status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }, NOW);

describe('words', () => {
  test.each([
    ['a JSON body says what its message fields say', { message: 'a', note: 'b' }, 'a'],
    [
      'Segura’s envelope speaks first, then its exception',
      { message: 'c', exception: { message: 'b' }, response: { message: 'a' } },
      'a\nb\nc',
    ],
    ['OAuth 2.0 and Kong have their own names', { error: 'e', error_description: 'd', hint: 'h' }, 'd\nh\ne'],
    ['what is not a text is no word', { message: 5, error: true, mensagem: null, hint: ['x'] }, ''],
    ['plain text is taken whole', 'Bad gateway\n', 'Bad gateway\n'],
    ['so is a page', '<h1>502</h1>', '<h1>502</h1>'],
    ['so is JSON that is not an object', '"not authorized"', '"not authorized"'],
    ['nothing says nothing', '', ''],
  ])('%s', (_, body, words) => {
    expect(read(body).words).toBe(words);
  });

  test('no digits of a request id get into them', () => {
    expect(read({ message: 'Bad request', request_id: '10051005' }).words).not.toContain('1005');
  });

  test('a sentence is one line', () => {
    expect(sentenceOf(read({ response: { message: 'first', mensagem: 'second' } }))).toBe('first');
    expect(sentenceOf(read(''))).toBe('');
  });
});

describe('Segura’s envelope', () => {
  test.each([
    ['a gateway’s message', { message: 'x' }],
    ['a response that is text', { response: 'x' }],
    ['a response that is a list', { response: [] }],
    ['a list', [{ response: {} }]],
    ['JSON cut short', '{"response": {'],
    ['text', 'response'],
  ])('is not seen in %s', (_, body) => {
    expect(read(body).envelope).toBeUndefined();
  });

  test.each([
    [{ error: true, erro: true }, true],
    [{ error: false }, false],
    [{ erro: false }, false],
    [{ error: 0, erro: '0' }, false],
    [{ error: 'true', erro: 1 }, true],
    [{ error: true, erro: false }, undefined],
    [{ error: 'yes' }, undefined],
    [{ error: null, erro: true }, true],
    [{}, undefined],
  ])('error of %j is %s', (response, error) => {
    expect(read({ response }).envelope?.error).toBe(error);
  });

  test.each([
    ['1005: Password not found', 1005],
    ['1006 User does not have access', 1006],
    ['1010', 1010],
    [' 1005: x', 1005],
    ['10055: x', undefined],
    ['105: x', undefined],
    ['1005.7', undefined],
    ['Error 1005', undefined],
    ['', undefined],
  ])('the number before %j is %s', (message, number) => {
    expect(read({ response: { message } }).envelope?.number).toBe(number);
  });

  test.each([
    [1005, 1005],
    ['1005', 1005],
    ['1005 ', undefined],
    [400, undefined],
    [500, undefined],
    [10_050, undefined],
    [null, undefined],
    [true, undefined],
  ])('an exception code %j is the number %s', (code, number) => {
    expect(read({ exception: { code } }).envelope?.number).toBe(number);
  });

  test.each([
    ['nothing but the response', { response: {} }, true],
    ['numbers', { code: 400, response: { status: 400 } }, true],
    ['texts', { code: '400', response: { status: '400' } }, true],
    ['null', { code: null, response: { status: null } }, true],
    ['another code', { code: 500, response: { status: 400 } }, false],
    ['another status', { code: 400, response: { status: 404 } }, false],
  ])('agrees with the HTTP status where it says %s: %s', (_, body, expected) => {
    expect(read(body).envelope?.agreesWith(400)).toBe(expected);
  });
});

describe('how long we are asked to wait', () => {
  const inSeconds = (seconds: number) => new Date(NOW + seconds * 1000).toUTCString();
  const unixTime = String(NOW / 1000 + 42);

  test.each<readonly [string, number, Record<string, string | string[]>, number | undefined]>([
    ['Retry-After in seconds', 429, { 'retry-after': '30' }, 30],
    ['Retry-After as a date', 429, { 'retry-after': inSeconds(90) }, 90],
    ['Retry-After of more than 870 s', 503, { 'retry-after': '5000' }, 870],
    ['Retry-After in the past', 429, { 'retry-after': inSeconds(-90) }, 0],
    ['a negative Retry-After', 429, { 'retry-after': '-5' }, 0],
    ['Retry-After said twice', 429, { 'retry-after': ['7', '9'] }, 7],
    ['a Retry-After that is neither', 429, { 'retry-after': 'soon' }, undefined],
    ['an empty one', 429, { 'retry-after': '' }, undefined],
    ['Kong’s RateLimit-Reset, in seconds', 429, { 'ratelimit-reset': '12' }, 12],
    ['Segura’s X-RateLimit-Reset, a Unix time', 429, { 'x-ratelimit-reset': unixTime }, 42],
    [
      'Retry-After before all others',
      429,
      { 'retry-after': '1', 'ratelimit-reset': '2', 'x-ratelimit-reset': unixTime },
      1,
    ],
    ['Retry-After of a 503', 503, { 'retry-after': '5' }, 5],
    ['a rate limit beside a 503, which it did not cause', 503, { 'ratelimit-reset': '12' }, undefined],
    ['a rate limit beside a success', 200, { 'x-ratelimit-reset': unixTime }, undefined],
    ['Retry-After of a redirect', 302, { 'retry-after': '5' }, 5],
    ['Retry-After of a 500', 500, { 'retry-after': '5' }, 5],
    ['Retry-After that a lenient parser takes for a date', 429, { 'retry-after': 'soon 5' }, undefined],
    ['Retry-After of blanks', 429, { 'retry-after': '  ' }, undefined],
  ])('%s', (_, status, headers, seconds) => {
    expect(read('', status, headers).retryAfterSeconds).toBe(seconds);
  });
});

test('no answer at all has status 0 and says how', () => {
  const reading = readAnswer({ kind: 'unanswered', failure: 'dns', code: 'ENOTFOUND', reusedSocket: false }, NOW);
  expect(reading).toEqual({ status: 0, failure: 'dns', words: '', json: {}, isAmbiguous: false });
});

test('no body throws, and each is judged', () => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({ code: fc.jsonValue(), response: fc.jsonValue(), exception: fc.jsonValue() })
      .map((value) => JSON.stringify(value)),
  );
  const headers = fc.dictionary(fc.constantFrom('retry-after', 'ratelimit-reset', 'x-ratelimit-reset'), fc.string());
  fc.assert(
    fc.property(body, fc.integer({ min: 100, max: 599 }), headers, (text, status, given) => {
      const reading = read(text, status, given);
      expect(reading.retryAfterSeconds ?? 0).toBeGreaterThanOrEqual(0);
      // Whatever a stranger says, nothing but Segura's own words settles a message.
      const { happens } = judge(reading);
      if (happens.kind === 'done') expect([status, reading.envelope?.error]).toEqual([200, false]);
      if (happens.kind === 'reject') expect([status, reading.envelope === undefined]).toEqual([400, false]);
    }),
    { numRuns: runs(1000) },
  );
});
