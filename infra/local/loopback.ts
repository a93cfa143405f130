/** How every stand-in of this folder listens: over HTTP, on this machine alone, on a port that is free. */
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { ServerOptions as TlsOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface ListenOptions {
  /** Any that is free, unless told. */
  readonly port?: number;
  readonly tls?: TlsOptions | undefined;
}

/** A stand-in that throws answers 500 with its error, so that a test sees why. */
const listenerOf =
  (answer: Answer): RequestListener =>
  async (request, response) => {
    try {
      await answer(request, response);
    } catch (error) {
      // A client that went away in the middle of its call gets no answer.
      if (response.destroyed || response.headersSent) response.destroy();
      else response.writeHead(500).end(String(error));
    }
  };

/** An import would read every export of `node:http`, also the one that loads all of `fetch`: a tenth of a second. */
const serverOf = (listener: RequestListener, tls: TlsOptions | undefined) =>
  tls
    ? process.getBuiltinModule('node:https').createServer(tls, listener)
    : process.getBuiltinModule('node:http').createServer(listener);

/** @throws the error of `listen`, such as EADDRINUSE */
export const listenOnLoopback = async (answer: Answer, { port = 0, tls }: ListenOptions = {}) => {
  const server = serverOf(listenerOf(answer), tls);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** From the next handshake on; connections end, so that there is one. */
    renewTls: (changed: TlsOptions): void => {
      if (!('setSecureContext' in server)) throw new Error('this server speaks no TLS: start the world with `tls`');
      server.setSecureContext(changed);
      server.closeAllConnections();
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

export const readText = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
};
