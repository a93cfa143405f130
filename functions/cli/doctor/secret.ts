/** The doctor on configuration and secret: what is named, and whether the secret can be read and used. */
import { attempt, explainFailed } from '../../aws/failure.ts';
import { parseSecret, SecretError } from '../../segura/secret.ts';
import { clientConfig, findTarget, nameOfVariable, stackName, type TargetOptions } from '../target.ts';
import { fixOf } from '../terminal/hints.ts';
import { failed, ok, step } from './check.ts';

const QUEUE_NAMES = ['requests', 'rejected', 'exhausted'] as const;
const SECRET_RIGHTS = 'secretsmanager:GetSecretValue on it, and kms:Decrypt on its key';

export const configuration = step('configuration', 'configuration', [], async (_, { options }) => {
  const target = await findTarget(options);
  const missing = [...QUEUE_NAMES, 'secretId' as const].filter((name) => target[name] === undefined);
  const facts = { target, ...(target.secretId === undefined ? {} : { secretId: target.secretId }) };
  if (missing.length === 0) {
    return { checks: [ok('configuration', 'the secret and three queues are named')], facts };
  }
  const names = missing.map((name) => nameOfVariable(name)).join(', ');
  const { stage } = options;
  const detail =
    stage === undefined
      ? `not set: ${names}; set them, or give --stage`
      : `neither the outputs of the stack ${stackName(stage)} nor queues of its name give ${names}: check --stage, --region and --profile, or set what is missing`;
  return { checks: [failed('configuration', detail)], facts };
});

/** A secret given by ARN is read in the ARN's region, as the function reads it. */
const regionOfArn = (secretId: string): string | undefined => /^arn:[^:]*:secretsmanager:([^:]+):/.exec(secretId)?.[1];

const readSecret = async (options: TargetOptions, secretId: string): Promise<string> => {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const region = regionOfArn(secretId);
  const client = new SecretsManagerClient({ ...clientConfig(options), ...(region === undefined ? {} : { region }) });
  try {
    const command = new GetSecretValueCommand({ SecretId: secretId, VersionStage: 'AWSCURRENT' });
    const { SecretString, SecretBinary } = await client.send(command);
    return SecretString ?? Buffer.from(SecretBinary ?? []).toString();
  } finally {
    client.destroy();
  }
};

export const secret = step('secret', 'secret', ['secretId'], async ({ secretId }, { options }) => {
  const read = await attempt(() => readSecret(options, secretId));
  if (read.kind === 'failed') {
    const failure = explainFailed(read);
    const fix = fixOf(failure, SECRET_RIGHTS) ?? 'check SEGURA_SECRET_ID and the way to Secrets Manager';
    return { checks: [failed('secret', `${fix} (${failure})`)] };
  }
  try {
    const parsed = parseSecret(read.value);
    return { checks: [ok('secret', 'readable and complete')], facts: { secret: parsed } };
  } catch (error) {
    // Its message names keys, never values.
    if (error instanceof SecretError) return { checks: [failed('secret', error.message)] };
    throw error;
  }
});
