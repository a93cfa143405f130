/** `mysafe-enable doctor`: a list of checks, each with a tick or what is wrong and how to mend it. Changes nothing. */
import { awsFailure } from '../../aws/failure.ts';
import { parseSecret, type Secret, SecretError } from '../../segura/secret.ts';
import { clientConfig, findTarget, stackName, type Target, type TargetOptions } from '../target.ts';
import { explain, fixOf } from '../terminal/hints.ts';
import { note, paint, say, sayJson, wrap } from '../terminal/print.ts';
import { UsageError, VariableError } from '../terminal/usage.ts';
import { type Check, type Clock, checkClock, failed, ok, skipped } from './check.ts';
import type { DoctorOptions } from './command.ts';
import { checkQueues } from './queues.ts';
import { checkSegura } from './segura.ts';

const QUEUE_NAMES = ['requests', 'rejected', 'exhausted'] as const;

const SECRET_RIGHTS = 'secretsmanager:GetSecretValue on it, and kms:Decrypt on its key';

const checkConfiguration = (target: Target, { stage }: TargetOptions): Check => {
  const missing = [...QUEUE_NAMES, 'secretId' as const].filter((name) => target[name] === undefined);
  if (missing.length === 0) return ok('configuration', 'the secret and three queues are named');
  const variables = {
    requests: 'SOURCE_QUEUE_URL',
    rejected: 'REJECTED_QUEUE_URL',
    exhausted: 'EXHAUSTED_QUEUE_URL',
    secretId: 'SEGURA_SECRET_ID',
  };
  const names = missing.map((name) => variables[name]).join(', ');
  return failed(
    'configuration',
    stage === undefined
      ? `not set: ${names}; set them, or give --stage`
      : `neither the outputs of the stack ${stackName(stage)} nor queues of its name give ${names}: check --stage, --region and --profile, or set what is missing`,
  );
};

const readSecret = async (options: TargetOptions, secretId: string): Promise<string> => {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient(clientConfig(options));
  try {
    const command = new GetSecretValueCommand({ SecretId: secretId, VersionStage: 'AWSCURRENT' });
    const { SecretString, SecretBinary } = await client.send(command);
    return SecretString ?? Buffer.from(SecretBinary ?? []).toString();
  } finally {
    client.destroy();
  }
};

const checkSecret = async (
  options: TargetOptions,
  secretId: string | undefined,
): Promise<{ readonly check: Check; readonly secret?: Secret }> => {
  if (secretId === undefined) return { check: skipped('secret', 'its name is not known') };
  try {
    const secret = parseSecret(await readSecret(options, secretId));
    return { check: ok('secret', 'readable and complete'), secret };
  } catch (error) {
    // Its message names keys, never values.
    if (error instanceof SecretError) return { check: failed('secret', error.message) };
    const failure = awsFailure(error);
    const fix = fixOf(failure, SECRET_RIGHTS) ?? 'check SEGURA_SECRET_ID and the way to Secrets Manager';
    return { check: failed('secret', `${fix} (${failure})`) };
  }
};

const examine = async (options: TargetOptions): Promise<Check[]> => {
  const target = await findTarget(options);
  const { check: secretCheck, secret } = await checkSecret(options, target.secretId);
  const clock: Clock = {};
  const queueChecks = await checkQueues(options, target, clock);
  const seguraChecks = secret
    ? await checkSegura(secret, clock)
    : [skipped('way to Segura', 'the secret has to be mended first')];
  return [
    checkConfiguration(target, options),
    ...queueChecks,
    secretCheck,
    ...seguraChecks,
    checkClock(clock, Date.now()),
  ];
};

const printChecks = (checks: readonly Check[], tell: (text: string) => void): void => {
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { ok: isOk, name, detail } of checks) {
    const mark = isOk ? paint('green', '✓') : paint('red', '✗');
    tell(`${mark} ${name.padEnd(width)}  ${wrap(detail, width + 4)}`);
  }
  const wrong = checks.filter(({ ok: isOk }) => !isOk).length;
  tell(`\n${wrong === 0 ? paint('green', 'All is well.') : paint('red', `${wrong} to fix.`)}`);
};

export const runDoctor = async (options: DoctorOptions): Promise<number> => {
  let checks: Check[];
  try {
    checks = await examine(options);
  } catch (error) {
    if (error instanceof UsageError && !(error instanceof VariableError)) throw error;
    checks = [
      error instanceof VariableError
        ? failed('configuration', error.message)
        : failed('AWS', explain(awsFailure(error))),
    ];
  }
  const isOk = checks.every((check) => check.ok);
  printChecks(checks, options.json ? note : say);
  if (options.json) sayJson({ ok: isOk, checks });
  return isOk ? 0 : 1;
};
