/**
 * A plugin of the Serverless Framework, for what YAML cannot say. A wrong parameter, a missing region and messages that would be
 * lost with the stack are said first and alone. What the parameters leave out is left out (conditions.ts).
 * And two resources of CloudFormation are published once and never change, so another content needs another name. In
 * infra/*.yml they go by the names on the left.
 *
 * - EnablePasswordVersion: the framework names it by the function's code and configuration; its name is only known here.
 * - HttpsDeployment: without a new name API Gateway would go on serving the old methods, the old authorisation among them.
 */
import { createHash } from 'node:crypto';
import type { CloudFormationClientConfig } from '@aws-sdk/client-cloudformation';
import { type CompiledTemplate, decideConditions } from './conditions.ts';
import { findRegion, REGION_IS_MISSING } from './region.ts';
import { findWaiting, refusal } from './waiting.ts';

interface Provider {
  readonly naming: { readonly getStackName: () => string };
  readonly getAwsSdkV3Config: () => Promise<CloudFormationClientConfig>;
}
interface Serverless {
  readonly service: {
    readonly custom?: { readonly faults?: readonly string[] };
    readonly provider: { compiledCloudFormationTemplate: CompiledTemplate };
  };
  readonly processedInput: { readonly commands: readonly string[] };
  readonly getProvider: (name: 'aws') => Provider;
  readonly pluginManager: { readonly hooks: Record<string, readonly { readonly hook: () => unknown }[]> };
  /** osls prints its message, without a stack. */
  readonly classes: { readonly Error: new (message: string, code: string) => Error };
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

interface Options {
  readonly force?: boolean;
  readonly region?: string;
  readonly 'aws-profile'?: string;
}

/** The commands that make no difference in AWS. */
const OFFLINE = ['package', 'print', 'plugin'];

export default class MysafeEnablePlugin {
  readonly hooks: Readonly<Record<string, () => void>>;
  readonly commands = {
    remove: {
      usage: 'Remove the stack; refused while messages wait',
      lifecycleEvents: ['remove'],
      options: { force: { usage: 'Remove it with all messages that wait', type: 'boolean' } },
    },
  };
  /** osls calls it once all plugins are there. Its own would say "Deploying …" or "Removing …" before we say what is missing. */
  readonly asyncInit: () => void;
  constructor(serverless: Serverless, options: Options) {
    const { service } = serverless;
    const [command = ''] = serverless.processedInput.commands;
    const refuse = (message: string): never => {
      throw new serverless.classes.Error(message, 'MYSAFE_ENABLE');
    };
    const checkFirst = async (): Promise<void> => {
      const faults = service.custom?.faults ?? [];
      if (faults.length > 0) refuse(`${faults.join('; ')} (docs/platform-engineer.md has all parameters)`);
      if (!OFFLINE.includes(command) && findRegion(options) === undefined) refuse(REGION_IS_MISSING);
      if (command !== 'remove' || options.force) return;
      const provider = serverless.getProvider('aws');
      const stack = provider.naming.getStackName();
      const waiting = await findWaiting(stack, await provider.getAwsSdkV3Config()).catch(({ name, message }: Error) =>
        // Such as that there is no such stack in this region, or that these credentials may not ask.
        refuse(
          `not removed: it cannot be seen whether messages wait in ${stack} (${name}: ${message.replace(/\.+$/, '')}). Fix that, or give --force`,
        ),
      );
      const message = refusal(waiting);
      if (message !== undefined) refuse(message);
    };
    this.asyncInit = () => {
      const { hooks } = serverless.pluginManager;
      hooks['initialize'] = [{ hook: checkFirst }, ...(hooks['initialize'] ?? [])];
    };
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
