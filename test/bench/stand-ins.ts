/**
 * Segura and Secrets Manager, in a process of their own so that they take no time of the one that is measured. The vault
 * speaks just enough HTTP: `node:http` would take as long to answer as a handler takes to ask. Started by `sample.ts`.
 */
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

export interface Settings {
  readonly waitMs: number;
  /** Over TLS where given; PEM, and the file of the authority that clients trust. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly caFile: string };
}

/** Vaults by what they take for an answer, and what they were asked since the last time anybody looked. */
export interface StandIns {
  readonly atOnceUrl: string;
  readonly waitingUrl: string;
  readonly secretsManagerUrl: string;
  readonly caFile?: string;
}

export const secretFor = (url: string): string =>
  JSON.stringify({ url, accessTokenUrl: `${url}/iso/oauth2/token`, clientId: 'bench', clientSecret: 'bench' });

/** A thousand connections are opened at once; the default of 511 would leave some of them to a retry a second later. */
const BACKLOG = 4096;

const answer = (body: unknown): string => {
  const text = JSON.stringify(body);
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
};
const TOKEN = answer({ token_type: 'Bearer', expires_in: 3600, access_token: 'a'.repeat(200) });
const ENABLED = answer({
  code: 200,
  response: {
    status: 200,
    message: 'Password successfully activated',
    error: false,
    error_code: 0,
    detail: '',
    mensagem: 'Password successfully activated',
    erro: false,
    cod_erro: 0,
  },
});
const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';

let enabled = 0;

const route = (head: string): string => {
  if (head.startsWith('POST /iso/oauth2/token')) return TOKEN;
  if (!head.startsWith('POST /api/mysafe/password/active/') || !/\nauthorization: Bearer a/i.test(head))
    return NOT_FOUND;
  enabled += 1;
  return ENABLED;
};

const serve =
  (waitMs: number) =>
  (socket: Socket): void => {
    let held = '';
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      held += chunk.toString('latin1');
      for (let end = held.indexOf('\r\n\r\n'); end >= 0; end = held.indexOf('\r\n\r\n')) {
        const head = held.slice(0, end);
        const length = end + 4 + Number(/\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (held.length < length) return;
        held = held.slice(length);
        const text = route(head);
        if (waitMs === 0 || text === TOKEN) socket.write(text);
        else setTimeout(() => socket.write(text), waitMs);
      }
    });
  };

const listen = async (server: Server, tls: Settings['tls']): Promise<string> => {
  server.listen(0, '127.0.0.1', BACKLOG);
  await once(server, 'listening');
  return `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const startVault = (waitMs: number, tls: Settings['tls']): Promise<string> =>
  listen(tls ? createTlsServer(tls, serve(waitMs)) : createServer(serve(waitMs)), tls);

/** The name of a secret is the address of the vault it opens. */
const getSecretValue: RequestListener = async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  const { SecretId: name } = JSON.parse(text);
  response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.1' }).end(
    JSON.stringify({
      ARN: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}`,
      Name: name,
      VersionId: '00000000-0000-4000-8000-000000000001',
      VersionStages: ['AWSCURRENT'],
      SecretString: secretFor(name),
    }),
  );
};

const start = async ({ waitMs, tls }: Settings): Promise<StandIns> => ({
  atOnceUrl: await startVault(0, tls),
  waitingUrl: await startVault(waitMs, tls),
  secretsManagerUrl: await listen(tls ? createHttpsServer(tls, getSecretValue) : createHttpServer(getSecretValue), tls),
  ...(tls ? { caFile: tls.caFile } : {}),
});

process.on('message', async (message: Settings | 'count') => {
  if (message === 'count') {
    process.send?.(enabled);
    enabled = 0;
  } else {
    process.send?.(await start(message));
  }
});
process.on('disconnect', () => process.exit(0));
