/**
 * A day as an auditor finds it: requests with tickets and names, kills, duplicates, dead letters, replays, renewals, letters
 * discarded by hand, and an outage that is not over. What the function wrote of it, and what truly became of each request:
 * kept apart, so that the one can be held against the other (evidence.ts).
 */
import type { Outcome } from '../../functions/audit/line.ts';
import type { Fate } from '../../functions/audit/requests.ts';
import type { QueueMessage } from '../../infra/local/queue.ts';
import { type Cluster, createCluster, STARTS_AT } from './cluster.ts';
import { CALLER_SENDER, RENEWAL_SENDER } from './environment.ts';
import { mappingOf } from './episode.ts';
import type { Random, Run, Story } from './ledger.ts';
import { createOperators, type Operators } from './operator.ts';
import { createSaboteur } from './people.ts';
import { drawWeather, HOUR, type Kind, pick, TROUBLE_MS } from './weather.ts';

export interface HistoryOptions {
  readonly seed: number;
  readonly kind: Kind;
  readonly requests: number;
  /** Part of all ids, so that several histories can stand in one log. */
  readonly name: string;
}

/** What truly became of one request. */
export interface Truth {
  readonly messageId: string;
  readonly identifier?: number;
  readonly requestId?: string;
  readonly requestedBy?: string;
  readonly reason?: string;
  readonly source?: string;
  readonly firstSentAt: string;
  /** `undefined` where nobody but the sender can know of it: never told of, and in no dead-letter queue. */
  fate?: Fate | undefined;
  caller?: string | undefined;
  firstDeliveredAt?: string | undefined;
  settledAt?: string | undefined;
  errorCode?: string | undefined;
  deliveries: number;
  callsToSegura: number;
  replays: number;
  sentBy: string[];
  replayedBy: string[];
  replayReason?: string | undefined;
  renewedAt?: string | undefined;
}

export interface History {
  /** The function's standard output, without its metrics. */
  readonly lines: readonly string[];
  readonly truths: readonly Truth[];
  readonly rejected: readonly QueueMessage[];
  readonly exhausted: readonly QueueMessage[];
  readonly requests: readonly QueueMessage[];
  /** Of its `requests` queue. */
  readonly maxReceiveCount: number;
  readonly endsAt: number;
  readonly violations: readonly string[];
}

export const HISTORY_KINDS = [
  'bad-day',
  'crash-loop',
  'fifo',
  'half-confirmed',
  'credentials',
  'big-batches',
] as const satisfies readonly Kind[];

const OUTAGE_AT = STARTS_AT + 7 * HOUR;
/** So long after it has begun the auditor looks. */
const LOOK_AFTER_MS = 0.25 * HOUR;
/** Of a crash loop, where messages are kept between the crashes too. */
const RECEIVES_TO_EXHAUST = 4;
const LATE_SHARE = 0.1;
const MINUTE = 60_000;

const BOB = { senderId: 'AIDABOB', name: 'bob@ops' };
const CAROL = { senderId: `${RENEWAL_SENDER}:replay`, name: 'carol@ops' };

const NAMES = ['ana@example.com', 'O’Brien, Zoë', '=HYPERLINK("http://x")', 'a "quoted" name', '李雷', undefined];
const REASONS = ['on-call', 'incident\nof the night', '-1+1', undefined];

/** What a requester says; the rest is drawn. */
const requesterOf = (name: string, index: number, random: Random) => {
  // Some tickets ask for several passwords.
  const requestId = random() < 0.9 ? `RITM-${name}-${Math.floor(index / pick(random, [1, 3]))}` : undefined;
  const requestedBy = pick(random, NAMES);
  const reason = pick(random, REASONS);
  const source = random() < 0.5 ? 'servicenow' : undefined;
  return Object.fromEntries(
    Object.entries({ requestId, requestedBy, reason, source }).filter(([, value]) => value !== undefined),
  ) as Pick<Truth, 'requestId' | 'requestedBy' | 'reason' | 'source'>;
};

const wrappedBody = (request: object, random: Random): string =>
  JSON.stringify(
    pick<object>(random, [
      request,
      request,
      { Type: 'Notification', Message: JSON.stringify(request) },
      { 'detail-type': 'approved', detail: request },
    ]),
  );

/** Sends one request, and begins its truth. */
const createSender = (
  { clock, random, ledger, segura, queues }: Cluster,
  name: string,
  truths: Map<string, Truth>,
  callers: Map<string, string>,
) => {
  const drawBody = (identifier: number, isPlain: boolean) => {
    if (!isPlain && random() < 0.02) return { body: 'please', asked: {}, isInvalid: true };
    if (random() < 0.1) return { body: String(identifier), asked: { identifier }, isInvalid: false };
    const asked = { identifier, ...requesterOf(name, identifier, random) };
    const notAfter = !isPlain && random() < 0.08 ? Math.floor(clock.now() + 1000 + random() * 10 * MINUTE) : undefined;
    const request = notAfter === undefined ? asked : { ...asked, notAfter: new Date(notAfter).toISOString() };
    return { body: wrappedBody(request, random), asked, notAfter, isInvalid: false };
  };
  return (identifier: number, groupId: string, isPlain: boolean): void => {
    const now = clock.now();
    const messageId = `${name}-${identifier}`;
    const { body, asked, notAfter, isInvalid } = drawBody(identifier, isPlain);
    const state = pick(random, [
      'disabled',
      'disabled',
      'disabled',
      'active',
      'unknown',
      'no-access',
      'no-access',
    ] as const);
    segura.passwords.set(identifier, isPlain ? 'disabled' : state);
    ledger.add({
      ...{ messageId, originalMessageId: messageId, identifier, index: ledger.stories.size, groupId, body, isInvalid },
      ...{ firstSentAt: now, sentAt: now, notAfter, letters: [], trace: [], receives: 0, crashes: 0 },
      ...{ isEnabled: false, isDeleted: false, isExhausted: false },
    });
    const caller = random() < 0.3 ? `arn:aws:iam::000000000000:user/${pick(random, ['ana', 'ben'])}` : undefined;
    if (caller !== undefined) callers.set(messageId, caller);
    truths.set(messageId, {
      ...{ messageId, ...asked, firstSentAt: new Date(now).toISOString() },
      ...{ deliveries: 0, callsToSegura: 0, replays: 0, sentBy: [], replayedBy: [] },
    });
    queues.requests.put({
      ...{ messageId, groupId, body, senderId: caller === undefined ? 'AIDASENDER' : `${CALLER_SENDER}:gateway` },
      attributes: caller === undefined ? {} : { Caller: { DataType: 'String', StringValue: caller } },
    });
  };
};

interface Told {
  readonly at: string;
  readonly decision: Outcome['decision'];
  readonly replay: number;
}

/** What each delivery came to: as the function decided and the witness counted it, not as it was written. */
const createRecorder = (
  clock: Cluster['clock'],
  truths: ReadonlyMap<string, Truth>,
  callers: ReadonlyMap<string, string>,
) => {
  const told = new Map<string, Told[]>();
  const deliveries = new Set<string>();
  return {
    toldOf: (messageId: string): readonly Told[] => told.get(messageId) ?? [],
    isTold: ({ messageId }: QueueMessage): boolean => deliveries.has(messageId),
    onOutcome: ({ message, decision }: Outcome, run: Run): void => {
      const story = run.stories.get(message.messageId);
      const truth = truths.get(story?.originalMessageId ?? '');
      if (!(story && truth)) return;
      const at = new Date(clock.now()).toISOString();
      deliveries.add(story.messageId);
      const replay = message.provenance.replayCount;
      told.set(truth.messageId, [...(told.get(truth.messageId) ?? []), { at, decision, replay }]);
      // Proven by who sent it, so by the first sending alone, if that was ever delivered.
      if (story.messageId === story.originalMessageId) truth.caller = callers.get(story.messageId);
      truth.callsToSegura += run.calls.get(story.messageId) ?? 0;
      if (message.sentBy !== undefined && !truth.sentBy.includes(message.sentBy)) truth.sentBy.push(message.sentBy);
    },
  };
};

type Recorder = ReturnType<typeof createRecorder>;

const originalsOf = (messages: Iterable<QueueMessage>, stories: ReadonlyMap<string, Story>): ReadonlySet<string> =>
  new Set([...messages].map(({ messageId }) => stories.get(messageId)?.originalMessageId ?? messageId));

/** What was told of each, and where the queues have it now. */
const judge = (truths: Iterable<Truth>, { queues, ledger }: Cluster, { toldOf }: Recorder): void => {
  const exhausted = originalsOf(queues.exhausted.messages(), ledger.stories);
  const waiting = originalsOf(queues.requests.messages(), ledger.stories);
  /** By its own attribute: a dead letter has an id of its own. */
  const letters = new Map(
    [...queues.rejected.messages()].map(({ attributes }) => [
      attributes?.['OriginalMessageId']?.StringValue,
      attributes?.['ErrorCode']?.StringValue,
    ]),
  );
  for (const truth of truths) {
    const told = toldOf(truth.messageId);
    const last = told.at(-1);
    const done = (result: string) =>
      told.find(({ decision }) => decision.kind === 'done' && decision.result === result);
    const success = done('enabled') ?? done('already-enabled');
    const rejection = told.find(({ decision, replay }) => decision.kind === 'rejected' && replay === last?.replay);
    const fateNow = (): Fate | undefined => {
      if (success?.decision.kind === 'done') return success.decision.result;
      if (exhausted.has(truth.messageId)) return 'exhausted';
      // Killed between the dead letter and its line, and then for good.
      if (last === undefined) return letters.has(truth.messageId) ? 'rejected' : undefined;
      if (waiting.has(truth.messageId)) return 'waiting';
      return rejection ? 'rejected' : 'unknown';
    };
    truth.fate = fateNow();
    truth.deliveries = told.length;
    truth.firstDeliveredAt = told[0]?.at;
    const settled = success ?? (truth.fate === 'rejected' ? rejection : undefined);
    truth.settledAt = settled?.at;
    const failed = (settled ?? last)?.decision;
    if (failed === undefined) truth.errorCode = truth.fate === 'rejected' ? letters.get(truth.messageId) : undefined;
    else truth.errorCode = failed.kind === 'done' ? undefined : failed.errorCode;
  }
};

/** All that is done by hand, once the troubles of the day are over. */
const work = async ({ clock, queues }: Cluster, operators: Operators): Promise<void> => {
  const untilSettled = async (): Promise<void> => {
    do await clock.sleep(10 * MINUTE);
    while (queues.requests.size() > 0);
  };
  await clock.sleep(STARTS_AT + TROUBLE_MS + 0.5 * HOUR - clock.now());
  await untilSettled();
  operators.giveAccess(0.3);
  await operators.discard(BOB, 'exhausted', 0.3);
  await operators.discard(BOB, 'rejected', 0.1);
  const before = new Date(STARTS_AT + HOUR);
  await operators.replay(BOB, { codes: ['1005', '1006', 'none'], before, reason: 'access was given' });
  await untilSettled();
  operators.giveAccess(0.3);
  await operators.replay(CAROL, { codes: ['Expired'], renew: true, reason: 'CHG0040007', limit: 10 });
  await untilSettled();
  await operators.replay(BOB, { codes: ['1006'] });
  await untilSettled();
};

/** An outage begins, and is not over when the auditor looks. */
const sendLate = async (
  { clock }: Cluster,
  operators: Operators,
  send: ReturnType<typeof createSender>,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> => {
  await clock.sleep(OUTAGE_AT - clock.now());
  await operators.replay(CAROL, { codes: ['Expired'], renew: true, reason: 'CHG0040008', limit: 5 });
  for (let identifier = from; identifier <= to; identifier += 1) send(identifier, `late-${identifier % 20}`, true);
  await clock.sleep(0.8 * LOOK_AFTER_MS);
  await operators.discard(BOB, 'exhausted', 0.5);
};

const sendAllDay = async ({ clock, random }: Cluster, send: ReturnType<typeof createSender>, count: number) => {
  const moments = Array.from({ length: count }, () => STARTS_AT + random() * TROUBLE_MS).sort((a, b) => a - b);
  for (const [index, at] of moments.entries()) {
    await clock.sleep(at - clock.now());
    send(index + 1, `group-${Math.floor(random() * Math.max(1, count / 20))}`, false);
  }
};

export const runHistory = async ({ seed, kind, requests, name }: HistoryOptions): Promise<History> => {
  const isFifo = kind.endsWith('fifo');
  const isCrashing = kind === 'crash-loop';
  const trouble = isCrashing
    ? [{ from: STARTS_AT, to: STARTS_AT + TROUBLE_MS, share: 0.3, faults: ['down'] as const }]
    : [];
  const truths = new Map<string, Truth>();
  const callers = new Map<string, string>();
  const lines: string[] = [];
  let recorder: Recorder | undefined;
  const down = { from: OUTAGE_AT, to: OUTAGE_AT + 24 * HOUR, share: 1, faults: ['down'] as const };
  const cluster = createCluster({
    ...{ seed, kind, isFifo, outcomesShare: 0.3 },
    weather: (random) => {
      const weather = drawWeather(kind, STARTS_AT, random);
      return { ...weather, segura: [...weather.segura, ...trouble, down] };
    },
    groupLock: (random) => (random() < 0.5 ? 'first-invisible' : 'any-in-flight'),
    mapping: (random) => mappingOf(kind, random),
    ...(isCrashing ? { maxReceiveCount: RECEIVES_TO_EXHAUST, exhaustsKept: true } : {}),
    onOutcome: (outcome, run) => recorder?.onOutcome(outcome, run),
    // Metrics are lines too, for CloudWatch alone: half of the log, and nothing that a report reads.
    onLines: (text) => void lines.push(...text.split('\n').filter((line) => line !== '' && !line.includes('"_aws"'))),
  });
  const recording = createRecorder(cluster.clock, truths, callers);
  recorder = recording;
  const { clock, ledger, queues, people } = cluster;
  const operators = createOperators(cluster, isFifo, (story, by, count, reason) => {
    const truth = truths.get(story.originalMessageId);
    if (!truth) return;
    truth.replays = Math.max(truth.replays, count);
    if (!truth.replayedBy.includes(by.name)) truth.replayedBy.push(by.name);
    if (reason !== undefined) truth.replayReason = reason;
    if (story.renewedAt !== undefined) truth.renewedAt = new Date(story.renewedAt).toISOString();
  });
  const send = createSender(cluster, name, truths, callers);
  const late = Math.ceil(requests * LATE_SHARE);
  const day = async (): Promise<void> => {
    await Promise.all([sendAllDay(cluster, send, requests - late), createSaboteur(people)()]);
    await work(cluster, operators);
    await sendLate(cluster, operators, send, { from: requests - late + 1, to: requests });
  };
  const isToldAll = (): boolean => [...queues.requests.messages()].every(recording.isTold);
  await cluster.run(day(), () => clock.now() > OUTAGE_AT + LOOK_AFTER_MS && isToldAll());
  judge(truths.values(), cluster, recording);
  return {
    ...{ lines, truths: [...truths.values()], endsAt: clock.now(), violations: ledger.violations },
    rejected: [...queues.rejected.messages()],
    exhausted: [...queues.exhausted.messages()],
    requests: [...queues.requests.messages()],
    maxReceiveCount: queues.requests.settings.redrive?.maxReceiveCount ?? 0,
  };
};
