/**
 * Lambda's event source mapping for SQS, over the real SQS API: long poll, batching window, concurrency, and Lambda's
 * rules for the answer (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS", read 2026-11).
 */
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';

/** What an invocation came to: an answer, or a function error. */
export interface InvocationResult {
  readonly functionError?: string | undefined;
  readonly payload?: unknown;
  readonly durationMs: number;
}

export interface EventSourceOptions {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly invoke: (event: SQSEvent) => Promise<InvocationResult>;
  readonly batchSize?: number;
  readonly windowSeconds?: number;
  readonly maximumConcurrency?: number;
  readonly pollSeconds?: number;
  readonly onBatch?: (batch: { readonly records: readonly SQSRecord[]; readonly kept: readonly string[] }) => void;
}

export const toRecord = (message: Message, queueArn: string): SQSRecord => ({
  messageId: message.MessageId ?? '',
  receiptHandle: message.ReceiptHandle ?? '',
  body: message.Body ?? '',
  attributes: (message.Attributes ?? {}) as SQSRecord['attributes'],
  messageAttributes: Object.fromEntries(
    Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
      name,
      {
        dataType: value.DataType ?? 'String',
        ...(value.StringValue === undefined ? {} : { stringValue: value.StringValue }),
        ...(value.BinaryValue === undefined ? {} : { binaryValue: Buffer.from(value.BinaryValue).toString('base64') }),
        stringListValues: [] as never[],
        binaryListValues: [] as never[],
      },
    ]),
  ),
  md5OfBody: message.MD5OfBody ?? '',
  eventSource: 'aws:sqs',
  eventSourceARN: queueArn,
  awsRegion: 'us-east-1',
});

/** Ids that go back to the queue: all of them for a function error or an answer that Lambda does not understand. */
export const keptIds = (result: InvocationResult, ids: readonly string[]): readonly string[] => {
  const { functionError, payload = null } = result;
  if (functionError || (payload !== null && typeof payload !== 'object') || Array.isArray(payload)) return ids;
  const failures = (payload as { batchItemFailures?: unknown } | null)?.batchItemFailures ?? [];
  if (!Array.isArray(failures)) return ids;
  const kept = failures.map((failure: { itemIdentifier?: unknown } | null) => failure?.itemIdentifier);
  return kept.every((id) => typeof id === 'string' && ids.includes(id)) ? (kept as string[]) : ids;
};

export const receive = async (
  sqs: SQSClient,
  queueUrl: string,
  max: number,
  waitSeconds: number,
  abortSignal?: AbortSignal,
): Promise<Message[]> => {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: Math.min(10, max),
    WaitTimeSeconds: waitSeconds,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
  });
  return (await sqs.send(command, abortSignal ? { abortSignal } : {})).Messages ?? [];
};

const deleteAll = async (sqs: SQSClient, queueUrl: string, records: readonly SQSRecord[]): Promise<void> => {
  for (let from = 0; from < records.length; from += 10) {
    const Entries = records
      .slice(from, from + 10)
      .map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
};

/** One batch through the function, by Lambda's rules: what it does not keep is deleted. */
export const carryOut = async (
  sqs: SQSClient,
  queueUrl: string,
  records: readonly SQSRecord[],
  invoke: (event: SQSEvent) => Promise<InvocationResult>,
) => {
  const result = await invoke({ Records: [...records] });
  const kept = keptIds(
    result,
    records.map(({ messageId }) => messageId),
  );
  await deleteAll(
    sqs,
    queueUrl,
    records.filter(({ messageId }) => !kept.includes(messageId)),
  );
  return { records, kept, result };
};

export const startEventSource = (options: EventSourceOptions) => {
  const { sqs, queueUrl, queueArn, invoke, onBatch } = options;
  const { batchSize = 10, windowSeconds = 0, maximumConcurrency = 2, pollSeconds = 1 } = options;
  const stop = new AbortController();

  const gather = async (): Promise<Message[]> => {
    const batch = await receive(sqs, queueUrl, batchSize, pollSeconds, stop.signal);
    const until = Date.now() + windowSeconds * 1000;
    while (batch.length > 0 && batch.length < batchSize) {
      const more = await receive(sqs, queueUrl, batchSize - batch.length, 0, stop.signal);
      batch.push(...more);
      if (more.length === 0 && Date.now() >= until) break;
      if (more.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return batch;
  };

  const poll = async (): Promise<void> => {
    const batch = await gather();
    if (batch.length === 0) return;
    const records = batch.map((message) => toRecord(message, queueArn));
    const { kept } = await carryOut(sqs, queueUrl, records, invoke);
    onBatch?.({ records, kept });
  };

  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await poll();
      } catch (error) {
        // Lambda's poller goes on whatever SQS says; only our own stop ends it.
        if (!stop.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 100));
        if (!stop.signal.aborted && !(error as { $metadata?: unknown }).$metadata) throw error;
      }
    }
  };

  const loops = Array.from({ length: maximumConcurrency }, loop);
  return {
    stop: async (): Promise<void> => {
      stop.abort();
      await Promise.all(loops);
    },
  };
};
