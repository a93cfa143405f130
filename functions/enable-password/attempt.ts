/** One attempt on a request: a place, the gate, a token, one call and what its answer says; or why there was no call. */
import { type Answer, metStaleConnection } from '../http/send.ts';
import type { Provenance } from '../requests/provenance.ts';
import { type EnableRequest, expiredReason } from '../requests/request.ts';
import { type Cause, judge, type Row, secretMayCure } from '../segura/answers.ts';
import { enablePassword } from '../segura/client.ts';
import { type Reading, readAnswer } from '../segura/reading.ts';
import type { NoToken, Token, Tokens } from '../segura/token.ts';
import { type Decision, type Kept, keep, reject } from './decision.ts';
import { comeIn } from './entry.ts';
import type { Entry, Gate } from './gate.ts';
import type { Places } from './places.ts';
import { type Deadline, MIN_CALL_MS } from './waits.ts';

/** What all requests of one invocation share. */
export interface Invocation {
  readonly gate: Gate;
  readonly places: Places;
  readonly tokens: Tokens;
  readonly deadline: Deadline;
  /** Tokens that this invocation asked for because one was refused: a second refusal is final. */
  readonly renewedTokens: Set<Token>;
}

/** What it took. */
export interface Effort {
  attempts: number;
  readonly latenciesMs: number[];
}

/** A request under way. `effort` counts along, so that it is known even of one that is cut. */
export interface Underway {
  readonly request: EnableRequest;
  readonly provenance: Provenance;
  readonly invocation: Invocation;
  readonly effort: Effort;
  /** Each time that it was tried again, by the row. Of all, `failures`: waits grow also where each failure is another. */
  readonly retries: Row[];
  failures: number;
  /** What becomes of it where nothing more can be tried. */
  kept: Kept;
}

/** One call that was made, and what it says. */
export interface Attempt {
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

export interface AttemptParts {
  /** Limit for one call to Segura. */
  readonly timeoutMs: number;
  readonly maxRequestAgeSeconds: number;
  readonly now: () => number;
}

type Pass = Extract<Entry, { kind: 'pass' }>;

/** Only a refused token has no cause of its own in the table. */
const causeOf = ({ happens }: Row): Cause => ('cause' in happens ? happens.cause : 'credentials');

const codeOf = (answer: Answer, reading: Reading): string =>
  answer.kind === 'unanswered' ? answer.code : (reading.envelope?.number?.toString() ?? `HTTP${reading.status}`);

/** Without a call, or with what the last one said; not before the pause that was asked for meanwhile. */
const stopped = ({ effort, kept }: Underway, { cause, retryAfterSeconds }: Extract<Entry, { kind: 'stop' }>): Kept => {
  if (effort.attempts === 0) return keep(cause, undefined, retryAfterSeconds);
  return retryAfterSeconds === undefined ? kept : { ...kept, retryAfterSeconds };
};

/** There is no token to call with: nor is there one for the other requests of this invocation. */
export const stopForToken = (underway: Underway, entry: Entry, { cause, code, retryAfterSeconds }: NoToken): Kept => {
  const { identifier } = underway.request;
  underway.invocation.gate.stop(entry, { identifier, cause, retryAfterSeconds });
  return keep(cause, code, retryAfterSeconds);
};

/** What the answer says by itself. */
const assess = (
  { effort, invocation }: Underway,
  token: Token,
  answer: Answer,
  answeredAt: number,
): Omit<Attempt, 'hasNewSecret'> => {
  const reading = readAnswer(answer, answeredAt);
  const row = judge(reading);
  return {
    kind: 'attempt',
    reading,
    row,
    token,
    answeredAt,
    isRefusedAgain: row.happens.kind === 'renew-token' && invocation.renewedTokens.has(token),
    isStale: effort.attempts === 1 && metStaleConnection(answer),
  };
};

/** Whether it is time to look for another secret: a refused token is renewed first. */
const mayBeCured = ({ row, reading, isStale, isRefusedAgain }: Omit<Attempt, 'hasNewSecret'>): boolean =>
  row.segura !== 'up' && !isStale && (row.happens.kind === 'renew-token') === isRefusedAgain && secretMayCure(reading);

const tellGate = ({ request, invocation: { gate } }: Underway, entry: Entry, made: Attempt): void => {
  const { row, reading, isStale, isRefusedAgain, hasNewSecret } = made;
  if (isStale) {
    gate.release(entry);
    return;
  }
  const sign = hasNewSecret ? 'unknown' : isRefusedAgain ? 'down' : row.segura;
  const { retryAfterSeconds } = reading;
  gate.report(entry, { identifier: request.identifier, sign, cause: causeOf(row), retryAfterSeconds });
  if (hasNewSecret) gate.secretChanged();
};

export const createAttempt = ({ timeoutMs, maxRequestAgeSeconds, now }: AttemptParts) => {
  /** Why it must not be called any more: too late for it, or for this invocation. */
  const tooLate = ({ request, provenance, invocation, kept }: Underway): Decision | undefined => {
    const expired = expiredReason(request, provenance, now(), maxRequestAgeSeconds);
    if (expired !== undefined) return reject('Expired', expired);
    return invocation.deadline.callsLeftMs() < MIN_CALL_MS ? kept : undefined;
  };

  const call = async (underway: Underway, entry: Pass, token: Token): Promise<Attempt> => {
    const { request, effort, invocation } = underway;
    const { tokens, deadline } = invocation;
    effort.attempts += 1;
    const startedAt = now();
    const answer = await enablePassword(request.identifier, token, Math.min(timeoutMs, deadline.callsLeftMs()));
    const answeredAt = now();
    effort.latenciesMs.push(answeredAt - startedAt);
    const said = assess(underway, token, answer, answeredAt);
    const { row, reading } = said;
    underway.kept = keep(causeOf(row), codeOf(answer, reading), reading.retryAfterSeconds);
    // With the place held, and before the gate hears of it: the rest of the batch shall not be stopped for an old secret.
    const hasNewSecret = mayBeCured(said) && (await tokens.rereadSecret(token.vault, deadline.callsLeftMs));
    const made: Attempt = { ...said, hasNewSecret };
    tellGate(underway, entry, made);
    return made;
  };

  return async (underway: Underway): Promise<Attempt | Decision> => {
    const { gate, places, tokens, deadline } = underway.invocation;
    const late = tooLate(underway);
    if (late) return late;
    const entry = await comeIn(underway.invocation, underway.request.identifier);
    if (entry.kind === 'stop') return stopped(underway, entry);
    try {
      const found = await tokens.get(deadline.callsLeftMs, entry.isProbe);
      if (found.kind === 'no-token') return stopForToken(underway, entry, found);
      // Waiting for a place and a token may have taken long.
      const lateNow = tooLate(underway);
      if (lateNow === undefined) return await call(underway, entry, found.token);
      gate.release(entry);
      return lateNow;
    } catch (error) {
      // A bug: those who wait for the end of this probe must not wait forever.
      gate.release(entry);
      throw error;
    } finally {
      places.leave();
    }
  };
};
