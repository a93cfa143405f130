/**
 * One HTTP call: a time limit for the whole of it, over a pool of kept-alive connections (pool.ts), no redirects. It never
 * judges what comes back and never throws for it.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { readBody } from './body.ts';
import { type Failure, readError } from './failure.ts';
import { openPool, type Pool, type PoolOptions } from './pool.ts';
import { type ProxySettings, proxyFor } from './proxy.ts';

export interface Call {
  readonly url: URL;
  /** In the place of the URL's own path and query: a URL costs more to read than a call costs us otherwise. */
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `POST` where none is given. */
  readonly method?: string;
  readonly body?: string;
  /** Limit for connecting, sending and reading together; at its end the connection is closed. */
  readonly timeoutMs: number;
  /** What is read of the answer's body; `MAX_BODY_BYTES` where no number is given. */
  readonly maxBodyBytes?: number;
}

/** What came back: facts only. */
export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      /** Of at most `maxBodyBytes`; the rest is not read. */
      readonly body: string;
    }
  | {
      readonly kind: 'unanswered';
      readonly failure: Failure;
      /** Node's error code, such as `ECONNREFUSED`. */
      readonly code: string;
      /** The call went out on a kept-alive connection that the other side may have closed meanwhile. */
      readonly reusedSocket: boolean;
    };

/**
 * Cut short on a kept-alive connection, as a freeze or a NAT gateway does: it says nothing of the other side. A call that
 * hangs says nothing of the connection.
 */
export const metStaleConnection = (answer: Answer): boolean =>
  answer.kind === 'unanswered' && answer.reusedSocket && answer.failure === 'reset';

export type Send = (call: Call) => Promise<Answer>;

/** A pool of kept-alive connections. */
export interface Connection {
  readonly send: Send;
  /** Ends the idle ones; calls under way finish. */
  readonly close: () => void;
}

/** No answer we act on is longer than a kilobyte or two; an error page may be. */
export const MAX_BODY_BYTES = 262_144;

export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);

/** Where a URL leads. */
interface Target {
  readonly pool: Pool;
  readonly host: string;
  readonly port: string;
  /** With the port where it is not the protocol's own: the `Host` header. */
  readonly authority: string;
  readonly path: string;
  /** By a proxy: whom we dial is not whom we call. */
  readonly hasProxy: boolean;
}

const targetOf = (url: URL, pool: Pool, proxy: ProxySettings | undefined): Target => ({
  pool,
  // URL keeps the brackets of an IPv6 address, a socket takes it without.
  host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
  port: url.port,
  authority: url.host,
  path: url.pathname + url.search,
  hasProxy: proxy !== undefined && proxyFor(url, { ...proxy }) !== undefined,
});

/** As a list, which Node writes as it is; of an object it makes a map first, and a list of that. */
const headerList = (authority: string, headers: Call['headers'], body: string): string[] => {
  // What is decoded all the same (body.ts) costs a proxy and us time for nothing.
  const list = ['Host', authority, 'Accept-Encoding', 'identity'];
  for (const name in headers) list.push(name, headers[name] ?? '');
  list.push('Content-Length', String(Buffer.byteLength(body)));
  return list;
};

const exchange = (
  { path, method = 'POST', headers, body = '', timeoutMs, maxBodyBytes = MAX_BODY_BYTES }: Call,
  target: Target,
): Promise<Answer> =>
  new Promise((resolve) => {
    const { pool, host, port, authority, hasProxy } = target;
    pool.closeStale();
    const sent = pool.request({
      method,
      host,
      port,
      path: path ?? target.path,
      headers: headerList(authority, headers, body),
    });
    let isOver = false;
    const settle = (answer: Answer): void => {
      isOver = true;
      clearTimeout(limit);
      resolve(answer);
    };
    const unanswered = (failure: Failure, code: string): void => {
      if (isOver) return;
      // What ended this connection behind our back, a freeze or a NAT gateway, has ended its idle neighbours too: the next
      // attempt must not meet them one after the other.
      if (sent.reusedSocket) pool.closeIdle();
      settle({ kind: 'unanswered', failure, code, reusedSocket: sent.reusedSocket });
    };
    const onLimit = (): void => {
      if (isOver) return;
      unanswered('timeout', 'ETIMEDOUT');
      sent.destroy();
    };
    // Where the limit passed in a freeze, the answer may be in the socket: it is read in the turn that begins now.
    const limit = setTimeout(() => setImmediate(onLimit), timeoutMs);
    sent.on('error', (error) => {
      const { failure, code } = readError(error, hasProxy);
      unanswered(failure, code);
    });
    // 101 to a call that asked for no other protocol: an answer as unknown as any, and not to be waited out.
    sent.on('upgrade', ({ statusCode = 0, headers: answerHeaders }, socket) => {
      socket.destroy();
      settle({ kind: 'answered', status: statusCode, headers: answerHeaders, body: '' });
    });
    sent.on('response', (response) => {
      readBody(response, maxBodyBytes, (text) =>
        settle({ kind: 'answered', status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
      // The connection ended in the middle of the body: no answer to rely on.
      response.on('close', () => unanswered('reset', 'ECONNRESET'));
    });
    sent.end(body);
  });

export const createSend = (options: PoolOptions): Connection => {
  const pools = new Map<string, Pool>();
  const poolFor = (protocol: string): Pool => {
    const open = pools.get(protocol) ?? openPool(protocol === 'https:', options);
    pools.set(protocol, open);
    return open;
  };

  const targets = new WeakMap<URL, Target>();
  const targetFor = (url: URL): Target => {
    const target = targets.get(url) ?? targetOf(url, poolFor(url.protocol), options.proxy);
    targets.set(url, target);
    return target;
  };

  return {
    send: (call) => exchange(call, targetFor(call.url)),
    close: () => {
      for (const pool of pools.values()) pool.close();
    },
  };
};
