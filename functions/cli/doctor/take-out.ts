/** Finds one message in a queue and deletes it; all others are given back at once. */
import { type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { openSqs, type TargetOptions } from '../target.ts';

/** Each look is a receive for every message that it meets, so there are few. */
const MAX_RECEIVES = 20;
/** Long enough to see a thousand letters once, short enough for whoever waits for one of them. */
const HOLD_SECONDS = 10;

const textOf = ({ Body = '', MessageId = '', MessageAttributes = {} }: Message): string =>
  [MessageId, Body, MessageAttributes['OriginalMessageId']?.StringValue ?? ''].join('\n');

/**
 * @param waitSeconds how long each receive waits for a message, 0 to 20
 * @param isOurs is given the message's id, body and `OriginalMessageId`
 * @returns whether it was found, and SQS confirmed that it is deleted
 */
export const takeOut = async (
  options: TargetOptions,
  queueUrl: string,
  isOurs: (text: string) => boolean,
  waitSeconds = 0,
): Promise<boolean> => {
  const { client, sqs, close } = openSqs(options);
  const held: string[] = [];
  const receive = async (): Promise<readonly Message[]> => {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: HOLD_SECONDS,
        WaitTimeSeconds: waitSeconds,
        MessageAttributeNames: ['OriginalMessageId'],
      }),
    );
    return Messages;
  };
  const giveBack = async (): Promise<void> => {
    for (let at = 0; at < held.length; at += 10) {
      const entries = held
        .slice(at, at + 10)
        .map((receiptHandle) => ({ queueUrl, receiptHandle, visibilitySeconds: 0 }));
      await sqs.changeVisibility(entries);
    }
  };
  try {
    for (let nth = 0; nth < MAX_RECEIVES; nth += 1) {
      const messages = await receive();
      if (messages.length === 0) return false;
      const found = messages.find((message) => isOurs(textOf(message)));
      for (const message of messages) if (message !== found) held.push(message.ReceiptHandle ?? '');
      if (found === undefined) continue;
      const [result] = await sqs.deleteMessages([{ queueUrl, receiptHandle: found.ReceiptHandle ?? '' }]);
      return result?.kind === 'confirmed';
    }
    return false;
  } finally {
    await giveBack();
    close();
  }
};
