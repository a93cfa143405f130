/** The doctor on what is deployed: which version runs, and whether requests are delivered to it. */
import { awsFailure } from '../../aws/failure.ts';
import { createDeliveries, type Delivery } from '../delivery.ts';
import { createLambdaClient, type Target, type TargetOptions } from '../target.ts';
import { explain } from '../terminal/hints.ts';
import { type Check, failed, ok, step } from './check.ts';

/** The alias that CodeDeploy moves from version to version (infra/functions.yml). */
const ALIAS = 'live';

const qualifierOf = (functionArn: string): string | undefined => /:function:[^:]+:(.+)$/.exec(functionArn)?.[1];

const judgeDelivery = (deliveries: readonly Delivery[]): Check => {
  const name = 'delivery';
  const [first, ...more] = deliveries;
  if (first === undefined) {
    return failed(
      name,
      'no event source mapping delivers requests to the function: check ENABLE_PASSWORD_FUNCTION and SOURCE_QUEUE_URL, or deploy again',
    );
  }
  if (more.length > 0) return failed(name, `${deliveries.length} mappings deliver the same queue: leave one of them`);
  const qualifier = qualifierOf(first.functionArn);
  if (qualifier !== undefined && qualifier !== ALIAS) {
    return failed(name, `the mapping calls ${qualifier}, not the alias ${ALIAS}: deploy again`);
  }
  if (first.state === 'Enabled') return ok(name, `on, to ${qualifier ?? 'the newest code'}`);
  const since = first.changedAt === undefined ? '' : ` since ${first.changedAt.toISOString()}`;
  return failed(name, `${first.state.toLowerCase()}${since}: switch it on with npx mysafe-enable resume`);
};

/** Whether requests reach the function; `undefined` where the queue is not known. */
export const checkDelivery = async (options: TargetOptions, target: Target): Promise<Check | undefined> => {
  const { requests } = target;
  if (requests === undefined) return undefined;
  const deliveries = await createDeliveries(options, { ...target, requests });
  try {
    return judgeDelivery(await deliveries.list());
  } catch (error) {
    return failed('delivery', explain(awsFailure(error), 'lambda:ListEventSourceMappings and sqs:GetQueueAttributes'));
  } finally {
    deliveries.close();
  }
};

/** Variables of the function that name something else than what is checked here. */
const strayVariables = (variables: Readonly<Record<string, string>>, target: Target): string[] => {
  const expected = {
    SOURCE_QUEUE_URL: target.requests,
    REJECTED_QUEUE_URL: target.rejected,
    SEGURA_SECRET_ID: target.secretId,
    OUTCOME_QUEUE_URL: target.outcomes,
  };
  return Object.entries(expected)
    .filter(([name, value]) => value !== undefined && variables[name] !== undefined && variables[name] !== value)
    .map(([name]) => name);
};

const checkVersion = async (options: TargetOptions, target: Target, functionName: string): Promise<Check> => {
  const name = 'function';
  const { GetFunctionConfigurationCommand } = await import('@aws-sdk/client-lambda');
  const client = await createLambdaClient(options);
  const read = (Qualifier?: string) =>
    client.send(
      new GetFunctionConfigurationCommand({ FunctionName: functionName, ...(Qualifier ? { Qualifier } : {}) }),
    );
  try {
    const configuration = await read(ALIAS).catch(() => read());
    const { Version, LastModified, Runtime, Architectures, Environment, State } = configuration;
    if (State !== undefined && State !== 'Active' && State !== 'Inactive') {
      return failed(name, `is ${State}: ${configuration.StateReason ?? 'deploy again'}`);
    }
    const stray = strayVariables(Environment?.Variables ?? {}, target);
    if (stray.length > 0) {
      return failed(name, `its ${stray.join(', ')} names something else than what is checked here: deploy again`);
    }
    return ok(
      name,
      `version ${Version ?? '?'} of ${LastModified ?? '?'}, ${Runtime ?? '?'} ${Architectures?.join() ?? ''}`,
    );
  } catch (error) {
    return failed(name, explain(awsFailure(error), 'lambda:GetFunctionConfiguration on it'));
  } finally {
    client.destroy();
  }
};

export const deployed = step('function', 'function', ['target'], async ({ target }, { options }) => {
  // Neither given nor in a stack: nothing is deployed that we could look at.
  if (target.enableFunction === undefined) return { checks: [] };
  const delivery = await checkDelivery(options, target);
  const version = await checkVersion(options, target, target.enableFunction);
  return { checks: delivery === undefined ? [version] : [version, delivery] };
});
