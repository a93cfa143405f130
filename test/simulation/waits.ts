/** What may be done with the visibility timeout of a kept message, and when it must be. */
import type { Queue } from '../../infra/local/queue.ts';
import type { Clock } from '../virtual-time/clock.ts';
import type { Ledger, Run, Story } from './ledger.ts';
import { isCalm, type Weather } from './weather.ts';

export interface WaitsParts {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly weather: Weather;
  readonly requests: Queue;
}

/** The least and the longest wait of a kept message. */
const LEAST_SECONDS = 30;
const LONGEST_SECONDS = 900;
/** The first one, where nobody asked for more. */
const LONGEST_FIRST_SECONDS = 90;
/** Waits grow: of a request that has waited for four hours. */
const OLD_AFTER_MS = 4 * 3_600_000;
const LEAST_OF_OLD_SECONDS = 120;
/** The contract: `Retry-After` is respected up to 870 s. */
const LONGEST_ASKED_SECONDS = 870;
const A_MOMENT_MS = 1500;
/** So long may others go on: the secret is read again before the rest hears of an answer. */
const HEARS_WITHIN_MS = 15_000;
/** Where something hung or broke. */
const EXEMPT: readonly string[] = ['bug', 'deadline'];
/** A change that was on its way when the message came back. */
const LATE_CHANGE_MS = 6000;

export const createWaits = ({ clock, ledger, weather, requests }: WaitsParts) => {
  const { violate, stories } = ledger;
  /** Retry-After may have been asked of the environment; behind a kept message of its group one waits with that one. */
  const mayBeLong = requests.isFifo || weather.segura.some(({ faults }) => faults.some((fault) => fault !== 'down'));

  const checkLength = (seconds: number, story: Story | undefined, run: Run): void => {
    const { hasHeard } = run;
    const least = hasHeard ? 0 : LEAST_SECONDS;
    if (!(Number.isInteger(seconds) && seconds >= least && seconds <= LONGEST_SECONDS)) {
      violate(`a visibility timeout of ${seconds} s${hasHeard ? '' : ', and Segura has not answered'}`, story);
    }
    if (!story) return;
    const until = run.askedUntil.get(story.messageId) ?? 0;
    if (clock.now() + seconds * 1000 < until - A_MOMENT_MS) {
      violate(`back in ${seconds} s, though Retry-After asked for ${(until - clock.now()) / 1000} s`, story);
    }
    if (!weather.isOutage || seconds < LEAST_SECONDS) return;
    const ageMs = clock.now() - story.sentAt;
    if (!mayBeLong && story.receives === 1 && seconds > LONGEST_FIRST_SECONDS)
      violate(`a first wait of ${seconds} s`, story);
    if (ageMs > OLD_AFTER_MS && seconds < LEAST_OF_OLD_SECONDS) {
      violate(`waits do not grow: ${seconds} s after ${(ageMs / 3_600_000).toFixed(1)} h`, story);
    }
  };

  /** A handle is good until its own wait ends: from then on it would change the wait of whoever receives the message. */
  const checkHandle = (handle: string, story: Story | undefined, run: Run): void => {
    const message = requests.get(story?.messageId ?? '');
    const isOld = message !== undefined && message.receiptHandle !== handle;
    if (!isOld || run.wasFrozen || weather.duplicateShare > 0) return;
    const ms = clock.now() - message.receivedAt;
    if (ms > LATE_CHANGE_MS) violate(`the wait of another receive changed, ${ms} ms after it`, story);
  };

  /** Of an execution environment: what it heard last, and until when it asked for no more calls. */
  const asked = new Map<number, { readonly heardAt: number; readonly until: number }>();

  return {
    onCall: ({ environment, askedUntil }: Run, story: Story): void => {
      const untilOfMessage = askedUntil.get(story.messageId) ?? 0;
      const { heardAt, until } = asked.get(environment) ?? { heardAt: 0, until: 0 };
      const holds = clock.now() - heardAt > HEARS_WITHIN_MS ? Math.max(untilOfMessage, until) : untilOfMessage;
      if (clock.now() < holds) violate(`called ${holds - clock.now()} ms before the end of a Retry-After`, story);
    },

    /** `hasSucceeded`: Segura said yes or no; a pause is asked for by other answers. */
    onAnswer: (
      { environment, askedUntil }: Run,
      { messageId }: Story,
      retryAfter: unknown,
      hasSucceeded: boolean,
    ): void => {
      const seconds = Math.min(LONGEST_ASKED_SECONDS, Number(retryAfter));
      const until = clock.now() + seconds * 1000;
      if (seconds > 0) askedUntil.set(messageId, until);
      else askedUntil.delete(messageId);
      if (seconds > 0 && !hasSucceeded && until > (asked.get(environment)?.until ?? 0)) {
        asked.set(environment, { heardAt: clock.now(), until });
      }
    },

    onVisibility: (handle: string, seconds: number, run: Run): void => {
      const story = stories.get(handle.split('#')[1] ?? '');
      checkLength(seconds, story, run);
      checkHandle(handle, story, run);
      if (story) run.waits.add(story.messageId);
    },

    /** Where SQS is well, each kept message has its own wait. */
    onAnswered: (run: Run): void => {
      if (run.wasFrozen || run.wasDeaf || !isCalm(weather.sqs, run.startedAt, clock.now())) return;
      for (const [messageId, outcome] of run.outcomes) {
        if (outcome.kind !== 'kept' || EXEMPT.includes(outcome.cause)) continue;
        if (!run.waits.has(messageId))
          violate('kept, and its visibility timeout never changed', stories.get(messageId));
      }
    },
  };
};
