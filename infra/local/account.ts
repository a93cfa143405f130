/**
 * What else of an account the commands ask: Lambda's event source mapping (REST, API version 2015-03-31) and STS's
 * GetCallerIdentity (query protocol), on one port. The mapping turns slowly, as AWS's does: an update answers with
 * `Disabling` or `Enabling`, and a second one meanwhile is refused.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AccountOptions {
  /** STS's unique id of whoever calls. */
  readonly userId?: string;
  readonly functionName?: string;
  readonly queueArn?: string;
  /** Carries the switch out; the mapping is in its new state once this has resolved. */
  readonly onSwitch?: (isEnabled: boolean) => Promise<void>;
  readonly transitionMs?: number;
  /** Of the function, as its alias has them. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What the mapping calls; the alias, unless told. */
  readonly qualifier?: string;
  /** Where something else switches the mapping too. */
  readonly mappingState?: () => string;
}

const CONFIGURATION_PATH = /^\/2015-03-31\/functions\/([\w-]+)\/configuration$/;
const PATH = /^\/2015-03-31\/event-source-mappings\/?([\w-]*)\/?$/;

export const startAccount = async (options: AccountOptions = {}) => {
  const {
    userId = 'AIDALOCAL',
    functionName = 'enable-password',
    onSwitch = async () => {},
    transitionMs = 50,
  } = options;
  const { queueArn = 'arn:aws:sqs:us-east-1:000000000000:requests' } = options;
  const { variables = {}, qualifier = 'live' } = options;
  const functionArn = `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`;
  const mapping = { uuid: randomUUID(), state: 'Enabled', modifiedAt: Date.now() };
  const journal: { readonly method: string; readonly path: string; readonly body: string }[] = [];
  const settings = { fault: undefined as 'denied' | 'absent' | undefined };

  const stateNow = (): string => options.mappingState?.() ?? mapping.state;
  const describe = () => ({
    UUID: mapping.uuid,
    EventSourceArn: queueArn,
    FunctionArn: `${functionArn}:${qualifier}`,
    State: stateNow(),
    StateTransitionReason: 'USER_INITIATED',
    LastModified: mapping.modifiedAt / 1000,
    BatchSize: 10,
  });

  const refuse = (status: number, type: string, message: string) => ({
    status,
    value: { Type: 'User', Message: message },
    type,
  });

  const update = (enabled: unknown) => {
    if (typeof enabled !== 'boolean') return refuse(400, 'InvalidParameterValueException', 'Enabled must be a boolean');
    if (stateNow().endsWith('ing')) {
      return refuse(400, 'ResourceInUseException', `Cannot update the event source mapping because it is in use.`);
    }
    mapping.state = enabled ? 'Enabling' : 'Disabling';
    mapping.modifiedAt = Date.now();
    const answer = describe();
    const wait = new Promise((resolve) => setTimeout(resolve, transitionMs));
    Promise.all([onSwitch(enabled), wait]).then(
      () => {
        mapping.state = enabled ? 'Enabled' : 'Disabled';
      },
      () => {
        mapping.state = enabled ? 'Disabled' : 'Enabled';
      },
    );
    return { status: 202, value: answer, type: undefined };
  };

  const configurationOf = (name: string | undefined, version: string | null) =>
    name === functionName && (version === null || version === 'live')
      ? {
          status: 200,
          value: {
            FunctionName: functionName,
            FunctionArn: functionArn,
            Version: version === null ? '$LATEST' : '1',
            Runtime: 'nodejs24.x',
            Architectures: ['arm64'],
            State: 'Active',
            LastModified: '2026-11-26T12:00:00.000+0000',
            Environment: { Variables: variables },
          },
          type: undefined,
        }
      : refuse(404, 'ResourceNotFoundException', `Function not found: ${functionArn}`);

  const answerLambda = (method: string, url: URL, body: string) => {
    if (settings.fault === 'denied') {
      return refuse(403, 'AccessDeniedException', 'User is not authorized to perform: lambda:ListEventSourceMappings');
    }
    const [, name] = CONFIGURATION_PATH.exec(url.pathname) ?? [];
    if (name !== undefined && method === 'GET') return configurationOf(name, url.searchParams.get('Qualifier'));
    const [, uuid = ''] = PATH.exec(url.pathname) ?? [];
    const isThere = settings.fault !== 'absent';
    if (uuid === '' && method === 'GET') {
      const [source, name] = ['EventSourceArn', 'FunctionName'].map((each) => url.searchParams.get(each));
      const isMeant = (!source || source === queueArn) && (!name || [functionName, functionArn].includes(name));
      return { status: 200, value: { EventSourceMappings: isThere && isMeant ? [describe()] : [] }, type: undefined };
    }
    if (uuid !== mapping.uuid || !isThere) {
      return refuse(404, 'ResourceNotFoundException', 'The resource you requested does not exist.');
    }
    if (method === 'GET') return { status: 200, value: describe(), type: undefined };
    if (method === 'PUT') return update((JSON.parse(body) as { Enabled?: unknown }).Enabled);
    return refuse(400, 'InvalidParameterValueException', `this stand-in knows no ${method}`);
  };

  const callerIdentity = (): string =>
    `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:user/local</Arn><UserId>${userId}</UserId><Account>000000000000</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { method = 'GET', url = '/' } = request;
    const parsed = new URL(url, 'http://local');
    journal.push({ method, path: url, body });
    if (parsed.pathname === '/' && new URLSearchParams(body).get('Action') === 'GetCallerIdentity') {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(callerIdentity());
      return;
    }
    const { status, value, type } =
      PATH.test(parsed.pathname) || CONFIGURATION_PATH.test(parsed.pathname)
        ? answerLambda(method, parsed, body)
        : refuse(404, 'UnknownOperationException', `this stand-in knows no ${method} ${parsed.pathname}`);
    response.writeHead(status, { 'content-type': 'application/json', ...(type ? { 'x-amzn-errortype': type } : {}) });
    response.end(JSON.stringify(value));
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    journal,
    mapping,
    settings,
    close: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

export type Account = Awaited<ReturnType<typeof startAccount>>;
