/** `mysafe-enable send`: requests onto the queue; all are checked before the first is sent. */
import { parseIdentifier } from '../../requests/request.ts';
import { findTarget, openSqs } from '../target.ts';
import { EXIT } from '../terminal/exit.ts';
import { fixOf } from '../terminal/hints.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { note, paint, say, sayJson, wrap } from '../terminal/print.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { UsageError } from '../terminal/usage.ts';
import { createCheck, readFields } from './check.ts';
import { countAll, validOf } from './checking.ts';
import type { SendOptions } from './command.ts';
import { createFaults } from './faults.ts';
import { createPace } from './pace.ts';
import { type Format, openArguments, openFile, type RequestSource } from './request-source.ts';
import { type Outgoing, type SendResult, sendRequests } from './requests.ts';

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

const NOTHING: SendResult = { sent: 0, failed: 0 };

const sendAll = async (
  requests: AsyncIterable<Outgoing>,
  queueUrl: string,
  progress: Progress,
  total: number,
  signal: AbortSignal,
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

/** All requests there were: the four counts add up to them. */
interface Result {
  readonly sent: number;
  readonly invalid: number;
  /** Tried, and not confirmed by SQS. */
  readonly failed: number;
  readonly notTried: number;
}

const printSent = (result: Result, stop: string | undefined, tell: (text: string) => void): void => {
  const { sent, invalid, failed, notTried } = result;
  const parts = [
    paint('green', `${sent} sent and confirmed by SQS`),
    invalid > 0 && `${invalid} invalid`,
    failed > 0 && paint('red', `${failed} failed`),
    notTried > 0 && `${notTried} not tried after ${stop ?? 'the interruption'}`,
  ];
  tell(parts.filter(Boolean).join(', '));
  const fix = stop && fixOf(stop, 'sqs:SendMessage on requests');
  if (fix) tell(wrap(`What to fix: ${fix}.`));
};

/** By which Node.js says that its signal was aborted. */
const isInterruption = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

export const runSend = async (identifiers: readonly string[], options: SendOptions): Promise<number> => {
  const now = Date.now();
  const { json = false, dryRun = false, skipInvalid = false } = options;
  const tell = json ? note : say;
  const fields = readFields(options, now);
  let progress: Progress | undefined;
  // From here on, so that Ctrl-C leaves nothing of standard input on the disk.
  const signal = stopOnInterrupt((text) => (progress?.tell ?? note)(text));
  const queueUrl = dryRun ? '' : (await findTarget(options, 'requests')).requests;
  const counts = { valid: 0, invalid: 0 };
  let source: RequestSource | undefined;
  try {
    source = await openSource(identifiers, options, signal);
    for (const each of source.notes) note(each);
    const check = createCheck({ fields, groupId: options.groupId, isFifo: queueUrl.endsWith('.fifo'), now });
    progress = await createProgress(undefined, json);
    await countAll(source, check, counts, progress, signal);
    const { valid, invalid } = counts;
    if (valid + invalid === 0) throw new UsageError(`${source.label} holds no request`);
    const isHeldBack = dryRun || (invalid > 0 && !skipInvalid);
    if (!isHeldBack) progress = await createProgress(valid, json);
    const { sent, failed, stop } = isHeldBack
      ? NOTHING
      : await sendAll(validOf(source, check), queueUrl, progress, valid, signal, options);
    const result = { sent, invalid, failed, notTried: valid - sent - failed };
    if (!isHeldBack) printSent(result, stop, tell);
    else {
      tell(`${valid} valid, ${invalid} invalid: nothing was sent${dryRun ? ' (--dry-run)' : ''}`);
      if (!dryRun) tell('Fix what is invalid, or leave it out with --skip-invalid.');
    }
    if (json) sayJson(result);
    if (signal.aborted && result.notTried > 0) return EXIT.interrupted;
    return invalid + failed > 0 || (!dryRun && result.notTried > 0) ? EXIT.failed : EXIT.done;
  } catch (error) {
    if (!isInterruption(error)) throw error;
    tell('Interrupted before all was read: nothing was sent.');
    if (json) sayJson({ sent: 0, invalid: counts.invalid, failed: 0, notTried: counts.valid });
    return EXIT.interrupted;
  } finally {
    await source?.close();
  }
};
