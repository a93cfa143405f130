/**
 * A world that repeats whatever it is told: Segura, the token endpoint, Secrets Manager and SQS are one server, which puts
 * each request it gets, headers and all, into the headers of its answer; a test puts it into the words as well.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bundleOf, createLambda } from '../../infra/local/lambda.ts';

export type Part = 'secret' | 'token' | 'segura' | 'sqs';
export interface Reply {
  readonly status: number;
  readonly body: string;
}
/** What a part answers, or `undefined` for what is right; `echo` is the request as it was received. */
export type Play = (part: Part, echo: string) => Reply | undefined;

export interface EchoOptions {
  /** The secret, without the addresses. */
  readonly secret: Readonly<Record<string, unknown>>;
  readonly token: string;
  readonly env: Readonly<Record<string, string>>;
}

export const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });

/** Segura's own form of an answer. */
export const envelope = (status: number, message: string): Reply =>
  json(status, {
    code: status,
    response: { status, message, error: status !== 200 },
    exception: status === 200 ? null : { message },
  });

const partOf = ({ headers, url = '' }: IncomingMessage): Part => {
  const target = String(headers['x-amz-target'] ?? '');
  if (target.startsWith('secretsmanager')) return 'secret';
  if (target.startsWith('AmazonSQS')) return 'sqs';
  return url.includes('/oauth2/token') ? 'token' : 'segura';
};

export const startEcho = async (play: Play, { secret, token, env }: EchoOptions) => {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const part = partOf(request);
    const right = (): Reply => {
      if (part === 'secret') return json(200, { SecretString: secretText });
      if (part === 'token') return json(200, { access_token: token, expires_in: 3600 });
      if (part === 'segura') return envelope(200, 'Password successfully activated');
      const { Entries = [] } = JSON.parse(body) as { Entries?: { Id: string }[] };
      return json(200, { Successful: Entries.map(({ Id }) => ({ Id })), Failed: [] });
    };
    const echo = `${request.rawHeaders.join(' ')} ${body}`;
    const answer = play(part, echo) ?? right();
    const repeated = echo.replaceAll(/[^ -~]/g, ' ').slice(0, 2000);
    response.writeHead(answer.status, { 'X-Repeated': repeated, 'WWW-Authenticate': repeated, 'Set-Cookie': repeated });
    response.end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secretText = JSON.stringify({ url, accessTokenUrl: `${url}/iso/oauth2/token`, clientId: 'client', ...secret });
  const lambda = createLambda({
    bundle: bundleOf('enable-password'),
    env: {
      SEGURA_SECRET_ID: 'mysafe/segura',
      SOURCE_QUEUE_URL: `${url}/1/requests`,
      REJECTED_QUEUE_URL: `${url}/1/rejected`,
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: 'AKID',
      ...env,
    },
  });
  return {
    lambda,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await lambda.close();
      server.closeAllConnections();
      server.close();
    },
  };
};
