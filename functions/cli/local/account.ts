/** The rest of an account for the commands that look: a log group with the function's lines, and Lambda's mapping. */
import { startAccount } from '../../../infra/local/account.ts';
import type { Line } from '../../../infra/local/lambda.ts';
import { startLogs } from '../../../infra/local/logs.ts';
import type { Mapping } from '../../../infra/local/mapping.ts';

const FUNCTION = 'enable-password';
const LOG_GROUP = `/aws/lambda/mysafe-enable-local-${FUNCTION}`;

export const openLogs = async () => {
  const logs = await startLogs();
  logs.createGroup(LOG_GROUP);
  return { logs, onLine: (line: Line): void => logs.put(LOG_GROUP, JSON.stringify(line)) };
};

/** As the local SQS tells `SenderId`, and the local STS `UserId`: of the one key that there is. */
export const OPERATOR = 'local';

/** Its switch is the same as that of the console. */
export const openAccount = (mapping: Mapping, queueArn: string, timeout: number) =>
  startAccount({
    userId: OPERATOR,
    timeout,
    functionName: FUNCTION,
    queueArn,
    mappingState: mapping.state,
    onSwitch: (isEnabled) => (isEnabled ? mapping.enable() : mapping.disable()),
  });

export const accountVariables = (logsUrl: string, accountUrl: string): Readonly<Record<string, string>> => ({
  LOG_GROUP,
  ENABLE_PASSWORD_FUNCTION: FUNCTION,
  AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: logsUrl,
  AWS_ENDPOINT_URL_LAMBDA: accountUrl,
  AWS_ENDPOINT_URL_STS: accountUrl,
});
