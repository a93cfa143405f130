/**
 * Lambda's REST API (version 2015-03-31), as far as the commands ask it: the event source mapping and the configuration of
 * the function. The mapping turns slowly, as AWS's does: an update answers with `Disabling` or `Enabling`, and a second one
 * meanwhile is refused.
 */
import { randomUUID } from 'node:crypto';

export interface LambdaApiOptions {
  readonly functionName?: string;
  readonly queueArn?: string;
  /** Carries the switch out; the mapping is in its new state once this has resolved. */
  readonly onSwitch?: (isEnabled: boolean) => Promise<void>;
  readonly transitionMs?: number;
  /** Of the function, as its alias has them. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Of the function, in seconds. */
  readonly timeout?: number;
  /** What the mapping calls; the alias, unless told. */
  readonly qualifier?: string;
  /** Where something else switches the mapping too. */
  readonly mappingState?: () => string;
}

export interface LambdaReply {
  readonly status: number;
  readonly value: unknown;
  /** Of an error, as AWS's header names it. */
  readonly type?: string;
}

export interface LambdaCall {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
}

const CONCURRENCY_PATH = /^\/2019-09-30\/functions\/([\w-]+)\/concurrency$/;
const CONFIGURATION_PATH = /^\/2015-03-31\/functions\/([\w-]+)\/configuration$/;
const MAPPINGS_PATH = /^\/2015-03-31\/event-source-mappings\/?([\w-]*)\/?$/;

const refuse = (status: number, type: string, message: string): LambdaReply => ({
  status,
  value: { Type: 'User', Message: message },
  type,
});

const arnOf = (functionName: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`;

/** What a test can change while it runs. */
interface Settings {
  fault: 'denied' | 'absent' | undefined;
  /** What the mapping calls; nothing for the newest code. */
  qualifier: string;
  /** Of the function, as its alias has them. */
  variables: Readonly<Record<string, string>>;
  timeout: number;
  reservedConcurrency: number | undefined;
  /** What the mapping's pollers say of themselves. */
  lastResult: string;
}

const createMapping = (functionArn: string, options: LambdaApiOptions, settings: Settings) => {
  const { onSwitch = async () => {}, transitionMs = 50, mappingState } = options;
  const { queueArn = 'arn:aws:sqs:us-east-1:000000000000:requests' } = options;
  const mapping = { uuid: randomUUID(), state: 'Enabled', modifiedAt: Date.now() };
  const stateNow = (): string => mappingState?.() ?? mapping.state;

  const describe = () => ({
    UUID: mapping.uuid,
    EventSourceArn: queueArn,
    FunctionArn: settings.qualifier === '' ? functionArn : `${functionArn}:${settings.qualifier}`,
    State: stateNow(),
    StateTransitionReason: 'USER_INITIATED',
    LastProcessingResult: settings.lastResult,
    LastModified: mapping.modifiedAt / 1000,
    BatchSize: 10,
  });

  const update = (enabled: unknown): LambdaReply => {
    if (typeof enabled !== 'boolean') return refuse(400, 'InvalidParameterValueException', 'Enabled must be a boolean');
    if (stateNow().endsWith('ing')) {
      return refuse(400, 'ResourceInUseException', `Cannot update the event source mapping because it is in use.`);
    }
    mapping.state = enabled ? 'Enabling' : 'Disabling';
    mapping.modifiedAt = Date.now();
    // Whatever switches it has not begun.
    const value = { ...describe(), State: mapping.state };
    const wait = new Promise((resolve) => setTimeout(resolve, transitionMs));
    Promise.all([onSwitch(enabled), wait]).then(
      () => {
        mapping.state = enabled ? 'Enabled' : 'Disabled';
      },
      () => {
        mapping.state = enabled ? 'Disabled' : 'Enabled';
      },
    );
    return { status: 202, value };
  };

  return { mapping, queueArn, describe, update };
};

const configuration = (
  functionName: string,
  isAlias: boolean,
  { variables, timeout }: Pick<Settings, 'variables' | 'timeout'>,
) => ({
  FunctionName: functionName,
  FunctionArn: arnOf(functionName),
  Version: isAlias ? '1' : '$LATEST',
  Runtime: 'nodejs24.x',
  Architectures: ['arm64'],
  Description: 'Takes requests from the standard queue, enables passwords (mysafe-enable 0.0.0-local)',
  State: 'Active',
  Timeout: timeout,
  LastModified: '2026-11-26T12:00:00.000+0000',
  Environment: { Variables: variables },
});

export const createLambdaApi = (options: LambdaApiOptions) => {
  const { functionName = 'enable-password', variables = {}, timeout = 120, qualifier = 'live' } = options;
  const functionArn = arnOf(functionName);
  const settings: Settings = {
    fault: undefined,
    qualifier,
    variables,
    timeout,
    reservedConcurrency: undefined,
    lastResult: 'OK',
  };
  const { mapping, queueArn, describe, update } = createMapping(functionArn, options, settings);

  const answerConfiguration = (name: string, version: string | null): LambdaReply => {
    const isKnown = name === functionName && (version === null || version === 'live');
    if (!isKnown) return refuse(404, 'ResourceNotFoundException', `Function not found: ${functionArn}`);
    return { status: 200, value: configuration(functionName, version !== null, settings) };
  };

  const answerConcurrency = (): LambdaReply => {
    const { reservedConcurrency: reserved } = settings;
    return { status: 200, value: reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved } };
  };

  const list = ({ searchParams }: URL): LambdaReply => {
    const [source, name] = ['EventSourceArn', 'FunctionName'].map((each) => searchParams.get(each));
    const isMeant = (!source || source === queueArn) && (!name || [functionName, functionArn].includes(name));
    return { status: 200, value: { EventSourceMappings: isMeant && settings.fault !== 'absent' ? [describe()] : [] } };
  };

  const answerMapping = (uuid: string, { method, url, body }: LambdaCall): LambdaReply => {
    if (uuid === '' && method === 'GET') return list(url);
    if (uuid !== mapping.uuid || settings.fault === 'absent') {
      return refuse(404, 'ResourceNotFoundException', 'The resource you requested does not exist.');
    }
    if (method === 'GET') return { status: 200, value: describe() };
    if (method === 'PUT') return update((JSON.parse(body) as { Enabled?: unknown }).Enabled);
    return refuse(400, 'InvalidParameterValueException', `this stand-in knows no ${method}`);
  };

  return {
    mapping,
    settings,
    answer: (call: LambdaCall): LambdaReply => {
      const { method, url } = call;
      const [, name] = CONFIGURATION_PATH.exec(url.pathname) ?? [];
      const [, uuid] = MAPPINGS_PATH.exec(url.pathname) ?? [];
      const isConcurrency = CONCURRENCY_PATH.test(url.pathname);
      if (name === undefined && uuid === undefined && !isConcurrency) {
        return refuse(404, 'UnknownOperationException', `this stand-in knows no ${method} ${url.pathname}`);
      }
      if (settings.fault === 'denied') {
        const action = 'lambda:ListEventSourceMappings';
        return refuse(403, 'AccessDeniedException', `User is not authorized to perform: ${action}`);
      }
      if (isConcurrency) return answerConcurrency();
      if (name !== undefined && method === 'GET') return answerConfiguration(name, url.searchParams.get('Qualifier'));
      return answerMapping(uuid ?? '', call);
    },
  };
};
