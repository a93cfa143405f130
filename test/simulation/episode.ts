/**
 * One episode: messages, faults and a cluster of execution environments, all from one seed, and the invariants that must
 * hold whatever happens (witness.ts, lambda.ts, ledger.ts). The core is the real one (environment.ts).
 */
import { createCluster, STARTS_AT } from './cluster.ts';
import { FUNCTION_TIMEOUT_MS } from './environment.ts';
import type { Random, Story } from './ledger.ts';
import type { MappingOptions } from './mapping.ts';
import { createProducer, createSaboteur } from './people.ts';
import { drawWeather, HOUR, type Kind, OUTAGE_MS, pick, TROUBLE_MS } from './weather.ts';

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

/** The promise to whoever waits for a password. */
const OUTAGE_RECOVERY_SECONDS = 900;
/** After troubles of many kinds at once an invocation may still be caught in them when they end. */
const RECOVERY_SECONDS = 900 + FUNCTION_TIMEOUT_MS / 1000;
const GIVEN_UP_AFTER_MS = 5 * OUTAGE_MS;
const ENOUGH_VIOLATIONS = 50;
const CRASHES_TO_EXHAUST = 3;

export const mappingOf = (kind: Kind, random: Random): MappingOptions => {
  switch (kind) {
    case 'big-batches':
      return { batchSize: 1000, windowMs: pick(random, [5000, 60_000]), maximumConcurrency: 2 };
    case 'ordinary':
      return { batchSize: pick(random, [1, 10]), windowMs: 0, maximumConcurrency: pick(random, [2, 10]) };
    default:
      return { batchSize: 10, windowMs: 0, maximumConcurrency: 5 };
  }
};

const count = (stories: Iterable<Story>, isCounted: (story: Story) => boolean): number => {
  let counted = 0;
  for (const story of stories) if (isCounted(story)) counted += 1;
  return counted;
};

export const runEpisode = async ({ seed, kind, messages, isForgetful = false }: EpisodeOptions): Promise<Summary> => {
  const isOutage = kind.startsWith('day-long-outage');
  const cluster = createCluster({
    seed,
    kind,
    isFifo: kind.endsWith('fifo'),
    weather: (random) => drawWeather(kind, STARTS_AT, random),
    groupLock: (random) => (random() < 0.5 ? 'first-invisible' : 'any-in-flight'),
    mapping: (random) => mappingOf(kind, random),
    outcomesShare: kind === 'half-confirmed' ? 1 : 0.3,
    ...(kind === 'crash-loop' ? { maxReceiveCount: CRASHES_TO_EXHAUST } : {}),
    segura: { isForgetful },
  });
  const { clock, ledger, weather, witness, lambda, people } = cluster;
  const { stories, violate } = ledger;
  const sending = createProducer(people)({ messages, spreadMs: isOutage ? OUTAGE_MS : TROUBLE_MS, isOutage });
  await cluster.run(
    Promise.all([sending, createSaboteur(people)()]),
    () => clock.now() > STARTS_AT + GIVEN_UP_AFTER_MS || ledger.violations.length >= ENOUGH_VIOLATIONS,
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
