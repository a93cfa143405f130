/**
 * One episode: messages, faults and a cluster of execution environments, all from one seed, and the invariants that must
 * hold whatever happens (witness.ts, lambda.ts, ledger.ts). The core is the real one (environment.ts).
 */
import { seeded } from '../../infra/local/faults.ts';
import { createClock } from '../virtual-time/clock.ts';
import { createAws } from './aws.ts';
import { createEnvironment, type Environment, FUNCTION_TIMEOUT_MS } from './environment.ts';
import { createLambda } from './lambda.ts';
import { createLedger, type Random, type Run, type Story } from './ledger.ts';
import { createProducer, createSaboteur } from './people.ts';
import { createSimulatedSqs } from './queues.ts';
import { createSegura } from './segura.ts';
import { drawWeather, HOUR, type Kind, OUTAGE_MS, pick, TROUBLE_MS } from './weather.ts';
import { createWitness } from './witness.ts';

export interface EpisodeOptions {
  readonly seed: number;
  readonly kind: Kind;
  readonly messages: number;
  /** Segura's model forgets its verdicts, so that the invariants can be seen to notice. */
  readonly isForgetful?: boolean;
}

export interface Summary {
  readonly messages: number;
  readonly enabled: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly exhausted: number;
  readonly invocations: number;
  readonly starts: number;
  readonly kills: number;
  readonly receives: number;
  readonly calls: number;
  readonly tokenRequests: number;
  readonly secretReads: number;
  readonly keptBy: Readonly<Record<string, number>>;
  /** From the end of all troubles until everything that had been sent before was settled. */
  readonly recoverySeconds: number;
  readonly virtualHours: number;
  readonly violations: readonly string[];
}

const STARTS_AT = Date.UTC(2026, 0, 1);
/** The promise to whoever waits for a password. */
const OUTAGE_RECOVERY_SECONDS = 900;
/** After troubles of many kinds at once an invocation may still be caught in them when they end. */
const RECOVERY_SECONDS = 900 + FUNCTION_TIMEOUT_MS / 1000;
const GIVEN_UP_AFTER_MS = 5 * OUTAGE_MS;
const ENOUGH_VIOLATIONS = 50;
const QUEUE_VISIBILITY_SECONDS = (6 * FUNCTION_TIMEOUT_MS) / 1000;
const MAX_RECEIVE_COUNT = 1000;
const CRASHES_TO_EXHAUST = 3;
/** Of an invocation that does not know yet that Segura is down, and of one that does. */
const MAX_CALLS_IN_OUTAGE = 30;
const MAX_CALLS_OF_PROBE = 2;

const settingsOf = (kind: Kind, random: Random) => {
  switch (kind) {
    case 'big-batches':
      return { batchSize: 1000, windowMs: pick(random, [5000, 60_000]), maximumConcurrency: 2 };
    case 'ordinary':
      return { batchSize: pick(random, [1, 10]), windowMs: 0, maximumConcurrency: pick(random, [2, 10]) };
    default:
      return { batchSize: 10, windowMs: 0, maximumConcurrency: kind.startsWith('day-long') ? 20 : 5 };
  }
};

/** While Segura is down for all: few calls, and one alone from whoever knows it. */
const createOutageWatch = (ledger: ReturnType<typeof createLedger>) => {
  const knowing = new Set<number>();
  return (run: Run, { id }: Environment): void => {
    const calls = run.failedCalls + run.enabled.size;
    const most = knowing.has(id) ? MAX_CALLS_OF_PROBE : MAX_CALLS_IN_OUTAGE;
    if (Math.max(calls, run.tokenRequests) > most) {
      ledger.violate(`${calls} calls and ${run.tokenRequests} token requests of one invocation in an outage`);
    }
    if (run.failedCalls >= 5 && run.failedIdentifiers.size >= 3) knowing.add(id);
  };
};

const count = (stories: Iterable<Story>, isCounted: (story: Story) => boolean): number => {
  let counted = 0;
  for (const story of stories) if (isCounted(story)) counted += 1;
  return counted;
};

export const runEpisode = async ({ seed, kind, messages, isForgetful = false }: EpisodeOptions): Promise<Summary> => {
  const random = seeded(seed);
  const clock = createClock(STARTS_AT);
  const weather = drawWeather(kind, STARTS_AT, random);
  const isOutage = kind.startsWith('day-long-outage');
  const isFifo = kind.endsWith('fifo');
  const hasOutcomes = random() < 0.3;
  const ledger = createLedger(seed, kind, clock);
  const { stories, violate } = ledger;
  const witness = createWitness({ clock, ledger, isFifo, hasOutcomes });
  const segura = createSegura({ clock, random, weather, ledger, isFifo, isForgetful });

  const isUnlucky = (): boolean => clock.now() < weather.calmAt && random() < weather.duplicateShare;
  const queues = createSimulatedSqs({
    clock,
    isFifo,
    groupLock: random() < 0.5 ? 'first-invisible' : 'any-in-flight',
    visibilitySeconds: QUEUE_VISIBILITY_SECONDS,
    maxReceiveCount: kind === 'crash-loop' ? CRASHES_TO_EXHAUST : MAX_RECEIVE_COUNT,
    luck: {
      shownAgainInMs: () => (isUnlucky() ? random() * 1000 : undefined),
      losesDelete: isUnlucky,
      takesOldHandle: () => random() < 0.5,
    },
    onExhausted: (messageId) => {
      const story = stories.get(messageId);
      if (!story) return;
      story.isExhausted = true;
      if (story.crashes < story.receives) violate('exhausted by more than crashes', story);
    },
  });
  const { onSent, onVisibility } = witness;
  const aws = createAws({ clock, random, weather, ledger, queues, onSent, onVisibility });
  const watchOutage = createOutageWatch(ledger);
  let environments = 0;
  const lambda = createLambda({
    clock,
    random,
    weather,
    ledger,
    queues,
    isFifo,
    ...settingsOf(kind, random),
    newEnvironment: () => {
      environments += 1;
      const parts = { clock, random, ledger, witness, isFifo, hasOutcomes, segura: segura.send, aws: aws.send };
      return createEnvironment({ ...parts, id: environments });
    },
    onRun: (run, environment) => {
      witness.onAnswered(run);
      if (isOutage && clock.now() < weather.calmAt) watchOutage(run, environment);
    },
  });

  const people = { clock, random, weather, ledger, requests: queues.requests, segura, aws };
  const sending = createProducer(people)({ messages, spreadMs: isOutage ? OUTAGE_MS : TROUBLE_MS, isOutage });
  const mischief = createSaboteur(people)();
  let isBusy = true;
  Promise.all([sending, mischief]).then(
    () => {
      isBusy = false;
      queues.wake();
    },
    (error: unknown) => violate(`the simulation itself failed: ${(error as Error).stack}`),
  );
  let isDone = false;
  const poll = async (): Promise<void> => {
    await lambda.poll(() => !isBusy && queues.requests.size() === 0);
    isDone = true;
  };
  void poll();
  await clock.run(
    () => isDone || clock.now() > STARTS_AT + GIVEN_UP_AFTER_MS || ledger.violations.length >= ENOUGH_VIOLATIONS,
  );

  const rejected: Record<string, number> = {};
  let last: Story | undefined;
  for (const story of stories.values()) {
    const { isDeleted, isExhausted, letters, settledAt, sentAt, receives } = story;
    if (!(isDeleted || isExhausted)) violate('lost, or never settled', story);
    if (letters.length > receives * 3) violate(`${letters.length} dead letters`, story);
    const [code] = letters;
    if (code !== undefined) rejected[code] = (rejected[code] ?? 0) + 1;
    if (sentAt < weather.calmAt && settledAt !== undefined && settledAt > (last?.settledAt ?? weather.calmAt))
      last = story;
  }
  const exhausted = count(stories.values(), ({ isExhausted }) => isExhausted);
  if (exhausted > 0 && kind !== 'crash-loop') violate(`${exhausted} messages in exhausted`);
  const enabled = count(stories.values(), (story) => story.isEnabled);
  if (isOutage && enabled < messages) violate(`only ${enabled} of ${messages} were enabled`);
  const recoverySeconds = ((last?.settledAt ?? weather.calmAt) - weather.calmAt) / 1000;
  if (recoverySeconds > (isOutage ? OUTAGE_RECOVERY_SECONDS : RECOVERY_SECONDS)) {
    violate(`settled ${recoverySeconds} s after all troubles were over`, last);
  }

  return {
    messages,
    enabled,
    rejected,
    exhausted,
    ...lambda.counts,
    ...witness.counts,
    keptBy: witness.keptBy,
    recoverySeconds,
    virtualHours: (clock.now() - STARTS_AT) / HOUR,
    violations: ledger.violations,
  };
};
