/** The queues in virtual time: those of the local world, with what SQS leaves to chance. */
import type { SQSRecord } from 'aws-lambda';
import { toRecord } from '../../infra/local/event-source.ts';
import type { GroupLock, Luck, Queue } from '../../infra/local/queue.ts';
import { createSqsActions, type SqsActions } from '../../infra/local/sqs-actions.ts';
import { asReceived } from '../../infra/local/sqs-message.ts';
import { createQueues } from '../../infra/local/sqs-queues.ts';
import type { Clock } from '../virtual-time/clock.ts';

export interface QueuesParts {
  readonly clock: Clock;
  readonly isFifo: boolean;
  readonly groupLock: GroupLock;
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
  readonly maxInFlight?: number | undefined;
  readonly luck: Luck;
  readonly onExhausted: (messageId: string) => void;
}

/** As Lambda asks. */
const ALL = { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] };

export const createSimulatedSqs = (parts: QueuesParts) => {
  const { clock, isFifo, groupLock, visibilitySeconds, maxReceiveCount, maxInFlight, luck, onExhausted } = parts;
  const suffix = isFifo ? '.fifo' : '';
  let changed = Promise.withResolvers<void>();
  let ids = 0;

  const wake = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };

  const queues = createQueues({
    now: clock.now,
    options: { luck, groupLock, ...(maxInFlight === undefined ? {} : { maxInFlight }) },
    onChange: (name) => {
      if (name.startsWith('requests')) wake();
    },
  });
  const create = (name: string, attributes: Readonly<Record<string, string>> = {}): Queue => {
    const made = queues.create(`${name}${suffix}`, {
      ...attributes,
      ...(isFifo ? { FifoQueue: 'true' } : {}),
      MessageRetentionPeriod: '1209600',
    });
    if ('code' in made) throw new Error(made.message);
    return made.queue;
  };
  create('outcomes');
  const rejected = create('rejected');
  const exhausted = create('exhausted');
  const requests = create('requests', { VisibilityTimeout: String(visibilitySeconds) });
  requests.settings.redrive = {
    maxReceiveCount,
    to: (message) => {
      exhausted.adopt(message, requests.arn);
      onExhausted(message.messageId);
    },
  };
  const act: SqsActions = createSqsActions({
    queues,
    urlOf: (name) => name,
    now: clock.now,
    newId: () => {
      ids += 1;
      return `sent-${ids}`;
    },
  });

  return {
    requests,
    rejected,
    exhausted,
    act,
    /** Has whoever waits for a change look again. */
    wake,
    /** Resolves when something was sent, shown, hidden or deleted. */
    changed: (): Promise<void> => changed.promise,
    receive: (most: number): SQSRecord[] =>
      requests.receive(most).map((message) => toRecord(asReceived(message, ALL), requests.arn)),
  };
};

export type SimulatedQueues = ReturnType<typeof createSimulatedSqs>;
