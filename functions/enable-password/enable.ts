/** One request: one attempt after the other (attempt.ts), with waits and a new token between them; ends in a decision. */
import type { Provenance } from '../requests/provenance.ts';
import type { EnableRequest } from '../requests/request.ts';
import { describe } from '../segura/answers.ts';
import type { Token } from '../segura/token.ts';
import {
  type Attempt,
  type AttemptParts,
  createAttempt,
  type Effort,
  type Invocation,
  stopForToken,
  type Underway,
} from './attempt.ts';
import { type Decision, keep, reject } from './decision.ts';
import { attemptWaitMs, MAX_ATTEMPTS, MIN_CALL_MS, pauseJitterMs } from './waits.ts';

export interface EnableParts extends AttemptParts {
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** What becomes of the request, or `undefined` where it is to be called again. */
type Verdict = Decision | undefined;

/** Asks for the one new token of the invocation. */
const renewToken = async (underway: Underway, refused: Token): Promise<Verdict> => {
  const { tokens, deadline, renewedTokens } = underway.invocation;
  const renewed = await tokens.renew(refused, deadline.callsLeftMs);
  if (renewed.kind === 'no-token') return stopForToken(underway, { kind: 'pass', isProbe: false }, renewed);
  renewedTokens.add(renewed.token);
  return undefined;
};

const mayRetry = (underway: Underway, { row, isStale }: Attempt): boolean => {
  const { retries, effort } = underway;
  if (!isStale) underway.failures += 1;
  retries.push(row);
  const retried = retries.filter((each) => each === row).length;
  const atMost = row.happens.kind === 'retry' ? (row.happens.atMost ?? MAX_ATTEMPTS) : 0;
  return retried <= atMost && effort.attempts < MAX_ATTEMPTS;
};

export const createEnable = (parts: EnableParts) => {
  const { now, random, sleep } = parts;
  const attempt = createAttempt(parts);

  const retry = async (underway: Underway, made: Attempt): Promise<Verdict> => {
    if (!mayRetry(underway, made)) return underway.kept;
    const { isStale, reading, answeredAt } = made;
    const askedMs = (reading.retryAfterSeconds ?? 0) * 1000;
    const ownMs = isStale ? 0 : attemptWaitMs(underway.failures, random());
    const fromAnswerMs = askedMs > ownMs ? askedMs + pauseJitterMs(askedMs, random()) : ownMs;
    const waitMs = fromAnswerMs - (now() - answeredAt);
    if (waitMs + MIN_CALL_MS > underway.invocation.deadline.callsLeftMs()) return underway.kept;
    if (waitMs > 0) await sleep(waitMs);
    return undefined;
  };

  const decide = (underway: Underway, made: Attempt): Verdict | Promise<Verdict> => {
    const { row, reading, token, isRefusedAgain, hasNewSecret } = made;
    const { happens } = row;
    if (hasNewSecret) return undefined;
    switch (happens.kind) {
      case 'done':
        return { kind: 'done', result: row.means === 'already-enabled' ? 'already-enabled' : 'enabled' };
      case 'reject':
        return reject(happens.errorCode, underway.invocation.tokens.redact(describe(row, reading)));
      case 'retry':
        return retry(underway, made);
      case 'renew-token':
        return isRefusedAgain ? { ...underway.kept, needsPeople: row } : renewToken(underway, token);
      case 'keep':
        return { ...underway.kept, needsPeople: row };
    }
  };

  return async (
    request: EnableRequest,
    provenance: Provenance,
    invocation: Invocation,
    effort: Effort,
  ): Promise<Decision> => {
    const kept = keep('deadline');
    const underway: Underway = { request, provenance, invocation, effort, retries: [], failures: 0, kept };
    while (effort.attempts < MAX_ATTEMPTS) {
      const made = await attempt(underway);
      const verdict = made.kind === 'attempt' ? decide(underway, made) : made;
      const decision = verdict instanceof Promise ? await verdict : verdict;
      if (decision) return decision;
    }
    return underway.kept;
  };
};

export type Enable = ReturnType<typeof createEnable>;
