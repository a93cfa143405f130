/** The token: asked for by the client credentials grant (grant.ts), kept, renewed; one request for all who wait. */
import { type Answer, metStaleConnection } from '../http/send.ts';
import { secretMayCure, type TokenMeaning } from './answers.ts';
import { type AskParts, createAsk, oauthErrorOf } from './grant.ts';
import type { Reading } from './reading.ts';
import { createRedaction, type Redaction } from './redaction.ts';
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

/** Why there is no token. */
export type TokenCause = Exclude<TokenMeaning, 'token-issued' | 'token-refused'> | 'credentials';

export interface NoToken {
  readonly kind: 'no-token';
  readonly cause: TokenCause;
  /** `HTTP401`, Node's error code, or why the secret cannot be used. */
  readonly code: string;
  /** The `error` code of OAuth 2.0, where the answer carries one that a document knows. */
  readonly detail?: string;
  /** How long the token endpoint asks us to wait. */
  readonly retryAfterSeconds?: number;
}

export type TokenResult = { readonly kind: 'token'; readonly token: Token } | NoToken;

/** Time left for the work, asked again at each step. */
export type LeftMs = () => number;

export interface TokenParts extends AskParts {
  readonly vaults: Vaults;
  /** Attempts on a gateway that fails, and the wait before the next. */
  readonly maxAttempts: number;
  readonly wait: (attempt: number) => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** The token endpoint refused us, or one side refused the other's certificate: only people can fix that. */
  readonly onRefusal: (refusal: NoToken) => void;
}

export interface Tokens {
  /**
   * A token that is good for now, of the secret in force; at once where it is at hand. `isProbe`: a gateway that fails is
   * not tried again.
   */
  readonly get: (left: LeftMs, isProbe?: boolean) => TokenResult | Promise<TokenResult>;
  /** The next token after Segura refused `refused`; one request however many were refused at once. */
  readonly renew: (refused: Token, left: LeftMs) => Promise<TokenResult>;
  /**
   * After an answer that another secret could cure (`secretMayCure`), or a second refusal.
   * @returns whether another secret is in force now, so that the next token and call go by it
   */
  readonly rereadSecret: (vault: Vault, left: LeftMs) => Promise<boolean>;
  /** A text from outside without any secret or token of this environment, of now or before (see redaction.ts). */
  readonly redact: (text: string) => string;
}

/** Without `expires_in`, or with an absurd one: the default of Segura's pages. */
const ASSUMED_LIFETIME_SECONDS = 3600;
/** Older pages of Segura speak of 24 hours; nothing of more. */
const MAX_LIFETIME_SECONDS = 86_400;
const RENEWAL_MARGIN_SECONDS = 60;
/** An early renewal that failed is not tried again so soon: the token at hand is still good. */
const EARLY_RENEWAL_AGAIN_MS = 10_000;

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

const refusalOf = (answer: Answer, reading: Reading, means: Exclude<TokenMeaning, 'token-issued'>): NoToken => {
  const detail = oauthErrorOf(reading);
  return {
    kind: 'no-token',
    cause: means === 'token-refused' ? 'credentials' : means,
    code: answer.kind === 'answered' ? `HTTP${answer.status}` : answer.code,
    ...(detail === undefined ? {} : { detail }),
    ...(reading.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: reading.retryAfterSeconds }),
  };
};

/** What may be over in a moment, and what only people can fix. */
const isPassing = ({ cause }: NoToken): boolean => cause === 'gateway' || cause === 'rate-limited';

/** Asks until a token is issued, or nothing more can be tried. */
const createIssuer = (parts: TokenParts, redaction: Redaction) => {
  const { vaults, maxAttempts, wait, now, sleep, onRefusal } = parts;
  const ask = createAsk(parts);

  /** Again at once with another secret, where there is one; after a wait, where a gateway failed. */
  return async (left: LeftMs, attempts: number): Promise<TokenResult> => {
    let hasReread = false;
    for (let attempt = 1; ; attempt++) {
      const found = await vaults.current(left());
      if (found.kind === 'no-vault') return { kind: 'no-token', cause: 'credentials', code: found.code };
      if (left() <= 0) return { kind: 'no-token', cause: 'gateway', code: 'ETIMEDOUT' };
      const { vault } = found;
      redaction.hideSecret(vault.secret);
      const { answer, reading, means } = await ask(vault, left);
      if (means === 'token-issued') return { kind: 'token', token: issue(reading.json, vault, now()) };
      const refusal = refusalOf(answer, reading, means);
      if (!isPassing(refusal)) onRefusal(refusal);
      // A refusal in Segura's own envelope too: here it speaks of the client or the tenant, not of a password.
      if ((means === 'token-refused' || secretMayCure(reading)) && !hasReread) {
        hasReread = true;
        if (await vaults.suspect(vault, left())) continue;
      }
      if (!isPassing(refusal)) return refusal;
      const isStale = attempt === 1 && metStaleConnection(answer);
      const waitMs = isStale ? 0 : Math.max(wait(attempt), (refusal.retryAfterSeconds ?? 0) * 1000);
      if (attempt >= (isStale ? maxAttempts : attempts) || waitMs >= left()) return refusal;
      await sleep(waitMs);
    }
  };
};

export const createTokens = (parts: TokenParts): Tokens => {
  const { vaults, maxAttempts, now } = parts;
  const redaction = createRedaction();
  const issueOne = createIssuer(parts, redaction);
  let held: Token | undefined;
  let flight: Promise<TokenResult> | undefined;
  /** Calls that are slow learn one after the other that their token was refused: one failed renewal speaks for all. */
  let failedRenewal: { readonly of: Token; readonly result: TokenResult } | undefined;
  let renewEarlyAt = Number.NEGATIVE_INFINITY;

  const hold = (result: TokenResult): TokenResult => {
    if (result.kind === 'token') {
      held = result.token;
      redaction.hide(held.value);
    }
    return result;
  };

  const requestOnce = (left: LeftMs, attempts = maxAttempts): Promise<TokenResult> => {
    flight ??= issueOne(left, attempts)
      .then(hold)
      .finally(() => {
        flight = undefined;
      });
    return flight;
  };

  /** Of the secret in force: a token was issued for one server and one client. */
  const isGood = (token: Token | undefined, until: 'renewAt' | 'expiresAt'): token is Token =>
    token !== undefined && now() < token[until] && token.vault === vaults.inForce();

  const obtain = async (left: LeftMs, isProbe: boolean): Promise<TokenResult> => {
    if (vaults.isOld()) await vaults.current(left());
    const before = held;
    if (isGood(before, 'renewAt')) return { kind: 'token', token: before };
    if (isGood(before, 'expiresAt') && now() < renewEarlyAt) return { kind: 'token', token: before };
    const result = await requestOnce(left, isProbe ? 1 : maxAttempts);
    // A renewal that came early and failed leaves the old token good until its end.
    if (result.kind === 'token' || held !== before || !isGood(before, 'expiresAt')) return result;
    renewEarlyAt = now() + EARLY_RENEWAL_AGAIN_MS;
    return { kind: 'token', token: before };
  };

  return {
    get: (left, isProbe = false) =>
      isGood(held, 'renewAt') && !vaults.isOld() ? { kind: 'token', token: held } : obtain(left, isProbe),
    renew: async (refused, left) => {
      if (held !== refused && isGood(held, 'expiresAt')) return { kind: 'token', token: held };
      if (failedRenewal?.of === refused) return failedRenewal.result;
      if (held === refused) held = undefined;
      const result = await requestOnce(left);
      if (result.kind === 'no-token') failedRenewal = { of: refused, result };
      return result;
    },
    rereadSecret: (vault, left) => vaults.suspect(vault, left()),
    redact: redaction.redact,
  };
};
