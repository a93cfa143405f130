/**
 * The real core over virtual time: what Segura, SQS and Secrets Manager answer is a script. A test that waits for
 * something that never comes fails at once, instead of hanging.
 */
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { FUNCTION_PATIENCE } from '../../functions/aws/attempts.ts';
import { createSqsClient } from '../../functions/aws/clients.ts';
import type { Failed } from '../../functions/aws/failure.ts';
import type { SecretValue } from '../../functions/aws/secret-value.ts';
import { createSqs } from '../../functions/aws/sqs.ts';
import type { Effort } from '../../functions/enable-password/attempt.ts';
import type { Outcome } from '../../functions/enable-password/batch.ts';
import { createCore } from '../../functions/enable-password/core.ts';
import type { Decision } from '../../functions/enable-password/decision.ts';
import { createKept } from '../../functions/enable-password/kept.ts';
import { createDeadline, MAX_TOKEN_ATTEMPTS, tokenWaitMs } from '../../functions/enable-password/waits.ts';
import type { Failure } from '../../functions/http/failure.ts';
import type { Answer, Call } from '../../functions/http/send.ts';
import { createTokens } from '../../functions/segura/token.ts';
import { createVaults } from '../../functions/segura/vault.ts';
import { type Clock, createClock } from '../virtual-time/clock.ts';

export const START = Date.UTC(2026, 10, 23, 12);
// The SDK signs, as in Lambda, with what the environment holds.
process.env['AWS_ACCESS_KEY_ID'] ??= 'AKID';
process.env['AWS_SECRET_ACCESS_KEY'] ??= 'secret';

export type Json = Readonly<Record<string, unknown>>;
/** What AWS answers. */
export type AwsResult = { readonly kind: 'ok'; readonly output: Json } | Failed;

export const SOURCE = 'https://sqs.eu-west-1.amazonaws.com/1/requests';

interface Timed {
  readonly tookMs?: number;
  /** Does not even end with the call's limit, as nothing should. */
  readonly isDeaf?: boolean;
}

/** What comes back, and after how long; longer than the call's limit is a time-out. */
export type Reply = Answer & Timed;

export const answered = (status: number, body: unknown, headers: Record<string, string> = {}): Reply => ({
  kind: 'answered',
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
export const unanswered = (failure: Failure, code: string, reusedSocket = false): Reply => ({
  kind: 'unanswered',
  failure,
  code,
  reusedSocket,
});

const segura = (status: number, message: string) =>
  answered(status, { code: status, response: { status, message, error: status !== 200 } });
export const ENABLED = segura(200, 'Password successfully activated');
export const ALREADY = segura(200, 'Password has already been activated');
export const NOT_FOUND = segura(400, '1005: Password not found');
export const NO_ACCESS = segura(400, '1006: User does not have access');
export const SERVER_ERROR = segura(500, 'Unexpected error.');
export const NO_ROUTE = answered(404, { message: 'no Route matched with those values' });
export const LOGIN_PAGE = answered(200, '<html>login</html>');
export const HANG: Reply = { ...unanswered('timeout', 'ETIMEDOUT'), tookMs: Number.POSITIVE_INFINITY };
export const RESET = unanswered('reset', 'ECONNRESET');
export const REFUSED = unanswered('refused', 'ECONNREFUSED');
export const gateway = (status: number, headers: Record<string, string> = {}) =>
  answered(status, { message: 'simulated' }, headers);
export const token = (value: string, expiresIn: unknown = 3600) =>
  answered(200, { token_type: 'Bearer', expires_in: expiresIn, access_token: value });

export const secretText = (changes: object = {}): string =>
  JSON.stringify({
    url: 'https://segura.example.com',
    accessTokenUrl: 'https://segura.example.com/iso/oauth2/token',
    clientId: 'client',
    clientSecret: 'client-secret',
    ...changes,
  });

/** One call to Segura, as it was made. */
export interface Made {
  readonly identifier: number;
  readonly token: string;
  readonly at: number;
  /** How often this identifier was called before, and how many calls there were in all. */
  readonly nthOfIdentifier: number;
  readonly nth: number;
}

export interface StageOptions {
  /** When outcomes are told; at once where nothing is said. */
  readonly soon?: (task: () => void) => void;
  readonly segura?: (made: Made) => Reply;
  readonly tokens?: (nth: number, call: Call) => Reply;
  readonly secret?: (nth: number) => SecretValue & Timed;
  /** What SQS says to one call; `undefined` for what it says on a good day. */
  readonly sqs?: (action: string, entries: readonly Json[], nth: number) => (AwsResult & Timed) | undefined;
  readonly random?: () => number;
  readonly concurrency?: number;
  readonly timeoutMs?: number;
  readonly maxRequestAgeSeconds?: number;
  readonly isFifo?: boolean;
  readonly hasOutcomes?: boolean;
}

/** Runs virtual time until `work` is done. @throws where it waits for what never comes */
export const finish = async <Result>(clock: Clock, work: Promise<Result>): Promise<Result> => {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  work.then(over, over);
  await clock.run(() => isOver);
  if (!isOver) throw new Error('waits forever: nobody is left who could wake it');
  return work;
};

const timely = async (clock: Clock, reply: Reply, timeoutMs: number): Promise<Answer> => {
  const { tookMs = 20, isDeaf = false, ...answer } = reply;
  await clock.sleep(isDeaf ? Number.POSITIVE_INFINITY : Math.min(tookMs, Math.max(1, timeoutMs)));
  return tookMs > timeoutMs ? unanswered('timeout', 'ETIMEDOUT') : answer;
};

export const confirm = (entries: readonly Json[]): AwsResult => ({
  kind: 'ok',
  output: { Successful: entries.map(({ Id }) => ({ Id })), Failed: [] },
});

export const createStage = (options: StageOptions = {}) => {
  const { random = () => 0.5, timeoutMs = 30_000, maxRequestAgeSeconds = 345_600, isFifo = false } = options;
  const clock = createClock(START);
  const time = { now: clock.now, random, sleep: clock.sleep };
  const calls: Made[] = [];
  const timeouts: number[] = [];
  const tokenCalls: Call[] = [];
  const sqsCalls: {
    readonly action: string;
    readonly queueUrl: string;
    readonly entries: readonly Json[];
    readonly at: number;
  }[] = [];
  const outcomes: Outcome[] = [];
  const refusals: string[] = [];
  const secretFailures: string[] = [];
  const lines: Record<string, unknown>[] = [];
  let secretReads = 0;
  let closed = 0;

  const write = (text: string) => {
    for (const line of text.trimEnd().split('\n')) lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  const send = async (call: Call): Promise<Answer> => {
    if (call.path === undefined) {
      tokenCalls.push(call);
      return timely(
        clock,
        (options.tokens ?? ((nth) => token(`token-${nth}`)))(tokenCalls.length, call),
        call.timeoutMs,
      );
    }
    const identifier = Number(call.path.split('/').at(-1));
    const made: Made = {
      identifier,
      token: (call.headers['Authorization'] ?? '').replace('Bearer ', ''),
      at: clock.now(),
      nthOfIdentifier: calls.filter((each) => each.identifier === identifier).length + 1,
      nth: calls.length + 1,
    };
    calls.push(made);
    timeouts.push(call.timeoutMs);
    return timely(clock, (options.segura ?? (() => ENABLED))(made), call.timeoutMs);
  };

  const readSecret = async (limitMs: number): Promise<SecretValue> => {
    secretReads += 1;
    const given: SecretValue & Timed = options.secret?.(secretReads) ?? { kind: 'read', text: secretText() };
    const { tookMs = 10, ...read } = given;
    await clock.sleep(Math.min(tookMs, Math.max(1, limitMs)));
    return tookMs > limitMs ? { kind: 'failed', code: 'ETIMEDOUT', detail: 'no answer: timeout' } : read;
  };
  const connect = () => ({
    send,
    close: () => {
      closed += 1;
    },
  });

  // Single parts over the same wires, for the tests of each; the core has its own.
  const vaults = createVaults({ ...time, read: readSecret, connect, onFailure: (code) => secretFailures.push(code) });
  const tokens = createTokens({
    ...time,
    vaults,
    timeoutMs,
    maxAttempts: MAX_TOKEN_ATTEMPTS,
    wait: (attempt) => tokenWaitMs(attempt, random()),
    onRequest: () => undefined,
    onRefusal: ({ cause, code }) => refusals.push(`${cause} ${code}`),
  });
  const aws = {
    close: () => undefined,
    send: async ({ headers, body = '', timeoutMs: limitMs }: Call) => {
      const { QueueUrl, Entries } = JSON.parse(body) as {
        QueueUrl: string;
        Entries: readonly Json[];
      };
      const action = headers['x-amz-target']?.split('.')[1] ?? '';
      sqsCalls.push({ action, queueUrl: QueueUrl, entries: Entries, at: clock.now() });
      const { tookMs = 15, ...result } =
        options.sqs?.(action, Entries, sqsCalls.length) ?? (confirm(Entries) as AwsResult & Timed);
      const reply =
        result.kind === 'ok'
          ? answered(200, result.output)
          : answered(400, { __type: result.code, message: result.detail });
      return timely(clock, { ...reply, tookMs }, limitMs);
    },
  };
  const region = { region: 'eu-west-1', useFipsEndpoint: false, useDualstackEndpoint: false };
  const sqs = createSqs({ ...time, client: createSqsClient(region, aws), patience: FUNCTION_PATIENCE });
  const suffix = isFifo ? '.fifo' : '';
  const settings = {
    sourceQueueUrl: `${SOURCE}${suffix}`,
    rejectedQueueUrl: `https://sqs.eu-west-1.amazonaws.com/1/rejected${suffix}`,
    ...(options.hasOutcomes ? { outcomeQueueUrl: `https://sqs.eu-west-1.amazonaws.com/1/outcomes${suffix}` } : {}),
    seguraTimeoutMs: timeoutMs,
    seguraConcurrency: options.concurrency ?? 10,
    maxRequestAgeSeconds,
    renewalSenders: [],
    callerSenders: [],
    serviceName: 'test',
    logLevel: 'INFO',
    metricsNamespace: 'test',
  };
  const core = createCore({
    settings,
    time,
    sqs,
    readSecret,
    connect,
    write,
    ...(options.soon ? { soon: options.soon } : {}),
    onOutcome: (outcome) => outcomes.push(outcome),
  });

  /** One event. `tookMs` in virtual time. */
  const invoke = async (
    records: readonly SQSRecord[],
    remainingMs = 120_000,
  ): Promise<SQSBatchResponse & { readonly tookMs: number }> => {
    const startedAt = clock.now();
    const response = await finish(clock, core.handle({ Records: records }, remainingMs));
    core.flush();
    return { ...response, tookMs: clock.now() - startedAt };
  };

  return {
    clock,
    calls,
    /** The limit of each call to Segura. */
    timeouts,
    tokenCalls,
    sqsCalls,
    outcomes,
    refusals,
    secretFailures,
    lines,
    vaults,
    tokens,
    settleParts: { ...time, ...settings, sqs, kept: createKept(), log: core.log },
    deadline: (remainingMs: number) => createDeadline(clock.now, remainingMs, 1),
    secretReads: () => secretReads,
    closed: () => closed,
    /** Messages of warnings and errors, with what is about them. */
    warnings: () =>
      lines
        .filter(({ level }) => level !== 'INFO' && level !== undefined)
        .map((line) => [line['level'], line['message'], line['errorCode']]),
    invoke,
    /** One request by itself: what was decided, before SQS had a say, and what it took. */
    enable: async (
      request: object = {},
      { remainingMs = 120_000, ...system }: { readonly remainingMs?: number; readonly SentTimestamp?: string } = {},
    ): Promise<{ readonly decision: Decision; readonly effort: Effort }> => {
      await invoke([record('m', { identifier: 10, ...request }, {}, system)], remainingMs);
      const { decision, effort } = outcomes.at(-1)!;
      const { waitSeconds: _, ...decided } = { waitSeconds: 0, ...decision };
      return { decision: decided as Decision, effort };
    },
    /** Lets virtual time pass, with whatever an invocation has left running. */
    pass: (ms: number) => finish(clock, clock.sleep(ms)),
  };
};

export type Stage = ReturnType<typeof createStage>;

export const record = (messageId: string, body: unknown = 10, changes: object = {}, system: object = {}): SQSRecord =>
  ({
    messageId,
    receiptHandle: `handle-${messageId}`,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(START - 1000), ...system },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-1:1:requests',
    ...changes,
  }) as SQSRecord;

export const fifoRecord = (messageId: string, body: unknown, group: string): SQSRecord =>
  record(messageId, body, { eventSourceARN: 'arn:aws:sqs:eu-west-1:1:requests.fifo' }, { MessageGroupId: group });

/** The ids that a response keeps, in its order. */
export const keptIds = ({ batchItemFailures }: SQSBatchResponse): string[] =>
  batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
