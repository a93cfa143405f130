/** One request: attempts, waits, a new token, the deadline; ends in a decision. */
import { type Answer, metStaleConnection } from '../http/send.ts';
import type { Provenance } from '../requests/provenance.ts';
import { type EnableRequest, expiredReason } from '../requests/request.ts';
import { type Cause, describe, judge, type Row } from '../segura/answers.ts';
import { enablePassword } from '../segura/client.ts';
import { type Reading, readAnswer } from '../segura/reading.ts';
import type { Token, Tokens } from '../segura/token.ts';
import type { Gate } from './gate.ts';
import { attemptWaitMs, type Deadline, MAX_ATTEMPTS, MIN_CALL_MS } from './waits.ts';

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
  answer.kind === 'unanswered' ? answer.code : String(reading.envelope?.number ?? reading.status);

/** One call that was made, and what it says. */
interface Attempt {
  readonly kind: 'attempt';
  readonly answer: Answer;
  readonly reading: Reading;
  readonly row: Row;
  readonly token: Token;
  /** Refused with a token that was already renewed: nothing more to try. */
  readonly isRefusedAgain: boolean;
  /** The first attempt met a stale connection: it says nothing of Segura. */
  readonly isStale: boolean;
}

export const createEnable = (parts: EnableParts) => {
  const { timeoutMs, maxRequestAgeSeconds, now, random, sleep } = parts;

  const call = async (identifier: number, token: Token, limitMs: number, effort: Effort, invocation: Invocation) => {
    effort.attempts += 1;
    const startedAt = now();
    const answer = await enablePassword(identifier, token, limitMs);
    effort.latenciesMs.push(now() - startedAt);
    const reading = readAnswer(answer, now());
    const row = judge(reading);
    const attempt: Attempt = {
      kind: 'attempt',
      answer,
      reading,
      row,
      token,
      isRefusedAgain: row.happens.kind === 'renew-token' && invocation.renewedTokens.has(token),
      isStale: effort.attempts === 1 && metStaleConnection(answer),
    };
    return attempt;
  };

  /** Waits for its place and a token, looks at the clock a last time, and calls. */
  const attempt = async (
    request: EnableRequest,
    provenance: Provenance,
    invocation: Invocation,
    effort: Effort,
    kept: Decision,
  ): Promise<Attempt | Decision> => {
    const { gate, tokens, deadline } = invocation;
    const expired = () => expiredReason(request, provenance, now(), maxRequestAgeSeconds);
    const tooLate = expired();
    if (tooLate !== undefined) return reject('Expired', tooLate);
    if (deadline.callsLeftMs() < MIN_CALL_MS) return kept;
    const entry = await gate.enter(request.identifier);
    if (entry.kind === 'stop')
      return effort.attempts > 0 ? kept : keep(entry.cause, undefined, entry.retryAfterSeconds);
    try {
      const found = await tokens.get(deadline.callsLeftMs, entry.isProbe);
      if (found.kind === 'no-token') {
        entry.release();
        gate.stop(found.cause);
        return keep(found.cause, found.code);
      }
      // Waiting for a place and a token may have taken long.
      const tooLateNow = expired();
      const leftMs = deadline.callsLeftMs();
      if (tooLateNow !== undefined || leftMs < MIN_CALL_MS) {
        entry.release();
        return tooLateNow === undefined ? kept : reject('Expired', tooLateNow);
      }
      const made = await call(request.identifier, found.token, Math.min(timeoutMs, leftMs), effort, invocation);
      const sign = made.isStale ? 'unknown' : made.isRefusedAgain ? 'down' : made.row.segura;
      entry.report(sign, causeOf(made.row));
      return made;
    } catch (error) {
      // A bug: those who wait for the end of this probe must not wait for ever.
      entry.release();
      throw error;
    }
  };

  /** Asks for the one new token of the invocation. @returns why there is none, or `undefined` */
  const renewToken = async (refused: Token, invocation: Invocation): Promise<Decision | undefined> => {
    const { gate, tokens, deadline, renewedTokens } = invocation;
    const renewed = await tokens.renew(refused, deadline.callsLeftMs);
    if (renewed.kind === 'token') {
      renewedTokens.add(renewed.token);
      return undefined;
    }
    gate.stop(renewed.cause);
    return keep(renewed.cause, renewed.code);
  };

  /** @returns whether there was time to wait for the next attempt */
  const waitForNext = async ({ isStale, reading, row }: Attempt, failures: number, invocation: Invocation) => {
    const { gate, deadline } = invocation;
    const asked = reading.retryAfterSeconds;
    if (row.means === 'rate-limited' && asked !== undefined) gate.pause(asked);
    const waitMs = isStale ? 0 : Math.max(attemptWaitMs(failures, random()), (asked ?? 0) * 1000);
    if (waitMs + MIN_CALL_MS > deadline.callsLeftMs()) return false;
    if (waitMs > 0) await sleep(waitMs);
    return true;
  };

  /** Ends in a decision, always; `effort` counts along, so that it is known even for a request that is cut. */
  return async (
    request: EnableRequest,
    provenance: Provenance,
    invocation: Invocation,
    effort: Effort,
  ): Promise<Decision> => {
    let kept = keep('deadline');
    const retries = new Map<Row, number>();
    // Of any kind: waits grow also where each failure is another.
    let failures = 0;
    while (effort.attempts < MAX_ATTEMPTS) {
      const made = await attempt(request, provenance, invocation, effort, kept);
      if (made.kind !== 'attempt') return made;
      const { answer, reading, row, token } = made;
      kept = keep(causeOf(row), codeOf(answer, reading), reading.retryAfterSeconds);
      switch (row.happens.kind) {
        case 'done':
          return { kind: 'done', result: row.means === 'already-enabled' ? 'already-enabled' : 'enabled' };
        case 'reject':
          return reject(row.happens.errorCode, invocation.tokens.redact(describe(row, reading)));
        case 'keep':
          return { ...kept, needsPeople: row };
        case 'renew-token': {
          if (made.isRefusedAgain) return { ...kept, needsPeople: row };
          const refused = await renewToken(token, invocation);
          if (refused) return refused;
          break;
        }
        case 'retry': {
          const retried = (retries.get(row) ?? 0) + 1;
          retries.set(row, retried);
          if (!made.isStale) failures += 1;
          const mayRetry = retried <= (row.happens.atMost ?? MAX_ATTEMPTS) && effort.attempts < MAX_ATTEMPTS;
          if (!(mayRetry && (await waitForNext(made, failures, invocation)))) return kept;
        }
      }
    }
    return kept;
  };
};

export type Enable = ReturnType<typeof createEnable>;
