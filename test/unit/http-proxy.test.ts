/** Calls by a proxy: private authority and client certificate inside the tunnel, and what a proxy that fails is taken for. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PoolOptions } from '../../functions/http/pool.ts';
import { proxyFault, proxyFor, readProxy } from '../../functions/http/proxy.ts';
import { createSend } from '../../functions/http/send.ts';
import { type Certificates, createCertificates } from '../../infra/local/certificates.ts';
import { type ConnectProxy, startConnectProxy } from '../loopback/connect-proxy.ts';

let certificates: Certificates;
let url: URL;
const shown: boolean[] = [];
const closing: (() => void)[] = [];
let stopServer = (): void => undefined;

beforeAll(async () => {
  certificates = await createCertificates();
  const { ca, server: own } = certificates;
  const server = createServer({ ...own, ca, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    shown.push((request.socket as TLSSocket).authorized);
    response.end('from behind');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  stopServer = () => {
    server.closeAllConnections();
    server.close();
  };
});
afterAll(() => stopServer());
afterEach(() => {
  for (const close of closing.splice(0)) close();
  shown.length = 0;
});

const open = async (proxy: ConnectProxy | string, options: Partial<PoolOptions> = {}, noProxy = '') => {
  if (typeof proxy !== 'string') closing.push(proxy.close);
  const variables = { HTTPS_PROXY: typeof proxy === 'string' ? proxy : proxy.url, NO_PROXY: noProxy };
  const connection = createSend({
    maxSockets: 5,
    caCertificate: certificates.ca,
    proxy: readProxy(variables),
    ...options,
  });
  closing.push(connection.close);
  return () => connection.send({ url, headers: {}, timeoutMs: 5000 });
};

describe('by a proxy', () => {
  test('go calls over https, through a tunnel that is used again', async () => {
    const proxy = await startConnectProxy();
    const post = await open(proxy);
    expect(await post()).toMatchObject({ kind: 'answered', body: 'from behind' });
    await post();
    expect(proxy.tunnels).toEqual([
      { target: url.host, authorization: `Basic ${Buffer.from('proxy-user:proxy-hunter2').toString('base64')}` },
    ]);
  });

  test('a client certificate is shown inside the tunnel, and the private authority checked', async () => {
    const { client } = certificates;
    const post = await open(await startConnectProxy(), { clientCertificate: client.cert, clientKey: client.key });
    expect(await post()).toMatchObject({ kind: 'answered' });
    expect(shown).toEqual([true]);
    const untrusting = await open(await startConnectProxy(), { caCertificate: (await createCertificates()).ca });
    expect(await untrusting()).toMatchObject({ kind: 'unanswered', failure: 'tls' });
  });

  test('goes no host that NO_PROXY names', async () => {
    const proxy = await startConnectProxy();
    const post = await open(proxy, {}, 'localhost,127.0.0.1');
    expect(await post()).toMatchObject({ kind: 'answered' });
    expect(proxy.tunnels).toEqual([]);
  });
});

describe('a proxy', () => {
  test.each([
    ['407 Proxy Authentication Required', 'proxy', 'HTTP407'],
    ['403 Forbidden', 'proxy', 'HTTP403'],
    ['302 Found', 'proxy', 'HTTP302'],
    ['502 Bad Gateway', 'unreachable', 'HTTP502'],
    ['504 Gateway Timeout', 'unreachable', 'HTTP504'],
  ])('that answers CONNECT with %s is the failure %s', async (refuses, failure, code) => {
    const post = await open(await startConnectProxy({ refuses }));
    expect(await post()).toEqual({ kind: 'unanswered', failure, code, reusedSocket: false });
  });

  test.each([
    ['http://127.0.0.1:1', 'ECONNREFUSED'],
    ['http://proxy.invalid:3128', 'ENOTFOUND'],
  ])('that cannot be reached (%s) is a failure of its own', async (proxy, code) => {
    const post = await open(proxy);
    expect(await post()).toMatchObject({ kind: 'unanswered', failure: 'proxy', code });
  });

  test('is none where the host that is called directly refuses', async () => {
    const { send, close } = createSend({
      maxSockets: 1,
      proxy: readProxy({ https_proxy: 'http://127.0.0.1:1', no_proxy: '127.0.0.1' }),
    });
    closing.push(close);
    const answer = await send({ url: new URL('https://127.0.0.1:1'), headers: {}, timeoutMs: 5000 });
    expect(answer).toMatchObject({ failure: 'refused' });
  });
});

describe('the variables', () => {
  const segura = new URL('https://segura.example.com/x');
  test.each([
    [{ HTTPS_PROXY: 'http://user:hunter2@proxy:3128' }, 'proxy:3128'],
    [{ https_proxy: 'http://small:1', HTTPS_PROXY: 'http://capital:2' }, 'small:1'],
    [{ HTTPS_PROXY: 'proxy.example.com:3128' }, 'proxy.example.com:3128'],
    [{ HTTPS_PROXY: 'http://proxy', no_proxy: 'other, segura.example.com' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy', NO_PROXY: '.example.com' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy', NO_PROXY: '*' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy', NO_PROXY: 'segura.example.com:8443' }, 'proxy'],
    [{ HTTP_PROXY: 'http://proxy' }, undefined],
    [{ HTTPS_PROXY: '' }, undefined],
  ])('%j lead to %s', (variables, host) => {
    expect(proxyFor(segura, variables)).toBe(host);
  });

  test('a plain http URL goes by no proxy: it is on this machine', () => {
    const variables = { HTTPS_PROXY: 'http://proxy', HTTP_PROXY: 'http://proxy' };
    expect(proxyFor(new URL('http://127.0.0.1:4566'), variables)).toBeUndefined();
  });

  test('what is no proxy is named without what it says', () => {
    expect(proxyFault({ HTTPS_PROXY: 'socks5://user:hunter2@proxy:1080' })).toMatch(
      /^HTTPS_PROXY is not a URL(?!.*hunter2)/,
    );
    expect(proxyFault({})).toBeUndefined();
  });
});
