/** The HTTPS endpoint: API Gateway straight to SQS. What it lets through, what the queue gets, what the caller is told. */
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, test } from 'vitest';
import requestSchema from '../../events/enable-request.schema.json' with { type: 'json' };
import { parseRequest } from '../../functions/requests/request.ts';
import { compile, type Template } from './compile.ts';

const POOL = 'arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_abc';

let withIam: Template;
let withJwt: Template;
beforeAll(async () => {
  [withIam, withJwt] = await Promise.all([
    compile({ https: 'true' }),
    compile({ https: 'true', httpsAuthorization: 'JWT', userPoolArn: POOL, fifo: 'true' }),
  ]);
});

interface Method {
  readonly AuthorizationType: string;
  readonly AuthorizationScopes?: readonly string[];
  readonly RequestModels: Readonly<Record<string, unknown>>;
  readonly RequestValidatorId: unknown;
  readonly Integration: {
    readonly PassthroughBehavior: string;
    readonly RequestTemplates: Readonly<Record<string, string>>;
    readonly IntegrationResponses: readonly { readonly ResponseTemplates: Readonly<Record<string, string>> }[];
  };
}
const propertiesOf = <Properties>(template: Template, id: string): Properties =>
  template.Resources[id]!.Properties as Properties;
const post = (template: Template) => propertiesOf<Method>(template, 'HttpsPost');

/** As much of API Gateway's templates as ours use. */
const render = (template: string, body: string): string =>
  template
    .replaceAll('$util.urlEncode($input.body)', () => encodeURIComponent(body))
    .replaceAll("$input.path('$.identifier')", () => String(JSON.parse(body).identifier))
    .replaceAll("$input.path('$.SendMessageResponse.SendMessageResult.MessageId')", '19dd0b57')
    .replaceAll('$context.requestId', 'c6af9ac6')
    .replaceAll('$context.error.messageString', '"Forbidden"');

describe('the shape of the body is checked before the queue has it', () => {
  const accepts = (body: string): boolean => {
    const { $schema: _, ...schema } = propertiesOf<{ Schema: Record<string, unknown> }>(
      withIam,
      'HttpsRequestModel',
    ).Schema;
    return new Ajv({ strict: false }).compile(schema)(JSON.parse(body));
  };
  const text = (length: number) => 'x'.repeat(length);

  test.each([
    '{"identifier": 10}',
    '{"identifier": "10"}',
    '{"identifier": 9007199254740991}',
    `{"identifier": 10, "requestId": "RITM1", "requestedBy": "ana@example.com", "reason": "${text(256)}", "source": "jira"}`,
    '{"identifier": 10, "notAfter": "2027-01-31T17:00:00Z", "somethingElse": [1]}',
    '{"identifier": 10, "requestId": null, "requestedBy": null, "reason": null, "source": null, "notAfter": null}',
    '{"identifier": 10, "notAfter": "2028-02-29T17:00:00Z"}',
  ])('taken here and by the function: %s', (body) => {
    expect(accepts(body)).toBe(true);
    expect(parseRequest(body).kind).toBe('request');
  });

  test.each([
    '{}',
    '[]',
    '"ten"',
    '{"identifier": 0}',
    '{"identifier": -1}',
    '{"identifier": 1.5}',
    '{"identifier": "010"}',
    '{"identifier": "10/../11"}',
    '{"identifier": null}',
    '{"identifier": [10]}',
    '{"identifier": 9007199254740992}',
    '{"identifier": "9007199254740992"}',
    '{"identifier": 10, "notAfter": "2027-01-31T17:00:00"}',
    '{"identifier": 10, "notAfter": "2030-02-30T17:00:00Z"}',
    '{"identifier": 10, "notAfter": "2027-02-29T17:00:00Z"}',
    '{"identifier": 10, "requestId": 7}',
    `{"identifier": 10, "reason": "${text(257)}"}`,
  ])('refused here and by the function: %s', (body) => {
    expect(accepts(body)).toBe(false);
    expect(parseRequest(body).kind).toBe('invalid');
  });

  test('every field is checked here as in events/enable-request.schema.json', () => {
    const { properties } = propertiesOf<{ Schema: { properties: object } }>(withIam, 'HttpsRequestModel').Schema;
    const published = Object.entries(requestSchema.$defs.request.properties).map(([name, { ...rules }]) => {
      for (const word of ['description', 'examples'] as const) delete (rules as Record<string, unknown>)[word];
      return [name, '$ref' in rules ? { oneOf: requestSchema.$defs.identifier.anyOf } : rules];
    });
    expect(properties).toEqual(Object.fromEntries(published));
  });

  test('no body passes by the check with another content type', () => {
    const { RequestModels, RequestValidatorId, Integration } = post(withIam);
    expect(Object.keys(RequestModels)).toEqual(['application/json']);
    expect(Object.keys(Integration.RequestTemplates)).toEqual(['application/json']);
    expect(Integration.PassthroughBehavior).toBe('NEVER');
    expect(RequestValidatorId).toEqual({ Ref: 'HttpsValidator' });
    expect(propertiesOf(withIam, 'HttpsValidator')).toMatchObject({ ValidateRequestBody: true });
  });
});

describe('the queue gets', () => {
  const BODY = '{"identifier": "10", "reason": "ça & Action=PurgeQueue + 100 % #1 \\u00e9 \\n"}';
  const call = (template: Template) =>
    new URLSearchParams(render(post(template).Integration.RequestTemplates['application/json'] ?? '', BODY));

  test('the body whole, and nothing of it as a parameter of its own', () => {
    expect([...call(withIam)]).toEqual([
      ['Action', 'SendMessage'],
      ['MessageBody', BODY],
    ]);
  });

  test('with FIFO a group for each password, and the same request again as a new one', () => {
    expect([...call(withJwt)].slice(2)).toEqual([
      ['MessageGroupId', 'password-10'],
      ['MessageDeduplicationId', 'c6af9ac6'],
    ]);
  });
});

test('every answer is JSON that says whether the request was taken, and carries a request id', () => {
  const answers = [
    ...post(withIam).Integration.IntegrationResponses,
    ...['HttpsBadRequest', 'HttpsRefused', 'HttpsFailed'].map((id) =>
      propertiesOf<{ ResponseTemplates: Record<string, string> }>(withIam, id),
    ),
  ].map(({ ResponseTemplates }) => JSON.parse(render(ResponseTemplates['application/json'] ?? '', '')));
  expect(answers.map(({ accepted }) => accepted)).toEqual([true, false, false, false, false]);
  for (const answer of answers) expect(answer.requestId).toBe('c6af9ac6');
  expect(answers[0].messageId).toBe('19dd0b57');
});

test('nobody is let in without authorisation: IAM, or an access token with the scope that the stack makes', () => {
  expect(post(withIam).AuthorizationType).toBe('AWS_IAM');
  expect(post(withJwt)).toMatchObject({
    AuthorizationType: 'COGNITO_USER_POOLS',
    AuthorizationScopes: ['mysafe-enable-dev/send'],
  });
  expect(propertiesOf(withJwt, 'HttpsScopes')).toMatchObject({
    UserPoolId: 'eu-west-1_abc',
    Identifier: 'mysafe-enable-dev',
    Scopes: [{ ScopeName: 'send' }],
  });
});
