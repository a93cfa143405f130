/** Segura, its gateway and Secrets Manager in virtual time, as the core's `Send` and secret reader see them. */
import { createHash } from 'node:crypto';
import type { Answer, Send } from '../../functions/http/send.ts';
import type { SecretRead } from '../../functions/segura/vault.ts';
import type { Clock } from './clock.ts';

export type PasswordState = 'disabled' | 'active' | 'unknown' | 'no-access';

/** A stretch of time in which something is wrong. */
export interface Window {
  readonly from: number;
  readonly to: number;
  /** How often a call meets it, from 0 to 1. */
  readonly share: number;
  /** The token endpoint goes on working. */
  readonly sparesTokens?: boolean;
  readonly fault:
    | 'hang'
    | 'refuse'
    | 'reset'
    | 502
    | 503
    | 504
    | 500
    | 429
    | 'slow'
    | 'lost-answer'
    | 'login-page'
    | 'not-authorized';
}

export interface SeguraModel {
  readonly send: (isAlive: () => boolean) => Send;
  readonly readSecret: (isAlive: () => boolean) => (timeoutMs: number) => Promise<SecretRead>;
  readonly passwords: Map<number, PasswordState>;
  readonly counts: { calls: number; tokenRequests: number; secretReads: number };
  readonly rotate: (secretLagMs: number) => void;
  readonly revokeTokens: () => void;
}

export interface SeguraParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly windows: readonly Window[];
  readonly secretWindows: readonly Window[];
  /** Called when a call reaches Segura, before it is answered. */
  readonly onCall: (identifier: number) => void;
  /** Segura's own verdict on an identifier, as it was given. */
  readonly onVerdict: (identifier: number, verdict: 'enabled' | 'already-enabled' | '1005' | '1006') => void;
}

const TOKEN_LIFETIME_MS = 3_600_000;
const NEVER = new Promise<never>(() => {
  // What a dead process waits for.
});

const envelope = (status: number, message: string, isError: boolean): Answer => ({
  kind: 'answered',
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    code: status,
    response: { status, message, error: isError, mensagem: message, erro: isError },
  }),
});

const kong = (status: number, message: string, headers: Record<string, string> = {}): Answer => ({
  kind: 'answered',
  status,
  headers,
  body: JSON.stringify({ message }),
});

const unanswered = (failure: 'timeout' | 'refused' | 'reset', code: string): Answer => ({
  kind: 'unanswered',
  failure,
  code,
  reusedSocket: false,
});

export const createSegura = (parts: SeguraParts): SeguraModel => {
  const { clock, random, windows, secretWindows, onCall, onVerdict } = parts;
  const passwords = new Map<number, PasswordState>();
  const counts = { calls: 0, tokenRequests: 0, secretReads: 0 };
  const tokens = new Map<string, number>();
  /** What Segura takes, and what Secrets Manager gives. */
  let clientSecret = 'secret-0';
  let storedSecret = 'secret-0';
  let rotations = 0;
  let issued = 0;

  const faultNow = (all: readonly Window[], isToken = false): Window['fault'] | undefined =>
    all.find(
      ({ from, to, share, sparesTokens }) =>
        !(isToken && sparesTokens) && clock.now() >= from && clock.now() < to && random() < share,
    )?.fault;

  const enable = (identifier: number): Answer => {
    const state = passwords.get(identifier) ?? 'unknown';
    if (state === 'unknown') {
      onVerdict(identifier, '1005');
      return envelope(400, '1005: Password not found', true);
    }
    if (state === 'no-access') {
      onVerdict(identifier, '1006');
      return envelope(400, '1006: User does not have access', true);
    }
    passwords.set(identifier, 'active');
    onVerdict(identifier, state === 'active' ? 'already-enabled' : 'enabled');
    return envelope(
      200,
      state === 'active' ? 'Password has already been activated' : 'Password successfully activated',
      false,
    );
  };

  const gateway = (fault: Window['fault'] | undefined, ordinary: () => Answer): Answer => {
    switch (fault) {
      case undefined:
      case 'slow':
        return ordinary();
      case 'refuse':
        return unanswered('refused', 'ECONNREFUSED');
      case 'reset':
        return unanswered('reset', 'ECONNRESET');
      case 'hang':
        return unanswered('timeout', 'ETIMEDOUT');
      case 'lost-answer':
        ordinary();
        return kong(504, 'The upstream server is timing out');
      case 'login-page':
        return { kind: 'answered', status: 200, headers: {}, body: '<html><form action="/login"></form></html>' };
      case 'not-authorized':
        return kong(401, 'Unauthorized');
      case 429:
        return kong(
          429,
          'API rate limit exceeded',
          random() < 0.5 ? { 'retry-after': String(1 + Math.floor(random() * 20)) } : {},
        );
      default:
        return kong(fault, 'simulated');
    }
  };

  const answerToken = (body: string): Answer => {
    counts.tokenRequests += 1;
    if (new URLSearchParams(body).get('client_secret') !== clientSecret) {
      return { kind: 'answered', status: 401, headers: {}, body: '{"error":"invalid_client"}' };
    }
    issued += 1;
    const token = createHash('sha256').update(String(issued)).digest('hex');
    tokens.set(token, clock.now() + TOKEN_LIFETIME_MS);
    return {
      kind: 'answered',
      status: 200,
      headers: {},
      body: JSON.stringify({ token_type: 'Bearer', expires_in: 3600, access_token: token }),
    };
  };

  const answerEnable = (identifier: number, authorization: string): Answer => {
    const isGood = (tokens.get(authorization.replace('Bearer ', '')) ?? 0) > clock.now();
    return isGood ? enable(identifier) : kong(404, 'no Route matched with those values');
  };

  return {
    passwords,
    counts,
    send:
      (isAlive) =>
      async ({ url, headers, body = '', timeoutMs }) => {
        if (!isAlive()) return NEVER;
        const isToken = url.pathname.endsWith('/oauth2/token');
        const identifier = Number(url.pathname.split('/').at(-1));
        if (!isToken) {
          counts.calls += 1;
          onCall(identifier);
        }
        const fault = faultNow(windows);
        const tookMs =
          fault === 'hang' ? timeoutMs + 1 : fault === 'slow' ? 5000 + random() * 40_000 : 5 + random() * 150;
        const reachesMs = Math.min(tookMs / 2, timeoutMs);
        await clock.sleep(reachesMs);
        // What has been sent arrives, whether or not its sender still lives.
        const answer = gateway(fault, () =>
          isToken ? answerToken(body) : answerEnable(identifier, headers['Authorization'] ?? ''),
        );
        await clock.sleep(Math.min(tookMs, timeoutMs) - reachesMs);
        if (!isAlive()) return NEVER;
        return tookMs > timeoutMs ? unanswered('timeout', 'ETIMEDOUT') : answer;
      },
    readSecret: (isAlive) => async (timeoutMs) => {
      if (!isAlive()) return NEVER;
      counts.secretReads += 1;
      const fault = faultNow(secretWindows);
      await clock.sleep(fault === 'hang' ? timeoutMs : 20);
      if (!isAlive()) return NEVER;
      if (fault !== undefined) return { kind: 'unreadable', code: 'ThrottlingException', message: 'simulated' };
      return {
        kind: 'read',
        text: JSON.stringify({
          url: 'https://segura.test',
          accessTokenUrl: 'https://segura.test/iso/oauth2/token',
          clientId: 'client',
          clientSecret: storedSecret,
        }),
      };
    },
    rotate: (secretLagMs) => {
      rotations += 1;
      const next = `secret-${rotations}`;
      clientSecret = next;
      tokens.clear();
      clock.sleep(secretLagMs).then(
        () => {
          // A rotation that is slow to be stored must not put back what a later one has replaced.
          if (next === clientSecret) storedSecret = next;
        },
        () => undefined,
      );
    },
    revokeTokens: () => tokens.clear(),
  };
};
