/**
 * The secret in use and the connections opened with it: read once for all who wait, read again when it is suspected or
 * has grown old; the last good one stays while Secrets Manager cannot be reached.
 */
import type { SecretValue } from '../aws/secret-value.ts';
import type { Send } from '../http/send.ts';
import { parseSecret, type Secret, SecretError } from './secret.ts';

/** One version of the secret. A token belongs to the vault it was issued with. */
export interface Vault {
  readonly secret: Secret;
  readonly send: Send;
}

/** Why there is no vault; `detail` says what to fix. */
export type VaultResult =
  | { readonly kind: 'vault'; readonly vault: Vault }
  | { readonly kind: 'no-vault'; readonly code: string; readonly detail: string };

const NO_ANSWER: VaultResult = { kind: 'no-vault', code: 'ETIMEDOUT', detail: 'Secrets Manager does not answer' };

export interface VaultParts {
  readonly read: (timeoutMs: number) => Promise<SecretValue>;
  readonly connect: (secret: Secret) => { readonly send: Send; readonly close: () => void };
  readonly now: () => number;
  /** Ends early when `pending` is settled. */
  readonly sleep: (ms: number, pending?: Promise<unknown>) => Promise<void>;
  /** The secret could not be read, or is malformed. */
  readonly onFailure: (code: string, detail: string) => void;
}

export interface Vaults {
  /** Reads the secret where there is none yet, and again where it is older than `SECRET_MAX_AGE_MS`. */
  readonly current: (timeoutMs: number) => Promise<VaultResult>;
  /** The one that is in force now. */
  readonly inForce: () => Vault | undefined;
  /** Whether `current` would read the secret again. */
  readonly isOld: () => boolean;
  /**
   * Something went wrong with `suspect` that another secret could cure: reads it again, once for all who ask at once, and
   * at most once in `SUSPECT_AGAIN_MS` unless it had changed. @returns whether another one is in force now
   */
  readonly suspect: (suspect: Vault, timeoutMs: number) => Promise<boolean>;
}

/** Also while every token is good: a moved `url` or a changed certificate is noticed within the hour. */
export const SECRET_MAX_AGE_MS = 3_600_000;
export const SUSPECT_AGAIN_MS = 30_000;
/** No longer than this, and not again so soon: the last good secret is at hand, and calls are waiting. */
const REFRESH_TIMEOUT_MS = 3000;
const REFRESH_AGAIN_MS = 30_000;

export const createVaults = ({ read, connect, now, sleep, onFailure }: VaultParts): Vaults => {
  let held: { readonly vault: Vault; readonly text: string; readonly close: () => void } | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let suspectedAt = Number.NEGATIVE_INFINITY;
  let flight: Promise<VaultResult> | undefined;

  const failed = (code: string, detail: string): VaultResult => {
    onFailure(code, detail);
    return held ? { kind: 'vault', vault: held.vault } : { kind: 'no-vault', code, detail };
  };

  const open = (text: string): VaultResult => {
    readAt = now();
    if (held?.text === text) return { kind: 'vault', vault: held.vault };
    try {
      const secret = parseSecret(text);
      const { send, close } = connect(secret);
      held?.close();
      held = { vault: { secret, send }, text, close };
      return { kind: 'vault', vault: held.vault };
    } catch (error) {
      if (error instanceof SecretError) return failed(error.code, error.message);
      throw error;
    }
  };

  const readOnce = (timeoutMs: number): Promise<VaultResult> => {
    flight ??= read(timeoutMs)
      .then((result) => (result.kind === 'read' ? open(result.text) : failed(result.code, result.detail)))
      .finally(() => {
        flight = undefined;
      });
    return flight;
  };

  /** A read that began before us (at start, perhaps before a freeze) has a limit of its own, not ours. */
  const join = async (joined: Promise<VaultResult>, timeoutMs: number): Promise<VaultResult> => {
    const endsAt = now() + timeoutMs;
    const result = await Promise.race([joined, sleep(timeoutMs, joined).then(() => NO_ANSWER)]);
    return result.kind === 'vault' || now() >= endsAt ? result : readOnce(endsAt - now());
  };

  const isOld = (): boolean =>
    held !== undefined && now() - readAt > SECRET_MAX_AGE_MS && now() - refreshedAt >= REFRESH_AGAIN_MS;

  return {
    inForce: () => held?.vault,
    isOld,
    current: async (timeoutMs) => {
      if (isOld()) {
        refreshedAt = now();
        return readOnce(Math.min(timeoutMs, REFRESH_TIMEOUT_MS));
      }
      if (held) return { kind: 'vault', vault: held.vault };
      return flight ? join(flight, timeoutMs) : readOnce(timeoutMs);
    },
    suspect: async (suspect, timeoutMs) => {
      if (held?.vault !== suspect) return held !== undefined;
      if (flight === undefined) {
        if (now() - suspectedAt < SUSPECT_AGAIN_MS || timeoutMs <= 0) return false;
        suspectedAt = now();
      }
      await readOnce(Math.min(timeoutMs, REFRESH_TIMEOUT_MS));
      const hasChanged = held.vault !== suspect;
      // The next fix counts at once too.
      if (hasChanged) suspectedAt = Number.NEGATIVE_INFINITY;
      return hasChanged;
    },
  };
};
