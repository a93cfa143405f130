/** Sees everything that the core does to the world and hears from it, and says what it should not have done. */
import type { Outcome } from '../../functions/audit/line.ts';
import type { Call } from '../../functions/http/send.ts';
import type { Queue } from '../../infra/local/queue.ts';
import type { Clock } from '../virtual-time/clock.ts';
import type { AwsDelivery, Sent } from './aws.ts';
import { FUNCTION_TIMEOUT_MS } from './environment.ts';
import { isEnabled, type Ledger, type Run, type Story } from './ledger.ts';
import { createPace } from './pace.ts';
import type { Delivery } from './segura.ts';
import { createWaits } from './waits.ts';
import { isCalm, type Weather } from './weather.ts';

const MAX_CALLS_PER_MESSAGE = 6;
const MAX_CALLS_UNDER_WAY = 10;
/** Three attempts on a failing endpoint, as many with the secret read again, and again for a refused token. */
const MAX_TOKEN_REQUESTS = 12;
/** A read is three attempts; without a secret there is one read for the token, and one after a refusal. */
const MAX_SECRET_REQUESTS = 12;
/** Of an invocation of ten that meets no trouble: ten calls, a token, a secret, a lost race for a stale connection. */
const LONG_MS = 3000;
/** Of trouble: the longest wait of a message, and an invocation. */
const MEMORY_MS = 1_200_000;
/** The answer goes out 500 ms before the end at the latest; calls and waits end a second before that. */
const LAST_MOMENT_MS = 1000;
const ANSWER_MS = 500;
/** A verdict is acted on within its invocation, or when a frozen process wakes up. */
const VERDICT_HOLDS_MS = 1_200_000;

export interface WitnessParts {
  readonly clock: Clock;
  readonly weather: Weather;
  readonly requests: Queue;
  readonly ledger: Ledger;
  readonly isFifo: boolean;
  readonly hasOutcomes: boolean;
}

export const createWitness = ({ clock, ledger, isFifo, hasOutcomes, weather, requests }: WitnessParts) => {
  const { tell, violate } = ledger;
  const counts = { calls: 0, tokenRequests: 0, secretReads: 0 };
  const keptBy: Record<string, number> = {};
  /** When an execution environment heard which verdict on a message. */
  const heard = new Map<string, number>();
  const underWay = new Map<number, number>();
  const sqsUnderWay = new Map<number, number>();
  const pace = createPace(clock, ledger, weather);
  const waits = createWaits({ clock, ledger, weather, requests });

  /** And has been for as long as anybody may remember trouble. */
  const isAllWell = (): boolean => {
    const { segura, tokens, secrets, sqs, rotations, killShare, freezeShare } = weather;
    const from = clock.now() - MEMORY_MS;
    const isQuiet = [segura, tokens, secrets, sqs].every((windows) => isCalm<unknown>(windows, from, clock.now()));
    return isQuiet && rotations === 0 && killShare === 0 && freezeShare === 0;
  };

  const begin = ({ environment }: Run): number => {
    const open = (underWay.get(environment) ?? 0) + 1;
    underWay.set(environment, open);
    return open;
  };
  const end = ({ environment }: Run): void => {
    underWay.set(environment, (underWay.get(environment) ?? 1) - 1);
  };

  const onTokenRequest = (run: Run) => {
    begin(run);
    counts.tokenRequests += 1;
    run.tokenRequests += 1;
    if (run.tokenRequests > MAX_TOKEN_REQUESTS) violate(`${run.tokenRequests} token requests in invocation ${run.id}`);
    return () => end(run);
  };

  const onEnableCall = (identifier: number, run: Run, isStale: boolean) => {
    counts.calls += 1;
    const { environment } = run;
    const story = ledger.storyOf(identifier);
    if (!(story && run.stories.has(story.messageId))) {
      violate(`a call for identifier ${identifier}, which invocation ${run.id} was not given`, story);
      return () => undefined;
    }
    const calls = (run.calls.get(story.messageId) ?? 0) + 1;
    run.calls.set(story.messageId, calls);
    if (calls > MAX_CALLS_PER_MESSAGE) violate(`call ${calls} of one invocation`, story);
    if (ledger.isExpired(story, clock.now())) violate('called after its notAfter, or though too old', story);
    if (story.isInvalid) violate('called though it is not a request', story);
    const open = begin(run);
    if (open > MAX_CALLS_UNDER_WAY) violate(`${open} calls under way at once`, story);
    if (!isStale) pace.onCall(run);
    waits.onCall(run, story);

    return (delivery: Delivery | undefined): void => {
      end(run);
      const { verdict } = delivery ?? {};
      if (!isStale) pace.onAnswer(run, identifier, verdict);
      if (verdict === undefined) {
        run.failedCalls += 1;
        run.failedIdentifiers.add(identifier);
      } else {
        heard.set(`${environment} ${story.messageId} ${isEnabled(verdict) ? 'enabled' : verdict}`, clock.now());
        run.hasHeard = true;
        if (isEnabled(verdict)) run.enabled.add(story.messageId);
      }
      const { answer } = delivery ?? {};
      const retryAfter = answer?.kind === 'answered' ? answer.headers['retry-after'] : undefined;
      waits.onAnswer(run, story, retryAfter, verdict !== undefined);
      const came = answer?.kind === 'answered' ? `HTTP ${answer.status}` : (answer?.code ?? 'a closed connection');
      tell(story, `call ${calls} of invocation ${run.id}: ${came}`);
    };
  };

  const isTrueRejection = (story: Story, code: string, environment: number, failedAt: number): boolean => {
    if (code === 'InvalidMessage') return story.isInvalid;
    if (code === 'Expired') return ledger.isExpired(story, failedAt);
    const at = heard.get(`${environment} ${story.messageId} ${code}`);
    return at !== undefined && failedAt - at < VERDICT_HOLDS_MS;
  };

  const onDeadLetter = ({ body, attributes }: Sent, environment: number): string => {
    const { OriginalMessageId = '', ErrorCode = '', FirstSentAt = '', FailedAt = '' } = attributes;
    const story = ledger.storyOfOriginal(OriginalMessageId);
    if (!story) {
      violate(`a dead letter of ${OriginalMessageId}, which nobody sent`);
      return '';
    }
    tell(story, `dead letter ${ErrorCode} from environment ${environment}`);
    if (!isTrueRejection(story, ErrorCode, environment, Date.parse(FailedAt)))
      violate(`rejected as ${ErrorCode}, which nobody said`, story);
    if (body !== story.body) violate(`its dead letter holds another body: ${body}`, story);
    if (Date.parse(FirstSentAt) !== story.firstSentAt) violate(`its dead letter says ${FirstSentAt}`, story);
    story.letters.push(ErrorCode);
    ledger.settle(story, isFifo);
    return story.messageId;
  };

  const onOutcomeEvent = ({ body }: Sent, environment: number): string => {
    const { messageId, outcome } = JSON.parse(body) as { messageId: string; outcome: string };
    const story = ledger.stories.get(messageId);
    const isTrue =
      outcome === 'rejected' ? (story?.letters.length ?? 0) > 0 : heard.has(`${environment} ${messageId} enabled`);
    if (!(story && isTrue)) violate(`an outcome event says ${outcome}`, story);
    return messageId;
  };

  return {
    counts,
    keptBy,
    /** `isStale`: on a connection that is closed already, so that it does not reach Segura. */
    onSeguraCall: ({ url, path = url.pathname }: Call, run: Run, isStale: boolean) =>
      path.endsWith('/oauth2/token') ? onTokenRequest(run) : onEnableCall(Number(path.split('/').at(-1)), run, isStale),

    onAwsCall: ({ headers, timeoutMs }: Call, run: Run) => {
      const isSecret = headers['x-amz-target'] === 'secretsmanager.GetSecretValue';
      if (isSecret) {
        run.secretRequests += 1;
        if (run.secretRequests > MAX_SECRET_REQUESTS) violate(`${run.secretRequests} secret reads in one invocation`);
      }
      const { environment } = run;
      const leftMs = run.startedAt + FUNCTION_TIMEOUT_MS - clock.now();
      if (!isSecret && !run.wasFrozen && (run.hasAnswered || timeoutMs > leftMs - ANSWER_MS))
        violate(`SQS is called for longer than invocation ${run.id} has`);
      if (!isSecret) sqsUnderWay.set(environment, (sqsUnderWay.get(environment) ?? 0) + 1);
      return (delivery: AwsDelivery | undefined): void => {
        if (!isSecret) sqsUnderWay.set(environment, (sqsUnderWay.get(environment) ?? 1) - 1);
        for (const { queue, messageId } of delivery?.confirmed ?? []) {
          (queue === 'rejected' ? run.rejected : run.told).add(messageId);
        }
        if (!isSecret || delivery?.answer.kind !== 'answered' || delivery.answer.status !== 200) return;
        counts.secretReads += 1;
      };
    },

    /** What cannot finish is cut before the answer goes out, unless the process stood still over it. */
    onAnswered: (run: Run): void => {
      const { environment, id, wasFrozen, wasDeaf, startedAt } = run;
      waits.onAnswered(run);
      if (wasFrozen || wasDeaf) return;
      const tookMs = clock.now() - startedAt;
      if (isAllWell() && tookMs > LONG_MS) violate(`invocation ${id} takes ${tookMs} ms, and nothing is wrong`);
      const open = underWay.get(environment) ?? 0;
      if (open > 0) violate(`${open} calls to Segura outlive the answer of invocation ${id}`);
      const isSqsWell = isCalm(weather.sqs, startedAt, clock.now());
      if (isSqsWell && (sqsUnderWay.get(environment) ?? 0) > 0)
        violate(`SQS is called after the answer of invocation ${id}`);
      const leftMs = startedAt + FUNCTION_TIMEOUT_MS - clock.now();
      if (isSqsWell && leftMs < LAST_MOMENT_MS)
        violate(`invocation ${id} answers ${leftMs} ms before its end, and nothing hangs`);
    },

    /** @returns the id of the message that it is of */
    onSent: (sent: Sent, environment: number): string =>
      sent.queue === 'rejected' ? onDeadLetter(sent, environment) : onOutcomeEvent(sent, environment),

    onVisibility: waits.onVisibility,

    onLines: (lines: string): void => {
      if (lines.includes('hush-')) violate(`a secret in the log: ${lines}`);
    },

    onOutcome: ({ message, decision }: Outcome, run: Run): void => {
      const { messageId } = message;
      const story = run.stories.get(messageId);
      const how = decision.kind === 'done' ? decision.result : decision.kind;
      tell(story, `told as ${how}${decision.kind === 'kept' ? ` (${decision.cause})` : ''}`);
      if (!story || run.outcomes.has(messageId)) violate(`a second outcome, or one of another event: ${how}`, story);
      run.outcomes.set(messageId, decision);
      if (decision.kind === 'kept') {
        keptBy[decision.cause] = (keptBy[decision.cause] ?? 0) + 1;
        if (isAllWell()) violate(`kept (${decision.cause}), and nothing is wrong`, story);
      }
      if (decision.kind === 'done' && !run.enabled.has(messageId)) violate('told as enabled, which nobody said', story);
      if (decision.kind === 'rejected' && !run.rejected.has(messageId))
        violate('told as rejected without a confirmed dead letter', story);
      if (decision.kind !== 'kept' && hasOutcomes && !run.told.has(messageId))
        violate('settled without a confirmed outcome event', story);
    },
  };
};

export type Witness = ReturnType<typeof createWitness>;
