/**
 * One episode: messages, faults and a cluster of execution environments, all from one seed, and the invariants that must
 * hold whatever happens. The core is the real one (environment.ts).
 */
import type { Outcome } from '../../functions/enable-password/audit.ts';
import { seeded } from '../simulator/faults.ts';
import { createClock } from './clock.ts';
import { createEnvironment, type Environment, FUNCTION_TIMEOUT_MS } from './environment.ts';
import { createSegura, type PasswordState, type Window } from './segura.ts';
import { createSqsModel } from './sqs.ts';

export type Kind = 'ordinary' | 'bad-day' | 'fifo' | 'day-long-outage';

export interface EpisodeOptions {
  readonly seed: number;
  readonly kind: Kind;
  readonly messages: number;
  /** Segura's model lies, so that the invariants can be seen to notice. */
  readonly sabotage?: 'reject-all';
}

export interface Summary {
  readonly messages: number;
  readonly enabled: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly exhausted: number;
  readonly invocations: number;
  readonly kills: number;
  readonly receives: number;
  readonly calls: number;
  readonly tokenRequests: number;
  readonly secretReads: number;
  readonly keptBy: Readonly<Record<string, number>>;
  /** From the end of a day-long outage to the last password enabled that was asked for before it. */
  readonly recoverySeconds: number;
  readonly virtualHours: number;
  readonly violations: readonly string[];
}

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const OUTAGE_MS = 24 * HOUR;
const RECOVERY_LIMIT_SECONDS = 900;
const MAX_CALLS_PER_INVOCATION = 6;
const MAX_REQUEST_AGE_SECONDS = 345_600;
const MAX_RECEIVE_COUNT = 1000;

/** What one message is, and what has happened to it so far. */
interface Story {
  readonly messageId: string;
  readonly index: number;
  readonly groupId: string;
  readonly notAfter: number | undefined;
  readonly isInvalid: boolean;
  sentAt: number;
  /** Verdicts that Segura gave on its password. */
  readonly verdicts: Set<string>;
  readonly letters: string[];
  settledAt: number | undefined;
  isDeleted: boolean;
  callsInInvocation: number;
}

export const runEpisode = async ({ seed, kind, messages, sabotage }: EpisodeOptions): Promise<Summary> => {
  const random = seeded(seed);
  const clock = createClock(START);
  const isFifo = kind === 'fifo';
  const isOutage = kind === 'day-long-outage';
  const violations: string[] = [];
  const stories = new Map<string, Story>();
  const byIdentifier = new Map<number, Story>();
  const settledOrder = new Map<string, number[]>();
  const keptBy: Record<string, number> = {};
  const rejected: Record<string, number> = {};
  let invocations = 0;
  let kills = 0;
  let receives = 0;
  let lastEnabledAt = 0;

  const violate = (what: string, story?: Story): void => {
    const trace = story && ` [${story.messageId} verdicts: ${[...story.verdicts]}, letters: ${story.letters}]`;
    violations.push(`seed ${seed} (${kind}) at ${((clock.now() - START) / 1000).toFixed(1)} s: ${what}${trace ?? ''}`);
  };

  const between = (from: number, to: number): number => from + random() * (to - from);
  const pick = <Item>(...items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;

  /** The first two hours are troubled; after them, all is well. */
  const troubles = (): Window[] =>
    Array.from({ length: 2 + Math.floor(random() * 5) }, () => {
      const from = START + between(0, 1.6 * HOUR);
      return {
        from,
        to: from + between(10_000, 0.4 * HOUR),
        share: pick(0.05, 0.3, 0.7, 1),
        sparesTokens: random() < 0.5,
        fault: pick<Window['fault']>(
          'hang',
          'refuse',
          'reset',
          502,
          503,
          504,
          500,
          429,
          'slow',
          'lost-answer',
          'login-page',
          'not-authorized',
        ),
      };
    });
  const sparesTokens = random() < 0.5;
  const outageEndsAt = START + OUTAGE_MS;
  const windows: Window[] = isOutage
    ? [
        {
          from: START,
          to: outageEndsAt,
          share: 1,
          sparesTokens,
          fault: pick<Window['fault']>('hang', 'refuse', 503, 504, 502),
        },
      ]
    : kind === 'ordinary'
      ? [{ from: START, to: START + HOUR, share: 0.02, fault: 504 }]
      : troubles();
  const isTroubled = kind === 'bad-day' || kind === 'fifo';
  const secretWindows: Window[] = isTroubled
    ? [
        {
          from: START + between(0, HOUR),
          to: START + between(HOUR, 2 * HOUR),
          share: pick(0.3, 1),
          fault: pick<Window['fault']>('hang', 503),
        },
      ]
    : [];
  const sqsTrouble = isTroubled ? pick(0, 0.02, 0.2) : 0;

  const settle = (story: Story): void => {
    if (story.settledAt !== undefined) return;
    story.settledAt = clock.now();
    if (isFifo) settledOrder.set(story.groupId, [...(settledOrder.get(story.groupId) ?? []), story.index]);
  };

  const segura = createSegura({
    clock,
    random,
    windows,
    secretWindows,
    onCall: (identifier) => {
      const story = byIdentifier.get(identifier);
      if (!story) return violate(`a call for identifier ${identifier}, which nobody asked for`);
      story.callsInInvocation += 1;
      if (story.callsInInvocation > MAX_CALLS_PER_INVOCATION) violate('more calls than an invocation may make', story);
      if (story.notAfter !== undefined && clock.now() > story.notAfter) violate('called after its notAfter', story);
      if (clock.now() - story.sentAt > MAX_REQUEST_AGE_SECONDS * 1000) violate('called though too old', story);
    },
    onVerdict: (identifier, verdict) => {
      const story = byIdentifier.get(identifier);
      if (!story) return;
      if (sabotage !== 'reject-all') story.verdicts.add(verdict);
      if (verdict === 'enabled') {
        settle(story);
        if (story.sentAt < outageEndsAt) lastEnabledAt = clock.now();
      }
    },
  });

  const sqs = createSqsModel({
    clock,
    random,
    isFifo,
    visibilityMs: FUNCTION_TIMEOUT_MS * 6,
    maxReceiveCount: MAX_RECEIVE_COUNT,
    faultShare: () => (clock.now() < START + 2 * HOUR ? sqsTrouble : 0),
    onVisibility: (seconds) => {
      if (!(seconds >= 30 && seconds <= 900)) violate(`a visibility timeout of ${seconds} s`);
    },
    onDeadLetter: ({ originalMessageId, errorCode }) => {
      const story = stories.get(originalMessageId);
      if (!story) return violate(`a dead letter of ${originalMessageId}, which nobody sent`);
      const isTrue =
        errorCode === 'InvalidMessage'
          ? story.isInvalid
          : errorCode === 'Expired'
            ? (story.notAfter !== undefined && clock.now() > story.notAfter) ||
              clock.now() - story.sentAt > MAX_REQUEST_AGE_SECONDS * 1000
            : story.verdicts.has(errorCode);
      if (!isTrue) violate(`rejected as ${errorCode}, which it is not`, story);
      story.letters.push(errorCode);
      settle(story);
    },
  });

  const send = (index: number): void => {
    const identifier = index + 1;
    const isInvalid = random() < 0.01;
    const notAfter = !isOutage && random() < 0.05 ? clock.now() + between(1000, HOUR) : undefined;
    const story: Story = {
      messageId: `message-${identifier}`,
      index,
      groupId: `group-${Math.floor(random() * Math.max(1, messages / 20))}`,
      notAfter,
      isInvalid,
      sentAt: clock.now(),
      verdicts: new Set(),
      letters: [],
      settledAt: undefined,
      isDeleted: false,
      callsInInvocation: 0,
    };
    stories.set(story.messageId, story);
    byIdentifier.set(identifier, story);
    segura.passwords.set(
      identifier,
      isOutage
        ? 'disabled'
        : pick<PasswordState>(
            'disabled',
            'disabled',
            'disabled',
            'disabled',
            'disabled',
            'disabled',
            'active',
            'unknown',
            'no-access',
          ),
    );
    const request = { identifier, ...(notAfter ? { notAfter: new Date(notAfter).toISOString() } : {}) };
    sqs.put({
      messageId: story.messageId,
      body: isInvalid ? 'please' : JSON.stringify(request),
      groupId: story.groupId,
    });
  };

  const onOutcome = ({ message, decision }: Outcome): void => {
    const story = stories.get(message.messageId);
    if (!story) {
      violate(`an outcome of ${message.messageId}, which nobody sent`);
      return;
    }
    if (decision.kind === 'kept') keptBy[decision.cause] = (keptBy[decision.cause] ?? 0) + 1;
    if (decision.kind === 'done' && !(story.verdicts.has('enabled') || story.verdicts.has('already-enabled'))) {
      violate('told as enabled, which Segura never said', story);
    }
    if (decision.kind === 'rejected' && story.letters.length === 0)
      violate('told as rejected without a dead letter', story);
  };

  const newEnvironment = (): Environment =>
    createEnvironment({
      clock,
      random,
      segura,
      sqs,
      isFifo,
      maxRequestAgeSeconds: MAX_REQUEST_AGE_SECONDS,
      onOutcome,
      onBug: (error) => violate(`a bug: ${(error as Error).stack}`),
    });

  let isSent = false;
  const isOver = (): boolean => isSent && sqs.messages.size === 0;

  /** Waits for the answer, a kill, or Lambda's time-out. */
  const invoke = async (environment: Environment, records: ReturnType<typeof sqs.toRecord>[]) => {
    const dies = isTroubled && random() < 0.02 ? between(0, 20_000) : undefined;
    const ended = new AbortController();
    const killed = clock.sleep(dies ?? FUNCTION_TIMEOUT_MS, ended.signal).then(() => 'killed' as const);
    const result = await Promise.race([environment.invoke(records), killed]);
    ended.abort();
    if (result !== 'killed') return result;
    environment.kill();
    kills += 1;
    if (dies === undefined) violate("an invocation outlived the function's time-out");
    return undefined;
  };

  const poller = async (): Promise<void> => {
    let environment = newEnvironment();
    while (!isOver()) {
      const received = sqs.receive(10);
      if (received.length === 0) {
        // What lies behind a locked group cannot be received, however visible it is: look again after a while.
        await clock.sleep(isFifo ? between(1000, 3000) : Math.min(20_000, Math.max(100, sqs.nextInMs() ?? 20_000)));
        continue;
      }
      receives += received.length;
      invocations += 1;
      for (const { messageId } of received) stories.get(messageId)!.callsInInvocation = 0;
      // At-least-once: now and then a batch holds a message twice.
      const records = received.map(sqs.toRecord);
      if (!isFifo && random() < 0.01) records.push(records[0]!);
      const response = await invoke(environment, records);
      if (!response) {
        environment = newEnvironment();
        continue;
      }
      const kept = new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const id of kept)
        if (!received.some(({ messageId }) => messageId === id)) violate(`the response names ${id}, not of its event`);
      for (const { messageId, receiptHandle } of received) {
        if (kept.has(messageId)) continue;
        const story = stories.get(messageId)!;
        const isEffective =
          story.verdicts.has('enabled') || story.verdicts.has('already-enabled') || story.letters.length > 0;
        if (!isEffective) violate('deleted without enable or dead letter', story);
        story.isDeleted = sqs.remove(messageId, receiptHandle) || story.isDeleted;
      }
      // Now and then an environment is recycled.
      if (random() < 0.01) environment = newEnvironment();
    }
  };

  const producer = async (): Promise<void> => {
    const spreadMs = isOutage ? OUTAGE_MS : HOUR;
    for (let index = 0; index < messages; index += 1) {
      send(index);
      await clock.sleep((spreadMs / messages) * 2 * random());
    }
    isSent = true;
  };

  const saboteur = async (): Promise<void> => {
    if (!isTroubled) return;
    for (let turn = 0; turn < 6; turn += 1) {
      await clock.sleep(between(0, 0.3 * HOUR));
      if (random() < 0.5) segura.revokeTokens();
      else segura.rotate(pick(0, 60_000, 600_000));
      for (const [identifier, state] of segura.passwords) {
        if (random() < 0.02 && state !== 'disabled') segura.passwords.set(identifier, 'disabled');
      }
    }
  };

  const work = Promise.all([producer(), saboteur(), ...Array.from({ length: 5 }, poller)]);
  let isDone = false;
  work.then(
    () => {
      isDone = true;
    },
    (error: unknown) => {
      violate(`the simulation itself failed: ${(error as Error).stack}`);
      isDone = true;
    },
  );
  await clock.run(() => isDone || clock.now() > START + 5 * OUTAGE_MS);

  for (const story of stories.values()) {
    if (!story.isDeleted && !sqs.exhausted.some(({ messageId }) => messageId === story.messageId))
      violate('lost, or never settled', story);
    for (const code of story.letters) rejected[code] = (rejected[code] ?? 0) + 1;
  }
  for (const [group, order] of settledOrder) {
    if (order.some((index, at) => at > 0 && index < order[at - 1]!)) violate(`group ${group} was overtaken: ${order}`);
  }
  if (sqs.exhausted.length > 0) violate(`${sqs.exhausted.length} messages in exhausted`);
  const recoverySeconds = isOutage ? Math.max(0, (lastEnabledAt - outageEndsAt) / 1000) : 0;
  if (recoverySeconds > RECOVERY_LIMIT_SECONDS) violate(`recovered ${recoverySeconds} s after the outage`);

  return {
    messages,
    enabled: [...stories.values()].filter(({ verdicts }) => verdicts.has('enabled') || verdicts.has('already-enabled'))
      .length,
    rejected,
    exhausted: sqs.exhausted.length,
    invocations,
    kills,
    receives,
    ...segura.counts,
    keptBy,
    recoverySeconds,
    virtualHours: (clock.now() - START) / HOUR,
    violations,
  };
};
