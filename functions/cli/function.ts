/** The deployed function as Lambda knows it: which version runs, with what. */
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { attempt, type Failed } from '../aws/failure.ts';
import { createLambdaClient, type TargetOptions } from './target.ts';

/** The alias that CodeDeploy moves from version to version (infra/functions.yml). */
export const ALIAS = 'live';

/** Failed where Lambda may not be asked, or knows no such function. */
export type FunctionNow =
  | {
      readonly kind: 'found';
      readonly configuration: FunctionConfiguration;
      readonly hasAlias: boolean;
      /** Not known where it was not asked for, or nothing is reserved. */
      readonly reserved?: number;
    }
  | Failed;

interface Asked {
  readonly withConcurrency?: boolean;
}

export const readFunction = async (
  options: TargetOptions,
  FunctionName: string,
  { withConcurrency = false }: Asked = {},
): Promise<FunctionNow> => {
  const { GetFunctionConcurrencyCommand, GetFunctionConfigurationCommand } = await import('@aws-sdk/client-lambda');
  const client = await createLambdaClient(options);
  const ask = async (): Promise<FunctionNow> => {
    const live = await client
      .send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier: ALIAS }))
      .catch(() => undefined); // a function without the alias
    const configuration = live ?? (await client.send(new GetFunctionConfigurationCommand({ FunctionName })));
    const found = { kind: 'found', configuration, hasAlias: live !== undefined } as const;
    if (!withConcurrency) return found;
    const { ReservedConcurrentExecutions: reserved } = await client
      .send(new GetFunctionConcurrencyCommand({ FunctionName }))
      .catch(() => ({ ReservedConcurrentExecutions: undefined })); // whoever may not ask is told the rest
    return reserved === undefined ? found : { ...found, reserved };
  };
  try {
    const read = await attempt(ask);
    return read.kind === 'failed' ? read : read.value;
  } finally {
    client.destroy();
  }
};

/** Ours, which stands at the end of the function's description (serverless.yml); Lambda counts deployments. */
export const softwareOf = ({ Description = '' }: FunctionConfiguration): string | undefined =>
  /\(mysafe-enable ([^()\s]+)\)$/.exec(Description)?.[1];

export const versionWords = (configuration: FunctionConfiguration): string => {
  const { Version = '?', LastModified = '?' } = configuration;
  const software = softwareOf(configuration);
  return `version ${Version} of ${LastModified}${software === undefined ? '' : `, mysafe-enable ${software}`}`;
};
