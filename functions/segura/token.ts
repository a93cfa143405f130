/** The client credentials grant (RFC 6749, 4.4): ask, read, keep, renew; one request for all who wait. */
import { type Answer, metStaleConnection } from '../http/send.ts';
import { judgeToken } from './answers.ts';
import { readAnswer } from './reading.ts';
import { type Hidden, hide } from './secret.ts';
import type { Vault, Vaults } from './vault.ts';

export interface Token {
  readonly value: Hidden;
  readonly vault: Vault;
  /** ms since the epoch: renewed from here on, … */
  readonly renewAt: number;
  /** … and not used after. */
  readonly expiresAt: number;
}

export type TokenResult =
  | { readonly kind: 'token'; readonly token: Token }
  | {
      readonly kind: 'no-token';
      readonly cause: 'credentials' | 'gateway' | 'tls';
      readonly code: string;
    };

/** Time left for the work, asked anew at each step. */
export type LeftMs = () => number;

export interface TokenParts {
  readonly vaults: Vaults;
  /** Limit for one request. */
  readonly timeoutMs: number;
  /** Attempts on a gateway that fails, and the wait before the next. */
  readonly maxAttempts: number;
  readonly wait: (attempt: number) => number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onRequest: () => void;
  /** The token endpoint refused us, or one side refused the other's certificate; `code` as in `TokenResult`. */
  readonly onRefusal: (cause: 'credentials' | 'tls', code: string) => void;
}

export interface Tokens {
  /** A token that is good for now. `isProbe`: a gateway that fails is not tried again. */
  readonly get: (left: LeftMs, isProbe?: boolean) => Promise<TokenResult>;
  /** The next token after Segura refused `refused`; one request however many were refused at once. */
  readonly renew: (refused: Token, left: LeftMs) => Promise<TokenResult>;
}

/** Without `expires_in`, or with an absurd one: the default of Segura's pages. */
const ASSUMED_LIFETIME_SECONDS = 3600;
/** Older pages of Segura speak of 24 hours; nothing of more. */
const MAX_LIFETIME_SECONDS = 86_400;
const RENEWAL_MARGIN_SECONDS = 60;

/** `expires_in` may come as a number or a string, or not at all. */
export const lifetimeSeconds = (expiresIn: unknown): number => {
  const seconds = typeof expiresIn === 'string' && expiresIn.trim() !== '' ? Number(expiresIn) : expiresIn;
  return typeof seconds === 'number' && seconds >= 1
    ? Math.min(seconds, MAX_LIFETIME_SECONDS)
    : ASSUMED_LIFETIME_SECONDS;
};

const issue = (answer: Readonly<Record<string, unknown>>, vault: Vault, now: number): Token => {
  const lifetime = lifetimeSeconds(answer['expires_in']);
  const margin = Math.min(RENEWAL_MARGIN_SECONDS, lifetime / 2);
  return {
    value: hide(String(answer['access_token'])),
    vault,
    renewAt: now + (lifetime - margin) * 1000,
    expiresAt: now + lifetime * 1000,
  };
};

/** POST only, though a page of the vendor says GET: no client in the field uses that. */
export const requestToken = ({ secret, send }: Vault, timeoutMs: number): Promise<Answer> => {
  const { accessTokenUrl, clientId, clientSecret, tokenAuthMethod, tokenParameters, referer } = secret;
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...tokenParameters });
  const headers: Record<string, string> = {
    Accept: 'application/json',
    'Content-Type': 'application/x-www-form-urlencoded',
    'User-Agent': 'mysafe-enable',
    ...(referer ? { Referer: referer } : {}),
  };
  if (tokenAuthMethod === 'client_secret_basic') {
    // Not percent-encoded, against RFC 6749 2.3.1: the issuer is very probably league/oauth2-server, which does not
    // decode (src/Grant/AbstractGrant.php, getBasicAuthCredentials). Without special characters there is no difference.
    headers['Authorization'] = `Basic ${Buffer.from(`${clientId}:${clientSecret.reveal()}`).toString('base64')}`;
  } else {
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret.reveal());
  }
  return send({ url: accessTokenUrl, headers, body: form.toString(), timeoutMs });
};

export const createTokens = (parts: TokenParts): Tokens => {
  const { vaults, timeoutMs, maxAttempts, wait, now, sleep, onRequest, onRefusal } = parts;
  let held: Token | undefined;
  let flight: Promise<TokenResult> | undefined;
  /** Calls that are slow learn one after the other that their token was refused: one failed renewal speaks for all. */
  let failedRenewal: { readonly of: Token; readonly result: TokenResult } | undefined;

  const noToken = (cause: 'credentials' | 'gateway' | 'tls', code: string): TokenResult => ({
    kind: 'no-token',
    cause,
    code,
  });

  const request = async (left: LeftMs, attempts: number): Promise<TokenResult> => {
    const found = await vaults.fresh(left());
    if (found.kind === 'no-vault') return noToken('credentials', found.code);
    let { vault } = found;
    let hasReadAgain = false;
    for (let attempt = 1; ; attempt++) {
      if (left() <= 0) return noToken('gateway', 'ETIMEDOUT');
      onRequest();
      const answer = await requestToken(vault, Math.min(timeoutMs, left()));
      const reading = readAnswer(answer, now());
      const { means } = judgeToken(reading);
      const code = answer.kind === 'answered' ? `HTTP${answer.status}` : answer.code;
      if (means === 'token-issued') {
        held = issue(reading.json, vault, now());
        return { kind: 'token', token: held };
      }
      if (means === 'gateway') {
        const isStale = attempt === 1 && metStaleConnection(answer);
        const waitMs = isStale ? 0 : Math.max(wait(attempt), (reading.retryAfterSeconds ?? 0) * 1000);
        if (attempt >= (isStale ? maxAttempts : attempts) || waitMs >= left()) return noToken('gateway', code);
        await sleep(waitMs);
        continue;
      }
      const cause = means === 'tls' ? 'tls' : 'credentials';
      onRefusal(cause, code);
      if (hasReadAgain) return noToken(cause, code);
      hasReadAgain = true;
      const again = await vaults.afterRefusal(vault, left());
      if (again.kind === 'no-vault' || again.vault === vault) return noToken(cause, code);
      vault = again.vault;
    }
  };

  const requestOnce = (left: LeftMs, attempts = maxAttempts): Promise<TokenResult> => {
    flight ??= request(left, attempts).finally(() => {
      flight = undefined;
    });
    return flight;
  };

  return {
    get: async (left, isProbe = false) => {
      const before = held;
      if (before && now() < before.renewAt) return { kind: 'token', token: before };
      const result = await requestOnce(left, isProbe ? 1 : maxAttempts);
      // A renewal that came early and failed leaves the old token good until its end.
      const isStillGood = before !== undefined && held === before && now() < before.expiresAt;
      return result.kind === 'no-token' && isStillGood ? { kind: 'token', token: before } : result;
    },
    renew: async (refused, left) => {
      if (held && held !== refused && now() < held.expiresAt) return { kind: 'token', token: held };
      if (failedRenewal?.of === refused) return failedRenewal.result;
      if (held === refused) held = undefined;
      const result = await requestOnce(left);
      if (result.kind === 'no-token') failedRenewal = { of: refused, result };
      return result;
    },
  };
};
