/** What each answer means and what then happens: every real answer we know, and as many again that nobody has seen yet. */
import { describe, expect, test } from 'vitest';
import type { Failure } from '../../functions/http/failure.ts';
import type { Answer } from '../../functions/http/send.ts';
import {
  describe as describeAnswer,
  ENABLE_TABLE,
  judge,
  judgeToken,
  type Meaning,
  type Policy,
  REJECTED_CODES,
  secretMayCure,
  TOKEN_TABLE,
} from '../../functions/segura/answers.ts';
import { readAnswer } from '../../functions/segura/reading.ts';
import answers from '../../infra/local/answers.json' with { type: 'json' };

type Headers = Readonly<Record<string, string>>;

const answered = (status: number, body: string | object, headers: Headers = {}): Answer => ({
  kind: 'answered',
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const unanswered = (failure: Failure, code: string): Answer => ({
  kind: 'unanswered',
  failure,
  code,
  reusedSocket: false,
});
const read = (answer: Answer) => readAnswer(answer, Date.UTC(2026, 0, 1));
const judged = (answer: Answer) => judge(read(answer));

/** What the contract says happens, by what an answer means. */
const happens: Readonly<Record<Meaning, Policy['kind']>> = {
  enabled: 'done',
  'already-enabled': 'done',
  'not-found': 'reject',
  'no-access': 'reject',
  'invalid-identifier': 'reject',
  unroutable: 'renew-token',
  unauthorized: 'renew-token',
  'invalid-upstream-response': 'retry',
  unavailable: 'retry',
  'upstream-timeout': 'retry',
  'request-timeout': 'retry',
  network: 'retry',
  'rate-limited': 'retry',
  'server-error': 'retry',
  tls: 'keep',
  'client-certificate': 'keep',
  proxy: 'keep',
  redirect: 'keep',
  forbidden: 'keep',
  'gateway-refused': 'keep',
  'unexpected-answer': 'keep',
};
const errorCodes = { 'not-found': '1005', 'no-access': '1006', 'invalid-identifier': '1010' } as const;

const enableAnswers = answers.filter(({ endpoint }) => endpoint === 'enable');
const tokenAnswers = answers.filter(({ endpoint }) => endpoint === 'token');

describe('the real answers', () => {
  test('are all here', () => {
    expect(enableAnswers.length).toBeGreaterThanOrEqual(81);
    expect(tokenAnswers.length).toBeGreaterThanOrEqual(8);
  });

  test.each(enableAnswers)('$name means $meaning', ({ status, headers, body, meaning, permanent }) => {
    const row = judged(answered(status, body, headers as Headers));
    expect(row.means, 'functions/segura/answers.ts: ENABLE_TABLE has no row for it, or another one comes first').toBe(
      meaning,
    );
    expect(row.happens.kind === 'reject').toBe(permanent);
  });

  // Of the many 404s only "no Route" is a question of the token.
  test.each(enableAnswers.filter(({ meaning }) => meaning !== 'unroutable'))(
    '$name: what happens is what the contract says of $meaning',
    ({ status, headers, body, meaning }) => {
      expect(judged(answered(status, body, headers as Headers)).happens.kind).toBe(happens[meaning as Meaning]);
    },
  );

  test.each(enableAnswers.filter(({ meaning }) => meaning === 'unroutable'))(
    '$name: a new token is asked for "no Route" alone',
    ({ name, status, headers, body }) => {
      const expected = name.startsWith('no-route') ? 'renew-token' : 'keep';
      expect(judged(answered(status, body, headers as Headers)).happens.kind).toBe(expected);
    },
  );

  const tokenMeanings: Readonly<Record<string, string>> = {
    'token-issued': 'token-issued',
    'token-refused': 'token-refused',
    'token-request-wrong': 'token-refused',
    unroutable: 'token-refused',
    'upstream-timeout': 'gateway',
  };
  test.each(tokenAnswers)('of the token endpoint: $name means $meaning', ({ status, headers, body, meaning }) => {
    expect(judgeToken(read(answered(status, body, headers as Headers))).means).toBe(tokenMeanings[meaning]);
  });
});

/** Segura's envelope in today's form; `fields` changes `response`, `beside` stands next to it. */
const segura = (status: number, message: string, fields: object = {}, beside: object = {}) => ({
  code: status,
  response: {
    status,
    message,
    error: status !== 200,
    error_code: status === 200 ? 0 : 1,
    detail: '',
    mensagem: message,
    erro: status !== 200,
    cod_erro: status === 200 ? 0 : 1,
    ...fields,
  },
  ...beside,
});
const ACTIVATED = 'Password successfully activated';
const ALREADY = 'Password has already been activated';
const NOT_FOUND = '1005: Password not found';
const NO_ACCESS = '1006: User does not have access';
const WRONG_TYPE = '1010: Unexpected identifier type';
const NO_CERTIFICATE = '400 No required SSL certificate was sent';
const NOT_AUTHORIZED = 'You are not authorized to access this resource.';
const NO_ROUTE = 'no Route matched with those values';
const page = (title: string) =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body><h1>${title}</h1></body></html>`;

type Body = string | object;
type Invented = readonly [name: string, means: Meaning, status: number, body: Body, headers?: Headers];

const invented: readonly Invented[] = [
  // Success, in all the forms that say nothing against it.
  ['success with a byte order mark', 'enabled', 200, `\ufeff${JSON.stringify(segura(200, ACTIVATED))}`],
  ['success with space and tabs around', 'enabled', 200, `\r\n\t ${JSON.stringify(segura(200, ACTIVATED))} \n`],
  ['success as text/html', 'enabled', 200, segura(200, ACTIVATED), { 'content-type': 'text/html' }],
  ['success in Portuguese', 'enabled', 200, segura(200, 'Senha ativada com sucesso')],
  ['success without a message', 'enabled', 200, { response: { status: 200, error: false } }],
  ['success with codes as strings', 'enabled', 200, segura(200, ACTIVATED, { status: '200' }, { code: '200' })],
  ['success with "Message" beside message', 'enabled', 200, segura(200, ACTIVATED, { Message: ACTIVATED })],
  ['success with cod_erro as text', 'enabled', 200, segura(200, ACTIVATED, { cod_erro: '0' })],
  ['success with exception null', 'enabled', 200, segura(200, ACTIVATED, {}, { exception: null })],
  ['success with exception ""', 'enabled', 200, segura(200, ACTIVATED, {}, { exception: '' })],
  ['success with exception []', 'enabled', 200, segura(200, ACTIVATED, {}, { exception: [] })],
  ['success with exception {}', 'enabled', 200, segura(200, ACTIVATED, {}, { exception: {} })],
  ['success with fields of tomorrow', 'enabled', 200, segura(200, ACTIVATED, { id: 10 }, { tenant: 'a', links: [] })],
  ['already, shouted', 'already-enabled', 200, segura(200, ALREADY.toUpperCase())],
  ['already in Portuguese', 'already-enabled', 200, segura(200, 'A senha já está ativa')],
  ['already at the beginning in Portuguese', 'already-enabled', 200, segura(200, 'Já ativada')],
  [
    'already in the Portuguese field alone',
    'already-enabled',
    200,
    segura(200, '', { mensagem: 'A senha já foi ativada' }),
  ],
  ['success with detail', 'enabled', 200, segura(200, ACTIVATED, { detail: 'Password 10' })],
  [
    'success without the Portuguese half',
    'enabled',
    200,
    { response: { status: 200, message: ACTIVATED, error: false } },
  ],
  // A 200 that is not what is documented is never counted as done.
  ['200 with error as a string', 'unexpected-answer', 200, segura(200, ACTIVATED, { error: 'false' })],
  ['200 with error as 0', 'unexpected-answer', 200, segura(200, ACTIVATED, { error: 0 })],
  ['200 with error null', 'unexpected-answer', 200, segura(200, ACTIVATED, { error: null })],
  [
    '200 with Portuguese fields alone',
    'unexpected-answer',
    200,
    { response: { status: 200, mensagem: ACTIVATED, erro: false } },
  ],
  // A 200 that denies itself.
  ['200 with two numbers', 'unexpected-answer', 200, segura(200, NO_ACCESS, { mensagem: NOT_FOUND })],
  ['200 with error_code 1', 'unexpected-answer', 200, segura(200, ACTIVATED, { error_code: 1 })],
  ['200 with cod_erro 4', 'unexpected-answer', 200, segura(200, ACTIVATED, { cod_erro: 4 })],
  ['200 with error_code as text', 'unexpected-answer', 200, segura(200, ACTIVATED, { error_code: '1' })],
  ['200 with erro as text', 'unexpected-answer', 200, segura(200, ACTIVATED, { erro: 'true' })],
  ['200 with error true at the top', 'unexpected-answer', 200, segura(200, ACTIVATED, {}, { error: true })],
  ['200 with an OAuth error at the top', 'unexpected-answer', 200, segura(200, ACTIVATED, {}, { error: 'invalid' })],
  ['200 with error_code 1 at the top', 'unexpected-answer', 200, segura(200, ACTIVATED, {}, { error_code: 1 })],
  ['200 with success false', 'unexpected-answer', 200, segura(200, ACTIVATED, { success: false })],
  ['200 that says it failed', 'unexpected-answer', 200, segura(200, 'Failed to activate the password')],
  ['200 that says it was not activated', 'unexpected-answer', 200, segura(200, 'Password was not activated')],
  ['200 that says "could not"', 'unexpected-answer', 200, segura(200, 'The password could not be activated')],
  ['200 with "Unexpected error." and error false', 'unexpected-answer', 200, segura(200, 'Unexpected error.')],
  [
    '200 that fails in Portuguese alone',
    'unexpected-answer',
    200,
    segura(200, ACTIVATED, { mensagem: 'Não foi possível ativar a senha' }),
  ],
  ['200 that fails in detail', 'unexpected-answer', 200, segura(200, ACTIVATED, { detail: 'Access denied' })],
  [
    '200 with an exception inside the response',
    'unexpected-answer',
    200,
    segura(200, ACTIVATED, { exception: { code: 500 } }),
  ],
  [
    '200 with error twice',
    'unexpected-answer',
    200,
    JSON.stringify(segura(200, ACTIVATED)).replace('"error":false', '"error":true,"error":false'),
  ],
  [
    '200 with error twice, once escaped',
    'unexpected-answer',
    200,
    JSON.stringify(segura(200, ACTIVATED)).replace('"error":false', '"\\u0065rror":true,"error":false'),
  ],
  [
    '400 with message twice',
    'unexpected-answer',
    400,
    JSON.stringify(segura(400, NOT_FOUND)).replace('"message"', '"message":"x","message"'),
  ],
  ['200 with error as a string "true"', 'unexpected-answer', 200, segura(200, ACTIVATED, { error: 'true' })],
  ['200 with error and erro at odds', 'unexpected-answer', 200, segura(200, ACTIVATED, { erro: true })],
  ['200 with neither error nor erro', 'unexpected-answer', 200, { response: { status: 200, message: ACTIVATED } }],
  ['200 whose envelope says 500', 'unexpected-answer', 200, segura(500, ACTIVATED, { error: false, erro: false })],
  ['200 whose code says 400', 'unexpected-answer', 200, segura(200, ACTIVATED, {}, { code: 400 })],
  ['200 that carries 1005', 'unexpected-answer', 200, segura(200, NOT_FOUND)],
  ['200 with 1006 and error true', 'unexpected-answer', 200, segura(200, NO_ACCESS, { error: true, erro: true })],
  [
    '200 with an exception',
    'unexpected-answer',
    200,
    segura(200, ACTIVATED, {}, { exception: { code: 500, message: 'x' } }),
  ],
  ['200 of the neighbouring endpoint', 'unexpected-answer', 200, segura(200, 'Password successfully deactivated')],
  ['200 of the neighbour in Portuguese', 'unexpected-answer', 200, segura(200, 'Senha desativada com sucesso')],
  ['200 with success outside the envelope', 'unexpected-answer', 200, { code: 200, message: ACTIVATED, error: false }],
  ['200 with an empty object', 'unexpected-answer', 200, {}],
  ['200 with a list', 'unexpected-answer', 200, [segura(200, ACTIVATED)]],
  ['200 with null', 'unexpected-answer', 200, 'null'],
  ['200 with JSON cut short', 'unexpected-answer', 200, JSON.stringify(segura(200, ACTIVATED)).slice(0, -9)],
  ['200 with plain text', 'unexpected-answer', 200, ACTIVATED],
  ['200 with a response that is text', 'unexpected-answer', 200, { response: 'ok', error: false }],
  ['201, however glad', 'unexpected-answer', 201, segura(200, ACTIVATED)],
  ['202', 'unexpected-answer', 202, segura(200, ACTIVATED, { status: 202 }, { code: 202 })],
  ['204', 'unexpected-answer', 204, ''],
  ['200 that says "not authorized"', 'unauthorized', 200, segura(200, NOT_AUTHORIZED)],
  // Segura's numbers, wherever the envelope carries them.
  [
    '1005 in exception.code alone',
    'not-found',
    400,
    segura(400, 'Password not found', {}, { exception: { code: 1005 } }),
  ],
  [
    '1005 as text in exception.code',
    'not-found',
    400,
    segura(400, 'x', {}, { exception: { code: '1005', message: 'x' } }),
  ],
  [
    '1005 in exception.message alone',
    'not-found',
    400,
    segura(400, 'x', {}, { exception: { code: 400, message: NOT_FOUND } }),
  ],
  [
    '1005 in mensagem alone',
    'not-found',
    400,
    { response: { status: 400, mensagem: '1005: Senha não encontrada', erro: true } },
  ],
  ['1005 in Message alone', 'not-found', 400, { response: { status: 400, Message: NOT_FOUND, error: true } }],
  ['1005 without a space', 'not-found', 400, segura(400, '1005:Password not found')],
  ['1005 with a dash', 'not-found', 400, segura(400, '1005 - Password not found')],
  ['1005 after a space', 'not-found', 400, segura(400, '  1005: Password not found')],
  ['1005 alone', 'not-found', 400, segura(400, '1005')],
  ['1005 with error as 1', 'not-found', 400, segura(400, NOT_FOUND, { error: 1, erro: 1 })],
  ['1005 in two languages', 'not-found', 400, segura(400, NOT_FOUND, { mensagem: '1005: Senha não encontrada' })],
  ['1006 in Portuguese', 'no-access', 400, segura(400, '1006: Usuário não possui acesso')],
  ['1006 with error_code and cod_erro 0', 'no-access', 400, segura(400, NO_ACCESS, { cod_erro: 0, error_code: 0 })],
  ['1010 as text/plain', 'invalid-identifier', 400, segura(400, WRONG_TYPE), { 'content-type': 'text/plain' }],
  // The same numbers where they mean nothing.
  ['1005 under 404', 'unroutable', 404, segura(404, NOT_FOUND)],
  ['1005 under 403', 'forbidden', 403, segura(403, NOT_FOUND)],
  ['1005 under 500', 'server-error', 500, segura(500, NOT_FOUND)],
  ['1005 under 422', 'unexpected-answer', 422, segura(422, NOT_FOUND)],
  ['1005 under 502', 'invalid-upstream-response', 502, segura(502, NOT_FOUND)],
  ['1005 without Segura’s envelope', 'gateway-refused', 400, { message: NOT_FOUND }],
  ['1005 as plain text', 'gateway-refused', 400, NOT_FOUND],
  ['1005 in a page', 'gateway-refused', 400, page(NOT_FOUND)],
  ['1005 in the request id', 'gateway-refused', 400, { message: 'Bad request', request_id: `1005${'a'.repeat(28)}` }],
  [
    '1005 that error false contradicts',
    'unexpected-answer',
    400,
    segura(400, NOT_FOUND, { error: false, erro: false }),
  ],
  [
    '1005 in the message, 1006 in the exception',
    'unexpected-answer',
    400,
    segura(400, NOT_FOUND, {}, { exception: { code: 1006 } }),
  ],
  ['1005 in English, 1006 in Portuguese', 'unexpected-answer', 400, segura(400, NOT_FOUND, { mensagem: NO_ACCESS })],
  ['1005 in the middle of a sentence', 'unexpected-answer', 400, segura(400, 'Item 1005 not found')],
  ['10050', 'unexpected-answer', 400, segura(400, '10050: Password not found')],
  ['1005.5', 'unexpected-answer', 400, segura(400, '1005.5: Password not found')],
  [
    'error_code 1005',
    'unexpected-answer',
    400,
    segura(400, 'Password not found', { error_code: 1005, cod_erro: 1005 }),
  ],
  ['1007, which we do not know', 'unexpected-answer', 400, segura(400, '1007: Something')],
  // Token and URL.
  ['no Route in capitals', 'unroutable', 404, { message: NO_ROUTE.toUpperCase() }],
  ['no Route as XML', 'unroutable', 404, `<?xml version="1.0"?>\n<error>\n  <message>${NO_ROUTE}</message>\n</error>`],
  ['401 with nothing', 'unauthorized', 401, ''],
  ['401 as a page', 'unauthorized', 401, page('401 Authorization Required')],
  ['401 with 1005', 'unauthorized', 401, segura(401, NOT_FOUND)],
  ['401 that says success', 'unauthorized', 401, segura(200, ACTIVATED)],
  ['403 that says "not authorized"', 'unauthorized', 403, segura(403, NOT_AUTHORIZED)],
  [
    '400 that says "not authorised"',
    'unauthorized',
    400,
    { message: 'You are not authorised to access this resource' },
  ],
  ['404 that says "not authorized"', 'unauthorized', 404, { message: NOT_AUTHORIZED }],
  ['503 that says "not authorized"', 'unauthorized', 503, NOT_AUTHORIZED],
  [
    '500 with "not authorized" in the exception',
    'unauthorized',
    500,
    segura(500, 'Unexpected error.', {}, { exception: { code: 500, message: NOT_AUTHORIZED } }),
  ],
  [
    '500 in Portuguese, not authorized',
    'unauthorized',
    500,
    segura(500, 'Você não está autorizado a acessar este recurso.'),
  ],
  // The gateway and what stands before it.
  ['502 with nothing', 'invalid-upstream-response', 502, ''],
  ['502 of a load balancer', 'invalid-upstream-response', 502, page('502 Bad Gateway')],
  ['502 that says success', 'invalid-upstream-response', 502, segura(200, ACTIVATED)],
  [
    '503 of HAProxy',
    'unavailable',
    503,
    '<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n',
  ],
  ['503 whose words say no Route', 'unavailable', 503, { message: NO_ROUTE }],
  ['504 with JSON cut short', 'upstream-timeout', 504, '{"message":"The upstream'],
  ['408 of HAProxy', 'request-timeout', 408, page('408 Request Time-out')],
  ['429 as a page', 'rate-limited', 429, page('429 Too Many Requests')],
  ['429 in Segura’s envelope', 'rate-limited', 429, segura(429, 'Too many requests')],
  ['500 with nothing, as a PHP crash', 'server-error', 500, ''],
  [
    '500 with an exception of 1005',
    'server-error',
    500,
    segura(500, 'Unexpected error.', {}, { exception: { code: 1005, message: 'x' } }),
  ],
  ['501', 'unexpected-answer', 501, page('501 Not Implemented')],
  ['520 of a CDN', 'unexpected-answer', 520, page('520')],
  ['301', 'redirect', 301, '', { location: 'https://elsewhere.example' }],
  ['307 with a success', 'redirect', 307, segura(200, ACTIVATED)],
  ['304', 'redirect', 304, ''],
  ['404 of another server', 'unroutable', 404, page('404 Not Found')],
  ['403 with nothing', 'forbidden', 403, ''],
  ['407 of a proxy', 'gateway-refused', 407, page('407 Proxy Authentication Required')],
  ['400 of nginx without a client certificate', 'client-certificate', 400, page(NO_CERTIFICATE)],
  ['400 of nginx for a bad one', 'client-certificate', 400, page('400 The SSL certificate error')],
  ['403 of IIS without a client certificate', 'client-certificate', 403, page('Client certificate required')],
  ['400 in the envelope that speaks of it', 'unexpected-answer', 400, segura(400, NO_CERTIFICATE)],
  ['413', 'gateway-refused', 413, { message: 'Payload too large' }],
  ['418', 'gateway-refused', 418, 'teapot'],
  ['451', 'gateway-refused', 451, ''],
  [
    '400 of nginx for http on an https port',
    'gateway-refused',
    400,
    page('400 The plain HTTP request was sent to HTTPS port'),
  ],
];

describe('answers nobody has seen yet', () => {
  test('are at least 45', () => {
    expect(invented.length).toBeGreaterThanOrEqual(45);
    expect(new Set(invented.map(([name]) => name)).size).toBe(invented.length);
  });

  const cases = invented.map(([name, means, status, body, headers]) => ({ name, means, status, body, headers }));

  test.each(cases)('$name means $means', ({ means, status, body, headers }) => {
    expect(judged(answered(status, body, headers)).means).toBe(means);
  });

  test.each(cases.filter(({ means }) => means !== 'unroutable'))(
    '$name: what happens is what the contract says of $means',
    ({ means, status, body, headers }) => {
      expect(judged(answered(status, body, headers)).happens.kind).toBe(happens[means]);
    },
  );

  test.each([
    ['refused', 'ECONNREFUSED', 'network'],
    ['reset', 'ECONNRESET', 'network'],
    ['timeout', 'ETIMEDOUT', 'network'],
    ['dns', 'ENOTFOUND', 'network'],
    ['unreachable', 'EHOSTUNREACH', 'network'],
    ['tls', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ] as const)('no answer (%s, %s) means %s', (failure, code, means) => {
    const row = judged(unanswered(failure, code));
    expect([row.means, row.happens.kind]).toEqual([means, happens[means]]);
  });

  test.each([
    ['200 without a token', 200, '{"token_type":"Bearer","expires_in":3600}', 'token-refused'],
    ['200 with a null token', 200, '{"access_token":null}', 'token-refused'],
    ['200 with an empty token', 200, '{"access_token":""}', 'token-refused'],
    ['200 with a token that no header can carry', 200, '{"access_token":"a\\r\\nX-Evil: 1"}', 'token-refused'],
    ['200 with a number for a token', 200, '{"access_token":12345}', 'token-refused'],
    ['200 with a login page', 200, page('Login'), 'token-refused'],
    ['a redirect', 302, '', 'token-refused'],
    ['401 as a page', 401, page('401'), 'token-refused'],
    ['403', 403, '{"message":"You cannot consume this service"}', 'token-refused'],
    ['405, as for a URL that is not the token endpoint', 405, '', 'token-refused'],
    ['a token under 401', 401, '{"access_token":"abc"}', 'token-refused'],
    ['408', 408, '', 'gateway'],
    ['429', 429, '', 'rate-limited'],
    ['a page that wants a client certificate', 400, page(NO_CERTIFICATE), 'client-certificate'],
    ['500', 500, '', 'gateway'],
    ['502', 502, page('502'), 'gateway'],
    ['503', 503, '', 'gateway'],
    [
      'a token of another case and more fields',
      200,
      '{"token_type":"bearer","access_token":"abc","scope":null}',
      'token-issued',
    ],
    ['a token without its lifetime', 200, '{"access_token":"a-b_c.d~e+f/g="}', 'token-issued'],
  ])('of the token endpoint: %s', (_, status, body, means) => {
    expect(judgeToken(read(answered(status, body))).means).toBe(means);
  });

  test.each([
    ['refused', 'gateway'],
    ['timeout', 'gateway'],
    ['tls', 'tls'],
    ['proxy', 'proxy'],
  ] as const)('of the token endpoint: no answer (%s) means %s', (failure, means) => {
    expect(judgeToken(read(unanswered(failure, 'X'))).means).toBe(means);
  });
});

describe('the tables', () => {
  test('reject what a retry cannot cure by Segura’s own number', () => {
    const codes = ENABLE_TABLE.flatMap(({ means, happens: policy }) =>
      policy.kind === 'reject' ? [[means, policy.errorCode]] : [],
    );
    expect(codes, 'test/unit/answers.test.ts: errorCodes and ENABLE_TABLE differ').toEqual(Object.entries(errorCodes));
    expect(REJECTED_CODES).toEqual(Object.values(errorCodes));
  });

  test('try 500 again at most once, and the gateway and the network for as long as there is time', () => {
    const limits = ENABLE_TABLE.flatMap(({ means, happens: policy }) =>
      policy.kind === 'retry' ? [[means, policy.atMost]] : [],
    );
    expect(Object.fromEntries(limits)).toEqual({
      'invalid-upstream-response': undefined,
      unavailable: undefined,
      'upstream-timeout': undefined,
      'request-timeout': undefined,
      network: undefined,
      'rate-limited': undefined,
      'server-error': 1,
    });
  });

  test('a verdict on a password says that Segura is up; a gateway’s answer never does', () => {
    for (const { segura: sign, happens: policy } of ENABLE_TABLE) {
      expect(sign === 'up').toBe(policy.kind === 'done' || policy.kind === 'reject');
      if (policy.kind === 'retry') expect(sign).toBe('down');
    }
  });

  test('end in a row that matches whatever comes', () => {
    const strange = read(answered(999, '\u0000'));
    expect(ENABLE_TABLE.at(-1)?.matches(strange)).toBe(true);
    expect(TOKEN_TABLE.at(-1)?.matches(strange)).toBe(true);
    expect(judge(strange).happens).toEqual({ kind: 'keep', cause: 'unexpected-answer' });
  });
});

describe('in the words for a dead letter', () => {
  test.each([
    ['Segura’s own sentence', segura(400, NOT_FOUND), NOT_FOUND],
    [
      'the Portuguese one where it is the only one',
      { response: { mensagem: '1005: Senha', erro: true } },
      '1005: Senha',
    ],
    ['that of the exception where there is no other', { exception: { code: 1005, message: 'gone' } }, 'gone'],
    ['ours where it says nothing', { response: {}, exception: { code: 1005 } }, "400 in Segura's own envelope, 1005"],
  ])('%s', (_, body, sentence) => {
    const reading = read(answered(400, body));
    expect(describeAnswer(judge(reading), reading)).toBe(sentence);
  });
});

describe('a secret could cure', () => {
  test.each<readonly [string, Answer]>([
    ['a page of a gateway', answered(503, page('503 Service Unavailable'))],
    ['no Route', answered(404, { message: NO_ROUTE })],
    ['a login page', answered(200, page('Login'))],
    ['a redirect', answered(302, '')],
    ['an empty 500', answered(500, '')],
    ['401 in the envelope', answered(401, segura(401, 'Inactive authorization'))],
    ['403 in the envelope', answered(403, segura(403, 'x'))],
    ['404 in the envelope', answered(404, segura(404, 'Resource sub not found'))],
    ['"not authorized" under 500', answered(500, segura(500, NOT_AUTHORIZED))],
    ['a refused handshake', unanswered('tls', 'CERT_HAS_EXPIRED')],
    ['a refused connection', unanswered('refused', 'ECONNREFUSED')],
    ['an unknown host', unanswered('dns', 'ENOTFOUND')],
  ])('%s', (_, answer) => {
    expect(secretMayCure(read(answer))).toBe(true);
  });

  test.each<readonly [string, Answer]>([
    ['1005', answered(400, segura(400, NOT_FOUND))],
    ['a success', answered(200, segura(200, ACTIVATED))],
    ['Segura’s own fault', answered(500, segura(500, 'Unexpected error.'))],
    ['a time-out', unanswered('timeout', 'ETIMEDOUT')],
    ['a reset', unanswered('reset', 'ECONNRESET')],
  ])('not %s', (_, answer) => {
    expect(secretMayCure(read(answer))).toBe(false);
  });
});

test('a body of brackets, however deep, is read in time that grows with its length', () => {
  const deep = (depth: number) => `{"response":${'[['.repeat(depth)}${']]'.repeat(depth)}}`;
  expect(judged(answered(200, deep(60_000))).means).toBe('unexpected-answer');
});

describe('answers one after the other', () => {
  const ENABLED = { code: 200, response: { status: 200, message: 'Password successfully activated', error: false } };

  test('are each judged by their own status, though their bodies are the same', () => {
    const statuses = [200, 503, 200, 401, 401, 200];
    expect(statuses.map((status) => judged(answered(status, ENABLED)).means)).toEqual([
      'enabled',
      'unavailable',
      'enabled',
      'unauthorized',
      'unauthorized',
      'enabled',
    ]);
  });

  test('are each judged by their own body, though their status is the same', () => {
    const already = { ...ENABLED, response: { ...ENABLED.response, message: 'Password already activated' } };
    const bodies = [ENABLED, already, {}, ENABLED];
    expect(bodies.map((body) => judged(answered(200, body)).means)).toEqual([
      'enabled',
      'already-enabled',
      'unexpected-answer',
      'enabled',
    ]);
  });

  test('ask for a wait each by its own header', () => {
    const waits = ['5', undefined, '7'].map((retryAfter) =>
      read(answered(503, 'busy', retryAfter ? { 'retry-after': retryAfter } : {})),
    );
    expect(waits.map(({ retryAfterSeconds }) => retryAfterSeconds)).toEqual([5, undefined, 7]);
  });
});
