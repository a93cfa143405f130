/**
 * Dead letters back to `requests`: sent, seen confirmed by SQS, only then deleted, so that an interruption at any moment
 * loses nothing. Used by the command line and by the replay-dead-letters function alike.
 */
import { explainFailed } from '../aws/failure.ts';
import { type Letter, requestKey } from './letter.ts';
import { batchSize, createPace, type Pace } from './pace.ts';
import { planReplay, type ReplayOptions, type Stay } from './plan.ts';
import { batchesOf, messageOf, type Outgoing } from './replay-entry.ts';
import { createScan, type QueueAccess, type QueueToRead, type Scan } from './scan.ts';

/** What became of a letter, or with `dryRun` would become. */
export type Fate = Outgoing['fate'] | Stay | 'duplicate';

export interface ReplayParts extends QueueAccess {
  readonly queueUrl: string;
  /** The queues to empty, one after the other; `queueUrl` is where it all goes. */
  readonly deadLetterQueues: readonly QueueToRead[];
  readonly now: () => number;
  /** Ends early when the signal is given. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Ends after the batch under way. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (result: ReplayCounts) => void;
  readonly onFate?: (letter: Letter, fate: Fate) => void;
  /** What a person should know of one letter. */
  readonly onNotice?: (letter: Letter, notice: string) => void;
}

export interface ReplayCounts {
  /** Letters that the filters mean. */
  readonly matched: number;
  /** Sent, confirmed and deleted (with `dryRun`: that would be). */
  readonly replayed: number;
  /** Deleted without sending, because the same request was sent already: the same original, the same body. */
  readonly duplicates: number;
  /** Left where they are: expired, or of unknown age. */
  readonly expired: number;
  /** Not sent, or sent and not deleted. */
  readonly failed: number;
}

export interface ReplayResult extends ReplayCounts {
  readonly dryRun: boolean;
  /** Ended before the queues were read as a whole. */
  readonly isInterrupted: boolean;
  /** Letters that are behind others and were not read (see scan.ts). */
  readonly unread: number;
  /** The failure that ended it, such as AccessDenied. */
  readonly stop?: string;
}

/** One replay on its way, through all its queues. */
interface Run {
  readonly parts: ReplayParts;
  readonly options: ReplayOptions;
  readonly pace: Pace;
  readonly isFifo: boolean;
  readonly counts: { -readonly [Name in keyof ReplayCounts]: number };
  /** See PlanParts. */
  readonly sent: Map<string, number>;
  readonly stoppedGroups: Set<string | undefined>;
  /** Sent, but still there: gone over again at the end, when a later receive may have brought a new receipt handle. */
  readonly undeleted: Map<string, Outgoing>;
  attempted: number;
  stop: string | undefined;
}

const VISIBILITY_SECONDS = 120;
const MAX_AT_ONCE = 50;

const isOver = ({ parts, stop }: Run): boolean => parts.signal?.aborted === true || stop !== undefined;
const leftOf = ({ options, attempted }: Run): number => (options.limit ?? Number.POSITIVE_INFINITY) - attempted;

const remove = ({ options }: Run, scan: Scan, letters: readonly Letter[]): Promise<Set<string>> =>
  options.dryRun ? Promise.resolve(new Set()) : scan.remove(letters.map(({ messageId }) => messageId));

const waitForPace = async (run: Run, scan: Scan, count: number): Promise<void> => {
  const { parts, options, pace } = run;
  if (options.dryRun) return;
  for (let waitMs = pace.waitMs(count); waitMs > 0 && !isOver(run); waitMs = pace.waitMs(count)) {
    await parts.sleep(Math.min(waitMs, 1000), parts.signal);
    await scan.keepHeld();
  }
};

/** Why a letter must not be sent now, though it was chosen. */
const obstacleTo = ({ isFifo, stoppedGroups }: Run, scan: Scan, { letter }: Outgoing): string | undefined => {
  if (isFifo && stoppedGroups.has(letter.groupId)) return 'not sent: an earlier message of its group was not';
  return scan.isHeld(letter.messageId) ? undefined : 'not sent: it took too long, others may have it now';
};

/** @returns those that SQS confirmed */
const send = async (run: Run, scan: Scan, batch: readonly Outgoing[]): Promise<Outgoing[]> => {
  const { sqs, queueUrl, onNotice } = run.parts;
  const ready = batch.filter((message) => {
    const obstacle = obstacleTo(run, scan, message);
    if (obstacle !== undefined) onNotice?.(message.letter, obstacle);
    return obstacle === undefined;
  });
  for (const { letter, dropped } of ready) {
    if (dropped.length > 0) onNotice?.(letter, `no room for its attributes ${dropped.join(', ')}`);
  }
  run.pace.begin(ready.length);
  const results = await sqs.sendMessages(ready.map((message) => messageOf(message, queueUrl)));
  run.pace.end(ready.length);
  for (const [index, { letter }] of ready.entries()) {
    const result = results[index];
    if (result?.kind !== 'failed') continue;
    if (result.scope === 'call') run.stop ??= explainFailed(result);
    onNotice?.(letter, `not sent: ${explainFailed(result)}`);
    run.stoppedGroups.add(letter.groupId);
  }
  return ready.filter((_, index) => results[index]?.kind === 'confirmed');
};

const replayBatch = async (run: Run, scan: Scan, batch: readonly Outgoing[]): Promise<void> => {
  const { parts, options, counts, sent, undeleted } = run;
  await waitForPace(run, scan, batch.length);
  if (isOver(run)) return;
  await scan.keepHeld();
  run.attempted += batch.length;
  const confirmed = options.dryRun ? [...batch] : await send(run, scan, batch);
  for (const { letter } of confirmed) sent.set(requestKey(letter), letter.provenance.replayCount);
  const left = await remove(
    run,
    scan,
    confirmed.map(({ letter }) => letter),
  );
  for (const message of confirmed) {
    if (left.has(message.letter.messageId)) undeleted.set(message.letter.messageId, message);
    else parts.onFate?.(message.letter, message.fate);
  }
  counts.replayed += confirmed.length - left.size;
  counts.failed += batch.length - confirmed.length + left.size;
  parts.onProgress?.({ ...counts });
};

const removeDuplicates = async (run: Run, scan: Scan, duplicates: readonly Letter[]): Promise<void> => {
  const { parts, counts } = run;
  const sent = duplicates.filter((letter) => run.sent.has(requestKey(letter)));
  const left = await remove(run, scan, sent);
  for (const letter of sent) if (!left.has(letter.messageId)) parts.onFate?.(letter, 'duplicate');
  counts.duplicates += sent.length - left.size;
  if (!isOver(run)) counts.failed += duplicates.length - sent.length + left.size;
};

const removeUndeleted = async ({ parts, counts, undeleted }: Run, scan: Scan): Promise<void> => {
  const left = await scan.remove([...undeleted.keys()]);
  for (const [messageId, { letter, fate }] of undeleted) {
    if (left.has(messageId)) parts.onNotice?.(letter, 'sent, but SQS did not delete it here: it may be replayed twice');
    else parts.onFate?.(letter, fate);
  }
  counts.replayed += undeleted.size - left.size;
  counts.failed -= undeleted.size - left.size;
  undeleted.clear();
};

/** The letters of one turn: side by side where there is neither a rate nor an order to be kept. */
const replayTurn = async (run: Run, scan: Scan, letters: readonly Letter[]): Promise<void> => {
  const { parts, options, counts, isFifo, sent } = run;
  const { outgoing, duplicates, staying } = planReplay(letters, options, { sent, left: leftOf(run), now: parts.now() });
  counts.matched += outgoing.length + duplicates.length + staying.length;
  counts.expired += staying.length;
  for (const { letter, why } of staying) parts.onFate?.(letter, why);
  const batches = batchesOf(outgoing, isFifo, batchSize(options.rate));
  if (isFifo || options.rate !== undefined) for (const batch of batches) await replayBatch(run, scan, batch);
  else await Promise.all(batches.map((batch) => replayBatch(run, scan, batch)));
  await removeDuplicates(run, scan, duplicates);
};

/** @returns how many letters were not read, and whether there may be more because too many are held */
const replayQueue = async (run: Run, queue: QueueToRead): Promise<{ unread: number; isFull: boolean }> => {
  const { parts, options } = run;
  const { rate, visibilitySeconds = VISIBILITY_SECONDS } = options;
  // At a slow rate no more are taken than can be replayed within a minute.
  const atOnce = rate === undefined ? MAX_AT_ONCE : Math.max(1, Math.min(MAX_AT_ONCE, Math.floor(rate * 60)));
  const scan = createScan(parts, queue, { visibilitySeconds, now: parts.now, atOnce, signal: parts.signal });
  try {
    for await (const turn of scan.turns()) {
      // A receive failed in a way that the SDK's own attempts did not cure: the rest stays in the queue.
      if (turn.kind === 'failed') run.stop ??= explainFailed(turn);
      else await replayTurn(run, scan, turn.letters);
      if (leftOf(run) <= 0 || isOver(run)) break;
    }
    await removeUndeleted(run, scan);
    const isWhole = !isOver(run) && leftOf(run) > 0;
    return { unread: isWhole ? await scan.countUnread() : 0, isFull: scan.isFull() };
  } finally {
    await scan.release();
  }
};

export const replay = async (parts: ReplayParts, options: ReplayOptions): Promise<ReplayResult> => {
  const run: Run = {
    parts,
    options,
    pace: createPace(options.rate, parts.now),
    isFifo: parts.queueUrl.endsWith('.fifo'),
    counts: { matched: 0, replayed: 0, duplicates: 0, expired: 0, failed: 0 },
    sent: new Map(),
    stoppedGroups: new Set(),
    undeleted: new Map(),
    attempted: 0,
    stop: undefined,
  };
  let isFull = false;
  let unread = 0;
  for (const queue of parts.deadLetterQueues) {
    if (isOver(run) || leftOf(run) <= 0) break;
    const read = await replayQueue(run, queue);
    isFull ||= read.isFull;
    unread += read.unread;
  }
  const { counts, stop } = run;
  const isInterrupted = parts.signal?.aborted === true || isFull || stop !== undefined;
  const { dryRun = false } = options;
  return { ...counts, dryRun, isInterrupted, unread, ...(stop === undefined ? {} : { stop }) };
};
