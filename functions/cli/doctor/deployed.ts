/** The doctor on what is deployed: which version runs, and whether requests are delivered to it. */
import { attempt } from '../../aws/failure.ts';
import { isSameQueue } from '../../aws/queue-url.ts';
import { isHttpUrl } from '../../http/url.ts';
import { createDeliveries, type Delivery } from '../delivery.ts';
import { ALIAS, type FunctionNow, readFunction, versionWords } from '../function.ts';
import type { Target, TargetOptions } from '../target.ts';
import { explain } from '../terminal/hints.ts';
import { type Check, failed, ok, step } from './check.ts';

const qualifierOf = (functionArn: string): string | undefined => /:function:[^:]+:(.+)$/.exec(functionArn)?.[1];

/** @param hasAlias whether it is known that the function has the alias */
const judgeDelivery = (deliveries: readonly Delivery[], hasAlias: boolean): Check => {
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
  if (qualifier === undefined ? hasAlias : qualifier !== ALIAS) {
    return failed(name, `the mapping calls ${qualifier ?? 'the newest code'}, not the alias ${ALIAS}: deploy again`);
  }
  if (first.state === 'Enabled') return ok(name, `on, to ${qualifier ?? 'the newest code'}`);
  const since = first.changedAt === undefined ? '' : ` since ${first.changedAt.toISOString()}`;
  return failed(name, `${first.state.toLowerCase()}${since}: switch it on with npx mysafe-enable resume`);
};

/** Whether requests reach the function; `undefined` where the queue is not known. */
const checkDelivery = async (options: TargetOptions, target: Target, hasAlias: boolean): Promise<Check | undefined> => {
  const { requests } = target;
  if (requests === undefined) return undefined;
  const deliveries = await createDeliveries(options, { ...target, requests });
  const found = await attempt(deliveries.list).finally(deliveries.close);
  return found.kind === 'failed'
    ? failed('delivery', explain(found, 'lambda:ListEventSourceMappings and sqs:GetQueueAttributes'))
    : judgeDelivery(found.value, hasAlias);
};

/** Without these it does not start. */
const REQUIRED = ['SOURCE_QUEUE_URL', 'REJECTED_QUEUE_URL', 'SEGURA_SECRET_ID'] as const;

/** A queue has several hosts, and a secret is known by its name or by its ARN, which ends with six characters of AWS's. */
const isSame = (a: string, b: string): boolean => {
  if (a === b) return true;
  if (isHttpUrl(a) && isHttpUrl(b)) return isSameQueue(a, b);
  const [nameOfA, nameOfB] = [a, b].map((text) => /^arn:.*:secret:(.+)-\w{6}$/.exec(text)?.[1]);
  return nameOfA === undefined ? nameOfB === a : nameOfA === b;
};

/** Variables of the function that are missing, or name something else than what is checked here. */
const faultsOfVariables = (variables: Readonly<Record<string, string>>, target: Target): string[] => {
  const expected = {
    SOURCE_QUEUE_URL: target.requests,
    REJECTED_QUEUE_URL: target.rejected,
    SEGURA_SECRET_ID: target.secretId,
    OUTCOME_QUEUE_URL: target.outcomes,
  };
  const missing = REQUIRED.filter((name) => !variables[name]);
  const stray = Object.entries(expected)
    .filter(([name, value]) => value !== undefined && variables[name] && !isSame(variables[name], value))
    .map(([name]) => name);
  return [
    ...(missing.length === 0 ? [] : [`it cannot start, for it has no ${missing.join(', ')}`]),
    ...(stray.length === 0 ? [] : [`its ${stray.join(', ')} names something else than what is checked here`]),
  ];
};

const FUNCTION_RIGHTS = 'lambda:GetFunctionConfiguration on it';

const judgeFunction = (found: FunctionNow, target: Target): Check => {
  const name = 'function';
  if (found.kind === 'failed') return failed(name, explain(found, FUNCTION_RIGHTS));
  const { Runtime, Architectures, Environment, State, StateReason } = found.configuration;
  if (State !== undefined && State !== 'Active' && State !== 'Inactive') {
    return failed(name, `is ${State}: ${StateReason ?? 'deploy again'}`);
  }
  if (found.reserved === 0) {
    return failed(
      name,
      'its reserved concurrency is 0, so Lambda never starts it: set reservedConcurrency and deploy again',
    );
  }
  const variables = Environment?.Variables ?? {};
  const faults = Object.keys(variables).length === 0 ? [] : faultsOfVariables(variables, target);
  if (faults.length > 0) return failed(name, `${faults.join('; ')}: deploy again`);
  return ok(name, `${versionWords(found.configuration)}, ${Runtime ?? '?'} ${Architectures?.join() ?? ''}`);
};

/** What would stop a request before the function has a word in it, so that none is sent in vain. */
export const checkBeforeSending = async (options: TargetOptions, target: Target): Promise<readonly Check[]> => {
  const { enableFunction } = target;
  if (enableFunction === undefined) return [];
  const found = await readFunction(options, enableFunction, { withConcurrency: true });
  const checks = [
    await checkDelivery(options, target, found.kind === 'found' && found.hasAlias),
    // Whoever may send but not look can still prove the way.
    found.kind === 'found' ? judgeFunction(found, target) : undefined,
  ];
  return checks.filter((check) => check?.ok === false) as Check[];
};

export const deployed = step('function', 'function', ['target'], async ({ target }, { options }) => {
  // Neither given nor in a stack: nothing is deployed that we could look at.
  if (target.enableFunction === undefined) return { checks: [] };
  const found = await readFunction(options, target.enableFunction, { withConcurrency: true });
  const delivery = await checkDelivery(options, target, found.kind === 'found' && found.hasAlias);
  const version = judgeFunction(found, target);
  return { checks: delivery === undefined ? [version] : [version, delivery] };
});
