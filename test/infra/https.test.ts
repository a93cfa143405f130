/** The HTTPS endpoint: API Gateway straight to SQS. What it lets through, what the queue gets, what the caller is told. */
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, test } from 'vitest';
import requestSchema from '../../events/enable-request.schema.json' with { type: 'json' };
import { parseRequest } from '../../functions/requests/request.ts';
import { compile, type Template } from './compile.ts';
import { renderVelocity } from './velocity.ts';

const POOL = 'arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_abc';

let withIam: Template;
let withJwt: Template;
beforeAll(async () => {
  [withIam, withJwt] = await Promise.all([
    compile({ https: 'true' }),
    compile({
      https: 'true',
      httpsAuthorization: 'JWT',
      userPoolArn: POOL,
      fifo: 'true',
      apiGatewayAccountRole: 'true',
    }),
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

/** What comes back is made without conditions. */
const answered = (template: string): string =>
  template
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

const BODY = '{"identifier": "10", "reason": "ça & Action=PurgeQueue + 100 % #1 \\u00e9 \\n"}';
const ARN = 'arn:aws:sts::123456789012:assumed-role/approval-bot/ana@example.com';
const IAM = { requestId: 'c6af9ac6', 'identity.userArn': ARN, 'identity.user': 'AROAEXAMPLE:ana@example.com' };
const JWT = { requestId: 'c6af9ac6', 'authorizer.claims.sub': '7f1c', 'authorizer.claims.client_id': '4k2s' };

/** The parameters of the call to SQS, in their order. */
const sent = (template: Template, context: Readonly<Record<string, string>>, body = BODY): [string, string][] => {
  const mapping = post(template).Integration.RequestTemplates['application/json'] ?? '';
  return [...new URLSearchParams(renderVelocity(mapping, { body, context }))];
};
const CALLER = [
  ['MessageAttribute.1.Name', 'Caller'],
  ['MessageAttribute.1.Value.DataType', 'String'],
];

describe('the queue gets', () => {
  test('the body whole, who called, and nothing of them as a parameter of its own', () => {
    expect(sent(withIam, IAM)).toEqual([
      ['Action', 'SendMessage'],
      ['MessageBody', BODY],
      ...CALLER,
      ['MessageAttribute.1.Value.StringValue', ARN],
      ['MessageGroupId', 'AROAEXAMPLE:ana@example.com'],
    ]);
  });

  test('with FIFO a group for each password, and the same request again as a new one', () => {
    expect(sent(withJwt, JWT)).toEqual([
      ['Action', 'SendMessage'],
      ['MessageBody', BODY],
      ...CALLER,
      ['MessageAttribute.1.Value.StringValue', '7f1c 4k2s'],
      ['MessageGroupId', 'password-10'],
      ['MessageDeduplicationId', 'c6af9ac6'],
    ]);
  });

  const find = (parameters: readonly [string, string][], name: string) =>
    parameters.find(([each]) => each === name)?.[1];

  test.each([
    ['nobody is named', {}, 'unknown', 'unknown'],
    [
      'names are long',
      { 'identity.userArn': 'a'.repeat(600), 'identity.user': 'b'.repeat(600) },
      'a'.repeat(256),
      'b'.repeat(128),
    ],
    [
      'names try to add a parameter',
      { 'identity.userArn': 'x&Action=PurgeQueue', 'identity.user': 'y&DelaySeconds=900' },
      'x&Action=PurgeQueue',
      'y&DelaySeconds=900',
    ],
  ])('a caller that is bounded, never empty, and adds nothing to the call: %s', (_, context, caller, group) => {
    const parameters = sent(withIam, context);
    expect(find(parameters, 'MessageAttribute.1.Value.StringValue')).toBe(caller);
    expect(find(parameters, 'MessageGroupId')).toBe(group);
    expect(parameters).toHaveLength(6);
  });

  test('a group of at most 128 characters and no parameter more, even if an identifier passed by the model', () => {
    const parameters = sent(withJwt, JWT, `{"identifier": "1&MessageBody=11&${'x'.repeat(600)}"}`);
    expect(find(parameters, 'MessageGroupId')).toHaveLength(128);
    expect(parameters).toHaveLength(7);
  });
});

describe('who asked', () => {
  interface Stage {
    readonly AccessLogSetting: { readonly DestinationArn: unknown; readonly Format: string };
    readonly MethodSettings: readonly Readonly<Record<string, unknown>>[];
  }
  const stage = () => propertiesOf<Stage>(withIam, 'HttpsStage');

  test('the access log names the caller, the request and what became of it, a JSON object a line', () => {
    const { DestinationArn, Format } = stage().AccessLogSetting;
    expect(DestinationArn).toEqual({ 'Fn::GetAtt': ['HttpsAccessLog', 'Arn'] });
    expect(Format).not.toContain('\n');
    expect(JSON.parse(Format)).toMatchObject({
      requestId: '$context.requestId',
      status: '$context.status',
      caller: '$context.identity.userArn',
      subject: '$context.authorizer.claims.sub',
      client: '$context.authorizer.claims.client_id',
    });
  });

  test('no log holds a body: faults alone are logged, without data trace', () => {
    expect(stage().MethodSettings).toEqual([
      expect.objectContaining({
        HttpMethod: '*',
        ResourcePath: '/*',
        LoggingLevel: 'ERROR',
        DataTraceEnabled: false,
        ThrottlingBurstLimit: 100,
        ThrottlingRateLimit: 50,
      }),
    ]);
    expect(stage().AccessLogSetting.Format).not.toMatch(/input|body/);
  });

  test('the account’s role for logs, which other APIs share, is set only where the parameter allows it, and stays', () => {
    expect(withIam.Resources).not.toHaveProperty('HttpsAccount');
    expect(withJwt.Resources['HttpsAccount']).toMatchObject({ DeletionPolicy: 'Retain' });
    // Its description names it, for CloudFormation lets nothing depend on what may not be there.
    expect(JSON.stringify(withJwt.Resources['HttpsStage'])).toContain('${HttpsAccount}');
  });

  test('the function takes the attribute Caller from the role of this endpoint alone', () => {
    const variables = (template: Template) =>
      propertiesOf<{ Environment: { Variables: Record<string, unknown> } }>(
        template,
        'EnableDashpasswordLambdaFunction',
      ).Environment.Variables;
    expect(variables(withIam)['CALLER_SENDERS']).toEqual({ 'Fn::GetAtt': ['HttpsRole', 'RoleId'] });
  });
});

test('every answer is JSON that says whether the request was taken, and carries a request id', () => {
  const answers = [
    ...post(withIam).Integration.IntegrationResponses,
    ...['HttpsBadRequest', 'HttpsRefused', 'HttpsFailed'].map((id) =>
      propertiesOf<{ ResponseTemplates: Record<string, string> }>(withIam, id),
    ),
  ].map(({ ResponseTemplates }) => JSON.parse(answered(ResponseTemplates['application/json'] ?? '')));
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
