/** Every wait and its numbers: between attempts, between receives, and what is held back at the end. */

/** Attempts on one request within one invocation; the next receive has as many again. */
export const MAX_ATTEMPTS = 6;
/** Attempts on the token endpoint while its gateway fails. */
export const MAX_TOKEN_ATTEMPTS = 3;
/** A call that has less time than this is not begun. */
export const MIN_CALL_MS = 250;
/** How long a dead letter or visibility change waits for others to share its batch of ten. */
export const LINGER_MS = 10;

/**
 * Before the second attempt, the third …: short at first, since most failures are of a single call, and where a fifth of
 * the calls fail a batch of a thousand must not wait for the few that fail four times; the last one sits out a restart.
 */
const ATTEMPT_WAITS_MS = [80, 160, 320, 640, 2500] as const;

/**
 * Wait before the next attempt, after `attempt` attempts (from 1): drawn evenly from one step to its double, so that waits
 * grow strictly and callers that failed together do not come back together.
 */
export const attemptWaitMs = (attempt: number, random: number): number =>
  (ATTEMPT_WAITS_MS[attempt - 1] ?? ATTEMPT_WAITS_MS[4]) * (1 + random);

const FIRST_TOKEN_WAIT_MS = 200;

/** Likewise on the token endpoint: one waits for all. */
export const tokenWaitMs = (attempt: number, random: number): number =>
  FIRST_TOKEN_WAIT_MS * 2 ** (attempt - 1) * (1 + random);

/** On top of a pause that many were asked for at once. */
export const pauseJitterMs = (pauseMs: number, random: number): number => random * Math.min(1000, pauseMs / 10);

const FIRST_VISIBILITY_SECONDS = 30;
const MINUTE = 60;
const DAY = 86_400;
/**
 * The longest wait by the age of the message, in seconds: short for the young, since a single one that waits must be back
 * within a minute of an outage of ten. An environment that Lambda ends takes its receipt handles with it, and what it kept
 * sits out its waits: half of it must be back within a minute of an outage of three hours all the same, and all within five
 * minutes of one of a day. Four days of outage take fewer than the 1,000 receives after which SQS gives a message up
 * (`expectedReceives`).
 */
const LONGEST_WHEN_YOUNG_SECONDS = 50;
const AGE_SHARE = 12;
const LONGEST_OF_HOURS_SECONDS = 120;
const HOURS = 190 * MINUTE;
const LONGEST_OF_A_DAY_SECONDS = 280;
const OLD_AFTER_SECONDS = DAY + 60 * MINUTE;
const LONGEST_WHEN_OLD_SECONDS = 840;

const longestSeconds = (ageSeconds: number): number => {
  if (ageSeconds > OLD_AFTER_SECONDS) return LONGEST_WHEN_OLD_SECONDS;
  if (ageSeconds > HOURS) return LONGEST_OF_A_DAY_SECONDS;
  return Math.min(LONGEST_OF_HOURS_SECONDS, Math.max(LONGEST_WHEN_YOUNG_SECONDS, ageSeconds / AGE_SHARE));
};

/** Waits grow by this with each receive, up to the longest for the age. */
const GROWTH = 1.2;
const SPREAD_SECONDS = 58;

/** The answer that asks for a pause and the next call are so far apart: settling with SQS, a cold start. */
const LONGEST_RETRY_AFTER_SECONDS = 870;
const LONGEST_JITTER_SECONDS = 30;

export interface WaitOptions {
  /** From 1. */
  readonly receiveCount: number;
  /** Of the message, since it was sent. */
  readonly ageSeconds: number;
  /** `Retry-After`. */
  readonly askedSeconds?: number | undefined;
  /**
   * Others are kept by this environment too: they come back spread over a longer time, so that one of them soon finds out
   * that Segura is back, and has the others come back at once.
   */
  readonly isOneOfMany?: boolean;
}

/** Bounds of the visibility timeout of a kept message, in seconds: drawn evenly between the two. */
const keptWaitBounds = (options: WaitOptions): readonly [least: number, most: number] => {
  const { receiveCount, ageSeconds, askedSeconds = 0, isOneOfMany = false } = options;
  const step = FIRST_VISIBILITY_SECONDS * GROWTH ** Math.max(1, receiveCount);
  const longest = Math.min(longestSeconds(ageSeconds), step);
  const share = isOneOfMany ? 0.7 : 0.8;
  const least = Math.max(FIRST_VISIBILITY_SECONDS, longest * share);
  const most = isOneOfMany ? Math.max(longest, SPREAD_SECONDS) : longest;
  const asked = Math.min(LONGEST_RETRY_AFTER_SECONDS, askedSeconds);
  if (asked <= least) return [least, most];
  return [asked, Math.max(most, asked + Math.min(LONGEST_JITTER_SECONDS, 2 + asked / 10))];
};

/** Visibility timeout of a kept message, in whole seconds. */
export const keptWaitSeconds = (options: WaitOptions, random: number): number => {
  const [least, most] = keptWaitBounds(options);
  return Math.ceil(least + (most - least) * random);
};

/** How often a message of this age has been received at most, if it was kept each time. */
const expectedReceives = (ageSeconds: number): number => {
  const perWait = 0.8;
  const youngUntil = LONGEST_WHEN_YOUNG_SECONDS * AGE_SHARE;
  const growsUntil = LONGEST_OF_HOURS_SECONDS * AGE_SHARE;
  const between = (from: number, to: number): number => Math.max(0, Math.min(ageSeconds, to) - from);
  const waits =
    between(0, youngUntil) / LONGEST_WHEN_YOUNG_SECONDS +
    AGE_SHARE * Math.log((youngUntil + between(youngUntil, growsUntil)) / youngUntil) +
    between(growsUntil, HOURS) / LONGEST_OF_HOURS_SECONDS +
    between(HOURS, OLD_AFTER_SECONDS) / LONGEST_OF_A_DAY_SECONDS +
    between(OLD_AFTER_SECONDS, Number.POSITIVE_INFINITY) / LONGEST_WHEN_OLD_SECONDS;
  return waits / perWait;
};
/** Receives beyond the expected that a message may spend on coming back early. */
const SPARE_RECEIVES = 60;

/**
 * Whether a wait may be cut short: each time costs a receive, and where Segura comes and goes a thousand are spent in an
 * hour.
 */
export const mayComeBackEarly = (receiveCount: number, ageSeconds: number): boolean =>
  receiveCount < expectedReceives(Math.max(0, ageSeconds)) + SPARE_RECEIVES;

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
