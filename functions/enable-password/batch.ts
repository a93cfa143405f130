/** One event: bounded concurrency, FIFO groups in order, and exactly one outcome for each message, in time. */
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import type { Trust } from '../requests/provenance.ts';
import type { Effort, Invocation } from './attempt.ts';
import type { Decision, Kept } from './decision.ts';
import type { Enable } from './enable.ts';
import { createPlaces } from './places.ts';
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
  /** Calls to Segura under way at once. */
  readonly concurrency: number;
  readonly enable: Enable;
  readonly settle: Settle;
  readonly invocation: Omit<Invocation, 'places'>;
  /** Resolves when what goes on beside the messages is done, such as having others come back. */
  readonly finishBeside: () => Promise<unknown>;
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

/** Messages in, outcomes out: each message ends in one, which is told. */
const createLanes = (parts: BatchParts) => {
  const { enable, settle, tell, onBug, now } = parts;

  /** The first outcome of a message holds: what is answered as kept stays kept, whatever is confirmed later. */
  const conclude = (work: Work, decision: Decision, beganAt: number): void => {
    if (work.decision) return;
    work.decision = decision;
    const at = now();
    tell({ message: work.message, decision, effort: work.effort, durationMs: at - beganAt, at });
  };

  const keepForBug = ({ message }: Work, error: unknown): Decision => {
    onBug(message, error);
    return { kind: 'kept', cause: 'bug' };
  };

  const decide = ({ message, effort }: Work, invocation: Invocation): Promise<Decision> | Decision => {
    const { parsed, provenance } = message;
    return parsed.kind === 'invalid'
      ? { kind: 'rejected', errorCode: 'InvalidMessage', errorMessage: parsed.reason }
      : enable(parsed.request, provenance, invocation, effort);
  };

  /** At once where SQS has nothing to do with it, as with most. */
  const finish = (work: Work, decision: Decision, beganAt: number): Promise<Decision> | Decision => {
    // Answered meanwhile: nothing may be carried out that the answer does not tell of.
    if (work.decision) return work.decision;
    const concluded = (final: Decision): Decision => {
      conclude(work, final, beganAt);
      return final;
    };
    let settled: Promise<Decision> | Decision;
    try {
      settled = settle(work.message, decision, work.effort);
    } catch (error) {
      settled = keepForBug(work, error);
    }
    return settled instanceof Promise
      ? settled.catch((error) => keepForBug(work, error)).then(concluded)
      : concluded(settled);
  };

  /** Behind a kept message of their group: uncalled, and back together with it. */
  const keepBehind = (works: Lane, { waitSeconds }: Kept): Promise<unknown> => {
    const decision: Decision = {
      kind: 'kept',
      cause: 'fifo-order',
      ...(waitSeconds === undefined ? {} : { waitSeconds }),
    };
    return Promise.all(works.map((work) => finish(work, decision, now())));
  };

  return {
    conclude,
    run: async (lane: Lane, invocation: Invocation): Promise<void> => {
      for (const work of lane) {
        const beganAt = now();
        let decision: Decision;
        try {
          decision = await decide(work, invocation);
        } catch (error) {
          decision = keepForBug(work, error);
        }
        const finished = finish(work, decision, beganAt);
        const final = finished instanceof Promise ? await finished : finished;
        if (final.kind === 'kept') {
          await keepBehind(lane.slice(lane.indexOf(work) + 1), final);
          return;
        }
      }
    },
  };
};

export const handleBatch = async (records: readonly SQSRecord[], parts: BatchParts): Promise<SQSBatchResponse> => {
  const { concurrency, finishBeside, now, sleep } = parts;
  const startedAt = now();
  const works = readMessages(records, startedAt, parts.trust).map(
    (message): Work => ({ message, effort: { attempts: 0, latenciesMs: [] } }),
  );
  const { run, conclude } = createLanes(parts);
  const waiting = lanesOf(works).values();
  const running: Promise<void>[] = [];
  const { promise: started, resolve: onStarted } = Promise.withResolvers<void>();

  /** A lane for each free place: the others need not begin before there is one. */
  let isAnswered = false;
  let isStarting = false;
  const startLanes = (): void => {
    // A lane that is stopped at once frees its place at once: the loop below goes on, not a call within a call.
    if (isStarting) return;
    isStarting = true;
    while (places.isFree() && !isAnswered) {
      const { value: lane, done } = waiting.next();
      if (done) {
        onStarted();
        return;
      }
      running.push(run(lane, invocation));
    }
    isStarting = false;
  };
  const places = createPlaces(concurrency, startLanes);
  const invocation: Invocation = { ...parts.invocation, places };
  startLanes();
  const done = started.then(() => Promise.all(running)).then(finishBeside);

  // Whatever hangs, Segura, the secret store or SQS itself: the answer goes out in time.
  await Promise.race([done, sleep(invocation.deadline.answerLeftMs(), done)]);
  isAnswered = true;
  const late: Decision = { kind: 'kept', cause: 'deadline' };
  for (const work of works) conclude(work, late, startedAt);
  // Made from the event's own records, so that it can name no other message.
  const kept = works.filter(({ decision }) => decision?.kind === 'kept');
  return { batchItemFailures: kept.map(({ message }) => ({ itemIdentifier: message.messageId })) };
};
