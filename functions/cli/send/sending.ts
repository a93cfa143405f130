/** The two long parts of `send`: sending, and waiting until all is settled; each with its bar and what goes wrong. */
import { attempt } from '../../aws/failure.ts';
import { sleep } from '../../time/sleep.ts';
import { withoutCode } from '../rejection.ts';
import { createLogsClient, openSqs } from '../target.ts';
import { explain } from '../terminal/hints.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import type { SendOptions } from './command.ts';
import { createFaults } from './faults.ts';
import { createPace } from './pace.ts';
import { type Confirmed, type Journal, type Outgoing, type SendResult, sendRequests } from './requests.ts';
import { type Settled, waitUntilSettled } from './wait.ts';

export interface Sending {
  readonly queueUrl: string;
  readonly total: number;
  readonly progress: Progress;
  readonly journal: Journal | undefined;
  readonly signal: AbortSignal;
  readonly onConfirmed: ((confirmed: Confirmed) => void) | undefined;
}

export const sendAll = async (
  requests: AsyncIterable<Outgoing>,
  { queueUrl, total, progress, journal, signal, onConfirmed }: Sending,
  options: SendOptions,
): Promise<SendResult> => {
  const { sqs, close } = openSqs(options);
  const pace = createPace(total, () => performance.now());
  const faults = createFaults(progress.tell);
  try {
    return await sendRequests(requests, {
      sqs,
      queueUrl,
      signal,
      journal,
      onConfirmed,
      onProgress: ({ sent, failed }) => {
        const parts = [`${sent} of ${total} sent`, failed > 0 && `${failed} failed`, pace(sent + failed)];
        progress.update(sent + failed, parts.filter(Boolean).join(', '));
      },
      onFailure: faults.add,
    });
  } finally {
    faults.end();
    progress.end();
    close();
  }
};

export interface Waiting {
  readonly logGroup: string;
  readonly since: Date;
  /** By message id; what is left in the end is not settled. */
  readonly waiting: Map<string, Confirmed>;
  readonly signal: AbortSignal;
}

/** @returns by message id what became of each; a log that cannot be read is said, for what was sent is sent */
export const waitForAll = async (
  { logGroup, since, waiting, signal }: Waiting,
  options: SendOptions,
): Promise<ReadonlyMap<string, Settled>> => {
  const settled = new Map<string, Settled>();
  const total = waiting.size;
  const progress = await createProgress(total, options.json);
  const faults = createFaults(progress.tell);
  const client = await createLogsClient(options);
  try {
    const waited = await attempt(() =>
      waitUntilSettled({
        client,
        logGroup,
        waiting,
        since,
        now: Date.now,
        sleep,
        signal,
        onSettled: (each) => {
          settled.set(each.request.messageId, each);
          const { outcome, errorCode = '', errorMessage = '', request } = each;
          if (outcome === 'rejected')
            faults.add(request.place, `rejected, ${errorCode}: ${withoutCode(errorCode, errorMessage)}`);
        },
        onLook: (keptCount) => {
          const kept = keptCount > 0 ? `, ${keptCount} kept and delivered again later` : '';
          progress.update(settled.size, `${settled.size} of ${total} settled${kept}`);
        },
      }),
    );
    if (waited.kind === 'failed' && !signal.aborted) {
      progress.tell(`The log cannot be read: ${explain(waited, `logs:FilterLogEvents on ${logGroup}`)}`);
    }
  } catch (error) {
    // Ctrl-C ends a search in the middle; what is settled so far is told all the same.
    if (!signal.aborted) throw error;
  } finally {
    faults.end();
    progress.end();
    client.destroy();
  }
  return settled;
};
