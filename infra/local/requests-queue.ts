/** The queue of requests, used by hand: what a sender sends, and what Lambda would deliver, a turn at a time. */
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { carryOut, type InvocationResult, receive, toRecord } from './event-source.ts';

export interface SendOptions {
  readonly attributes?: Readonly<Record<string, { DataType: string; StringValue?: string; BinaryValue?: Uint8Array }>>;
  readonly groupId?: string;
}

export interface InvokeOptions {
  readonly remainingMs?: number;
}

export interface RequestsQueueParts {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly invoke: (event: unknown, options?: InvokeOptions) => Promise<InvocationResult>;
}

export const createRequestsQueue = ({ client, queueUrl, queueArn, invoke }: RequestsQueueParts) => {
  const isFifo = queueUrl.endsWith('.fifo');

  const receiveRecords = async (max = 10): Promise<SQSRecord[]> => {
    const records: SQSRecord[] = [];
    while (records.length < max) {
      const more = await receive(client, queueUrl, max - records.length, 0);
      if (more.length === 0) break;
      records.push(...more.map((message) => toRecord(message, queueArn)));
    }
    return records;
  };

  return {
    receiveRecords,
    send: async (body: unknown, { attributes, groupId = 'group-1' }: SendOptions = {}): Promise<string> => {
      const { MessageId } = await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: typeof body === 'string' ? body : JSON.stringify(body),
          ...(attributes ? { MessageAttributes: { ...attributes } } : {}),
          ...(isFifo ? { MessageGroupId: groupId, MessageDeduplicationId: crypto.randomUUID() } : {}),
        }),
      );
      return MessageId ?? '';
    },
    /** One turn of the event source mapping: what is visible is received, given to the function, and deleted if done. */
    deliver: async ({ max, ...options }: InvokeOptions & { max?: number } = {}): ReturnType<typeof carryOut> =>
      carryOut(client, queueUrl, await receiveRecords(max), (event) => invoke(event, options)),
    /** Delivers until nothing visible is left. @returns how many receives that took, counted by message */
    pump: async (): Promise<number> => {
      for (let total = 0; ; ) {
        const records = await receiveRecords();
        if (records.length === 0) return total;
        await carryOut(client, queueUrl, records, invoke);
        total += records.length;
      }
    },
  };
};
