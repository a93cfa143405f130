/** One request: attempts, waits, a new token, the deadline; ends in a decision. */
import type { Answer } from '../http/send.ts';
import type { Provenance } from '../queues/dead-letters.ts';
import { type Cause, describe, judge, type Row } from '../segura/answers.ts';
import { enablePassword } from '../segura/client.ts';
import { type Reading, readAnswer } from '../segura/reading.ts';
import type { Token, Tokens } from '../segura/token.ts';
import type { Gate } from './gate.ts';
import { type EnableRequest, expiredReason } from './request.ts';
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
    };

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
  /** Called for an answer that no document knows, which the log must tell. */
  readonly onUnknown: (row: Row, reading: Reading, identifier: number) => void;
}

const codeOf = (answer: Answer, reading: Reading): string =>
  answer.kind === 'unanswered' ? answer.code : String(reading.envelope?.number ?? reading.status);

/** An answer could repeat what we sent; nothing secret goes on into a dead letter. */
const withoutSecrets = (text: string, { value, vault }: Token): string => {
  const { clientSecret, clientKey } = vault.secret;
  return [value, clientSecret, clientKey]
    .map((hidden) => hidden?.reveal() ?? '')
    .filter((secret) => secret.length >= 4)
    .reduce((clean, secret) => clean.replaceAll(secret, '[secret]'), text);
};

export const createEnable = ({ timeoutMs, maxRequestAgeSeconds, now, random, sleep, onUnknown }: EnableParts) => {
  /** Ends in a decision, always; `effort` counts along, so that it is known even for a request that is cut. */
  const enable = async (
    request: EnableRequest,
    provenance: Provenance,
    { gate, tokens, deadline, renewedTokens }: Invocation,
    effort: Effort,
  ): Promise<Decision> => {
    let kept: Decision = { kind: 'kept', cause: 'deadline' };
    const retries = new Map<Row, number>();
    const expired = (): Decision | undefined => {
      const reason = expiredReason(request, provenance, now(), maxRequestAgeSeconds);
      return reason ? { kind: 'rejected', errorCode: 'Expired', errorMessage: reason } : undefined;
    };

    for (;;) {
      const tooLate = expired();
      if (tooLate) return tooLate;
      if (effort.attempts >= MAX_ATTEMPTS || deadline.callsLeftMs() < MIN_CALL_MS) return kept;
      const entry = await gate.enter(request.identifier);
      if (entry.kind === 'stop') {
        const { retryAfterSeconds } = entry;
        return effort.attempts > 0
          ? kept
          : { kind: 'kept', cause: entry.cause, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
      }
      const found = await tokens.get(deadline.callsLeftMs);
      if (found.kind === 'no-token') {
        entry.release();
        gate.stop(found.cause);
        return { kind: 'kept', cause: found.cause, errorCode: found.code };
      }
      // Waiting for a place or a token may have taken long: the last look before the call.
      const expiredMeanwhile = expired();
      const leftMs = deadline.callsLeftMs();
      if (expiredMeanwhile || leftMs < MIN_CALL_MS) {
        entry.release();
        return expiredMeanwhile ?? kept;
      }

      effort.attempts += 1;
      const startedAt = now();
      const answer = await enablePassword(request.identifier, found.token, Math.min(timeoutMs, leftMs));
      effort.latenciesMs.push(now() - startedAt);
      const reading = readAnswer(answer, now());
      const row = judge(reading);
      const errorCode = codeOf(answer, reading);
      const isRefusedAgain = row.happens.do === 'renew-token' && renewedTokens.has(found.token);
      const cause = 'cause' in row.happens ? row.happens.cause : 'credentials';
      // A kept-alive connection that was closed during a freeze says nothing of Segura: again at once, but once only.
      const isStale =
        answer.kind === 'unanswered' && answer.reusedSocket && answer.failure === 'reset' && effort.attempts === 1;
      entry.report(isStale ? 'unknown' : isRefusedAgain ? 'down' : row.segura, cause);

      switch (row.happens.do) {
        case 'done':
          return { kind: 'done', result: row.means === 'already-enabled' ? 'already-enabled' : 'enabled' };
        case 'reject':
          return {
            kind: 'rejected',
            errorCode: row.happens.errorCode,
            errorMessage: withoutSecrets(describe(row, reading), found.token),
          };
        case 'keep':
          onUnknown(row, reading, request.identifier);
          return { kind: 'kept', cause, errorCode };
        case 'renew-token': {
          kept = { kind: 'kept', cause: 'credentials', errorCode };
          if (isRefusedAgain) return kept;
          const renewed = await tokens.renew(found.token, deadline.callsLeftMs);
          if (renewed.kind === 'no-token') {
            gate.stop(renewed.cause);
            return { kind: 'kept', cause: renewed.cause, errorCode: renewed.code };
          }
          renewedTokens.add(renewed.token);
          break;
        }
        case 'retry': {
          const { retryAfterSeconds } = reading;
          kept = { kind: 'kept', cause, errorCode, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
          const retried = (retries.get(row) ?? 0) + 1;
          retries.set(row, retried);
          if (retried > (row.happens.atMost ?? Number.POSITIVE_INFINITY) || effort.attempts >= MAX_ATTEMPTS)
            return kept;
          if (row.means === 'rate-limited' && retryAfterSeconds !== undefined) gate.pause(retryAfterSeconds);
          const waitMs = isStale ? 0 : Math.max(attemptWaitMs(retried, random()), (retryAfterSeconds ?? 0) * 1000);
          if (waitMs + MIN_CALL_MS > deadline.callsLeftMs()) return kept;
          if (waitMs > 0) await sleep(waitMs);
        }
      }
    }
  };
  return enable;
};

export type Enable = ReturnType<typeof createEnable>;
