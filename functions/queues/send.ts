/** Sends requests in batches of ten, several under way, and says of each whether SQS confirmed it. */
import { SendMessageBatchCommand, type SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';
import { MAX_MESSAGE_BYTES } from './dead-letters.ts';
import type { SqsClient } from './scan.ts';

/** One request, with the place it came from (a line number, an argument). */
export interface Outgoing {
  readonly body: string;
  readonly place: string;
  /** FIFO queues only. */
  readonly groupId?: string | undefined;
}

export interface SendParts {
  readonly sqs: SqsClient;
  readonly queueUrl: string;
  readonly sleep: (ms: number) => Promise<void>;
  /** Unique for each message of a FIFO queue. */
  readonly createId: () => string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (result: SendResult) => void;
  /** A request that SQS finally did not take. */
  readonly onFailure?: (place: string, reason: string) => void;
}

export interface SendResult {
  /** Confirmed by SQS. */
  readonly sent: number;
  readonly failed: number;
}

const BATCH = 10;
const UNDER_WAY = 4;
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 200;

/** Gathers what comes, however much it is, into batches that SQS takes. */
async function* batches(requests: AsyncIterable<Outgoing>): AsyncGenerator<readonly Outgoing[]> {
  let batch: Outgoing[] = [];
  let bytes = 0;
  for await (const request of requests) {
    const size = Buffer.byteLength(request.body);
    if (batch.length === BATCH || bytes + size > MAX_MESSAGE_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(request);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** Takes `requests` no faster than SQS confirms them, so that a million lines need no more memory than forty. */
export const sendRequests = async (requests: AsyncIterable<Outgoing>, parts: SendParts): Promise<SendResult> => {
  const { sqs, queueUrl, sleep, createId, signal, onProgress, onFailure } = parts;
  const isFifo = queueUrl.endsWith('.fifo');
  const counts = { sent: 0, failed: 0 };

  const give = (batch: readonly Outgoing[], reason: string): void => {
    counts.failed += batch.length;
    for (const { place } of batch) onFailure?.(place, reason);
  };

  const sendBatch = async (batch: readonly Outgoing[]): Promise<void> => {
    const ids = batch.map(createId);
    let open = batch.map((_, index) => index);
    let reason = 'SQS did not take it';
    for (let attempt = 1; open.length > 0 && attempt <= ATTEMPTS; attempt += 1) {
      if (attempt > 1) await sleep(FIRST_WAIT_MS * 2 ** (attempt - 2));
      const Entries = open.map((index): SendMessageBatchRequestEntry => {
        const { body, groupId } = batch[index] ?? { body: '' };
        return {
          Id: String(index),
          MessageBody: body,
          ...(isFifo ? { MessageGroupId: groupId ?? 'mysafe-enable', MessageDeduplicationId: ids[index] } : {}),
        };
      });
      try {
        const { Successful = [], Failed = [] } = await sqs.send(
          new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
        );
        counts.sent += Successful.length;
        const done = new Set(Successful.map(({ Id }) => Number(Id)));
        const refused = Failed.filter(({ SenderFault }) => SenderFault);
        for (const { Id, Code } of refused)
          give([batch[Number(Id)] ?? { body: '', place: '?' }], `SQS refused it: ${Code}`);
        reason = `SQS did not take it: ${Failed[0]?.Code ?? 'no answer for it'}`;
        const over = new Set(refused.map(({ Id }) => Number(Id)));
        open = open.filter((index) => !(done.has(index) || over.has(index)));
      } catch (error) {
        // The SDK has tried again what may be tried again.
        reason = `${(error as Error).name}: ${(error as Error).message}`;
        break;
      }
    }
    if (open.length > 0)
      give(
        open.flatMap((index) => batch[index] ?? []),
        reason,
      );
    onProgress?.({ ...counts });
  };

  const waiting = batches(requests);
  const worker = async (): Promise<void> => {
    // One generator, pulled by all: its calls queue up, so every batch goes to exactly one of them.
    for (let next = await waiting.next(); !next.done; next = await waiting.next()) {
      await sendBatch(next.value);
      if (signal?.aborted) return;
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, worker));
  return counts;
};
