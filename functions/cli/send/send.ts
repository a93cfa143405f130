/** `mysafe-enable send`: requests onto the queue; all are checked before the first is sent. */
import { parseIdentifier } from '../../requests/request.ts';
import { findTarget } from '../target.ts';
import { EXIT } from '../terminal/exit.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { note, say } from '../terminal/print.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { UsageError } from '../terminal/usage.ts';
import { createCheck, readFields } from './check.ts';
import { countAll, validOf } from './checking.ts';
import type { SendOptions } from './command.ts';
import { checkNew, openReceipts, type Receipts } from './receipts.ts';
import { type Format, openArguments, openFile, type RequestSource } from './request-source.ts';
import type { Confirmed, SendResult } from './requests.ts';
import { printHeldBack, printJson, printSent, type Told } from './result.ts';
import { sendAll, waitForAll } from './sending.ts';

const readFormat = (format: string | undefined): Format | undefined => {
  if (format === undefined || format === 'csv' || format === 'jsonl') return format;
  throw new UsageError('--format takes csv or jsonl');
};

/** Before anything is asked of AWS. @throws UsageError @returns the arguments as a source, where there are any */
const readArguments = (identifiers: readonly string[], { file }: SendOptions): RequestSource | undefined => {
  if (identifiers.length > 0 && file !== undefined) throw new UsageError('give identifiers or --file, not both');
  if (identifiers.length > 0) return openArguments(identifiers, (each) => parseIdentifier(each) !== undefined);
  if (file === undefined) throw new UsageError('give one identifier or more, or --file requests.csv, .jsonl or -');
  return undefined;
};

const NOTHING = { sent: 0, failed: 0, messages: [] };

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

const statusOf = (told: Told, isDryRun: boolean, signal: AbortSignal): number => {
  const { invalid, failed, settled, unsettled, stop } = told;
  const notTried = isDryRun ? 0 : told.notTried;
  if (signal.aborted && notTried + unsettled > 0) return EXIT.interrupted;
  const isRejected = [...(settled?.values() ?? [])].some(({ outcome }) => outcome === 'rejected');
  const isPart = invalid + failed + notTried + unsettled > 0;
  return isPart || isRejected || stop !== undefined ? EXIT.failed : EXIT.done;
};

export const runSend = async (identifiers: readonly string[], options: SendOptions): Promise<number> => {
  const now = Date.now();
  const { json = false, dryRun = false, skipInvalid = false, wait = false, resume } = options;
  const fields = readFields(options, now);
  const format = readFormat(options.format);
  const file = readReceiptsFile(options);
  let source = readArguments(identifiers, options);
  let progress: Progress | undefined;
  // From here on, so that Ctrl-C leaves nothing of standard input on the disk.
  const signal = stopOnInterrupt((text) => (progress?.tell ?? note)(text));
  const target = dryRun ? undefined : await findTarget(options, 'requests', ...(wait ? (['logGroup'] as const) : []));
  const { requests: queueUrl = '', logGroup = '' } = target ?? {};
  const counts = { valid: 0, invalid: 0, sentBefore: 0 };
  let receipts: Receipts | undefined;
  const tellOf = (result: Omit<SendResult, 'stop'>, stop?: string): Told => ({
    ...result,
    invalid: counts.invalid,
    sentBefore: counts.sentBefore,
    notTried: counts.valid - result.sent - result.failed,
    stop,
    unsettled: 0,
  });
  try {
    source ??= await openFile(options.file ?? '-', format, signal);
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
      const waiting = new Map<string, Confirmed>();
      const onConfirmed = wait ? (each: Confirmed) => waiting.set(each.messageId, each) : undefined;
      const sending = { queueUrl, total, progress, journal: receipts, signal, onConfirmed };
      const { stop, ...result } = await sendAll(validOf(source, check, receipts), sending, options);
      told = tellOf(result, stop);
      if (wait) {
        const settled = await waitForAll({ logGroup, since: new Date(now), waiting, signal }, options);
        told = { ...told, settled, unsettled: waiting.size };
      }
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
