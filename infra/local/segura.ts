/**
 * A Segura server behind Kong, over real HTTP on loopback: tokens that expire and can be revoked, passwords with a state,
 * faults that a test or a person switches on, and a journal of every request that reached it. The documented answers
 * are those of the vendor's page; nothing here is kinder than that.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { checked, type Fault, fixture, seeded } from './faults.ts';
import { type KongVersion, kongAnswer, proxied, type WireAnswer } from './kong.ts';

export type PasswordState = 'disabled' | 'active' | 'no-access';

export interface JournalEntry {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly identifier: string | undefined;
  /** 0 for an answer that never came. */
  status: number;
  /** Until its answer was written; 0 as long as there is none. */
  durationMs: number;
  /** Which of the issued tokens was presented, from 1; 0 for none or a foreign one. */
  readonly tokenNumber: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface SeguraOptions {
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Where set, the token request must name it. */
  readonly tenant?: string;
  readonly prefix?: string;
  readonly expiresIn?: unknown;
  readonly tokenLifetimeMs?: number;
  readonly kong?: KongVersion;
  /** What a missing, expired, revoked or foreign token is answered with. */
  readonly refusal?: Fault;
  readonly tls?: {
    readonly key: string;
    readonly cert: string;
    /** Certificates signed by it are wanted from the client. */
    readonly clientCa?: string;
  };
}

const envelope = (status: number, message: string, isError: boolean, code?: number): WireAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    code: status,
    response: {
      status,
      message,
      error: isError,
      error_code: isError ? 1 : 0,
      detail: '',
      mensagem: message,
      erro: isError,
      cod_erro: isError ? 1 : 0,
    },
    ...(code ? { exception: { code, message, detail: null } } : {}),
  }),
});

const json = (status: number, value: unknown, headers = {}): WireAnswer => ({
  status,
  headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
  body: JSON.stringify(value),
});

const readBody = async (request: IncomingMessage): Promise<string> => {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
};

export const startSegura = async (options: SeguraOptions = {}) => {
  const { tenant, prefix = '', kong = '3.9.1', tls } = options;
  const passwords = new Map<string, PasswordState>();
  const journal: JournalEntry[] = [];
  const tokens = new Map<string, { readonly number: number; readonly expiresAt: number }>();
  const script: Fault[] = [];
  const tokenScript: Fault[] = [];
  const perIdentifier = new Map<string, Fault[]>();
  const perCall = new Map<number, Fault>();
  const held = new Set<ServerResponse>();
  const settings = {
    clientId: options.clientId ?? 'client-1',
    clientSecret: options.clientSecret ?? 'client-secret-1',
    expiresIn: 'expiresIn' in options ? options.expiresIn : 3600,
    tokenLifetimeMs: options.tokenLifetimeMs ?? 3_600_000,
    refusal: options.refusal ?? ({ kind: 'kong', status: 404 } as Fault),
    /** Holds for every enable call while it is set. */
    outage: undefined as Fault | undefined,
    tokenOutage: undefined as Fault | undefined,
    /** Asked at each call, with its identifier, and at each token request, without one. */
    faultFor: undefined as ((identifier: string | undefined) => Fault | undefined) | undefined,
    /** A fault for a share of the calls, repeatable by its seed. */
    rate: undefined as { share: number; random: () => number; faults: readonly Fault[] } | undefined,
  };
  let issued = 0;
  let calls = 0;

  const enable = (identifier: string): WireAnswer => {
    if (!/^\d+$/.test(identifier)) return envelope(400, '1010: Unexpected identifier type', true, 1010);
    const state = passwords.get(identifier);
    if (state === undefined) return envelope(400, '1005: Password not found', true, 1005);
    if (state === 'no-access') return envelope(400, '1006: User does not have access', true, 1006);
    if (state === 'active') return envelope(200, 'Password has already been activated', false);
    passwords.set(identifier, 'active');
    return envelope(200, 'Password successfully activated', false);
  };

  const issueToken = (request: IncomingMessage, body: string): WireAnswer => {
    const form = new URLSearchParams(body);
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
    if (!isForm || form.get('grant_type') !== 'client_credentials') return fixture('unsupported-grant-type');
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const [id, secret] = basic
      ? Buffer.from(basic, 'base64').toString().split(/:(.*)/s)
      : [form.get('client_id'), form.get('client_secret')];
    if (id !== settings.clientId || secret !== settings.clientSecret) return fixture('invalid-client-v8');
    if (tenant !== undefined && form.get('tenant') !== tenant) return fixture('token-envelope-error');
    issued += 1;
    const token = `token-${issued}-${crypto.randomUUID()}`;
    tokens.set(token, { number: issued, expiresAt: Date.now() + settings.tokenLifetimeMs });
    return json(200, { token_type: 'Bearer', expires_in: settings.expiresIn, access_token: token });
  };

  const write = (response: ServerResponse, { status, headers, body }: WireAnswer, entry: JournalEntry): void => {
    entry.status = status;
    entry.durationMs = Date.now() - entry.at;
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
  };

  const act = async (
    fault: Fault,
    ordinary: () => WireAnswer,
    request: IncomingMessage,
    response: ServerResponse,
    entry: JournalEntry,
  ): Promise<void> => {
    const accept = request.headers.accept ?? '';
    switch (fault.kind) {
      case 'none':
        return write(response, ordinary(), entry);
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, fault.ms));
        return write(response, ordinary(), entry);
      case 'kong':
        return write(response, kongAnswer(fault.status, accept, kong, fault), entry);
      case 'fixture':
        return write(response, fixture(fault.name), entry);
      case 'answer':
        return write(response, fault, entry);
      case 'lost-answer':
        ordinary();
        return write(response, kongAnswer(504, accept, kong), entry);
      case 'hang':
        held.add(response);
        return;
      case 'reset':
        request.socket.resetAndDestroy();
        return;
      case 'cut': {
        const { status, headers, body } = ordinary();
        response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
        response.write(body.slice(0, 20), () => request.socket.destroy());
      }
    }
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const isToken = /^\/(iso|api)\/oauth2\/token$/.test(pathname.slice(prefix.length)) && pathname.startsWith(prefix);
    const identifier = pathname.startsWith(prefix)
      ? /^\/api\/mysafe\/password\/active\/([^/]+)$/.exec(pathname.slice(prefix.length))?.[1]
      : undefined;
    const token = tokens.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    const { authorization: _, ...headers } = request.headers;
    const entry: JournalEntry = {
      at: Date.now(),
      method: request.method ?? '',
      path: pathname,
      identifier,
      status: 0,
      durationMs: 0,
      tokenNumber: token?.number ?? 0,
      headers,
      body: isToken ? body.replaceAll(settings.clientSecret, '[secret]') : body,
    };
    journal.push(entry);
    const accept = request.headers.accept ?? '';
    const isUncertified = tls?.clientCa !== undefined && !(request.socket as TLSSocket).authorized;
    if (isUncertified) return write(response, fixture('client-certificate-missing-nginx'), entry);
    if (isToken && request.method === 'POST') {
      const fault = tokenScript.shift() ?? settings.tokenOutage ?? settings.faultFor?.(undefined) ?? { kind: 'none' };
      return act(fault, () => issueToken(request, body), request, response, entry);
    }
    if (identifier === undefined || request.method !== 'POST') {
      return write(response, kongAnswer(404, accept, kong), entry);
    }
    // Without a length a proxy may refuse a POST.
    if (request.headers['content-length'] === undefined) return write(response, kongAnswer(411, accept, kong), entry);
    calls += 1;
    const scripted =
      perCall.get(calls) ??
      perIdentifier.get(identifier)?.shift() ??
      script.shift() ??
      settings.outage ??
      settings.faultFor?.(identifier);
    const { rate } = settings;
    const byRate =
      rate && rate.random() < rate.share ? rate.faults[Math.floor(rate.random() * rate.faults.length)] : undefined;
    const fault = scripted ?? byRate;
    if (
      fault &&
      fault.kind !== 'none' &&
      fault.kind !== 'slow' &&
      fault.kind !== 'lost-answer' &&
      fault.kind !== 'cut'
    ) {
      return act(fault, () => enable(identifier), request, response, entry);
    }
    const isGood = token !== undefined && token.expiresAt > Date.now();
    if (!isGood) return act(settings.refusal, () => enable(identifier), request, response, entry);
    await act(fault ?? { kind: 'none' }, () => proxied(enable(identifier), kong), request, response, entry);
  };

  const listener: RequestListener = (request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  };

  const server = tls
    ? createTlsServer(
        {
          key: tls.key,
          cert: tls.cert,
          ...(tls.clientCa ? { ca: tls.clientCa, requestCert: true, rejectUnauthorized: false } : {}),
        },
        listener,
      )
    : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`;

  return {
    url,
    tokenUrl: `${url}/iso/oauth2/token`,
    passwords,
    journal,
    settings,
    /** The enable calls that reached it, in order. */
    enableCalls: (identifier?: number | string): JournalEntry[] =>
      journal.filter(
        (each) => each.identifier !== undefined && (identifier === undefined || each.identifier === String(identifier)),
      ),
    tokenRequests: (): JournalEntry[] => journal.filter(({ path }) => path.endsWith('/oauth2/token')),
    /** The next enable calls, in order, whatever their identifier. */
    next: (...faults: Fault[]): void => void script.push(...checked(faults)),
    nextToken: (...faults: Fault[]): void => void tokenScript.push(...checked(faults)),
    /** The next calls for one identifier. */
    nextFor: (identifier: number, ...faults: Fault[]): void => {
      perIdentifier.set(String(identifier), [...(perIdentifier.get(String(identifier)) ?? []), ...checked(faults)]);
    },
    /** Every call for one identifier from now on. */
    always: (identifier: number, fault: Fault): void => {
      checked([fault]);
      perIdentifier.set(String(identifier), Object.assign([], { shift: () => fault }));
    },
    /** The n-th enable call, from 1. */
    atCall: (call: number, fault: Fault): void => void perCall.set(call, fault),
    byRate: (share: number, seed: number, ...faults: Fault[]): void => {
      settings.rate = { share, random: seeded(seed), faults };
    },
    revokeTokens: (): void => tokens.clear(),
    /** A TLS server shows another one from the next handshake on; connections end, so that there is one. */
    showCertificate: (certificate: { readonly key: string; readonly cert: string }): void => {
      if (!('setSecureContext' in server)) throw new Error('this Segura speaks no TLS: start the world with `tls`');
      server.setSecureContext({ ...certificate, ...(tls?.clientCa ? { ca: tls.clientCa } : {}) });
      server.closeAllConnections();
    },
    /** Answers what hangs with a closed connection, and ends. */
    close: async (): Promise<void> => {
      for (const response of held) response.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

export type Segura = Awaited<ReturnType<typeof startSegura>>;
