/**
 * The console over HTTP, on loopback alone. Any web page could post to a server on this machine, or read from it by a
 * name that it points here; so `Host` and `Origin` are checked before anything else.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenOnLoopback } from '../loopback.ts';
import type { Console } from './console.ts';
import { OrderError, readFaultOrder, readReplayOrder, readSendOrder } from './orders.ts';
import { createStream } from './stream.ts';

export interface Asset {
  readonly contentType: string;
  readonly content: string;
}

/** By path. */
export type Assets = Readonly<Record<string, Asset>>;

export interface ServerOptions {
  readonly console: Console;
  readonly assets: Assets;
  /** 0 for any that is free. */
  readonly port: number;
}

/** Something else has the port. */
export class PortError extends Error {
  readonly code = 'PORT_IN_USE';
  constructor(port: number) {
    super(`port ${port} of this machine is in use`);
    this.name = 'PortError';
  }
}

const HEADERS = {
  'cache-control': 'no-store',
  // No handler in an attribute and nothing of another host. Inline scripts stay allowed, so that a test can put an
  // accessibility checker into the page; text from messages is never read as HTML.
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'unsafe-inline'; script-src-attr 'none'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const MAX_BODY_BYTES = 65_536;

interface Reply {
  readonly status: number;
  readonly value: unknown;
}

const refusal = (status: number, code: string, message: string, fix: string): Reply => ({
  status,
  value: { error: { code, message, fix } },
});

/** A name that resolves to this machine is not yet ours. */
const refuseForeign = ({ headers, socket: { localPort: port } }: IncomingMessage): Reply | undefined => {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host, origin } = headers;
  if (!hosts.includes(host ?? '')) {
    return refusal(403, 'FOREIGN_HOST', 'the Host header names another host', `ask for http://127.0.0.1:${port}`);
  }
  if (origin !== undefined && !hosts.some((each) => origin === `http://${each}`)) {
    return refusal(403, 'FOREIGN_ORIGIN', 'a page of another origin asks', 'use the page that this server shows');
  }
  return undefined;
};

/** @throws OrderError */
const readJson = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new OrderError(`the body is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new OrderError(`the body is not JSON: ${(error as Error).message}`);
  }
};

type Route = (body: unknown) => Promise<unknown>;

/** `POST`, by path. */
const routesOf = (console: Console): Readonly<Record<string, Route>> => ({
  '/requests': async (body) => ({ messageIds: await console.send(readSendOrder(body)) }),
  '/faults': async (body) => {
    console.break(readFaultOrder(body, Date.now()));
    return { faults: console.snapshot().breakages };
  },
  '/heal': async () => ({ broughtBack: await console.heal() }),
  '/pause': async () => {
    await console.pause();
    return { isPaused: true };
  },
  '/resume': async () => {
    await console.resume();
    return { isPaused: false };
  },
  '/replay': async (body) => console.replay(readReplayOrder(body)),
  '/reset': async () => {
    await console.reset();
    return { isReset: true };
  },
});

const post = async (route: Route, request: IncomingMessage): Promise<Reply> => {
  try {
    return { status: 200, value: await route(await readJson(request)) };
  } catch (error) {
    if (error instanceof OrderError) {
      return refusal(400, error.code, error.message, 'docs/local.md lists what each path takes');
    }
    const { name, message } = error as Error;
    return refusal(502, name, message, 'what was ordered could not be carried out: see the terminal');
  }
};

/** `GET`, where it is data. */
const get = (console: Console, path: string): Reply | undefined => {
  if (path === '/state') return { status: 200, value: console.snapshot() };
  if (path === '/faults') return { status: 200, value: { faults: console.snapshot().breakages } };
  const messageId = /^\/messages\/([\w-]{1,128})$/.exec(path)?.[1];
  return messageId === undefined ? undefined : { status: 200, value: { lines: console.story(messageId) } };
};

export const startConsoleServer = async ({ console, assets, port }: ServerOptions) => {
  const stream = createStream(console);
  const routes = routesOf(console);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const reply = ({ status, value }: Reply): void => {
      const headers = { ...HEADERS, 'content-type': 'application/json' };
      response.writeHead(status, headers).end(`${JSON.stringify(value)}\n`);
    };
    const foreign = refuseForeign(request);
    if (foreign) return reply(foreign);
    const route = routes[pathname];
    if (request.method === 'POST' && route) return reply(await post(route, request));
    if (request.method === 'GET') {
      if (pathname === '/events') return stream.open(response, HEADERS);
      const asset = assets[pathname];
      if (asset)
        return void response.writeHead(200, { ...HEADERS, 'content-type': asset.contentType }).end(asset.content);
      const data = get(console, pathname);
      if (data) return reply(data);
    }
    reply(refusal(404, 'NOT_FOUND', `there is no ${request.method} ${pathname}`, 'docs/local.md lists what there is'));
  };

  const { url, close } = await listenOnLoopback(answer, { port }).catch((error: NodeJS.ErrnoException) => {
    stream.close();
    throw error.code === 'EADDRINUSE' ? new PortError(port) : error;
  });
  return {
    url,
    close: (): Promise<void> => {
      stream.close();
      return close();
    },
  };
};
