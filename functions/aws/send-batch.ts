/** One batch on its way: each entry is tried again until SQS has confirmed it, has refused it, or the attempts are spent. */
import { SendMessageBatchCommand, type SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';
import type { SqsClient } from '../dead-letters/scan.ts';
import { isThrottling, retryWaitMs } from './call.ts';
import { awsFailure, isPassing } from './failure.ts';

export type SendEntry = Omit<SendMessageBatchRequestEntry, 'Id'>;

export interface SendBatchParts {
  readonly sqs: SqsClient;
  readonly queueUrl: string;
  readonly random: () => number;
  /** Ends early when the signal is given. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface SendBatchResult {
  /** For each entry why SQS has not confirmed it; `undefined` where it has. */
  readonly reasons: readonly (string | undefined)[];
  /** What would meet every other batch too, such as AccessDenied. */
  readonly stop?: string;
}

const ATTEMPTS = 5;
const FIRST_WAIT_MS = 200;

const UNSAID = 'SQS said nothing of it';

export const sendBatch = async (
  { sqs, queueUrl, random, sleep }: SendBatchParts,
  entries: readonly SendEntry[],
): Promise<SendBatchResult> => {
  const reasons: (string | undefined)[] = entries.map(() => UNSAID);
  let open = entries.map((_, index) => index);
  let stop: string | undefined;
  for (let attempt = 1; open.length > 0; attempt += 1) {
    const again = new Set<number>();
    const Entries = open.map((index) => ({ MessageBody: '', ...entries[index], Id: String(index) }));
    try {
      const answer = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
      const successful = new Set(answer.Successful?.map(({ Id }) => Number(Id)));
      const failed = new Map(answer.Failed?.map((entry) => [Number(entry.Id), entry]));
      for (const index of open) {
        const { Code = '', Message = '', SenderFault = false } = failed.get(index) ?? {};
        reasons[index] = successful.has(index) ? undefined : `${Code} ${Message}`.trim() || UNSAID;
        if (!successful.has(index) && (!SenderFault || isThrottling(Code))) again.add(index);
      }
      stop = undefined;
    } catch (error) {
      stop = awsFailure(error);
      for (const index of open) reasons[index] = stop;
      if (!isPassing(error)) break;
      for (const index of open) again.add(index);
    }
    if (attempt === ATTEMPTS) break;
    open = open.filter((index) => again.has(index));
    if (open.length > 0) await sleep(retryWaitMs(attempt, random(), FIRST_WAIT_MS));
  }
  return { reasons, ...(stop === undefined ? {} : { stop }) };
};
