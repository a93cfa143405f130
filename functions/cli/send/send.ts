/** `mysafe-enable send`: requests onto the queue; all are checked before the first is sent. */
import { createHash } from 'node:crypto';
import { MAX_MESSAGE_BYTES } from '../../aws/message.ts';
import { parseRequest, REQUESTER_FIELDS } from '../../requests/request.ts';
import { findTarget, openSqs } from '../target.ts';
import { fixOf } from '../terminal/hints.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { note, paint, plural, say, sayJson, wrap } from '../terminal/print.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { parseMoment, UsageError } from '../terminal/usage.ts';
import type { SendOptions } from './command.ts';
import { type Format, type Found, openArguments, openFile, type RequestSource } from './request-source.ts';
import { type Outgoing, type SendResult, sendRequests } from './requests.ts';

type Fields = Readonly<Record<string, string>>;

type Checked =
  | { readonly kind: 'request'; readonly outgoing: Outgoing }
  | { readonly kind: 'invalid'; readonly reason: string };

const readFormat = (format: string | undefined): Format | undefined => {
  if (format === undefined || format === 'csv' || format === 'jsonl') return format;
  throw new UsageError('--format takes csv or jsonl');
};

/** What the options say of every request that does not say it itself. */
const readFields = (options: SendOptions, now: number): Fields => {
  const notAfter = options.notAfter && parseMoment('--not-after', options.notAfter, now, 1);
  const fields = {
    ...Object.fromEntries(REQUESTER_FIELDS.flatMap((name) => (options[name] ? [[name, options[name]]] : []))),
    ...(notAfter ? { notAfter: notAfter.toISOString() } : {}),
  };
  const parsed = parseRequest(JSON.stringify({ identifier: 1, ...fields }));
  if (parsed.kind === 'invalid') throw new UsageError(parsed.reason);
  if (notAfter && notAfter.getTime() <= now) throw new UsageError('--not-after is over already');
  return fields;
};

const openSource = (
  identifiers: readonly string[],
  { file, format }: SendOptions,
  signal: AbortSignal,
): Promise<RequestSource> => {
  const known = readFormat(format);
  if (identifiers.length > 0 && file !== undefined) throw new UsageError('give identifiers or --file, not both');
  if (identifiers.length > 0) return Promise.resolve(openArguments(identifiers));
  if (file === undefined) throw new UsageError('give one identifier or more, or --file requests.csv, .jsonl or -');
  return openFile(file, known, signal);
};

const asObject = (json: string): Readonly<Record<string, unknown>> => {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null && 'identifier' in value ? { ...value } : {};
};

/** The very checks of the function, and that the request is not over before it is sent. */
const createCheck = (fields: Fields, groupId: string | undefined, isFifo: boolean, now: number) => {
  const invalid = (reason: string): Checked => ({ kind: 'invalid', reason });
  return ({ place, json = '', fault }: Found): Checked => {
    if (fault !== undefined) return invalid(fault);
    const parsed = parseRequest(json);
    if (parsed.kind === 'invalid') return invalid(parsed.reason);
    const { identifier, notAfter, ...own } = parsed.request;
    if (notAfter && notAfter.getTime() <= now) return invalid('notAfter is over already');
    // Fields that mean nothing to us are the sender's own: they stay.
    const { identifier: _, ...asWritten } = asObject(json);
    const ends = notAfter ? { notAfter: notAfter.toISOString() } : {};
    const body = JSON.stringify({ identifier, ...fields, ...own, ...ends, ...asWritten });
    if (Buffer.byteLength(body) > MAX_MESSAGE_BYTES) return invalid('it is larger than the 1 MiB that SQS takes');
    const requestId = own.requestId ?? fields['requestId'];
    return {
      kind: 'request',
      outgoing: {
        place,
        body,
        groupId: groupId ?? (isFifo ? String(identifier) : undefined),
        // The very same body with a request id, sent again within five minutes, is taken once (a relative --not-after makes
        // another of it); two requests without an id are two.
        deduplicationId: isFifo
          ? requestId
            ? createHash('sha256').update(body).digest('hex')
            : crypto.randomUUID()
          : undefined,
      },
    };
  };
};

const countAll = async (
  source: RequestSource,
  check: (found: Found) => Checked,
  signal: AbortSignal,
): Promise<{ valid: number; invalid: number }> => {
  const counts = { valid: 0, invalid: 0 };
  for await (const found of source.read()) {
    signal.throwIfAborted();
    const checked = check(found);
    if (checked.kind === 'request') counts.valid += 1;
    else {
      counts.invalid += 1;
      note(`${paint('red', '✗', process.stderr)} ${found.place}: ${checked.reason}`);
    }
  }
  return counts;
};

async function* validOf(source: RequestSource, check: (found: Found) => Checked): AsyncGenerator<Outgoing> {
  for await (const found of source.read()) {
    const checked = check(found);
    if (checked.kind === 'request') yield checked.outgoing;
  }
}

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
  try {
    return await sendRequests(requests, {
      sqs,
      queueUrl,
      signal,
      onProgress: ({ sent, failed }) =>
        progress.update(sent + failed, `${sent} of ${total} sent${failed > 0 ? `, ${failed} failed` : ''}`),
      onFailure: (place, reason) => progress.tell(`${paint('red', '✗', process.stderr)} ${place}: ${reason}`),
    });
  } finally {
    progress.end();
    close();
  }
};

const printSent = (result: SendResult, invalid: number, failed: number, tell: (text: string) => void): void => {
  const parts = [
    paint('green', `${result.sent} sent and confirmed by SQS`),
    invalid > 0 && `${invalid} invalid`,
    failed > 0 && paint('red', `${failed} failed`),
  ];
  tell(parts.filter(Boolean).join(', '));
  const untried = failed - result.failed;
  if (untried > 0) tell(`${untried} of them were not tried after ${result.stop ?? 'the interruption'}`);
  const fix = result.stop && fixOf(result.stop, 'sqs:SendMessage on requests');
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
  let source: RequestSource | undefined;
  try {
    source = await openSource(identifiers, options, signal);
    const { leftOut } = source;
    if (leftOut.length > 0) note(`${plural(leftOut.length, 'column')} not sent: ${leftOut.join(', ')}`);
    const check = createCheck(fields, options.groupId, queueUrl.endsWith('.fifo'), now);
    const { valid, invalid } = await countAll(source, check, signal);
    if (valid + invalid === 0) throw new UsageError(`--file ${options.file} holds no request`);
    const isHeldBack = dryRun || (invalid > 0 && !skipInvalid);
    let result = NOTHING;
    if (!isHeldBack) {
      progress = await createProgress(valid, json);
      result = await sendAll(validOf(source, check), queueUrl, progress, valid, signal, options);
    }
    // Whatever is valid and was not confirmed has failed, tried or not: the three counts are all there was.
    const failed = isHeldBack ? 0 : valid - result.sent;
    if (!isHeldBack) printSent(result, invalid, failed, tell);
    else {
      tell(`${valid} valid, ${invalid} invalid: nothing was sent${dryRun ? ' (--dry-run)' : ''}`);
      if (!dryRun) tell('Mend what is invalid, or leave it out with --skip-invalid.');
    }
    if (json) sayJson({ sent: result.sent, invalid, failed });
    return invalid + failed > 0 ? 1 : 0;
  } catch (error) {
    if (!isInterruption(error)) throw error;
    tell('Interrupted before all was read: nothing was sent.');
    if (json) sayJson({ sent: 0, invalid: 0, failed: 0 });
    return 1;
  } finally {
    await source?.close();
  }
};
