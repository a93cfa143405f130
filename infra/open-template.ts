/**
 * Makes the one template for every tool from what osls compiled with placeholders for values: the same resources, with
 * parameters in place of what is baked in, the stack's name in place of the stage's, and code from a bucket that is given.
 */
import { createHash } from 'node:crypto';
import { type CompiledResource, type CompiledTemplate, isObject, type Json } from './conditions.ts';
import { OPEN_NUMBERS, RULES } from './parameters.ts';
import {
  expressionOf,
  logicalName,
  MORE_CONDITIONS,
  templateMappings,
  templateParameters,
  templateRules,
} from './template-parameters.ts';

/** The stage under which osls compiles it. */
export const OPEN_STAGE = 'OF-STACK';

interface Zip {
  /** In the bucket, after the prefix. */
  readonly name: string;
  readonly sha256: Buffer;
}

const NUMBERS = new Map<unknown, string>(Object.entries(OPEN_NUMBERS).map(([name, number]) => [number, name]));
const STAGE = new RegExp(`(mysafe-enable-)?${OPEN_STAGE}`, 'g');

/** A text with placeholders in it, for `Fn::Sub`; what is no plain parameter gets a variable of its own. */
const openText = (text: string): { readonly text: string; readonly variables: Json } => {
  const variables: Record<string, unknown> = {};
  const opened = text.replaceAll(STAGE, '${AWS::StackName}').replaceAll(/@([\w.]+)@/g, (_, name: string) => {
    const expression = expressionOf(name);
    const { Ref: parameter } = expression as { Ref?: string };
    // Names of one letter, because CloudFormation takes no large template in a call.
    const variable = parameter ?? String.fromCharCode(97 + Object.keys(variables).length);
    if (parameter === undefined) variables[variable] = expression;
    return `\${${variable}}`;
  });
  return { text: opened, variables };
};

const sub = (text: string, known: Json = {}): unknown => {
  const opened = openText(text);
  const variables = { ...known, ...opened.variables };
  if (Object.keys(variables).length > 0) return { 'Fn::Sub': [opened.text, variables] };
  const [, alone] = /^\$\{([\w:]+)\}$/.exec(opened.text) ?? [];
  return alone === undefined ? { 'Fn::Sub': opened.text } : { Ref: alone };
};

const nameIn = (value: unknown): string | undefined =>
  typeof value === 'string' ? /^@([\w.]+)@$/.exec(value)?.[1] : undefined;

/** Each placeholder becomes what CloudFormation makes of the parameters. */
const open = (value: unknown): unknown => {
  if (NUMBERS.has(value)) return expressionOf(`custom.${NUMBERS.get(value)}`);
  const name =
    nameIn(value) ??
    (Array.isArray(value) && value.length === 1 && /Ids@$/.test(String(value[0])) ? nameIn(value[0]) : undefined);
  if (name !== undefined) return expressionOf(name);
  if (typeof value === 'string') {
    const isPlain = openText(value).text === value;
    return isPlain ? value : sub(value.replaceAll('${', '${!'));
  }
  if (Array.isArray(value)) return value.map(open);
  if (!isObject(value)) return value;
  const referred = nameIn(value['Ref']);
  if (referred !== undefined) return expressionOf(referred);
  const attribute = value['Fn::GetAtt'];
  // The same, and shorter.
  if (Array.isArray(attribute)) return { 'Fn::Sub': `\${${attribute.join('.')}}` };
  const text = value['Fn::Sub'];
  if (typeof text === 'string') return sub(text);
  if (Array.isArray(text)) return sub(String(text[0]), open(text[1]) as Json);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, key === 'DashboardBody' ? shortDashboard(each) : open(each)]),
  );
};

/** What stands in a dashboard again and again goes into a variable: CloudFormation takes no large template in a call. */
const REPEATED: Readonly<Record<string, string>> = {
  W: '{"type":"metric","width":8,"height":6,"properties":{"title":"',
  R: '","region":"${AWS::Region}",',
  M: '["mysafe-enable","',
  S: '","service","${AWS::StackName}"',
  Q: '["AWS/SQS","ApproximateNumberOfMessages',
  N: '","QueueName","',
  T: '"stat":"',
  L: '","label":"',
  B: '"metrics":[',
  E: ']]}},',
};
const shortDashboard = (body: unknown): unknown => {
  const { 'Fn::Sub': text } = body as { 'Fn::Sub': string };
  const opened = openText(JSON.stringify(JSON.parse(text))).text;
  const short = Object.entries(REPEATED).reduce((rest, [name, part]) => rest.replaceAll(part, `\${${name}}`), opened);
  const used = Object.entries(REPEATED).map(([name, part]) => [name, part.includes('${') ? { 'Fn::Sub': part } : part]);
  return { 'Fn::Sub': [short, Object.fromEntries(used)] };
};

/** The parameters that a value depends on, conditions followed. */
const parametersIn = (value: unknown, conditions: Json): ReadonlySet<string> => {
  const known = new Set(Object.keys(RULES).map(logicalName));
  const found = new Set<string>();
  const look = (each: unknown): void => {
    if (Array.isArray(each)) each.forEach(look);
    else if (typeof each === 'string') {
      for (const [, name = ''] of each.matchAll(/\$\{(\w+)\}/g)) if (known.has(name)) found.add(name);
    } else if (isObject(each)) {
      const name = String(each['Ref']);
      if (known.has(name)) found.add(name);
      for (const [key, inner] of Object.entries(each)) {
        if (key === 'Condition') look(conditions[String(inner)]);
        if (key === 'Fn::If') look(conditions[String((inner as readonly unknown[])[0])]);
        look(inner);
      }
    }
  };
  look(value);
  return found;
};

/** As short as can be told apart: a version's description takes 256 characters (the parameters' patterns see to it). */
const brief = (name: string): unknown => {
  const rest = (prefix: string) => ({ 'Fn::Join': ['', { 'Fn::Split': [prefix, { Ref: name }] }] });
  if (name === 'SubnetIds') return rest('subnet-');
  if (name === 'SecurityGroupIds') return rest('sg-');
  if (name !== 'SecretId') return { Ref: name };
  // Of an ARN the name with its six characters, of a name the name.
  return {
    'Fn::Select': [
      1,
      { 'Fn::Split': [':secret:', { 'Fn::If': ['SecretIsArn', { Ref: name }, { 'Fn::Sub': `:secret:\${${name}}` }] }] },
    ],
  };
};

/**
 * A published version never changes, and CloudFormation publishes another only where the description or the code's hash
 * changes. So the description names all that the function is made of; not what Lambda keeps outside of versions, or it
 * would refuse to publish the same a second time.
 */
const describeVersion = (fn: CompiledResource, conditions: Json): unknown => {
  const { Code: _, ReservedConcurrentExecutions: __, Tags: ___, ...made } = fn.Properties as Json;
  const shape = createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 8);
  return { 'Fn::Join': ['|', [shape, ...[...parametersIn(made, conditions)].sort().map(brief)]] };
};

const FUNCTIONS = [
  { id: 'EnableDashpassword', folder: 'enable-password', version: 'EnablePasswordVersion' },
  { id: 'ReplayDashdeadDashletters', folder: 'replay-dead-letters', version: 'ReplayDeadLettersVersion' },
] as const;

/** Names are JSON strings of their own in a template, as key or in a reference. */
const rename = (template: CompiledTemplate, start: string, to: string): CompiledTemplate => {
  const from = Object.keys(template.Resources).find((id) => id.startsWith(start));
  if (from === undefined) throw new Error(`no resource begins with ${start}`);
  return JSON.parse(JSON.stringify(template).replaceAll(`"${from}"`, `"${to}"`)) as CompiledTemplate;
};

/** Code from the bucket, and a version for each change of it or of what it is given. */
const withCode = ({ Resources, ...rest }: CompiledTemplate, zips: Readonly<Record<string, Zip>>): CompiledTemplate => {
  const changed: Record<string, CompiledResource> = { ...Resources };
  for (const { id, folder, version } of FUNCTIONS) {
    const zip = zips[folder];
    const fn = Resources[`${id}LambdaFunction`];
    const published = Resources[version];
    if (!zip || !fn || !published) throw new Error(`${folder} has no zip, function or version`);
    const Code = { S3Bucket: { Ref: 'CodeBucket' }, S3Key: { 'Fn::Sub': `\${CodePrefix}${zip.name}` } };
    changed[`${id}LambdaFunction`] = { ...fn, Properties: { ...(fn.Properties as Json), Code } };
    changed[version] = {
      ...published,
      // Also where another takes its place: CodeDeploy may have to go back to it.
      UpdateReplacePolicy: 'Retain',
      Properties: {
        FunctionName: { Ref: `${id}LambdaFunction` },
        CodeSha256: zip.sha256.toString('base64'),
        Description: describeVersion(fn, rest.Conditions ?? {}),
      },
    };
  }
  return { ...rest, Resources: changed };
};

/**
 * A deployment of the API is published once, too, and no property of it can say what it is made of. So there is one for each
 * way that the parameters can make the API, and the stage takes the one whose condition holds.
 */
const withDeployments = (template: CompiledTemplate): CompiledTemplate => {
  const { HttpsDeployment: deployment, HttpsStage: stage, ...others } = template.Resources;
  if (!deployment || !stage) throw new Error('there is no deployment of the API');
  const content = Object.entries(others).filter(([, { Type }]) => Type.startsWith('AWS::ApiGateway::'));
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 8);
  const holds = (name: string, expected: boolean) =>
    expected ? { Condition: name } : { 'Fn::Not': [{ Condition: name }] };
  const ways = [true, false].flatMap((jwt) => [true, false].map((fifo) => ({ jwt, fifo })));
  const nameOf = ({ jwt, fifo }: { jwt: boolean; fifo: boolean }) =>
    `${jwt ? 'Jwt' : 'Iam'}${fifo ? 'Fifo' : 'Standard'}`;
  const idOf = (way: { jwt: boolean; fifo: boolean }) => `HttpsDeployment${nameOf(way)}${hash}`;
  const pick = (jwt: boolean) => ({
    'Fn::If': ['IsFifo', { Ref: idOf({ jwt, fifo: true }) }, { Ref: idOf({ jwt, fifo: false }) }],
  });
  const DeploymentId = { 'Fn::If': ['HasJwt', pick(true), pick(false)] };
  return {
    ...template,
    Conditions: {
      ...template.Conditions,
      ...Object.fromEntries(
        ways.map((way) => [
          nameOf(way),
          {
            'Fn::And': [
              ...(way.jwt ? [] : [{ Condition: 'HasHttps' }]),
              holds('HasJwt', way.jwt),
              holds('IsFifo', way.fifo),
            ],
          },
        ]),
      ),
    },
    Resources: {
      ...others,
      ...Object.fromEntries(ways.map((way) => [idOf(way), { ...deployment, Condition: nameOf(way) }])),
      HttpsStage: { ...stage, Properties: { ...(stage.Properties as Json), DeploymentId } },
    },
  };
};

/** Only osls's own: the bucket that it deploys from, and what it hands over to others of its stacks. */
const withoutFramework = ({ Resources, Outputs = {}, ...rest }: CompiledTemplate): CompiledTemplate => {
  const isOwn = ([id]: readonly [string, unknown]) => !/^ServerlessDeploymentBucket|FunctionQualifiedArn$/.test(id);
  return {
    ...rest,
    Resources: Object.fromEntries(Object.entries(Resources).filter(isOwn)),
    Outputs: Object.fromEntries(Object.entries(Outputs).filter(isOwn)),
  };
};

/** @param compiled by osls, with a placeholder for each parameter and `OPEN_STAGE` as its stage */
export const openTemplate = (compiled: CompiledTemplate, zips: Readonly<Record<string, Zip>>) => {
  const renamed = FUNCTIONS.reduce(
    (template, { id, version }) => rename(template, `${id}LambdaVersion`, version),
    rename(compiled, 'HttpsDeployment', 'HttpsDeployment'),
  );
  const opened = open(withoutFramework(renamed)) as CompiledTemplate;
  const conditions = { ...opened.Conditions, ...MORE_CONDITIONS };
  const { Resources, Outputs, Conditions } = withCode(withDeployments({ ...opened, Conditions: conditions }), zips);
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: "mysafe-enable: enables passwords in Segura's MySafe when an access request is approved",
    // The default of VpcId is no id; without subnets nothing asks for it.
    Metadata: {
      'cfn-lint': { config: { ignore_checks: ['W1030'] } },
      why: 'VpcId may be empty: then there is no SecurityGroup',
    },
    Parameters: templateParameters(),
    Rules: templateRules(),
    Mappings: templateMappings(),
    Conditions,
    Resources,
    Outputs,
  };
};
