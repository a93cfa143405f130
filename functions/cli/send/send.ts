/** `mysafe-enable send`: requests onto the queue; all are checked before the first is sent. */
import { parseIdentifier } from '../../requests/request.ts';
import { findTarget, openSqs } from '../target.ts';
import { EXIT } from '../terminal/exit.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { note, say } from '../terminal/print.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { UsageError } from '../terminal/usage.ts';
import { createCheck, readFields } from './check.ts';
import { countAll, validOf } from './checking.ts';
import type { SendOptions } from './command.ts';
import { createFaults } from './faults.ts';
import { createPace } from './pace.ts';
import { checkNew, openReceipts, type Receipts } from './receipts.ts';
import { type Format, openArguments, openFile, type RequestSource } from './request-source.ts';
import { type Journal, type Outgoing, type SendResult, sendRequests } from './requests.ts';
import { printHeldBack, printJson, printSent, type Told } from './result.ts';

const readFormat = (format: string | undefined): Format | undefined => {
  if (format === undefined || format === 'csv' || format === 'jsonl') return format;
  throw new UsageError('--format takes csv or jsonl');
};

const openSource = async (
  identifiers: readonly string[],
  { file, format }: SendOptions,
  signal: AbortSignal,
): Promise<RequestSource> => {
  const known = readFormat(format);
  if (identifiers.length > 0 && file !== undefined) throw new UsageError('give identifiers or --file, not both');
  if (identifiers.length > 0) return openArguments(identifiers, (each) => parseIdentifier(each) !== undefined);
  if (file === undefined) throw new UsageError('give one identifier or more, or --file requests.csv, .jsonl or -');
  return openFile(file, known, signal);
};

const NOTHING = { sent: 0, failed: 0, messages: [] };

interface Sending {
  readonly queueUrl: string;
  readonly total: number;
  readonly progress: Progress;
  readonly journal: Journal | undefined;
  readonly signal: AbortSignal;
}

const sendAll = async (
  requests: AsyncIterable<Outgoing>,
  { queueUrl, total, progress, journal, signal }: Sending,
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

/** `--resume` goes on in its file; `--receipts` makes a new one, once it is known that something is sent. */
const readReceiptsFile = ({ receipts, resume }: SendOptions): string | undefined => {
  if (receipts !== undefined && resume !== undefined && receipts !== resume) {
    throw new UsageError('--resume goes on in the file that it reads: leave --receipts out');
  }
  if (resume === undefined && receipts !== undefined) checkNew(receipts);
  return resume ?? receipts;
};

/** By which Node.js says that its signal was aborted. */
const isInterruption = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

const statusOf = ({ invalid, failed, notTried }: Told, isDryRun: boolean, signal: AbortSignal): number => {
  if (signal.aborted && notTried > 0 && !isDryRun) return EXIT.interrupted;
  return invalid + failed > 0 || (!isDryRun && notTried > 0) ? EXIT.failed : EXIT.done;
};

export const runSend = async (identifiers: readonly string[], options: SendOptions): Promise<number> => {
  const now = Date.now();
  const { json = false, dryRun = false, skipInvalid = false, resume } = options;
  const fields = readFields(options, now);
  const file = readReceiptsFile(options);
  let progress: Progress | undefined;
  // From here on, so that Ctrl-C leaves nothing of standard input on the disk.
  const signal = stopOnInterrupt((text) => (progress?.tell ?? note)(text));
  const queueUrl = dryRun ? '' : (await findTarget(options, 'requests')).requests;
  const counts = { valid: 0, invalid: 0, sentBefore: 0 };
  let source: RequestSource | undefined;
  let receipts: Receipts | undefined;
  const tellOf = (result: Omit<SendResult, 'stop'>, stop?: string): Told => ({
    ...result,
    invalid: counts.invalid,
    sentBefore: counts.sentBefore,
    notTried: counts.valid - result.sent - result.failed,
    stop,
  });
  try {
    source = await openSource(identifiers, options, signal);
    for (const each of source.notes) note(each);
    if (resume !== undefined) receipts = openReceipts(resume, true);
    const check = createCheck({ fields, groupId: options.groupId, isFifo: queueUrl.endsWith('.fifo'), now });
    progress = await createProgress(undefined, json);
    await countAll(source, check, counts, receipts, progress, signal);
    const { valid: total, invalid, sentBefore } = counts;
    if (total + invalid + sentBefore === 0) throw new UsageError(`${source.label} holds no request`);
    let told = tellOf(NOTHING);
    if (dryRun || (invalid > 0 && !skipInvalid)) printHeldBack(told, dryRun, json);
    else {
      if (file !== undefined) receipts ??= openReceipts(file, false);
      progress = await createProgress(total, json);
      const sending = { queueUrl, total, progress, journal: receipts, signal };
      const { stop, ...result } = await sendAll(validOf(source, check, receipts), sending, options);
      told = tellOf(result, stop);
      printSent(told, file, json);
    }
    if (json) printJson(told);
    return statusOf(told, dryRun, signal);
  } catch (error) {
    if (!isInterruption(error)) throw error;
    (json ? note : say)('Interrupted before all was read: nothing was sent.');
    if (json) printJson(tellOf(NOTHING));
    return EXIT.interrupted;
  } finally {
    receipts?.close();
    await source?.close();
  }
};
