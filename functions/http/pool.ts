/** Kept-alive connections of one protocol: how many, with which certificates, by which proxy, and how old they may grow. */
import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { ProxySettings } from './proxy.ts';

export interface PoolOptions {
  readonly maxSockets: number;
  /** PEM; the only authorities that are trusted then. */
  readonly caCertificate?: string | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly proxy?: ProxySettings | undefined;
  /** Milliseconds since 1970: only a wall clock goes on while an execution environment is frozen. */
  readonly now?: () => number;
}

export interface Pool {
  readonly request: (options: RequestOptions) => ClientRequest;
  /** Ends connections that were idle for too long; called before each request. */
  readonly closeStale: () => void;
  readonly closeIdle: () => void;
  /** Ends idle connections now, and those under way when they are idle. */
  readonly close: () => void;
}

/** Kong keeps an idle connection for 75 s, NAT gateways and firewalls drop one without a word after a few minutes. */
const MAX_IDLE_MS = 60_000;

// Not imported: an ES module import of node:http reads each of its exports, among them a lazy one that loads 20 ms of
// WebSocket code; and of the two modules only the one that is spoken gets loaded.
const openAgent = (
  isSecure: boolean,
  { maxSockets, caCertificate, clientCertificate, clientKey, proxy }: PoolOptions,
): { readonly agent: Agent; readonly request: Pool['request'] } => {
  // Node would keep 256 idle ones, and close the others after each large batch.
  const keepAlive = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, scheduling: 'lifo' as const };
  if (!isSecure) {
    const { Agent, request } = process.getBuiltinModule('node:http');
    return { request, agent: new Agent(keepAlive) };
  }
  const { Agent, request } = process.getBuiltinModule('node:https');
  const agent = new Agent({
    ...keepAlive,
    ...(caCertificate ? { ca: caCertificate } : {}),
    ...(clientCertificate ? { cert: clientCertificate } : {}),
    ...(clientKey ? { key: clientKey } : {}),
    ...(proxy ? { proxyEnv: { ...proxy } } : {}),
  });
  return { request, agent };
};

export const openPool = (isSecure: boolean, options: PoolOptions): Pool => {
  const { agent, request } = openAgent(isSecure, options);
  const { now = Date.now } = options;
  const idleSince = new WeakMap<Socket, number>();
  agent.on('free', (socket: Socket) => idleSince.set(socket, now()));
  /** No idle connection is idle for longer than since then: until this one is too old, none needs to be looked at. */
  let oldest = now();

  const endIdle = (isMeant: (socket: Socket) => boolean): void => {
    for (const idle of Object.values(agent.freeSockets)) {
      for (const socket of idle ?? []) if (isMeant(socket)) socket.destroy();
    }
  };
  const closeIdle = (): void => endIdle(() => true);

  return {
    request: (requestOptions) => request({ ...requestOptions, agent }),
    closeStale: () => {
      const at = now();
      if (at - oldest <= MAX_IDLE_MS) return;
      oldest = at;
      endIdle((socket) => {
        const since = idleSince.get(socket) ?? 0;
        const isStale = at - since > MAX_IDLE_MS;
        if (!isStale) oldest = Math.min(oldest, since);
        return isStale;
      });
    },
    closeIdle,
    close: () => {
      agent.maxFreeSockets = 0;
      closeIdle();
    },
  };
};
