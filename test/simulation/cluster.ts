/** The whole world of one run in virtual time: queues, Segura, AWS, Lambda, and the witness of all that they do. */
import type { Outcome } from '../../functions/audit/line.ts';
import { seeded } from '../../infra/local/faults.ts';
import type { GroupLock } from '../../infra/local/queue.ts';
import { createClock } from '../virtual-time/clock.ts';
import { createAws } from './aws.ts';
import { createEnvironment, type Environment, type EnvironmentParts, FUNCTION_TIMEOUT_MS } from './environment.ts';
import { createLambda } from './lambda.ts';
import { createLedger, type Random, type Run } from './ledger.ts';
import type { MappingOptions } from './mapping.ts';
import { createSimulatedSqs } from './queues.ts';
import { createSegura } from './segura.ts';
import type { Weather } from './weather.ts';
import { createWitness, type Witness } from './witness.ts';

export const STARTS_AT = Date.UTC(2026, 0, 1);
/** As the template has it: six function time-outs. */
const QUEUE_VISIBILITY_SECONDS = (6 * FUNCTION_TIMEOUT_MS) / 1000;
const MAX_RECEIVE_COUNT = 1000;

export interface ClusterOptions {
  readonly seed: number;
  /** For the story of a violation. */
  readonly kind: string;
  readonly isFifo: boolean;
  readonly groupLock: (random: Random) => GroupLock;
  readonly weather: (random: Random) => Weather;
  readonly mapping: (random: Random) => MappingOptions;
  readonly outcomesShare: number;
  readonly maxReceiveCount?: number;
  /** Few receives are enough to be exhausted, also for what is only kept. */
  readonly exhaustsKept?: boolean;
  readonly maxInFlight?: number | undefined;
  readonly keepsTraces?: boolean;
  readonly segura?: {
    readonly isForgetful?: boolean;
    readonly answersInMs?: number;
    readonly capacity?: number | undefined;
  };
  /** Somebody else's function in place of ours. */
  readonly newEnvironment?: ((parts: EnvironmentParts) => Environment) | undefined;
  readonly onRun?: (run: Run, environment: Environment) => void;
  /** Of each message and invocation, once its audit line is written. */
  readonly onOutcome?: (outcome: Outcome, run: Run) => void;
  /** What the function writes, as it writes it. */
  readonly onLines?: (lines: string) => void;
}

export const createCluster = (options: ClusterOptions) => {
  const { seed, kind, isFifo, maxReceiveCount = MAX_RECEIVE_COUNT, maxInFlight, keepsTraces = true } = options;
  const { newEnvironment = createEnvironment, onRun, onOutcome, onLines } = options;
  const random = seeded(seed);
  const clock = createClock(STARTS_AT);
  const weather = options.weather(random);
  const hasOutcomes = random() < options.outcomesShare;
  const ledger = createLedger(seed, kind, clock, keepsTraces);
  const segura = createSegura({ clock, random, weather, ledger, isFifo, ...options.segura });

  const isUnlucky = (): boolean => clock.now() < weather.calmAt && random() < weather.duplicateShare;
  const queues = createSimulatedSqs({
    clock,
    isFifo,
    groupLock: options.groupLock(random),
    visibilitySeconds: QUEUE_VISIBILITY_SECONDS,
    maxReceiveCount,
    maxInFlight,
    luck: {
      shownAgainInMs: () => (isUnlucky() ? random() * 1000 : undefined),
      losesDelete: isUnlucky,
      takesOldHandle: () => random() < 0.5,
    },
    onExhausted: (messageId) => {
      const story = ledger.stories.get(messageId);
      if (!story) return;
      story.isExhausted = true;
      if (!options.exhaustsKept && story.crashes < story.receives)
        ledger.violate('exhausted by more than crashes', story);
    },
  });
  const seen = createWitness({ clock, ledger, isFifo, hasOutcomes, weather, requests: queues.requests });
  const witness: Witness = {
    ...seen,
    onOutcome: (outcome, run) => {
      seen.onOutcome(outcome, run);
      onOutcome?.(outcome, run);
    },
    onLines: (lines) => {
      seen.onLines(lines);
      onLines?.(lines);
    },
  };
  const { onSent, onVisibility } = witness;
  const aws = createAws({ clock, random, weather, ledger, queues, onSent, onVisibility });
  let environments = 0;
  const lambda = createLambda({
    clock,
    random,
    weather,
    ledger,
    queues,
    isFifo,
    ...options.mapping(random),
    newEnvironment: () => {
      environments += 1;
      const parts = { clock, random, ledger, witness, isFifo, hasOutcomes, segura: segura.send, aws: aws.send };
      return newEnvironment({ ...parts, isSqsWell: weather.sqs.length === 0, id: environments });
    },
    onRun: (run, environment) => {
      witness.onAnswered(run);
      onRun?.(run, environment);
    },
  });

  return {
    clock,
    random,
    weather,
    ledger,
    witness,
    segura,
    queues,
    aws,
    lambda,
    /** What those need who send requests and make trouble. */
    people: { clock, random, weather, ledger, requests: queues.requests, segura, aws },
    /** Until all that `busy` sends is settled, or `isOver`. */
    run: async (busy: Promise<unknown>, isOver: () => boolean): Promise<void> => {
      let isBusy = true;
      let isDone = false;
      busy.then(
        () => {
          isBusy = false;
          queues.wake();
        },
        (error: unknown) => ledger.violate(`the simulation itself failed: ${(error as Error).stack}`),
      );
      const poll = async (): Promise<void> => {
        await lambda.poll(() => !isBusy && queues.requests.size() === 0);
        isDone = true;
      };
      void poll();
      await clock.run(() => isDone || isOver());
    },
  };
};

export type Cluster = ReturnType<typeof createCluster>;
