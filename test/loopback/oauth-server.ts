/** A certified OAuth 2.0 server (oidc-provider) on loopback, as token endpoint: it decodes Basic as RFC 6749 says. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
// @ts-expect-error The package brings no types; what is used of it is typed below.
import { Provider as UntypedProvider } from 'oidc-provider';

interface ProviderClass {
  new (issuer: string, configuration: object): { readonly callback: () => RequestListener };
}
const Provider = UntypedProvider as ProviderClass;

export interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly method: 'client_secret_post' | 'client_secret_basic';
  readonly lifetimeSeconds: number;
}

const post = async (url: string, fields: Record<string, string>): Promise<Record<string, unknown>> => {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(fields) });
  const text = await answer.text();
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
};

export const startOauthServer = async (clients: readonly Client[]) => {
  let handle: RequestListener = () => undefined;
  let requests = 0;
  const server = createServer((request, response) => {
    if (request.url === '/token') requests += 1;
    handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const watcher = { client_id: 'watcher', client_secret: 'watcher-secret' };
  const provider = new Provider(url, {
    clients: [
      ...clients.map(({ clientId, clientSecret, method }) => ({
        client_id: clientId,
        client_secret: clientSecret,
        token_endpoint_auth_method: method,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      })),
      {
        ...watcher,
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      devInteractions: { enabled: false },
    },
    ttl: {
      ClientCredentials: (_: unknown, __: unknown, { clientId }: { readonly clientId: string }) =>
        clients.find((client) => client.clientId === clientId)?.lifetimeSeconds ?? 600,
    },
  });
  handle = provider.callback();
  return {
    tokenUrl: `${url}/token`,
    requests: () => requests,
    /** What Segura would ask: is this token good? */
    isActive: async (token: string) => (await post(`${url}/token/introspection`, { ...watcher, token }))['active'],
    revoke: (token: string) => post(`${url}/token/revocation`, { ...watcher, token }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};
