/** Sends requests in batches of ten, several under way, and says of each whether SQS confirmed it. */
import { explainFailed } from '../../aws/failure.ts';
import { MAX_MESSAGE_BYTES } from '../../aws/message.ts';
import { type EntryResult, MAX_BATCH_ENTRIES, type Sqs } from '../../aws/sqs.ts';

/** One request, with the place it came from (a line number, an argument). */
export interface Outgoing {
  readonly place: string;
  readonly identifier: number;
  readonly body: string;
  readonly groupId?: string | undefined;
  /** FIFO queues only: SQS takes one of the same id within five minutes. */
  readonly deduplicationId?: string | undefined;
}

/** A request that SQS has confirmed. */
export interface Confirmed {
  readonly place: string;
  readonly identifier: number;
  readonly messageId: string;
}

/** Told of each batch before it is sent, and of what became of it: see receipts.ts. */
export interface Journal {
  readonly begin: (batch: readonly Outgoing[]) => void;
  /** `messageIds` in the order of the batch, `undefined` for what was not confirmed. */
  readonly settle: (batch: readonly Outgoing[], messageIds: readonly (string | undefined)[]) => void;
}

export interface SendParts {
  readonly sqs: Pick<Sqs, 'sendMessages'>;
  readonly queueUrl: string;
  readonly signal?: AbortSignal;
  readonly journal?: Journal | undefined;
  readonly onConfirmed?: ((confirmed: Confirmed) => void) | undefined;
  readonly onProgress?: (counts: Pick<SendResult, 'sent' | 'failed'>) => void;
  /** A request that SQS finally did not take. */
  readonly onFailure?: (place: string, reason: string) => void;
}

export interface SendResult {
  /** Confirmed by SQS. */
  readonly sent: number;
  readonly failed: number;
  /** The first of those that were sent. */
  readonly messages: readonly Confirmed[];
  /** Why sending ended early, such as AccessDenied, or a receipt that could not be written. */
  readonly stop?: string;
}

const UNDER_WAY = 4;
/** Of at most this many the message ids are told; receipts have them all. */
export const MAX_MESSAGES = 100;

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

const reasonOf = (error: unknown): string =>
  error instanceof Error && error.name === 'Error' ? error.message : String(error);

/**
 * Takes `requests` no faster than SQS confirms them, so that a million lines need no more memory than forty. Never throws:
 * what ends it, be it a file that cannot be read or a receipt that cannot be written, is its `stop`.
 */
export const sendRequests = async (requests: AsyncIterable<Outgoing>, parts: SendParts): Promise<SendResult> => {
  const { sqs, queueUrl, signal, journal, onConfirmed, onProgress, onFailure } = parts;
  const counts = { sent: 0, failed: 0 };
  const messages: Confirmed[] = [];
  let stop: string | undefined;

  const count = ({ place, identifier }: Outgoing, result: EntryResult): string | undefined => {
    if (result.kind === 'failed') {
      const reason = explainFailed(result);
      if (result.scope === 'call') stop ??= reason;
      counts.failed += 1;
      onFailure?.(place, reason);
      return undefined;
    }
    const { messageId = '' } = result;
    counts.sent += 1;
    const confirmed = { place, identifier, messageId };
    if (messages.length < MAX_MESSAGES) messages.push(confirmed);
    onConfirmed?.(confirmed);
    return messageId;
  };
  const send = async (batch: readonly Outgoing[]): Promise<void> => {
    journal?.begin(batch);
    const results = await sqs.sendMessages(
      batch.map(({ body, groupId, deduplicationId }) => ({ queueUrl, body, attributes: {}, groupId, deduplicationId })),
    );
    const messageIds = batch.map((request, index) => {
      const result = results[index];
      return result && count(request, result);
    });
    journal?.settle(batch, messageIds);
    onProgress?.({ ...counts });
  };

  const waiting = batchesOf(requests);
  const work = async (): Promise<void> => {
    // One generator, pulled by all: its calls queue up, so every batch goes to exactly one of them.
    for (let next = await waiting.next(); !next.done; next = await waiting.next()) {
      // Taken, but neither sent nor counted: the caller says how far it came.
      if (signal?.aborted || stop !== undefined) return;
      await send(next.value);
    }
  };
  /** Whatever it meets, the others end after what they have under way, and what was sent is told all the same. */
  const worker = (): Promise<void> =>
    work().catch((error: unknown) => {
      if (!signal?.aborted) stop ??= reasonOf(error);
    });
  // In a FIFO queue one after the other, so that a group keeps the order it was given in.
  const workers = queueUrl.endsWith('.fifo') ? 1 : UNDER_WAY;
  await Promise.all(Array.from({ length: workers }, worker));
  return { ...counts, messages, ...(stop === undefined ? {} : { stop }) };
};
