/**
 * Dead letters back to `requests`: sent, seen confirmed by SQS, only then deleted, so that an interruption at any moment
 * loses nothing. Used by the command line and by the replay-dead-letters function alike.
 */
import { SendMessageBatchCommand, type SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';
import { type Attributes, MAX_MESSAGE_BYTES, messageBytes, replayAttributes } from './dead-letters.ts';
import { expiredReason, parseRequest } from './request.ts';
import { createScan, type Letter, type SqsClient } from './scan.ts';
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
}

export interface ReplayParts {
  readonly sqs: SqsClient;
  readonly deadLetterQueueUrl: string;
  readonly requestsQueueUrl: string;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Ends after the batch under way. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (result: ReplayResult) => void;
  /** What a person should know of one letter. */
  readonly onNotice?: (letter: Letter, notice: string) => void;
}

export interface ReplayResult {
  /** Letters that the filters mean. */
  readonly matched: number;
  /** Sent, confirmed and deleted (with `dryRun`: that would be). */
  readonly replayed: number;
  /** Deleted without sending, because their original was sent already. */
  readonly duplicates: number;
  /** Left where they are. */
  readonly expired: number;
  /** Not sent, or sent and not deleted. */
  readonly failed: number;
  readonly dryRun: boolean;
  /** Ended before the queue was read as a whole. */
  readonly isInterrupted: boolean;
}

const VISIBILITY_SECONDS = 300;
const MAX_AT_ONCE = 50;
const BATCH = 10;
const SEND_ATTEMPTS = 4;
const FIRST_WAIT_MS = 200;

const wireAttributes = (attributes: Attributes): NonNullable<SendMessageBatchRequestEntry['MessageAttributes']> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      {
        DataType: dataType,
        ...(stringValue === undefined ? {} : { StringValue: stringValue }),
        ...(binaryValue === undefined ? {} : { BinaryValue: Buffer.from(binaryValue, 'base64') }),
      },
    ]),
  );

interface Outgoing {
  readonly letter: Letter;
  readonly attributes: Attributes;
}

/** Batches of ten that SQS's limit for one call allows. */
const batchesOf = (messages: readonly Outgoing[]): Outgoing[][] => {
  const batches: Outgoing[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = messageBytes(message.letter.body, message.attributes);
    const last = batches.at(-1);
    if (last && last.length < BATCH && bytes + size <= MAX_MESSAGE_BYTES) {
      last.push(message);
      bytes += size;
    } else {
      batches.push([message]);
      bytes = size;
    }
  }
  return batches;
};

export const replay = async (parts: ReplayParts, options: ReplayOptions): Promise<ReplayResult> => {
  const { sqs, deadLetterQueueUrl, requestsQueueUrl, now, sleep, signal, onProgress, onNotice } = parts;
  const { limit = Number.POSITIVE_INFINITY, rate, dryRun = false, renew = false, maxRequestAgeSeconds } = options;
  const startedAt = now();
  const isFifo = requestsQueueUrl.endsWith('.fifo');
  const counts = { matched: 0, replayed: 0, duplicates: 0, expired: 0, failed: 0 };
  /** Originals that are on their way again; what comes of them later is another matter. */
  const sentOriginals = new Set<string>();
  const scan = createScan(sqs, deadLetterQueueUrl, {
    visibilitySeconds: VISIBILITY_SECONDS,
    // At a slow rate no more are taken than can be replayed while they are held.
    atOnce: rate === undefined ? MAX_AT_ONCE : Math.max(1, Math.min(MAX_AT_ONCE, Math.floor(rate * 60))),
    ...(signal ? { signal } : {}),
  });

  const entryOf = ({ letter, attributes }: Outgoing, Id: string): SendMessageBatchRequestEntry => ({
    Id,
    MessageBody: letter.body,
    MessageAttributes: wireAttributes(attributes),
    ...(letter.traceHeader
      ? { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: letter.traceHeader } } }
      : {}),
    ...(isFifo
      ? {
          MessageGroupId: letter.groupId ?? letter.messageId,
          // The same for a second try after a crash: SQS then takes it once.
          MessageDeduplicationId: `replay-${letter.messageId}`,
        }
      : {}),
  });

  /** @returns those that SQS confirmed */
  const send = async (batch: readonly Outgoing[]): Promise<Outgoing[]> => {
    const confirmed: Outgoing[] = [];
    let open = [...batch];
    for (let attempt = 1; open.length > 0 && attempt <= SEND_ATTEMPTS; attempt += 1) {
      if (attempt > 1) await sleep(FIRST_WAIT_MS * 2 ** (attempt - 2));
      const Entries = open.map((message, index) => entryOf(message, String(index)));
      const tried = open;
      try {
        const answer = await sqs.send(new SendMessageBatchCommand({ QueueUrl: requestsQueueUrl, Entries }));
        const ids = new Set(answer.Successful?.map(({ Id }) => Id));
        confirmed.push(...tried.filter((_, index) => ids.has(String(index))));
        for (const { Id, SenderFault, Code } of answer.Failed ?? []) {
          const refused = SenderFault ? tried[Number(Id)] : undefined;
          if (refused) onNotice?.(refused.letter, `SQS refused it: ${Code}`);
        }
        const senderFaults = new Set(answer.Failed?.filter(({ SenderFault }) => SenderFault).map(({ Id }) => Id));
        open = tried.filter((_, index) => !(ids.has(String(index)) || senderFaults.has(String(index))));
      } catch (error) {
        // The SDK has tried again what may be tried again: whoever is denied, is denied.
        for (const { letter } of tried) onNotice?.(letter, `not sent: ${(error as Error).name}`);
        break;
      }
    }
    return confirmed;
  };

  const remove = async (letters: readonly Letter[]): Promise<number> => {
    const left = await scan.remove(letters.map(({ messageId }) => messageId));
    for (const letter of letters) {
      if (left.has(letter.messageId))
        onNotice?.(letter, 'sent, but SQS did not delete it here: it may be replayed twice');
    }
    return letters.length - left.size;
  };

  const pace = async (upcoming: number): Promise<void> => {
    if (rate === undefined || dryRun) return;
    const dueAt = startedAt + ((counts.replayed + counts.failed + upcoming - 1) / rate) * 1000;
    if (dueAt > now()) await sleep(dueAt - now());
  };

  const isExpired = (letter: Letter): boolean => {
    const parsed = parseRequest(letter.body);
    const request = parsed.kind === 'request' ? parsed.request : {};
    return expiredReason(request, letter.provenance, now(), maxRequestAgeSeconds) !== undefined;
  };

  /** Sorts out what need not or must not be sent. */
  const choose = (letters: readonly Letter[]) => {
    const outgoing: Outgoing[] = [];
    const duplicates: Letter[] = [];
    const originals = new Set<string>();
    for (const letter of letters) {
      // What was rejected again since we began is no business of this run: it would go round for ever.
      if (letter.at.getTime() >= startedAt || !isSelected(letter, options)) continue;
      const { originalMessageId } = letter.provenance;
      if (counts.replayed + outgoing.length >= limit && !sentOriginals.has(originalMessageId)) continue;
      counts.matched += 1;
      const expired = isExpired(letter);
      if (sentOriginals.has(originalMessageId) || originals.has(originalMessageId)) duplicates.push(letter);
      else if (expired && !renew) counts.expired += 1;
      else {
        originals.add(originalMessageId);
        const renewedAt = expired ? new Date(now()) : undefined;
        const { attributes, dropped } = replayAttributes(letter.body, letter.attributes, letter.provenance, {
          replayedBy: options.replayedBy,
          reason: options.reason,
          renewedAt,
        });
        if (dropped.length > 0) onNotice?.(letter, `no room for its attributes ${dropped.join(', ')}`);
        outgoing.push({ letter, attributes });
      }
    }
    return { outgoing, duplicates };
  };

  const sendAndRemove = async (outgoing: readonly Outgoing[]): Promise<void> => {
    const perBatch = rate !== undefined && rate < BATCH ? outgoing.map((message) => [message]) : batchesOf(outgoing);
    for (const batch of perBatch) {
      if (signal?.aborted) return;
      await pace(batch.length);
      const confirmed = dryRun ? [...batch] : await send(batch);
      for (const { letter } of confirmed) sentOriginals.add(letter.provenance.originalMessageId);
      const deleted = dryRun ? confirmed.length : await remove(confirmed.map(({ letter }) => letter));
      counts.replayed += deleted;
      counts.failed += batch.length - deleted;
      onProgress?.({ ...counts, dryRun, isInterrupted: false });
    }
  };

  const removeDuplicates = async (duplicates: readonly Letter[]): Promise<void> => {
    const sent = duplicates.filter(({ provenance }) => sentOriginals.has(provenance.originalMessageId));
    const deleted = dryRun ? sent.length : await remove(sent);
    counts.duplicates += deleted;
    counts.failed += duplicates.length - deleted;
  };

  let isInterrupted = false;
  try {
    for await (const letters of scan.letters()) {
      const { outgoing, duplicates } = choose(letters);
      await sendAndRemove(outgoing);
      await removeDuplicates(duplicates);
      if (counts.replayed >= limit) break;
      if (signal?.aborted) break;
    }
    isInterrupted = signal?.aborted === true || scan.isFull();
  } finally {
    await scan.release();
  }
  return { ...counts, dryRun, isInterrupted };
};
