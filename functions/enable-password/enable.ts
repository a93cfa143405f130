/** One request: attempts, waits, a new token, the deadline; ends in a decision. */
import { type Answer, metStaleConnection } from '../http/send.ts';
import type { Provenance } from '../requests/provenance.ts';
import { type EnableRequest, expiredReason } from '../requests/request.ts';
import { type Cause, describe, judge, type Row, secretMayCure } from '../segura/answers.ts';
import { enablePassword } from '../segura/client.ts';
import { type Reading, readAnswer } from '../segura/reading.ts';
import type { NoToken, Token, Tokens } from '../segura/token.ts';
import type { Entry, Gate } from './gate.ts';
import type { Places } from './places.ts';
import { attemptWaitMs, type Deadline, MAX_ATTEMPTS, MIN_CALL_MS, pauseJitterMs } from './waits.ts';

/** For whom a message is kept: the causes of Segura's answers, and those of our own. */
export type KeptCause = Cause | 'deadline' | 'fifo-order' | 'unconfirmed' | 'bug';

/** What shall become of one message. */
export type Decision =
  | { readonly kind: 'done'; readonly result: 'enabled' | 'already-enabled' }
  | { readonly kind: 'rejected'; readonly errorCode: string; readonly errorMessage: string }
  | {
      readonly kind: 'kept';
      readonly cause: KeptCause;
      /** Segura's number, the HTTP status or Node's error code of the last attempt. */
      readonly errorCode?: string;
      readonly retryAfterSeconds?: number;
      /** The visibility timeout that it was given, where SQS took it. */
      readonly waitSeconds?: number;
      /**
       * Set where only people can do something about the answer, so that they hear of it: no document knows it, TLS
       * failed, or Segura refused a new token too.
       */
      readonly needsPeople?: Row;
    };

export type Kept = Extract<Decision, { kind: 'kept' }>;

/** What it took. */
export interface Effort {
  attempts: number;
  readonly latenciesMs: number[];
}

/** What all requests of one invocation share. */
export interface Invocation {
  readonly gate: Gate;
  readonly places: Places;
  readonly tokens: Tokens;
  readonly deadline: Deadline;
  /** Tokens that this invocation asked for because one was refused: a second refusal is final. */
  readonly renewedTokens: Set<Token>;
}

export interface EnableParts {
  /** Limit for one call to Segura. */
  readonly timeoutMs: number;
  readonly maxRequestAgeSeconds: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A request under way. `effort` counts along, so that it is known even of one that is cut. */
interface Underway {
  readonly request: EnableRequest;
  readonly provenance: Provenance;
  readonly invocation: Invocation;
  readonly effort: Effort;
  /** How often each row had it tried again; of all, `failures`: waits grow also where each failure is another. */
  readonly retries: Map<Row, number>;
  failures: number;
  /** What becomes of it where nothing more can be tried. */
  kept: Kept;
}

/** One call that was made, and what it says. */
interface Attempt {
  readonly kind: 'attempt';
  readonly reading: Reading;
  readonly row: Row;
  readonly token: Token;
  /** Refused with a token that was already renewed. */
  readonly isRefusedAgain: boolean;
  /** The first attempt met a stale connection: it says nothing of Segura. */
  readonly isStale: boolean;
  /** ms since the epoch. */
  readonly answeredAt: number;
  /** Another secret is in force since, which may bring another answer. */
  readonly hasNewSecret: boolean;
}

const keep = (cause: KeptCause, errorCode?: string, retryAfterSeconds?: number): Kept => ({
  kind: 'kept',
  cause,
  ...(errorCode === undefined ? {} : { errorCode }),
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});

const reject = (errorCode: string, errorMessage: string): Decision => ({ kind: 'rejected', errorCode, errorMessage });

/** Only a refused token has no cause of its own in the table. */
const causeOf = ({ happens }: Row): Cause => ('cause' in happens ? happens.cause : 'credentials');

const codeOf = (answer: Answer, reading: Reading): string =>
  answer.kind === 'unanswered' ? answer.code : (reading.envelope?.number?.toString() ?? `HTTP${reading.status}`);

/** Without a call, or with what the last one said; not before the pause that was asked for meanwhile. */
const stopped = ({ effort, kept }: Underway, { cause, retryAfterSeconds }: Extract<Entry, { kind: 'stop' }>): Kept => {
  if (effort.attempts === 0) return keep(cause, undefined, retryAfterSeconds);
  return retryAfterSeconds === undefined ? kept : { ...kept, retryAfterSeconds };
};

export const createEnable = (parts: EnableParts) => {
  const { timeoutMs, maxRequestAgeSeconds, now, random, sleep } = parts;

  /** Why it must not be called any more: too late for it, or for this invocation. */
  const tooLate = ({ request, provenance, invocation, kept }: Underway): Decision | undefined => {
    const expired = expiredReason(request, provenance, now(), maxRequestAgeSeconds);
    if (expired !== undefined) return reject('Expired', expired);
    return invocation.deadline.callsLeftMs() < MIN_CALL_MS ? kept : undefined;
  };

  /**
   * Through the gate with a place, or stopped without. Whoever waits at the gate holds none, and whoever waited for one asks
   * again.
   */
  const comeIn = async ({ invocation, request }: Underway): Promise<Entry> => {
    const { gate, places } = invocation;
    for (;;) {
      const turn = places.take();
      if (turn) await turn;
      const asked = gate.enter(request.identifier);
      if (!(asked instanceof Promise)) {
        if (asked.kind === 'stop') places.leave();
        return asked;
      }
      places.leave();
      const entry = await asked;
      if (entry.kind === 'stop') return entry;
      if (entry.isProbe) {
        const own = places.take();
        if (own) await own;
        return entry;
      }
    }
  };

  const call = async (underway: Underway, token: Token, limitMs: number): Promise<Attempt> => {
    const { request, effort, invocation } = underway;
    const { tokens, deadline } = invocation;
    effort.attempts += 1;
    const startedAt = now();
    const answer = await enablePassword(request.identifier, token, limitMs);
    const answeredAt = now();
    effort.latenciesMs.push(answeredAt - startedAt);
    const reading = readAnswer(answer, answeredAt);
    const row = judge(reading);
    underway.kept = keep(causeOf(row), codeOf(answer, reading), reading.retryAfterSeconds);
    const isRefused = row.happens.kind === 'renew-token';
    const isRefusedAgain = isRefused && invocation.renewedTokens.has(token);
    const isStale = effort.attempts === 1 && metStaleConnection(answer);
    // With the place held, and before the gate hears of it: the rest of the batch shall not be stopped for an old secret.
    const isCurable = row.segura !== 'up' && !isStale && isRefused === isRefusedAgain && secretMayCure(reading);
    const hasNewSecret = isCurable && (await tokens.rereadSecret(token.vault, deadline.callsLeftMs));
    return { kind: 'attempt', reading, row, token, answeredAt, isRefusedAgain, isStale, hasNewSecret };
  };

  const stopForToken = (underway: Underway, entry: Entry, { cause, code, retryAfterSeconds }: NoToken): Kept => {
    const { identifier } = underway.request;
    underway.invocation.gate.stop(entry, { identifier, cause, retryAfterSeconds });
    return keep(cause, code, retryAfterSeconds);
  };

  /** Holding a place: looks for a token, at the clock a last time, and calls. */
  const callWithToken = async (
    underway: Underway,
    entry: Extract<Entry, { kind: 'pass' }>,
  ): Promise<Attempt | Decision> => {
    const { request, invocation } = underway;
    const { gate, tokens, deadline } = invocation;
    const found = await tokens.get(deadline.callsLeftMs, entry.isProbe);
    if (found.kind === 'no-token') return stopForToken(underway, entry, found);
    // Waiting for a place and a token may have taken long.
    const late = tooLate(underway);
    if (late) {
      gate.release(entry);
      return late;
    }
    const made = await call(underway, found.token, Math.min(timeoutMs, deadline.callsLeftMs()));
    const { row, reading, isStale, isRefusedAgain, hasNewSecret } = made;
    if (isStale) {
      gate.release(entry);
      return made;
    }
    const sign = hasNewSecret ? 'unknown' : isRefusedAgain ? 'down' : row.segura;
    const { retryAfterSeconds } = reading;
    gate.report(entry, { identifier: request.identifier, sign, cause: causeOf(row), retryAfterSeconds });
    if (hasNewSecret) gate.secretChanged();
    return made;
  };

  const attempt = async (underway: Underway): Promise<Attempt | Decision> => {
    const { gate, places } = underway.invocation;
    const late = tooLate(underway);
    if (late) return late;
    const entry = await comeIn(underway);
    if (entry.kind === 'stop') return stopped(underway, entry);
    try {
      return await callWithToken(underway, entry);
    } catch (error) {
      // A bug: those who wait for the end of this probe must not wait forever.
      gate.release(entry);
      throw error;
    } finally {
      places.leave();
    }
  };

  /** Asks for the one new token of the invocation. @returns why there is none, or `undefined` */
  const renewToken = async (underway: Underway, refused: Token): Promise<Decision | undefined> => {
    const { tokens, deadline, renewedTokens } = underway.invocation;
    const renewed = await tokens.renew(refused, deadline.callsLeftMs);
    if (renewed.kind === 'no-token') return stopForToken(underway, { kind: 'pass', isProbe: false }, renewed);
    renewedTokens.add(renewed.token);
    return undefined;
  };

  /** @returns whether there was time to wait for the next attempt */
  const waitForNext = async (
    { failures, invocation }: Underway,
    { isStale, reading, answeredAt }: Attempt,
  ): Promise<boolean> => {
    const askedMs = (reading.retryAfterSeconds ?? 0) * 1000;
    const ownMs = isStale ? 0 : attemptWaitMs(failures, random());
    const fromAnswerMs = askedMs > ownMs ? askedMs + pauseJitterMs(askedMs, random()) : ownMs;
    const waitMs = fromAnswerMs - (now() - answeredAt);
    if (waitMs + MIN_CALL_MS > invocation.deadline.callsLeftMs()) return false;
    if (waitMs > 0) await sleep(waitMs);
    return true;
  };

  const mayRetry = (underway: Underway, { row, isStale }: Attempt): boolean => {
    const { retries, effort } = underway;
    if (!isStale) underway.failures += 1;
    const retried = (retries.get(row) ?? 0) + 1;
    retries.set(row, retried);
    const atMost = row.happens.kind === 'retry' ? (row.happens.atMost ?? MAX_ATTEMPTS) : 0;
    return retried <= atMost && effort.attempts < MAX_ATTEMPTS;
  };

  /** @returns what becomes of the request, or `undefined` where it is to be called again */
  const decide = async (underway: Underway, made: Attempt): Promise<Decision | undefined> => {
    const { row, reading, token, isRefusedAgain, hasNewSecret } = made;
    const { tokens } = underway.invocation;
    const { happens } = row;
    if (hasNewSecret) return undefined;
    if (happens.kind === 'done') {
      return { kind: 'done', result: row.means === 'already-enabled' ? 'already-enabled' : 'enabled' };
    }
    if (happens.kind === 'reject') return reject(happens.errorCode, tokens.redact(describe(row, reading)));
    if (happens.kind === 'renew-token' && !isRefusedAgain) return renewToken(underway, token);
    if (happens.kind !== 'retry') return { ...underway.kept, needsPeople: row };
    return mayRetry(underway, made) && (await waitForNext(underway, made)) ? undefined : underway.kept;
  };

  return async (
    request: EnableRequest,
    provenance: Provenance,
    invocation: Invocation,
    effort: Effort,
  ): Promise<Decision> => {
    const kept = keep('deadline');
    const underway: Underway = { request, provenance, invocation, effort, retries: new Map(), failures: 0, kept };
    while (effort.attempts < MAX_ATTEMPTS) {
      const made = await attempt(underway);
      const decision = made.kind === 'attempt' ? await decide(underway, made) : made;
      if (decision) return decision;
    }
    return underway.kept;
  };
};

export type Enable = ReturnType<typeof createEnable>;
