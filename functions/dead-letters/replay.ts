/**
 * Dead letters back to `requests`: sent, seen confirmed by SQS, only then deleted, so that an interruption at any moment
 * loses nothing. Used by the command line and by the replay-dead-letters function alike.
 */
import { awsFailure, explainFailed } from '../aws/failure.ts';
import { MAX_BATCH_ENTRIES } from '../aws/sqs.ts';
import { MAX_REPLAY_COUNT } from '../requests/provenance.ts';
import { expiredReason, parseRequest } from '../requests/request.ts';
import { type Letter, replayAttributes, requestKey } from './letter.ts';
import { batchesOf, messageOf, type Outgoing } from './replay-entry.ts';
import { createScan, type QueueAccess, type QueueToRead, type Scan } from './scan.ts';
import { isSelected, type Selection } from './select.ts';

export interface ReplayOptions extends Selection {
  readonly limit?: number;
  /** Messages a second. */
  readonly rate?: number;
  readonly dryRun?: boolean;
  /** Expired requests are replayed too, as of now; wants a reason. */
  readonly renew?: boolean;
  readonly reason?: string;
  readonly replayedBy: string;
  /** As the function's MAX_REQUEST_AGE_SECONDS; 0 for no limit. */
  readonly maxRequestAgeSeconds: number;
  /** How long a letter stays invisible after we are gone without a word. */
  readonly visibilitySeconds?: number;
}

/** What became of a letter, or with `dryRun` would become. */
export type Fate = 'replayed' | 'renewed' | 'duplicate' | 'expired' | 'unknown-age';

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
  /** Letters that lie behind others and were not read (see scan.ts). */
  readonly unread: number;
  /** The failure that ended it, such as AccessDenied. */
  readonly stop?: string;
}

const VISIBILITY_SECONDS = 120;
const MAX_AT_ONCE = 50;

/** Since we sent it with that replay count; where its own does not say (it has no room, or is full), it may have. */
const mayHaveFailedAgain = ({ provenance, isCountKnown }: Letter, sentWith: number): boolean =>
  !isCountKnown || provenance.replayCount > sentWith || provenance.replayCount === MAX_REPLAY_COUNT;

export const replay = async (parts: ReplayParts, options: ReplayOptions): Promise<ReplayResult> => {
  const { queueUrl, deadLetterQueues, now, sleep, signal, onProgress, onFate, onNotice } = parts;
  const { limit = Number.POSITIVE_INFINITY, rate, dryRun = false, renew = false, maxRequestAgeSeconds } = options;
  const isFifo = queueUrl.endsWith('.fifo');
  const counts = { matched: 0, replayed: 0, duplicates: 0, expired: 0, failed: 0 };
  /** Requests that are on their way again (see requestKey), with the replay count that their letter had. */
  const sentRequests = new Map<string, number>();
  const stoppedGroups = new Set<string | undefined>();
  let stop: string | undefined;
  let attempted = 0;
  let pacedFrom: number | undefined;
  const isOver = (): boolean => signal?.aborted === true || stop !== undefined;

  const pace = async (scan: Scan, upcoming: number): Promise<void> => {
    if (rate === undefined || dryRun) return;
    pacedFrom ??= now();
    const dueAt = pacedFrom + ((attempted + upcoming - 1) / rate) * 1000;
    while (dueAt > now() && !isOver()) {
      await sleep(Math.min(dueAt - now(), 1000), signal);
      await scan.keepHeld();
    }
  };

  /** Why it stays, unless it is renewed. */
  const whyItStays = ({ body, provenance, isAgeKnown }: Letter): 'expired' | 'unknown-age' | undefined => {
    if (!isAgeKnown) return 'unknown-age';
    const parsed = parseRequest(body);
    const request = parsed.kind === 'request' ? parsed.request : {};
    return expiredReason(request, provenance, now(), maxRequestAgeSeconds) === undefined ? undefined : 'expired';
  };

  const prepare = (letter: Letter, isRenewed: boolean): Outgoing | undefined => {
    const { attributes, dropped } = replayAttributes(letter.body, letter.attributes, letter.provenance, {
      replayedBy: options.replayedBy,
      reason: options.reason,
      renewedAt: isRenewed ? new Date(now()) : undefined,
    });
    // Sent without it, it would be as young as its sending.
    if (dropped.includes('FirstSentAt') && !isRenewed) return undefined;
    if (dropped.length > 0) onNotice?.(letter, `no room for its attributes ${dropped.join(', ')}`);
    return { letter, attributes, fate: isRenewed ? 'renewed' : 'replayed' };
  };

  /** Sorts out what need not or must not be sent. */
  const choose = (letters: readonly Letter[]) => {
    const outgoing: Outgoing[] = [];
    const duplicates: Letter[] = [];
    const chosen = new Set<string>();
    for (const letter of letters) {
      if (!isSelected(letter, options)) continue;
      const key = requestKey(letter);
      const sentWith = sentRequests.get(key);
      // Neither a duplicate nor for this run, which would never end.
      if (sentWith !== undefined && mayHaveFailedAgain(letter, sentWith)) continue;
      const isDuplicate = sentWith !== undefined || chosen.has(key);
      if (attempted + outgoing.length >= limit && !isDuplicate) continue;
      counts.matched += 1;
      if (isDuplicate) {
        duplicates.push(letter);
        continue;
      }
      const why = whyItStays(letter);
      const message = (why ? undefined : prepare(letter, false)) ?? (renew ? prepare(letter, true) : undefined);
      if (!message) {
        counts.expired += 1;
        onFate?.(letter, why ?? 'unknown-age');
        continue;
      }
      chosen.add(key);
      outgoing.push(message);
    }
    return { outgoing, duplicates };
  };

  /** @returns those that SQS confirmed */
  const send = async (scan: Scan, batch: readonly Outgoing[]): Promise<Outgoing[]> => {
    const ready = batch.filter(({ letter }) => {
      const isStopped = isFifo && stoppedGroups.has(letter.groupId);
      if (isStopped) onNotice?.(letter, 'not sent: an earlier message of its group was not');
      else if (!scan.isHeld(letter.messageId)) onNotice?.(letter, 'not sent: it took too long, others may have it now');
      return !isStopped && scan.isHeld(letter.messageId);
    });
    const results = await parts.sqs.sendMessages(ready.map((message) => messageOf(message, queueUrl)));
    for (const [index, { letter }] of ready.entries()) {
      const result = results[index];
      if (result?.kind !== 'failed') continue;
      if (result.scope === 'call') stop ??= explainFailed(result);
      onNotice?.(letter, `not sent: ${explainFailed(result)}`);
      stoppedGroups.add(letter.groupId);
    }
    return ready.filter((_, index) => results[index]?.kind === 'confirmed');
  };

  /** Sent, but still there: gone over again at the end, when a later receive may have brought a new receipt handle. */
  const undeleted = new Map<string, Outgoing>();

  const replayBatch = async (scan: Scan, batch: readonly Outgoing[]): Promise<void> => {
    await pace(scan, batch.length);
    if (isOver()) return;
    await scan.keepHeld();
    attempted += batch.length;
    const confirmed = dryRun ? [...batch] : await send(scan, batch);
    for (const { letter } of confirmed) sentRequests.set(requestKey(letter), letter.provenance.replayCount);
    const left = dryRun ? new Set<string>() : await scan.remove(confirmed.map(({ letter }) => letter.messageId));
    for (const message of confirmed) {
      if (left.has(message.letter.messageId)) undeleted.set(message.letter.messageId, message);
      else onFate?.(message.letter, message.fate);
    }
    counts.replayed += confirmed.length - left.size;
    counts.failed += batch.length - confirmed.length + left.size;
    onProgress?.({ ...counts });
  };

  const removeDuplicates = async (scan: Scan, duplicates: readonly Letter[]): Promise<void> => {
    const sent = duplicates.filter((letter) => sentRequests.has(requestKey(letter)));
    const left = dryRun ? new Set<string>() : await scan.remove(sent.map(({ messageId }) => messageId));
    for (const letter of sent) if (!left.has(letter.messageId)) onFate?.(letter, 'duplicate');
    counts.duplicates += sent.length - left.size;
    if (!isOver()) counts.failed += duplicates.length - sent.length + left.size;
  };

  const removeUndeleted = async (scan: Scan): Promise<void> => {
    const left = await scan.remove([...undeleted.keys()]);
    for (const [messageId, { letter, fate }] of undeleted) {
      if (left.has(messageId)) onNotice?.(letter, 'sent, but SQS did not delete it here: it may be replayed twice');
      else onFate?.(letter, fate);
    }
    counts.replayed += undeleted.size - left.size;
    counts.failed -= undeleted.size - left.size;
    undeleted.clear();
  };

  const replayQueue = async (scan: Scan): Promise<void> => {
    // One by one at a slow rate; side by side where there is neither a rate nor an order to be kept.
    const most = rate !== undefined && rate < MAX_BATCH_ENTRIES ? 1 : MAX_BATCH_ENTRIES;
    for await (const letters of scan.letters()) {
      const { outgoing, duplicates } = choose(letters);
      const batches = batchesOf(outgoing, isFifo, most);
      if (isFifo || rate !== undefined) for (const batch of batches) await replayBatch(scan, batch);
      else await Promise.all(batches.map((batch) => replayBatch(scan, batch)));
      await removeDuplicates(scan, duplicates);
      if (attempted >= limit || isOver()) break;
    }
    await removeUndeleted(scan);
  };

  let isFull = false;
  let unread = 0;
  for (const queue of deadLetterQueues) {
    if (isOver() || attempted >= limit) break;
    const scan = createScan(parts, queue, {
      visibilitySeconds: options.visibilitySeconds ?? VISIBILITY_SECONDS,
      now,
      // At a slow rate no more are taken than can be replayed within a minute.
      atOnce: rate === undefined ? MAX_AT_ONCE : Math.max(1, Math.min(MAX_AT_ONCE, Math.floor(rate * 60))),
      signal,
    });
    try {
      await replayQueue(scan);
      isFull ||= scan.isFull();
      if (!isOver() && attempted < limit) unread += await scan.countUnread();
    } catch (error) {
      // A receive failed in a way that the SDK's own attempts did not cure: what is done is done, the rest lies there.
      stop ??= awsFailure(error);
    } finally {
      await scan.release();
    }
  }
  const isInterrupted = signal?.aborted === true || isFull || stop !== undefined;
  return { ...counts, dryRun, isInterrupted, unread, ...(stop === undefined ? {} : { stop }) };
};
