/** An HTTP proxy on loopback that knows `CONNECT` alone, and writes down every tunnel it was asked for. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface Tunnel {
  /** `host:port` */
  readonly target: string;
  readonly authorization: string | undefined;
}

export interface ProxyOptions {
  /** What it answers instead of opening a tunnel, such as `407 Proxy Authentication Required`. */
  readonly refuses?: string;
  /** Where a name leads that is not to be looked up. */
  readonly hosts?: Readonly<Record<string, string>>;
}

export const startConnectProxy = async ({ refuses, hosts = {} }: ProxyOptions = {}) => {
  const tunnels: Tunnel[] = [];
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on('connection', track);
  server.on('connect', ({ url = '', headers }: IncomingMessage, client: Socket) => {
    tunnels.push({ target: url, authorization: headers['proxy-authorization'] });
    if (refuses !== undefined) {
      client.end(`HTTP/1.1 ${refuses}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(url) ?? [];
    const [toHost, toPort] = (hosts[url] ?? `${host}:${port}`).split(':');
    const upstream = connect(Number(toPort), toHost, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    track(upstream);
    upstream.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return {
    /** With a password that must never be seen in any log. */
    url: `http://proxy-user:proxy-hunter2@127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    close,
    [Symbol.dispose]: close,
  };
};

export type ConnectProxy = Awaited<ReturnType<typeof startConnectProxy>>;
