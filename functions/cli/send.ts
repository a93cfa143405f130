/** `mysafe-enable send`: requests onto the queue, each checked before anything is sent. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { parseIdentifier, parseRequest, REQUESTER_FIELDS } from '../queues/request.ts';
import { type Outgoing, sendRequests } from '../queues/send.ts';
import { note, paint, say, sayJson } from './print.ts';
import { createProgress } from './progress.ts';
import { createSqsClient, findTarget, type TargetOptions } from './target.ts';
import { parseMoment, UsageError } from './usage.ts';

export interface SendOptions extends TargetOptions {
  readonly file?: string;
  readonly format?: 'csv' | 'jsonl';
  readonly requestedBy?: string;
  readonly reason?: string;
  readonly requestId?: string;
  readonly source?: string;
  readonly notAfter?: string;
  readonly groupId?: string;
  readonly dryRun?: boolean;
}

/** One request as it was found, before it is checked. */
interface Found {
  readonly place: string;
  readonly value: unknown;
}

const MAX_TOLD = 20;
const SLEEP = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function* fromArguments(identifiers: readonly string[]): AsyncGenerator<Found> {
  for (const identifier of identifiers) yield { place: `argument ${identifier}`, value: { identifier } };
}

async function* fromLines(input: Readable): AsyncGenerator<Found> {
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() === '') continue;
    let value: unknown = text;
    try {
      value = JSON.parse(text);
    } catch {
      // Reported with its number like any other line that is no request.
    }
    yield { place: `line ${line}`, value };
  }
}

const CSV_COLUMNS = ['identifier', ...REQUESTER_FIELDS, 'notAfter'];

/** With a header row that names `identifier`, or a single column without one. */
async function* fromCsv(input: Readable): AsyncGenerator<Found> {
  const parser = input.pipe(
    parse({ bom: true, trim: true, skip_empty_lines: true, relax_column_count: true, info: true }),
  );
  let header: readonly string[] | undefined;
  for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    const place = `line ${info.lines}`;
    if (header === undefined) {
      if (record.includes('identifier')) {
        header = record;
        const unknown = record.filter((name) => !CSV_COLUMNS.includes(name));
        if (unknown.length > 0) note(`columns that mean nothing to us are left out: ${unknown.join(', ')}`);
        continue;
      }
      header = ['identifier'];
    }
    const filled = header
      .map((name, index) => [name, record[index] ?? ''] as const)
      .filter(([name, value]) => value !== '' && CSV_COLUMNS.includes(name));
    yield { place, value: Object.fromEntries(filled) };
  }
}

const openFile = async (file: string): Promise<Readable> => {
  if (file === '-') return process.stdin;
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new UsageError(`--file ${file}: there is no such file`);
  return createReadStream(file);
};

const findRequests = async (
  identifiers: readonly string[],
  { file, format }: SendOptions,
): Promise<AsyncGenerator<Found>> => {
  if (identifiers.length > 0 && file !== undefined) throw new UsageError('give identifiers or --file, not both');
  if (file === undefined) {
    if (identifiers.length === 0)
      throw new UsageError('give one identifier or more, or --file requests.csv, .jsonl or -');
    return fromArguments(identifiers);
  }
  const input = await openFile(file);
  const isCsv = format === 'csv' || (format === undefined && file.toLowerCase().endsWith('.csv'));
  return isCsv ? fromCsv(input) : fromLines(input);
};

export const runSend = async (identifiers: readonly string[], options: SendOptions): Promise<number> => {
  const found = await findRequests(identifiers, options);
  const { json = false, dryRun = false } = options;
  const notAfter = options.notAfter && parseMoment('--not-after', options.notAfter, Date.now(), 1).toISOString();
  const common = Object.fromEntries(
    [...REQUESTER_FIELDS.map((name) => [name, options[name]] as const), ['notAfter', notAfter] as const].filter(
      ([, value]) => value,
    ),
  );
  const target = dryRun ? { requests: '' } : await findTarget(options, 'requests');
  let invalid = 0;
  let valid = 0;
  let told = 0;
  const tell = (place: string, reason: string): void => {
    told += 1;
    if (told <= MAX_TOLD) note(`${paint('red', '✗', process.stderr)} ${place}: ${reason}`);
    if (told === MAX_TOLD + 1) note('… and more; all are counted');
  };

  async function* check(): AsyncGenerator<Outgoing> {
    for await (const { place, value } of found) {
      const own = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { identifier: value };
      // Strings stay strings here: what is checked is what is sent.
      const body = JSON.stringify({ ...common, ...own });
      const parsed = parseRequest(body);
      if (parsed.kind === 'invalid') {
        invalid += 1;
        tell(place, parsed.reason);
        continue;
      }
      valid += 1;
      const identifier = parseIdentifier((own as { identifier: unknown }).identifier);
      yield { place, body, groupId: options.groupId ?? String(identifier) };
    }
  }

  const requests = await allValidFirst(check, identifiers.length > 0, () => invalid);
  if (dryRun) {
    for await (const _ of requests) {
      // Only counted.
    }
    if (json) sayJson({ sent: 0, invalid, failed: 0, valid });
    else say(`${valid} valid, ${invalid} invalid; nothing was sent (--dry-run)`);
    return invalid > 0 ? 1 : 0;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const progress = createProgress(identifiers.length > 0 ? identifiers.length : undefined, json);
  const sqs = createSqsClient(options);
  const result = await sendRequests(requests, {
    sqs,
    queueUrl: target.requests,
    sleep: SLEEP,
    createId: () => crypto.randomUUID(),
    signal: stop.signal,
    onProgress: ({ sent, failed }) =>
      progress.update(sent + failed, `${sent} sent${failed ? `, ${failed} failed` : ''}`),
    onFailure: tell,
  });
  progress.end();
  sqs.destroy();
  if (json) sayJson({ sent: result.sent, invalid, failed: result.failed });
  else {
    const parts = [
      `${result.sent} sent and confirmed by SQS`,
      invalid && `${invalid} invalid`,
      result.failed && `${result.failed} failed`,
    ];
    say(parts.filter(Boolean).join(', '));
    if (stop.signal.aborted) say('Interrupted: what was not read was not sent.');
  }
  return invalid + result.failed > 0 || stop.signal.aborted ? 1 : 0;
};

/** Arguments are few: all are checked before any is sent. A file is checked line by line, as it may be endless. */
const allValidFirst = async (
  check: () => AsyncGenerator<Outgoing>,
  isFew: boolean,
  invalid: () => number,
): Promise<AsyncIterable<Outgoing>> => {
  if (!isFew) return check();
  const all: Outgoing[] = [];
  for await (const request of check()) all.push(request);
  const checked = invalid() > 0 ? [] : all;
  return (async function* () {
    yield* checked;
  })();
};
