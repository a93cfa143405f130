/**
 * One HTTP call: a time limit for the whole of it, keep-alive, a private certificate authority, mutual TLS, no
 * redirects. It never judges what comes back and never throws for it.
 */
import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';

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

/**
 * How no answer came. `tls` is a handshake that was refused by either side, never a slow one; `proxy` is a proxy that cannot
 * be reached or does not let us out.
 */
export type Failure = 'timeout' | 'refused' | 'reset' | 'dns' | 'unreachable' | 'tls' | 'proxy';

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

export interface SendOptions {
  readonly maxSockets: number;
  /** PEM; the only authorities that are trusted then. */
  readonly caCertificate?: string | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
}

/** No answer we act on is longer than a kilobyte or two; an error page may be. */
export const MAX_BODY_BYTES = 262_144;

const FAILURES: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'timeout',
};

/** OpenSSL names its verification failures without a common prefix: `DEPTH_ZERO_SELF_SIGNED_CERT`, `CERT_HAS_EXPIRED`. */
const TLS_CODE = /^ERR_(TLS|SSL|OSSL)|CERT|^EPROTO$|^UNABLE_TO_|SELF_SIGNED|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$/;

/** Anything else cut the exchange short: `ECONNRESET`, `EPIPE`, an answer that is no HTTP (`HPE_…`). */
export const failureOf = (code: string): Failure => FAILURES[code] ?? (TLS_CODE.test(code) ? 'tls' : 'reset');

export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);

interface Transport {
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly agent: Agent;
}

/** Where a URL leads. */
interface Target extends Transport {
  readonly host: string;
  readonly port: string;
  /** With the port where it is not the protocol's own: the `Host` header. */
  readonly authority: string;
  readonly path: string;
}

// Not imported: an ES module import of node:http reads each of its exports, among them a lazy one that loads 20 ms of
// WebSocket code; and of the two modules only the one that is spoken gets loaded.
const openTransport = (secure: boolean, { maxSockets, caCertificate, clientCertificate, clientKey }: SendOptions) => {
  // Node would keep 256 idle ones, and close the others after each large batch.
  const keepAlive = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, scheduling: 'lifo' as const };
  if (!secure) {
    const { Agent, request } = process.getBuiltinModule('node:http');
    return { request, agent: new Agent(keepAlive) };
  }
  const { Agent, request } = process.getBuiltinModule('node:https');
  return {
    request,
    agent: new Agent({
      ...keepAlive,
      ...(caCertificate ? { ca: caCertificate } : {}),
      ...(clientCertificate ? { cert: clientCertificate } : {}),
      ...(clientKey ? { key: clientKey } : {}),
    }),
  };
};

const closeIdle = ({ freeSockets }: Agent): void => {
  for (const idle of Object.values(freeSockets)) for (const socket of idle ?? []) socket.destroy();
};

const targetOf = ({ hostname, port, host, pathname, search }: URL, transport: Transport): Target => ({
  ...transport,
  // URL keeps the brackets of an IPv6 address, a socket wants it without.
  host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
  port,
  authority: host,
  path: pathname + search,
});

/** As a list, which Node writes as it is; of an object it makes a map first, and a list of that. */
const headerList = (authority: string, headers: Call['headers'], body: string): string[] => {
  const list = ['Host', authority];
  for (const [name, value] of Object.entries(headers)) list.push(name, value);
  list.push('Content-Length', String(Buffer.byteLength(body)));
  return list;
};

const readBody = (response: IncomingMessage, maxBytes: number, done: (body: string) => void): void => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const text = (): string =>
    (chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)).toString('utf8', 0, maxBytes);
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes <= maxBytes) return;
    done(text());
    response.destroy();
  });
  response.on('end', () => done(text()));
};

const exchange = (
  { path, method = 'POST', headers, body = '', timeoutMs, maxBodyBytes = MAX_BODY_BYTES }: Call,
  target: Target,
): Promise<Answer> =>
  new Promise((resolve) => {
    const { request, agent, host, port, authority } = target;
    const sent = request({
      agent,
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
      if (sent.reusedSocket) closeIdle(agent);
      settle({ kind: 'unanswered', failure, code, reusedSocket: sent.reusedSocket });
    };
    const limit = setTimeout(() => {
      unanswered('timeout', 'ETIMEDOUT');
      sent.destroy();
    }, timeoutMs);
    sent.on('error', (error: NodeJS.ErrnoException) =>
      unanswered(failureOf(error.code ?? ''), error.code ?? error.name),
    );
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

export const createSend = (options: SendOptions): Connection => {
  const transports = new Map<string, Transport>();
  const transportFor = (protocol: string): Transport => {
    const open = transports.get(protocol) ?? openTransport(protocol === 'https:', options);
    transports.set(protocol, open);
    return open;
  };

  const targets = new WeakMap<URL, Target>();
  const targetFor = (url: URL): Target => {
    const target = targets.get(url) ?? targetOf(url, transportFor(url.protocol));
    targets.set(url, target);
    return target;
  };

  const send: Send = (call) => exchange(call, targetFor(call.url));

  return {
    send,
    close: () => {
      for (const { agent } of transports.values()) {
        agent.maxFreeSockets = 0;
        closeIdle(agent);
      }
    },
  };
};
