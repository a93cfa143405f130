/** One event: bounded concurrency, FIFO groups in order, and exactly one outcome for each message, in time. */
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import type { Trust } from '../requests/provenance.ts';
import type { Decision, Effort, Enable, Invocation } from './enable.ts';
import { type Message, readMessages } from './record.ts';
import type { Settle } from './settle.ts';

/** What became of one message: its decision as it could be carried out, and what it took. */
export interface Outcome {
  readonly message: Message;
  readonly decision: Decision;
  readonly effort: Effort;
  readonly durationMs: number;
  readonly at: number;
}

export interface BatchParts {
  /** Whose renewals and callers count. */
  readonly trust?: Trust | undefined;
  /** Requests under way at once. */
  readonly concurrency: number;
  readonly enable: Enable;
  readonly settle: Settle;
  readonly invocation: Invocation;
  /** Called exactly once for each message. */
  readonly tell: (outcome: Outcome) => void;
  /** A bug of ours: the message is kept, its neighbours go on. */
  readonly onBug: (message: Message, error: unknown) => void;
  readonly now: () => number;
  /** Ends early when `pending` is settled. */
  readonly sleep: (ms: number, pending?: Promise<unknown>) => Promise<void>;
}

/** One message on its way: what it took so far, and what became of it. */
interface Work {
  readonly message: Message;
  readonly effort: Effort;
  decision?: Decision;
}

/** Messages that must be carried out one after the other: a FIFO group, or a single message. */
type Lane = readonly Work[];

const lanesOf = (works: readonly Work[]): Lane[] => {
  const groups = new Map<string, Work[]>();
  const lanes: Lane[] = [];
  for (const work of works) {
    const { groupId } = work.message;
    const lane = groupId === undefined ? undefined : groups.get(groupId);
    if (lane) lane.push(work);
    else {
      const opened = [work];
      lanes.push(opened);
      if (groupId !== undefined) groups.set(groupId, opened);
    }
  }
  return lanes;
};

export const handleBatch = async (records: readonly SQSRecord[], parts: BatchParts): Promise<SQSBatchResponse> => {
  const { concurrency, enable, settle, invocation, tell, onBug, now, sleep } = parts;
  const startedAt = now();
  const works = readMessages(records, startedAt, parts.trust).map(
    (message): Work => ({ message, effort: { attempts: 0, latenciesMs: [] } }),
  );

  /** The first outcome of a message holds: what is answered as kept stays kept, whatever is confirmed later. */
  const conclude = (work: Work, decision: Decision, beganAt: number): void => {
    if (work.decision) return;
    work.decision = decision;
    const at = now();
    tell({ message: work.message, decision, effort: work.effort, durationMs: at - beganAt, at });
  };

  const decide = ({ message, effort }: Work): Promise<Decision> | Decision => {
    const { parsed, provenance } = message;
    return parsed.kind === 'invalid'
      ? { kind: 'rejected', errorCode: 'InvalidMessage', errorMessage: parsed.reason }
      : enable(parsed.request, provenance, invocation, effort);
  };

  const guarded = async ({ message }: Work, step: () => Promise<Decision> | Decision): Promise<Decision> => {
    try {
      return await step();
    } catch (error) {
      onBug(message, error);
      return { kind: 'kept', cause: 'bug' };
    }
  };

  const settling: Promise<unknown>[] = [];

  const runLane = async (lane: Lane): Promise<void> => {
    let isBlocked = false;
    for (const work of lane) {
      const beganAt = now();
      if (isBlocked) {
        conclude(work, { kind: 'kept', cause: 'fifo-order' }, beganAt);
        continue;
      }
      const decision = await guarded(work, () => decide(work));
      const settled = guarded(work, () => settle(work.message, decision, work.effort)).then((final) => {
        conclude(work, final, beganAt);
        return final;
      });
      // Only the rest of a group has to know how this one ended; SQS takes no place from the calls to Segura.
      if (lane.length > 1) isBlocked = (await settled).kind === 'kept';
      else settling.push(settled);
    }
  };

  const lanes = lanesOf(works).values();
  const worker = async (): Promise<void> => {
    for (const lane of lanes) await runLane(lane);
  };
  const done = Promise.all(Array.from({ length: Math.min(concurrency, works.length) }, worker)).then(() =>
    Promise.all(settling),
  );

  // Whatever hangs, Segura, the secret store or SQS itself: the answer goes out in time.
  await Promise.race([done, sleep(invocation.deadline.answerLeftMs(), done)]);
  for (const work of works) conclude(work, { kind: 'kept', cause: 'deadline' }, startedAt);
  // Made from the event's own records, so that it can name no other message.
  const kept = works.filter(({ decision }) => decision?.kind === 'kept');
  return { batchItemFailures: kept.map(({ message }) => ({ itemIdentifier: message.messageId })) };
};
