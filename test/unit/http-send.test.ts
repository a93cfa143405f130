/** One HTTP call against real servers on loopback: what comes back, and in which way no answer came. */
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { failureOf } from '../../functions/http/failure.ts';
import type { PoolOptions } from '../../functions/http/pool.ts';
import { createSend, isLoopback, MAX_BODY_BYTES } from '../../functions/http/send.ts';
import { type Certificates, createCertificates } from '../../infra/local/certificates.ts';
import { until } from '../../infra/local/world.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const listen = async (server: Server | HttpServer, protocol = 'http', host = '127.0.0.1'): Promise<URL> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new URL(`${protocol}://${host}:${(server.address() as AddressInfo).port}/`);
};

const http = (onRequest: RequestListener) => listen(createHttpServer({ keepAliveTimeout: 60_000 }, onRequest));
/** A server that says these bytes as soon as it is asked. */
const raw = (onData: (socket: Socket) => void) =>
  listen(createTcpServer((socket) => socket.once('data', () => onData(socket))));

const open = (options: Partial<PoolOptions> = {}) => {
  const { send, close } = createSend({ maxSockets: 5, ...options });
  closing.push(close);
  return {
    close,
    post: (url: URL, changes: { body?: string; headers?: Record<string, string>; timeoutMs?: number } = {}) =>
      send({ url, headers: {}, timeoutMs: 5000, ...changes }),
  };
};

describe('an answer', () => {
  test('comes back as it is: status, headers, text', async () => {
    const url = await http((_, response) => {
      response.writeHead(418, { 'X-Kind': 'teapot' });
      response.end('já é');
    });
    expect(await open().post(url)).toMatchObject({
      kind: 'answered',
      status: 418,
      headers: { 'x-kind': 'teapot' },
      body: 'já é',
    });
  });

  test('a call is a POST that says its length, also when it has no body', async () => {
    const seen: unknown[] = [];
    const url = await http(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      seen.push([request.method, request.url, request.headers['content-length'], request.headers['x-own'], body]);
      response.end();
    });
    const { post } = open();
    await post(new URL('/a/b?c=d', url), { headers: { 'X-Own': '1' } });
    await post(url, { body: 'é' });
    expect(seen).toEqual([
      ['POST', '/a/b?c=d', '0', '1', ''],
      ['POST', '/', '2', undefined, 'é'],
    ]);
  });

  test('a redirect is an answer, and not followed', async () => {
    let requests = 0;
    const url = await http((_, response) => {
      requests += 1;
      response.writeHead(302, { Location: '/elsewhere' });
      response.end();
    });
    expect(await open().post(url)).toMatchObject({ status: 302, headers: { location: '/elsewhere' } });
    expect(requests).toBe(1);
  });

  test('a character that is cut in two by the network is put together again', async () => {
    const url = await http((_, response) => {
      const bytes = Buffer.from('aé');
      response.write(bytes.subarray(0, 2));
      setImmediate(() => response.end(bytes.subarray(2)));
    });
    expect(await open().post(url)).toMatchObject({ body: 'aé' });
  });

  test('an endless page is read no further than it can matter', async () => {
    let isClosed = false;
    const url = await http((_, response) => {
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', pour);
      response.on('close', () => {
        isClosed = true;
      });
      pour();
    });
    const answer = await open().post(url);
    expect(answer.kind === 'answered' && answer.body.length).toBe(MAX_BODY_BYTES);
    await until(() => isClosed, 'the connection to be closed');
  });

  test('is asked for without compression, and decoded where it comes compressed all the same', async () => {
    const asked: unknown[] = [];
    const zlib = await import('node:zlib');
    const text = JSON.stringify({ said: 'é'.repeat(1000) });
    const encoders: Readonly<Record<string, (text: string) => Buffer>> = {
      gzip: zlib.gzipSync,
      'x-gzip': zlib.gzipSync,
      deflate: zlib.deflateSync,
      'deflate, raw': zlib.deflateRawSync,
      br: zlib.brotliCompressSync,
      'GZIP, br': (plain) => zlib.brotliCompressSync(zlib.gzipSync(plain)),
      identity: (plain) => Buffer.from(plain),
    };
    const url = await http((request, response) => {
      asked.push(request.headers['accept-encoding']);
      const name = decodeURIComponent(request.url?.slice(1) ?? '');
      response.writeHead(200, { 'Content-Encoding': name.replace(', raw', '') });
      response.end(encoders[name]?.(text));
    });
    const { post } = open();
    for (const name of Object.keys(encoders)) {
      expect(await post(new URL(`/${encodeURIComponent(name)}`, url)), name).toMatchObject({ body: text });
    }
    expect(new Set(asked)).toEqual(new Set(['identity']));
  });

  test('that is a compression bomb, or no such coding, says its status and nothing more', async () => {
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(Buffer.alloc(50 * MAX_BODY_BYTES));
    const url = await http((request, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' });
      response.end(request.url === '/bomb' ? bomb : 'this is no gzip');
    });
    const { post } = open();
    for (const path of ['/bomb', '/garbage']) {
      expect(await post(new URL(path, url)), path).toMatchObject({ kind: 'answered', status: 200, body: '' });
    }
  });

  test('103 Early Hints before it is not taken for it', async () => {
    const url = await http((_, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.end('late');
    });
    expect(await open().post(url)).toMatchObject({ status: 200, body: 'late' });
  });

  test('101 is an answer too, if one we know nothing to do with, and no reason to wait', async () => {
    const url = await raw((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    );
    expect(await open().post(url)).toMatchObject({ kind: 'answered', status: 101 });
  });

  test('426 with an Upgrade header is an answer as any other', async () => {
    const url = await raw((socket) =>
      socket.write(
        'HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.2, HTTP/1.1\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nhi',
      ),
    );
    expect(await open().post(url)).toMatchObject({ status: 426, body: 'hi' });
  });

  test('204 and a body that ends with the connection are complete', async () => {
    const nothing = await raw((socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
    expect(await open().post(nothing)).toMatchObject({ status: 204, body: '' });
    const closed = await raw((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall'));
    expect(await open().post(closed)).toMatchObject({ status: 200, body: 'all' });
  });
});

describe('no answer', () => {
  const unanswered = (failure: string, code: unknown = expect.any(String)) => ({
    kind: 'unanswered',
    failure,
    code,
    reusedSocket: false,
  });

  test('nobody listens', async () => {
    const server = createTcpServer();
    const url = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await open().post(url)).toEqual(unanswered('refused', 'ECONNREFUSED'));
  });

  test('nobody has the name', async () => {
    expect(await open().post(new URL('http://segura.invalid/'))).toMatchObject({ failure: 'dns' });
  });

  test('the connection is reset before an answer', async () => {
    const url = await raw((socket) => socket.resetAndDestroy());
    expect(await open().post(url)).toEqual(unanswered('reset', 'ECONNRESET'));
  });

  test('the connection is closed before an answer', async () => {
    const url = await raw((socket) => socket.end());
    expect(await open().post(url)).toEqual(unanswered('reset', 'ECONNRESET'));
  });

  test.each([
    ['short of its length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"response"'],
    ['without its last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['in the middle of its headers', 'HTTP/1.1 200 OK\r\nContent-'],
  ])('an answer that ends %s is none to rely on', async (_, bytes) => {
    const url = await raw((socket) => socket.end(bytes));
    expect(await open().post(url)).toEqual(unanswered('reset'));
  });

  test('the connection is reset in the middle of a body', async () => {
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{', () =>
        setImmediate(() => socket.resetAndDestroy()),
      );
    });
    expect(await open().post(url)).toEqual(unanswered('reset'));
  });

  test('what comes back is not HTTP', async () => {
    const url = await raw((socket) => socket.end('220 mail.example.com ESMTP\r\n'));
    expect(await open().post(url)).toEqual(unanswered('reset', expect.stringMatching(/^HPE_/)));
  });
});

describe('the limit', () => {
  test.each<readonly [string, (socket: Socket) => void]>([
    ['nothing comes', () => undefined],
    ['the headers come and the body hangs', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab')],
    [
      'the body drips, never long enough silent for a socket time-out',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
        const timer = setInterval(() => socket.write('x'), 10);
        socket.on('close', () => clearInterval(timer));
      },
    ],
  ])('ends a call where %s, and closes its connection', async (_, onData) => {
    let isClosed = false;
    const url = await raw((socket) => {
      socket.on('close', () => {
        isClosed = true;
      });
      onData(socket);
    });
    const startedAt = performance.now();
    expect(await open().post(url, { timeoutMs: 150 })).toEqual({
      kind: 'unanswered',
      failure: 'timeout',
      code: 'ETIMEDOUT',
      reusedSocket: false,
    });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(140);
    await until(() => isClosed, 'the connection to be closed');
  });

  test('counts the wait for a free connection too', async () => {
    const url = await raw(() => undefined);
    const { post } = open({ maxSockets: 1 });
    const [, second] = await Promise.all([post(url, { timeoutMs: 300 }), post(url, { timeoutMs: 100 })]);
    expect(second).toMatchObject({ failure: 'timeout' });
  });

  test('is no timer that stays behind after an answer', async () => {
    const url = await http((_, response) => response.end('ok'));
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await Promise.all(Array.from({ length: 5 }, () => open().post(url, { timeoutMs: 600_000 })));
    expect(timers()).toBeLessThanOrEqual(before + 1);
  });
});

/** A server that goes on while this thread stands still. */
const httpElsewhere = async (): Promise<URL> => {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:http').createServer((_, response) => response.end('in time'));
     server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true },
  );
  closing.push(() => void worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  return new URL(`http://127.0.0.1:${port}/`);
};

test('an answer that came while the environment was frozen counts, though the limit has passed', async () => {
  const url = await httpElsewhere();
  const { post } = open();
  await post(url);
  const answer = post(url, { timeoutMs: 100 });
  // The call goes out, and then this thread stands still for longer than its limit.
  await new Promise((resolve) => setImmediate(resolve));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect(await answer).toMatchObject({ kind: 'answered', body: 'in time' });
});

describe('connections', () => {
  test('that were idle for more than a minute by the wall clock are not used again', async () => {
    let time = 0;
    const ports: (number | undefined)[] = [];
    const url = await http((request, response) => {
      ports.push(request.socket.remotePort);
      response.end('ok');
    });
    const { post } = open({ now: () => time });
    await post(url);
    time += 60_000;
    await post(url);
    time += 60_001;
    expect(await post(url)).toMatchObject({ kind: 'answered' });
    expect(ports[1]).toBe(ports[0]);
    expect(ports[2]).not.toBe(ports[0]);
  });

  test('are closed each after its own minute, though a neighbour of theirs is in use', async () => {
    let time = 0;
    const ports = new Set<number | undefined>();
    const held: (() => void)[] = [];
    let together = 2;
    const url = await http((request, response) => {
      ports.add(request.socket.remotePort);
      held.push(() => response.end('ok'));
      if (held.length === together) for (const answer of held.splice(0)) answer();
    });
    const { post } = open({ now: () => time });
    const call = (count: number) => {
      together = count;
      return Promise.all(Array.from({ length: count }, () => post(url)));
    };
    await call(2);
    time += 50_000;
    await call(2);
    time += 11_000;
    await call(1);
    time += 50_000;
    expect(ports.size).toBe(2);
    await call(2);
    expect(ports.size).toBe(3);
  });

  test('are kept alive and used again', async () => {
    const ports = new Set<number | undefined>();
    const url = await http((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('ok');
    });
    const { post } = open();
    for (let turn = 0; turn < 5; turn += 1) await post(url);
    expect(ports.size).toBe(1);
  });

  test('are never more than allowed', async () => {
    let most = 0;
    let current = 0;
    const url = await http((_, response) => {
      current += 1;
      most = Math.max(most, current);
      setTimeout(() => {
        current -= 1;
        response.end('ok');
      }, 20);
    });
    const { post } = open({ maxSockets: 3 });
    await Promise.all(Array.from({ length: 12 }, () => post(url)));
    expect(most).toBe(3);
  });

  test('that went stale are told apart, so that a freeze is no outage', async () => {
    let requests = 0;
    const url = await http((request, response) => {
      requests += 1;
      if (requests === 1) response.end('ok');
      else request.socket.resetAndDestroy();
    });
    const { post } = open();
    expect((await post(url)).kind).toBe('answered');
    expect(await post(url)).toMatchObject({ kind: 'unanswered', failure: 'reset', reusedSocket: true });
    expect(await post(url)).toMatchObject({ kind: 'unanswered', failure: 'reset', reusedSocket: false });
  });

  test('that went stale take their idle neighbours along, so that the next attempt is the last that it takes', async () => {
    const stale = new Set<Socket>();
    let isThawed = false;
    const url = await http((request, response) => {
      if (stale.has(request.socket)) request.socket.resetAndDestroy();
      else setTimeout(() => response.end('ok'), 20);
      if (!isThawed) stale.add(request.socket);
    });
    const { post } = open();
    await Promise.all([post(url), post(url), post(url), post(url)]);
    isThawed = true;
    expect(stale.size).toBe(4);
    expect(await post(url)).toMatchObject({ kind: 'unanswered', reusedSocket: true });
    expect(await post(url)).toMatchObject({ kind: 'answered', body: 'ok' });
  });

  test('that are idle are closed with the pool; a call under way finishes', async () => {
    const sockets: Socket[] = [];
    let answer: (() => void) | undefined;
    const url = await http((request, response) => {
      sockets.push(request.socket);
      if (request.url === '/slow') answer = () => response.end('done');
      else response.end('ok');
    });
    const { post, close } = open();
    const slow = post(new URL('/slow', url));
    await until(() => answer !== undefined, 'the slow call to arrive');
    await post(url);
    close();
    await until(() => sockets[1]?.destroyed === true, 'the idle connection to be closed');
    answer?.();
    expect(await slow).toMatchObject({ kind: 'answered', body: 'done' });
    await until(() => sockets.every(({ destroyed }) => destroyed), 'the last connection to be closed');
  });
});

describe('TLS', () => {
  let certificates: Certificates;
  let other: Certificates;
  beforeAll(async () => {
    [certificates, other] = await Promise.all([createCertificates(), createCertificates()]);
  });

  const https = (options: { requestCert?: boolean; host?: string } = {}) =>
    listen(
      createHttpsServer(
        {
          ...certificates.server,
          ca: certificates.ca,
          requestCert: options.requestCert,
          rejectUnauthorized: options.requestCert === true,
        },
        (_, response) => response.end('secure'),
      ),
      'https',
      options.host,
    );
  const own = () => ({
    caCertificate: certificates.ca,
    clientCertificate: certificates.client.cert,
    clientKey: certificates.client.key,
  });

  test('a private certificate authority is trusted where it is given', async () => {
    expect(await open({ caCertificate: certificates.ca }).post(await https())).toMatchObject({ body: 'secure' });
  });

  test('a client certificate is shown where it is given', async () => {
    expect(await open(own()).post(await https({ requestCert: true }))).toMatchObject({ body: 'secure' });
  });

  test('an unknown authority is a failure of TLS', async () => {
    expect(await open().post(await https())).toMatchObject({ failure: 'tls' });
    expect(await open({ caCertificate: other.ca }).post(await https())).toMatchObject({ failure: 'tls' });
  });

  test('a name that the certificate does not have is a failure of TLS', async () => {
    const url = await https({ host: '127.0.0.2' });
    expect(await open({ caCertificate: certificates.ca }).post(url)).toMatchObject({
      failure: 'tls',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  test('a client certificate that the server misses is a failure of TLS', async () => {
    const url = await https({ requestCert: true });
    expect(await open({ caCertificate: certificates.ca }).post(url)).toMatchObject({ failure: 'tls' });
  });

  test('a server that speaks plain HTTP is a failure of TLS', async () => {
    const url = await http((_, response) => response.end('ok'));
    url.protocol = 'https:';
    expect(await open().post(url)).toMatchObject({ failure: 'tls' });
  });

  test('a handshake that hangs is a time-out and no failure of TLS', async () => {
    const url = await raw(() => undefined);
    url.protocol = 'https:';
    expect(await open().post(url, { timeoutMs: 150 })).toMatchObject({ failure: 'timeout', code: 'ETIMEDOUT' });
  });

  test('a handshake that is cut is a reset and no failure of TLS', async () => {
    const url = await raw((socket) => socket.destroy());
    url.protocol = 'https:';
    expect(await open().post(url)).toMatchObject({ failure: 'reset' });
  });
});

test.each([
  ['ECONNREFUSED', 'refused'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['HPE_INVALID_CONSTANT', 'reset'],
  ['', 'reset'],
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['ETIMEDOUT', 'timeout'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls'],
  ['CERT_HAS_EXPIRED', 'tls'],
  ['CERT_NOT_YET_VALID', 'tls'],
  ['HOSTNAME_MISMATCH', 'tls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
  ['EPROTO', 'tls'],
])('Node’s %s is %s', (code, failure) => {
  expect(failureOf(code)).toBe(failure);
});

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.9.8.7', true],
  ['[::1]', true],
  ['127.0.0.1.example.com', false],
  ['localhost.example.com', false],
  ['10.0.0.1', false],
  ['0.0.0.0', false],
])('%s is loopback: %s', (hostname, expected) => {
  expect(isLoopback(hostname)).toBe(expected);
});
