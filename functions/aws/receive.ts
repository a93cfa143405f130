/** What a queue holds: `ReceiveMessage` with all attributes, and SQS's approximate count. */
import { GetQueueAttributesCommand, type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { attempt, type Failed } from './failure.ts';
import type { SqsClient } from './sqs.ts';

export interface Receive {
  readonly queueUrl: string;
  /** At most ten. */
  readonly count: number;
  readonly visibilitySeconds: number;
}

/** SQS asks only some of its servers for a short poll; a second of waiting asks them all, and then nothing is nothing. */
const WAIT_SECONDS = 1;

/**
 * Every receive asks for all attributes; what is not asked for is lost.
 * @throws what is no failure of AWS, such as a question that nobody answers
 */
export const receiveMessages = async (
  client: SqsClient,
  { queueUrl, count, visibilitySeconds }: Receive,
): Promise<{ readonly kind: 'received'; readonly messages: readonly Message[] } | Failed> => {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: count,
    WaitTimeSeconds: WAIT_SECONDS,
    VisibilityTimeout: visibilitySeconds,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
    // The older name of the same: some servers know only this one.
    AttributeNames: ['All'],
  });
  const read = await attempt(() => client.send(command));
  return read.kind === 'failed' ? read : { kind: 'received', messages: read.value.Messages ?? [] };
};

/**
 * Visible messages by SQS's approximate count.
 * @throws what is no failure of AWS
 */
export const countVisible = async (
  client: SqsClient,
  queueUrl: string,
): Promise<{ readonly kind: 'counted'; readonly count: number } | Failed> => {
  const command = new GetQueueAttributesCommand({
    QueueUrl: queueUrl,
    AttributeNames: ['ApproximateNumberOfMessages'],
  });
  const read = await attempt(() => client.send(command));
  if (read.kind === 'failed') return read;
  return { kind: 'counted', count: Number(read.value.Attributes?.['ApproximateNumberOfMessages'] ?? 0) };
};
