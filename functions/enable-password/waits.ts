/** Every wait and its numbers: between attempts, between receives, and what is held back at the end. */

/** Attempts on one request within one invocation; the next receive has as many again. */
export const MAX_ATTEMPTS = 6;
/** Attempts on the token endpoint while its gateway fails. */
export const MAX_TOKEN_ATTEMPTS = 3;
/** A call that has less time than this is not begun. */
export const MIN_CALL_MS = 250;
/** How long a dead letter or visibility change waits for others to share its batch of ten. */
export const LINGER_MS = 10;

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

/**
 * Wait before the next attempt, after `attempt` attempts (from 1): drawn evenly from the whole step between one doubling
 * and the next, so that waits grow strictly and callers that failed together do not come back together.
 */
export const attemptWaitMs = (attempt: number, random: number): number =>
  Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1) * (1 + random));

const FIRST_VISIBILITY_SECONDS = 30;
/**
 * Under the contract's 15 minutes by as much as an invocation can last (120 s as shipped): a message that is kept by
 * the last failing call of an outage is back, and carried out, within 15 minutes of its end.
 */
const LONGEST_VISIBILITY_SECONDS = 780;
/** Likewise, by what lies between the answer that asks for it and the next call: settling with SQS, a cold start. */
const LONGEST_RETRY_AFTER_SECONDS = 870;

/** Visibility timeout of a kept message, in whole seconds, by its receive count (from 1); `Retry-After` is respected. */
export const visibilitySeconds = (receiveCount: number, random: number, retryAfterSeconds = 0): number => {
  const step = Math.min(
    LONGEST_VISIBILITY_SECONDS / 2,
    FIRST_VISIBILITY_SECONDS * 2 ** (Math.max(1, receiveCount) - 1),
  );
  const asked = Math.min(LONGEST_RETRY_AFTER_SECONDS, retryAfterSeconds);
  return Math.ceil(Math.max(step * (1 + random), asked));
};

/** Two moments of one invocation: until the first, Segura is called; at the second, the answer is given. */
export interface Deadline {
  readonly callsLeftMs: () => number;
  readonly answerLeftMs: () => number;
}

const ANSWER_RESERVE_MS = 500;
const SETTLE_RESERVE_MS = 1000;
/** Larger batches take longer to settle and to report. */
const ANSWER_RESERVE_PER_RECORD_MS = 0.1;
const SETTLE_RESERVE_PER_RECORD_MS = 0.3;

/** Shares out what is left of an invocation: no reserve takes more than a quarter of it. */
export const createDeadline = (now: () => number, remainingMs: number, records: number): Deadline => {
  const share = (ms: number) => Math.min(ms, remainingMs / 4);
  const answerAt = now() + remainingMs - share(ANSWER_RESERVE_MS + ANSWER_RESERVE_PER_RECORD_MS * records);
  const callsEndAt = answerAt - share(SETTLE_RESERVE_MS + SETTLE_RESERVE_PER_RECORD_MS * records);
  return { callsLeftMs: () => callsEndAt - now(), answerLeftMs: () => answerAt - now() };
};
