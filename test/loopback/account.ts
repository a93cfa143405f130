/** A world whose lines reach a log service, with the rest of an account that the commands which look ask. */
import { startAccount } from '../../infra/local/account.ts';
import { startLogs } from '../../infra/local/logs.ts';
import type { WorldOptions } from '../../infra/local/world.ts';
import { type CommandOptions, runCommand } from './command.ts';
import { openWorld } from './in-process-lambda.ts';

export const LOG_GROUP = '/aws/lambda/mysafe-enable-local-enable-password';

export const openAccount = async (options: WorldOptions = {}) => {
  const logs = await startLogs({ searchedAtOnce: 3 });
  logs.createGroup(LOG_GROUP);
  const world = await openWorld({ ...options, onLine: (line) => logs.put(LOG_GROUP, JSON.stringify(line)) });
  const account = await startAccount({ queueArn: world.sqs.arnOf('requests') });
  const env = {
    ...world.environment,
    EXHAUSTED_QUEUE_URL: world.sqs.queueUrl('exhausted'),
    LOG_GROUP,
    ENABLE_PASSWORD_FUNCTION: 'enable-password',
    AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: logs.url,
    AWS_ENDPOINT_URL_LAMBDA: account.url,
    AWS_ENDPOINT_URL_STS: account.url,
  };
  return {
    world,
    logs,
    account,
    env,
    run: (words: readonly string[], more: CommandOptions = {}) =>
      runCommand(words, { ...more, env: { ...env, ...more.env } }),
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      await Promise.all([logs.close(), account.close()]);
    },
  };
};
