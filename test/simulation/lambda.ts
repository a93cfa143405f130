/** Lambda in virtual time: the event source mapping, execution environments, their starts, freezes, kills and time-outs. */
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { keptIds } from '../../infra/local/event-source.ts';
import type { Clock } from '../virtual-time/clock.ts';
import { type Environment, FUNCTION_TIMEOUT_MS } from './environment.ts';
import type { Ledger, Random, Run } from './ledger.ts';
import { createScaling, type MappingOptions } from './mapping.ts';
import type { SimulatedQueues } from './queues.ts';
import { between, HOUR, pick, type Weather } from './weather.ts';

export interface LambdaParts extends MappingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly weather: Weather;
  readonly ledger: Ledger;
  readonly queues: SimulatedQueues;
  readonly isFifo: boolean;
  readonly newEnvironment: () => Environment;
  /** Called when an invocation has answered and its response is carried out. */
  readonly onRun: (run: Run, environment: Environment) => void;
}

/** Lambda keeps an environment that has nothing to do for some minutes, and none for more than some hours. */
const IDLE_MS = 600_000;
const LIVES_MS = [0.5 * HOUR, 3 * HOUR] as const;
const FREEZES_MS = [2000, 30_000, 100_000, 130_000];

export const createLambda = (parts: LambdaParts) => {
  const { clock, random, weather, ledger, queues, isFifo, newEnvironment, onRun } = parts;
  const { batchSize, windowMs, maximumConcurrency } = parts;
  const counts = { invocations: 0, receives: 0, kills: 0, starts: 0 };
  const idle: { readonly environment: Environment; readonly since: number }[] = [];
  const diesAt = new Map<Environment, number>();
  const scaling = createScaling(clock, maximumConcurrency);
  let running = 0;
  let freed = Promise.withResolvers<void>();

  const retire = (environment: Environment): void => {
    environment.kill();
    diesAt.delete(environment);
  };

  /** The one that was used last, as long as Lambda keeps it; else a cold start. */
  const takeEnvironment = async (): Promise<Environment> => {
    const warm = idle.pop();
    if (warm && clock.now() - warm.since < IDLE_MS && clock.now() < (diesAt.get(warm.environment) ?? 0)) {
      warm.environment.thaw();
      return warm.environment;
    }
    if (warm) retire(warm.environment);
    counts.starts += 1;
    const environment = newEnvironment();
    diesAt.set(environment, clock.now() + between(random, ...LIVES_MS));
    await clock.sleep(between(random, 100, 1500));
    return environment;
  };

  /** Waits for the answer; `undefined` for an environment that was killed or timed out meanwhile. */
  const invoke = async (environment: Environment, records: readonly SQSRecord[], run: Run) => {
    const { promise: died, resolve: die } = Promise.withResolvers<undefined>();
    const timeOut = (): void => {
      if (!run.wasFrozen) ledger.violate(`invocation ${run.id} outlived the function's time-out`);
      die(undefined);
    };
    const freeze = (): void => {
      run.wasFrozen = true;
      environment.freeze();
      cancels.push(clock.after(pick(random, FREEZES_MS), environment.thaw));
    };
    const cancels = [clock.after(FUNCTION_TIMEOUT_MS, timeOut)];
    const isTroubled = clock.now() < weather.calmAt;
    if (isTroubled && random() < weather.killShare) {
      const afterMs = between(random, 0, pick(random, weather.killsWithinMs));
      cancels.push(clock.after(afterMs, () => die(undefined)));
    }
    if (isTroubled && random() < weather.freezeShare) cancels.push(clock.after(between(random, 0, 500), freeze));
    const response = await Promise.race([environment.invoke(records, run), died]);
    for (const cancel of cancels) cancel();
    run.hasAnswered = response !== undefined;
    return response;
  };

  const carryOut = (response: SQSBatchResponse, records: readonly SQSRecord[], run: Run): void => {
    const payload: unknown = JSON.parse(JSON.stringify(response));
    const ids = records.map(({ messageId }) => messageId);
    for (const { itemIdentifier } of response.batchItemFailures) {
      if (!run.stories.has(itemIdentifier)) ledger.violate(`the response names ${itemIdentifier}, not of its event`);
    }
    const kept = new Set(keptIds({ payload, durationMs: 0 }, ids));
    for (const record of records) {
      const { messageId } = record;
      const story = run.stories.get(messageId);
      const outcome = run.outcomes.get(messageId);
      if (!(story && outcome)) {
        ledger.violate(`invocation ${run.id} told no outcome of ${messageId}`, story);
        continue;
      }
      if ((outcome.kind === 'kept') !== kept.has(messageId))
        ledger.violate('told as kept, or answered so, not both', story);
      if (kept.has(messageId)) continue;
      const isConfirmed = run.enabled.has(messageId) || run.rejected.has(messageId);
      if (!isConfirmed) ledger.violate('deleted before its enable or dead letter was confirmed', story);
      queues.requests.remove(record.receiptHandle);
      if (!queues.requests.get(messageId)) story.isDeleted = true;
      ledger.tell(story, story.isDeleted ? 'deleted' : 'delete lost');
    }
  };

  const work = async (first: readonly SQSRecord[]): Promise<void> => {
    const records = [...first];
    if (windowMs > 0 && records.length < batchSize) {
      await clock.sleep(windowMs);
      records.push(...queues.receive(batchSize - records.length));
    }
    // At-least-once: now and then a batch holds a message twice.
    const [doubled] = records;
    if (doubled && !isFifo && random() < weather.duplicateShare) records.push(doubled);
    const environment = await takeEnvironment();
    const run = ledger.begin(environment.id, records);
    counts.invocations += 1;
    counts.receives += run.stories.size;
    for (const story of run.stories.values()) story.receives += 1;
    const response = await invoke(environment, records, run);
    if (response) {
      environment.freeze();
      idle.push({ environment, since: clock.now() });
      carryOut(response, records, run);
      onRun(run, environment);
      return;
    }
    retire(environment);
    scaling.backOff();
    counts.kills += 1;
    for (const story of run.stories.values()) {
      story.crashes += 1;
      ledger.tell(story, `environment ${environment.id} killed`);
    }
  };

  return {
    counts,
    /** Receives and invokes until `isOver`. */
    poll: async (isOver: () => boolean): Promise<void> => {
      while (!isOver() || running > 0) {
        const isFree = running < scaling.allowed(running);
        const records = isFree ? queues.receive(batchSize) : [];
        if (records.length > 0) {
          running += 1;
          work(records).then(
            () => {
              running -= 1;
              freed.resolve();
              freed = Promise.withResolvers();
            },
            (error: unknown) => ledger.violate(`the simulation itself failed: ${(error as Error).stack}`),
          );
          continue;
        }
        const nextInMs = isFree ? queues.requests.nextInMs() : scaling.growsInMs();
        const cancel = nextInMs === undefined ? undefined : clock.after(nextInMs, queues.wake);
        await Promise.race([queues.changed(), freed.promise]);
        cancel?.();
      }
    },
  };
};
