/** Sends requests in batches of ten, several under way, and says of each whether SQS confirmed it. */
import { explainFailed } from '../../aws/failure.ts';
import { MAX_MESSAGE_BYTES } from '../../aws/message.ts';
import { MAX_BATCH_ENTRIES, type Sqs } from '../../aws/sqs.ts';

/** One request, with the place it came from (a line number, an argument). */
export interface Outgoing {
  readonly place: string;
  readonly identifier: number;
  readonly body: string;
  readonly groupId?: string | undefined;
  /** FIFO queues only: SQS takes one of the same id within five minutes. */
  readonly deduplicationId?: string | undefined;
}

export interface SendParts {
  readonly sqs: Pick<Sqs, 'sendMessages'>;
  readonly queueUrl: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (result: SendResult) => void;
  /** A request that SQS finally did not take. */
  readonly onFailure?: (place: string, reason: string) => void;
}

export interface SendResult {
  /** Confirmed by SQS. */
  readonly sent: number;
  readonly failed: number;
  /** Why sending ended before all was read, such as AccessDenied. */
  readonly stop?: string;
}

const UNDER_WAY = 4;

/** Gathers what comes, however much it is, into batches that SQS takes. */
export async function* batchesOf(requests: AsyncIterable<Outgoing>): AsyncGenerator<readonly Outgoing[]> {
  let batch: Outgoing[] = [];
  let bytes = 0;
  for await (const request of requests) {
    const size = Buffer.byteLength(request.body);
    if (batch.length === MAX_BATCH_ENTRIES || (batch.length > 0 && bytes + size > MAX_MESSAGE_BYTES)) {
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
  const { sqs, queueUrl, signal, onProgress, onFailure } = parts;
  const counts = { sent: 0, failed: 0 };
  let stop: string | undefined;

  const send = async (batch: readonly Outgoing[]): Promise<void> => {
    const results = await sqs.sendMessages(
      batch.map(({ body, groupId, deduplicationId }) => ({ queueUrl, body, attributes: {}, groupId, deduplicationId })),
    );
    for (const [index, result] of results.entries()) {
      if (result.kind === 'confirmed') counts.sent += 1;
      else {
        const reason = explainFailed(result);
        if (result.scope === 'call') stop ??= reason;
        counts.failed += 1;
        onFailure?.(batch[index]?.place ?? '', reason);
      }
    }
    onProgress?.({ ...counts });
  };

  const waiting = batchesOf(requests);
  const worker = async (): Promise<void> => {
    // One generator, pulled by all: its calls queue up, so every batch goes to exactly one of them.
    for (let next = await waiting.next(); !next.done; next = await waiting.next()) {
      // Taken, but neither sent nor counted: the caller says how far it came.
      if (signal?.aborted || stop !== undefined) return;
      await send(next.value);
    }
  };
  // In a FIFO queue one after the other, so that a group keeps the order it was given in.
  const workers = queueUrl.endsWith('.fifo') ? 1 : UNDER_WAY;
  await Promise.all(Array.from({ length: workers }, worker));
  return { ...counts, ...(stop === undefined ? {} : { stop }) };
};
