/**
 * A plugin of the Serverless Framework, for the one thing that YAML cannot say: the alias points at the version that
 * this very package publishes, whose name the framework makes up anew for each content.
 */

import { createHash } from 'node:crypto';

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  [key: string]: unknown;
}
interface Serverless {
  readonly service: {
    readonly provider: { readonly compiledCloudFormationTemplate: { readonly Resources: Record<string, Resource> } };
  };
}

const FUNCTION = 'EnableDashpasswordLambdaFunction';

/** Adds the alias `live`, moved by CodeDeploy; alarms roll it back. */
export const addAlias = (resources: Record<string, Resource>): void => {
  const version = Object.entries(resources).find(
    ([, { Type, Properties }]) =>
      Type === 'AWS::Lambda::Version' && (Properties['FunctionName'] as { Ref?: string } | undefined)?.Ref === FUNCTION,
  );
  if (!version) throw new Error(`the framework published no version of ${FUNCTION}: versionFunctions must be true`);
  resources['EnablePasswordAlias'] = {
    Type: 'AWS::Lambda::Alias',
    Properties: {
      Name: 'live',
      FunctionName: { Ref: FUNCTION },
      FunctionVersion: { 'Fn::GetAtt': [version[0], 'Version'] },
    },
    UpdatePolicy: {
      CodeDeployLambdaAliasUpdate: {
        ApplicationName: { Ref: 'DeploymentApplication' },
        DeploymentGroupName: { Ref: 'DeploymentGroup' },
      },
    },
  };
};

/** API Gateway publishes a deployment once: another content needs another name, or a change would never go live. */
export const renewDeployment = (resources: Record<string, Resource>): void => {
  const { HttpsDeployment: deployment, HttpsStage: stage, ...others } = resources;
  if (!(deployment && stage)) return;
  const content = Object.entries(others).filter(([, { Type }]) => Type.startsWith('AWS::ApiGateway::'));
  const name = `HttpsDeployment${createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12)}`;
  delete resources['HttpsDeployment'];
  resources[name] = deployment;
  stage.Properties['DeploymentId'] = { Ref: name };
};

export default class MysafeEnablePlugin {
  readonly hooks: Readonly<Record<string, () => void>>;
  constructor(serverless: Serverless) {
    const template = () => serverless.service.provider.compiledCloudFormationTemplate;
    this.hooks = {
      'after:package:compileEvents': () => addAlias(template().Resources),
      // Only now are the resources of serverless.yml in it.
      'before:package:finalize': () => renewDeployment(template().Resources),
    };
  }
}
