/** What else of an account the commands ask, on one port: Lambda's API, and STS's GetCallerIdentity (query protocol). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createLambdaApi, type LambdaApiOptions } from './lambda-api.ts';
import { listenOnLoopback, readText } from './loopback.ts';

export interface AccountOptions extends LambdaApiOptions {
  /** STS's unique id of whoever calls. */
  readonly userId?: string;
}

const callerIdentity = (userId: string): string =>
  `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:user/local</Arn><UserId>${userId}</UserId><Account>000000000000</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;

export const startAccount = async ({ userId = 'AIDALOCAL', ...options }: AccountOptions = {}) => {
  const lambda = createLambdaApi(options);
  const journal: { readonly method: string; readonly path: string; readonly body: string }[] = [];

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readText(request);
    const { method = 'GET', url: path = '/' } = request;
    const url = new URL(path, 'http://local');
    journal.push({ method, path, body });
    if (url.pathname === '/' && new URLSearchParams(body).get('Action') === 'GetCallerIdentity') {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(callerIdentity(userId));
      return;
    }
    const { status, value, type } = lambda.answer({ method, url, body });
    response.writeHead(status, { 'content-type': 'application/json', ...(type ? { 'x-amzn-errortype': type } : {}) });
    response.end(JSON.stringify(value));
  };

  const { url, close } = await listenOnLoopback(answer);
  return { url, journal, mapping: lambda.mapping, settings: lambda.settings, close };
};

export type Account = Awaited<ReturnType<typeof startAccount>>;
