/** One event: bounded concurrency, FIFO groups in order, and exactly one outcome for each message, in time. */
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import type { Outcome } from './audit.ts';
import type { Decision, Effort, Enable, Invocation } from './enable.ts';
import { type Message, readMessages } from './record.ts';
import type { Settle } from './settle.ts';

export interface BatchParts {
  /** Requests under way at once. */
  readonly concurrency: number;
  readonly enable: Enable;
  readonly settle: Settle;
  readonly invocation: Invocation;
  /** Called exactly once for each message. */
  readonly audit: (outcome: Outcome) => void;
  /** A bug of ours: the message is kept, its neighbours go on. */
  readonly onBug: (message: Message, error: unknown) => void;
  readonly now: () => number;
  /** Ends early when the signal is given. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Messages that must be carried out one after the other: a FIFO group, or a single message. */
type Lane = readonly Message[];

const lanesOf = (messages: readonly Message[]): Lane[] => {
  const groups = new Map<string, Message[]>();
  const lanes: Lane[] = [];
  for (const message of messages) {
    const lane = message.groupId === undefined ? undefined : groups.get(message.groupId);
    if (lane) lane.push(message);
    else {
      const opened = [message];
      lanes.push(opened);
      if (message.groupId !== undefined) groups.set(message.groupId, opened);
    }
  }
  return lanes;
};

/** The answer to Lambda: made from the event's own records, so that it can name no other. */
export const respond = (records: readonly SQSRecord[], isKept: (messageId: string) => boolean): SQSBatchResponse => {
  const kept = new Set(records.map(({ messageId }) => messageId).filter(isKept));
  return { batchItemFailures: [...kept].map((itemIdentifier) => ({ itemIdentifier })) };
};

export const handleBatch = async (records: readonly SQSRecord[], parts: BatchParts): Promise<SQSBatchResponse> => {
  const { concurrency, enable, settle, invocation, audit, onBug, now, sleep } = parts;
  const startedAt = now();
  const messages = readMessages(records, startedAt);
  const efforts = new Map<string, Effort>(
    messages.map(({ messageId }) => [messageId, { attempts: 0, latenciesMs: [] }]),
  );
  const decided = new Map<string, Decision>();

  const effortOf = ({ messageId }: Message): Effort => efforts.get(messageId) ?? { attempts: 0, latenciesMs: [] };

  /** The first outcome of a message holds: what is answered as kept stays kept, whatever is confirmed later. */
  const conclude = (message: Message, decision: Decision, beganAt: number): void => {
    if (decided.has(message.messageId)) return;
    decided.set(message.messageId, decision);
    audit({ message, decision, effort: effortOf(message), durationMs: now() - beganAt, at: now() });
  };

  const decide = async (message: Message): Promise<Decision> => {
    const { parsed, provenance, messageId } = message;
    if (parsed.kind === 'invalid') {
      return { kind: 'rejected', errorCode: 'InvalidMessage', errorMessage: parsed.reason };
    }
    return enable(parsed.request, { ...provenance, messageId }, invocation, effortOf(message));
  };

  const guarded = async (message: Message, work: () => Promise<Decision>): Promise<Decision> => {
    try {
      return await work();
    } catch (error) {
      onBug(message, error);
      return { kind: 'kept', cause: 'bug' };
    }
  };

  const settling: Promise<unknown>[] = [];

  const runLane = async (lane: Lane): Promise<void> => {
    let isBlocked = false;
    for (const message of lane) {
      const beganAt = now();
      if (isBlocked) {
        conclude(message, { kind: 'kept', cause: 'fifo-order' }, beganAt);
        continue;
      }
      const decision = await guarded(message, () => decide(message));
      const settled = guarded(message, () => settle(message, decision, effortOf(message))).then((final) => {
        conclude(message, final, beganAt);
        return final;
      });
      // Only the rest of a group has to know how this one ended; SQS takes no place from the calls to Segura.
      if (lane.length > 1) isBlocked = (await settled).kind === 'kept';
      else settling.push(settled);
    }
  };

  const lanes = lanesOf(messages).values();
  const worker = async (): Promise<void> => {
    for (const lane of lanes) await runLane(lane);
  };
  const work = Promise.all(Array.from({ length: Math.min(concurrency, messages.length) }, worker)).then(() =>
    Promise.all(settling),
  );

  // Whatever hangs, Segura, the secret store or SQS itself: the answer goes out in time.
  const finished = new AbortController();
  await Promise.race([work, sleep(invocation.deadline.answerLeftMs(), finished.signal)]);
  // With a reason of ours: without one, each batch would build a DOMException with its stack.
  finished.abort('finished');
  for (const message of messages) conclude(message, { kind: 'kept', cause: 'deadline' }, startedAt);
  return respond(records, (messageId) => decided.get(messageId)?.kind === 'kept');
};
