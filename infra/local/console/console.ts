/** The console without its HTTP: what one can see of the world, and what one can do to it. */
import { ChangeMessageVisibilityCommand, PurgeQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { seeded } from '../faults.ts';
import { bundleOf, createLambda, type Lambda, type Line } from '../lambda.ts';
import type { PasswordState } from '../segura.ts';
import type { QueueName } from '../sqs.ts';
import type { World } from '../world.ts';
import { createBreakages } from './breakage.ts';
import type { Breakage } from './fault-names.ts';
import { createHistory, type Sample } from './history.ts';
import type { Journal } from './journal.ts';
import type { ReplayOrder, SendOrder } from './orders.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';

export interface ConsoleOptions {
  readonly world: World;
  /** The world tells it what happens: its `onLine` and `onInvocation`. */
  readonly journal: Journal;
  /** The passwords that Segura knows, as they are at first and after `reset`. */
  readonly passwords: ReadonlyMap<string, PasswordState>;
  /** Of replay-dead-letters. */
  readonly replayBundle?: string;
}

export interface Console {
  readonly snapshot: () => Snapshot;
  readonly samples: () => readonly Sample[];
  readonly takeSample: () => Sample;
  readonly story: (messageId: string) => readonly Line[];
  /** @returns message ids, in order */
  readonly send: (order: SendOrder) => Promise<readonly string[]>;
  readonly break: (breakage: Breakage) => void;
  /** Ends every fault, and for two minutes lets what is kept come back at once. @returns how many did so now */
  readonly heal: () => Promise<number>;
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /** @returns the answer of replay-dead-letters */
  readonly replay: (order: ReplayOrder) => Promise<unknown>;
  readonly reset: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const QUEUES: readonly QueueName[] = ['requests', 'rejected', 'exhausted', 'outcomes'];
const SENDS_AT_ONCE = 10;
const FAULT_SEED = 1;

const createSending = ({ world, passwords }: ConsoleOptions) => {
  const { client, segura, sqs } = world;
  /** Who asks for a password asks for one that is disabled: it is again, where it was at first. */
  const disableAgain = (identifiers: readonly string[]): void => {
    for (const each of identifiers) if (passwords.get(each) === 'disabled') segura.passwords.set(each, 'disabled');
  };
  const sendOne = async (MessageBody: string, groupId = sqs.isFifo ? 'console' : undefined): Promise<string> => {
    const command = new SendMessageCommand({
      QueueUrl: sqs.queueUrl('requests'),
      MessageBody,
      ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
      ...(sqs.isFifo ? { MessageDeduplicationId: crypto.randomUUID() } : {}),
    });
    return (await client.send(command)).MessageId ?? '';
  };
  return async ({ bodies, identifiers, groupId }: SendOrder): Promise<readonly string[]> => {
    disableAgain(identifiers);
    const messageIds: string[] = [];
    for (let from = 0; from < bodies.length; from += SENDS_AT_ONCE) {
      const sent = bodies.slice(from, from + SENDS_AT_ONCE).map((body) => sendOne(body, groupId));
      messageIds.push(...(await Promise.all(sent)));
    }
    return messageIds;
  };
};

/** What is kept is made visible now, as an operator could with its receipt handle. */
const bringBack = async ({ client, sqs }: World, journal: Journal): Promise<number> => {
  const kept = sqs
    .messages('requests')
    .filter(({ isInFlight, messageId, receiveCount }) => isInFlight && journal.wasKept(messageId, receiveCount));
  const handles = kept.flatMap(({ messageId }) => journal.receiptHandle(messageId) ?? []);
  const changed = await Promise.allSettled(
    handles.map((ReceiptHandle) =>
      client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: sqs.queueUrl('requests'),
          ReceiptHandle,
          VisibilityTimeout: 0,
        }),
      ),
    ),
  );
  // One that came back by itself meanwhile refuses, and needs nothing.
  return changed.filter(({ status }) => status === 'fulfilled').length;
};

const BRING_BACK_EVERY_MS = 5000;
const BRING_BACK_FOR_MS = 120_000;

/** A fault can outlast its cure: a secret is read again only after a while, and a time-out comes to its end. */
const createRecovery = (world: World, journal: Journal) => {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearInterval(timer);
  return {
    stop,
    /** @returns how many came back at once */
    start: (): Promise<number> => {
      stop();
      const endsAt = Date.now() + BRING_BACK_FOR_MS;
      timer = setInterval(() => {
        if (Date.now() > endsAt) stop();
        else void bringBack(world, journal);
      }, BRING_BACK_EVERY_MS).unref();
      return bringBack(world, journal);
    },
  };
};

const createReplay = ({ world, journal, replayBundle = bundleOf('replay-dead-letters') }: ConsoleOptions) => {
  let lambda: Lambda | undefined;
  return {
    replay: async (order: ReplayOrder): Promise<unknown> => {
      const env = { ...world.environment, EXHAUSTED_QUEUE_URL: world.sqs.queueUrl('exhausted') };
      lambda ??= createLambda({ bundle: replayBundle, env, onLine: journal.onLine });
      const { functionError, payload } = await lambda.invoke({ ...order, replayedBy: 'local console' });
      if (functionError) throw new Error(functionError);
      return payload;
    },
    close: async (): Promise<void> => lambda?.close(),
  };
};

export const createConsole = (options: ConsoleOptions): Console => {
  const { world, journal, passwords } = options;
  const { segura, sqs, mapping, client } = world;
  const breakages = createBreakages(world, seeded(FAULT_SEED));
  const history = createHistory(journal);
  const send = createSending(options);
  const replaying = createReplay(options);
  const recovery = createRecovery(world, journal);
  let callsBefore = 0;
  let journalFrom = 0;

  const snapshot = (): Snapshot =>
    takeSnapshot({
      at: Date.now(),
      isPaused: mapping.state() !== 'Enabled',
      breakages: breakages.all(),
      lying: sqs.messages,
      noisyGroups: sqs.noisyGroups('requests'),
      seguraJournal: segura.journal.slice(journalFrom),
      calls: segura.enableCalls().length - callsBefore,
      journal,
    });

  const heal = async (): Promise<number> => {
    for (const breakage of breakages.all()) breakages.end(breakage);
    return recovery.start();
  };

  const reset = async (): Promise<void> => {
    recovery.stop();
    await mapping.disable();
    for (const breakage of breakages.all()) breakages.end(breakage);
    await Promise.all(QUEUES.map((queue) => client.send(new PurgeQueueCommand({ QueueUrl: sqs.queueUrl(queue) }))));
    // New environments know nothing of the outage before.
    world.kill();
    segura.passwords.clear();
    for (const [identifier, state] of passwords) segura.passwords.set(identifier, state);
    callsBefore = segura.enableCalls().length;
    journalFrom = segura.journal.length;
    journal.clear();
    history.clear();
    await mapping.enable();
  };

  return {
    snapshot,
    samples: history.samples,
    takeSample: () => history.take(snapshot()),
    story: journal.story,
    send,
    break: (breakage) => {
      recovery.stop();
      breakages.begin(breakage);
    },
    heal,
    pause: mapping.disable,
    resume: mapping.enable,
    replay: replaying.replay,
    reset,
    close: () => {
      recovery.stop();
      return replaying.close();
    },
  };
};
