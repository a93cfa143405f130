/**
 * A Segura server behind Kong, over real HTTP on loopback: tokens that expire and can be revoked (segura-tokens.ts),
 * passwords with a state, faults that a test or a person switches on (segura-script.ts, segura-wire.ts), and a journal of
 * every request that reached it (segura-journal.ts). The documented answers are those of the vendor's page; nothing here is
 * kinder than that.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type Fault, fixture } from './faults.ts';
import { type KongVersion, proxied, type WireAnswer } from './kong.ts';
import { listenOnLoopback, readText } from './loopback.ts';
import { createJournal } from './segura-journal.ts';
import { createScript, type FaultSettings } from './segura-script.ts';
import { createTokens, type TokenSettings } from './segura-tokens.ts';
import { createWire, type Exchange } from './segura-wire.ts';

export type PasswordState = 'disabled' | 'active' | 'no-access';

interface Certificate {
  readonly key: string;
  readonly cert: string;
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
  readonly tls?: Certificate & {
    /** Certificates signed by it are wanted from the client. */
    readonly clientCa?: string;
  };
}

type Settings = TokenSettings & FaultSettings & { refusal: Fault };

const settingsOf = (options: SeguraOptions): Settings => ({
  clientId: options.clientId ?? 'client-1',
  clientSecret: options.clientSecret ?? 'client-secret-1',
  tenant: options.tenant,
  expiresIn: 'expiresIn' in options ? options.expiresIn : 3600,
  tokenLifetimeMs: options.tokenLifetimeMs ?? 3_600_000,
  refusal: options.refusal ?? { kind: 'kong', status: 404 },
  outage: undefined,
  tokenOutage: undefined,
  faultFor: undefined,
  rate: undefined,
});

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

const enable = (passwords: Map<string, PasswordState>, identifier: string): WireAnswer => {
  if (!/^\d+$/.test(identifier)) return envelope(400, '1010: Unexpected identifier type', true, 1010);
  const state = passwords.get(identifier);
  if (state === undefined) return envelope(400, '1005: Password not found', true, 1005);
  if (state === 'no-access') return envelope(400, '1006: User does not have access', true, 1006);
  if (state === 'active') return envelope(200, 'Password has already been activated', false);
  passwords.set(identifier, 'active');
  return envelope(200, 'Password successfully activated', false);
};

interface Route {
  readonly path: string;
  readonly isToken: boolean;
  readonly identifier: string | undefined;
}

const routeOf = (url: string, prefix: string): Route => {
  const { pathname: path } = new URL(url, 'http://localhost');
  const rest = path.startsWith(prefix) ? path.slice(prefix.length) : '';
  return {
    path,
    isToken: /^\/(iso|api)\/oauth2\/token$/.test(rest),
    identifier: /^\/api\/mysafe\/password\/active\/([^/]+)$/.exec(rest)?.[1],
  };
};

/** These happen to a call that Kong let through; all others happen before its token is looked at. */
const AFTER_TOKEN: readonly Fault['kind'][] = ['none', 'slow', 'lost-answer', 'cut'];

const createAnswer = (options: SeguraOptions, settings: Settings) => {
  const { prefix = '', kong = '3.9.1', tls } = options;
  const passwords = new Map<string, PasswordState>();
  const journal = createJournal();
  const tokens = createTokens(settings);
  const script = createScript(settings);
  const wire = createWire(kong);

  const answerEnable = (identifier: string, exchange: Exchange): Promise<void> => {
    const fault = script.metByEnable(identifier) ?? { kind: 'none' };
    const carryOut = (): WireAnswer => enable(passwords, identifier);
    if (!AFTER_TOKEN.includes(fault.kind)) return wire.act(fault, carryOut, exchange);
    const token = tokens.presented(exchange.request);
    const isGood = token !== undefined && token.expiresAt > Date.now();
    if (!isGood) return wire.act(settings.refusal, carryOut, exchange);
    return wire.act(fault, () => proxied(carryOut(), kong), exchange);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readText(request);
    const { path, isToken, identifier } = routeOf(request.url ?? '/', prefix);
    const body = isToken ? text.replaceAll(settings.clientSecret, '[secret]') : text;
    const tokenNumber = tokens.presented(request)?.number ?? 0;
    const entry = journal.add(request, { path, identifier, tokenNumber, body });
    const exchange = { request, response, entry };
    const isUncertified = tls?.clientCa !== undefined && !(request.socket as TLSSocket).authorized;
    if (isUncertified) return wire.write(exchange, fixture('client-certificate-missing-nginx'));
    if (isToken && request.method === 'POST') {
      return wire.act(script.metByToken(), () => tokens.issue(request, text), exchange);
    }
    if (identifier === undefined || request.method !== 'POST') return wire.writeKong(exchange, 404);
    // Without a length a proxy may refuse a POST.
    if (request.headers['content-length'] === undefined) return wire.writeKong(exchange, 411);
    await answerEnable(identifier, exchange);
  };
  return { answer, passwords, journal, tokens, script, wire };
};

export const startSegura = async (options: SeguraOptions = {}) => {
  const { prefix = '', tls } = options;
  const settings = settingsOf(options);
  const { answer, passwords, journal, tokens, script, wire } = createAnswer(options, settings);
  const clientCa = tls?.clientCa ? { ca: tls.clientCa, requestCert: true, rejectUnauthorized: false } : {};
  const server = await listenOnLoopback(answer, { tls: tls && { key: tls.key, cert: tls.cert, ...clientCa } });
  const url = `${server.url}${prefix}`;

  return {
    url,
    tokenUrl: `${url}/iso/oauth2/token`,
    passwords,
    journal: journal.entries,
    settings,
    enableCalls: journal.enableCalls,
    tokenRequests: journal.tokenRequests,
    ...script.orders,
    revokeTokens: tokens.revoke,
    /** A TLS server shows another one from the next handshake on, and may want its clients' of another authority. */
    showCertificate: ({ key, cert }: Certificate, ca?: string): void =>
      server.renewTls({ key, cert, ...clientCa, ...(ca === undefined ? {} : { ca }) }),
    /** Answers what hangs with a closed connection, and ends. */
    close: (): Promise<void> => {
      wire.letGo();
      return server.close();
    },
  };
};

export type Segura = Awaited<ReturnType<typeof startSegura>>;
