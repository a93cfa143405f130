/**
 * A plugin of the Serverless Framework, for what YAML cannot say. What the parameters leave out is left out (conditions.ts).
 * And two resources of CloudFormation are published once and never change, so another content needs another name. In
 * infra/*.yml they go by the names on the left.
 *
 * - EnablePasswordVersion: the framework names it by the function's code and configuration; its name is only known here.
 * - HttpsDeployment: without a new name API Gateway would go on serving the old methods, the old authorisation among them.
 */
import { createHash } from 'node:crypto';
import { type CompiledTemplate, decideConditions } from './conditions.ts';

interface Serverless {
  readonly service: { readonly provider: { compiledCloudFormationTemplate: CompiledTemplate } };
}

const FUNCTION = 'EnableDashpasswordLambdaFunction';

/** Names are JSON strings of their own in a template, as key or in a reference. */
const rename = (template: CompiledTemplate, from: string, to: string): CompiledTemplate =>
  JSON.parse(JSON.stringify(template).replaceAll(`"${from}"`, `"${to}"`));

/** @throws Error where the framework published no version */
export const nameByContent = (template: CompiledTemplate): CompiledTemplate => {
  const resources = Object.entries(template.Resources);
  const [version] =
    resources.find(
      ([, { Type, Properties }]) =>
        Type === 'AWS::Lambda::Version' &&
        (Properties as { FunctionName: { Ref: string } }).FunctionName.Ref === FUNCTION,
    ) ?? [];
  if (version === undefined) throw new Error(`${FUNCTION} has no version: versionFunctions must be true`);
  const api = resources.filter(([, { Type }]) => Type.startsWith('AWS::ApiGateway::'));
  const hash = createHash('sha256').update(JSON.stringify(api)).digest('hex').slice(0, 12);
  return rename(rename(template, 'EnablePasswordVersion', version), 'HttpsDeployment', `HttpsDeployment${hash}`);
};

export default class MysafeEnablePlugin {
  readonly hooks: Readonly<Record<string, () => void>>;
  constructor({ service }: Serverless) {
    this.hooks = {
      // Before this, the resources of serverless.yml are not in the template.
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        service.provider.compiledCloudFormationTemplate = nameByContent(
          decideConditions(service.provider.compiledCloudFormationTemplate),
        );
      },
    };
  }
}
