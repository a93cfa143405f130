/** Calls of AWS that are tried again: how often, with which waits, within which time. */

export interface Patience {
  readonly maxAttempts: number;
  /** Before the second attempt; doubles each time. */
  readonly firstWaitMs: number;
  /** Limit for one attempt: a call that hangs longer is better tried again. */
  readonly attemptTimeoutMs: number;
}

/** Of a function: a message waits, and time is short. AWS usually answers within a fraction of five seconds. */
export const FUNCTION_PATIENCE: Patience = { maxAttempts: 3, firstWaitMs: 100, attemptTimeoutMs: 5000 };
/** Of a command: a person would rather wait longer than start again, perhaps on a slow line. */
export const COMMAND_PATIENCE: Patience = { maxAttempts: 7, firstWaitMs: 200, attemptTimeoutMs: 30_000 };

export interface AttemptParts {
  readonly patience: Patience;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Wait after `attempt` attempts (from 1) on AWS: doubles each time, half of it by chance. */
const retryWaitMs = (attempt: number, random: number, firstWaitMs: number): number =>
  firstWaitMs * 2 ** (attempt - 1) * (0.5 + random / 2);

/** Carries out `attempt` until it says that it need not be repeated, or attempts or time are spent. */
export const createAttempts =
  ({ patience, now, random, sleep }: AttemptParts) =>
  async (timeoutMs: number, attempt: (limitMs: number) => Promise<'done' | 'again'>): Promise<void> => {
    const { maxAttempts, firstWaitMs, attemptTimeoutMs } = patience;
    const endsAt = now() + timeoutMs;
    // After the invocation's answer nothing may be carried out that the answer does not tell of.
    for (let made = 1; now() < endsAt; made += 1) {
      if ((await attempt(Math.min(attemptTimeoutMs, endsAt - now()))) === 'done' || made === maxAttempts) return;
      const waitMs = retryWaitMs(made, random(), firstWaitMs);
      if (now() + waitMs >= endsAt) return;
      await sleep(waitMs);
    }
  };
