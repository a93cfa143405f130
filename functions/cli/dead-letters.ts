/** `mysafe-enable dead-letters list | replay | discard`. */
import { open } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { type ReplayOptions, replay } from '../queues/replay.ts';
import { createScan, type Letter } from '../queues/scan.ts';
import { codeOf, isSelected, NO_CODE, type Selection } from '../queues/select.ts';
import { note, paint, say, sayJson, table } from './print.ts';
import { createProgress } from './progress.ts';
import { createSqsClient, findTarget, type TargetOptions } from './target.ts';
import { parseCount, parseMoment, UsageError } from './usage.ts';

export interface SelectOptions extends TargetOptions {
  readonly queue?: string;
  readonly code?: readonly string[];
  readonly identifier?: string;
  readonly before?: string;
  readonly after?: string;
  readonly limit?: string;
}

const SCAN_SECONDS = 120;
const MAX_TOLD = 20;
const DEFAULT_MAX_AGE_SECONDS = 345_600;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const QUEUES = ['rejected', 'exhausted'] as const;
type QueueName = (typeof QUEUES)[number];

const readQueueName = (queue = 'rejected'): QueueName => {
  const found = QUEUES.find((name) => name === queue);
  if (!found) throw new UsageError(`--queue takes ${QUEUES.join(' or ')}`);
  return found;
};

const readSelection = ({ code = [], identifier, before, after }: SelectOptions): Selection => ({
  codes: code.flatMap((each) => each.split(',')).filter(Boolean),
  ...(identifier === undefined ? {} : { identifier: parseCount('--identifier', identifier) }),
  ...(before === undefined ? {} : { before: parseMoment('--before', before, Date.now(), -1) }),
  ...(after === undefined ? {} : { after: parseMoment('--after', after, Date.now(), -1) }),
});

/** What a person should know of single letters; the rest is counted. */
const createTeller = () => {
  let told = 0;
  return (letter: Letter, notice: string): void => {
    told += 1;
    if (told <= MAX_TOLD) note(`${paint('yellow', '!', process.stderr)} ${letter.messageId}: ${notice}`);
    if (told === MAX_TOLD + 1) note('… and more; all are counted');
  };
};

/** Ctrl-C ends after the batch under way, so that everything held is given back. */
const stopOnInterrupt = (): AbortSignal => {
  const stop = new AbortController();
  process.once('SIGINT', () => {
    note('\nStopping after the batch under way …');
    stop.abort();
  });
  return stop.signal;
};

const age = (ms: number): string => {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
};

interface Summary {
  readonly queue: QueueName;
  total: number;
  readonly byCode: Record<string, number>;
  readonly oldest: Record<string, number>;
  readonly newest: Record<string, number>;
}

const summarise = async (
  sqs: SQSClient,
  queue: QueueName,
  queueUrl: string,
  selection: Selection,
  signal: AbortSignal,
  isQuiet: boolean,
): Promise<Summary> => {
  const summary: Summary = { queue, total: 0, byCode: {}, oldest: {}, newest: {} };
  const scan = createScan(sqs, queueUrl, { visibilitySeconds: SCAN_SECONDS, signal });
  const progress = createProgress(undefined, isQuiet);
  try {
    for await (const letters of scan.letters()) {
      for (const letter of letters) {
        if (!isSelected(letter, selection)) continue;
        const code = codeOf(letter);
        const at = letter.at.getTime();
        summary.total += 1;
        summary.byCode[code] = (summary.byCode[code] ?? 0) + 1;
        summary.oldest[code] = Math.min(summary.oldest[code] ?? at, at);
        summary.newest[code] = Math.max(summary.newest[code] ?? at, at);
      }
      progress.update(summary.total, `${queue}: ${summary.total} read`);
    }
  } finally {
    progress.end();
    await scan.release();
  }
  return summary;
};

const HISTOGRAM_WIDTH = 20;

const printSummary = ({ queue, total, byCode, oldest, newest }: Summary): void => {
  say(`${paint('bold', queue)}  ${total === 0 ? 'empty' : `${total} dead letter${total === 1 ? '' : 's'}`}`);
  if (total === 0) return;
  const most = Math.max(...Object.values(byCode));
  const rows = Object.entries(byCode)
    .toSorted(([, a], [, b]) => b - a)
    .map(([code, count]) => [
      code === NO_CODE ? `${NO_CODE} (moved by SQS)` : code,
      String(count),
      '█'.repeat(Math.max(1, Math.round((count / most) * HISTOGRAM_WIDTH))),
      age(Date.now() - (oldest[code] ?? 0)),
      age(Date.now() - (newest[code] ?? 0)),
    ]);
  say(`${table(['code', 'count', '', 'oldest', 'newest'], rows)}\n`);
};

export const runList = async (options: SelectOptions): Promise<number> => {
  const selection = readSelection(options);
  const names = options.queue === undefined ? QUEUES : [readQueueName(options.queue)];
  const target = await findTarget(options, ...(options.queue === undefined ? [] : names));
  const there = names.filter((name) => target[name] !== undefined);
  if (there.length === 0) await findTarget(options, ...names);
  const sqs = createSqsClient(options);
  const signal = stopOnInterrupt();
  const summaries: Summary[] = [];
  for (const name of there) {
    summaries.push(await summarise(sqs, name, target[name] ?? '', selection, signal, options.json === true));
  }
  sqs.destroy();
  if (options.json) sayJson({ queues: summaries.map(({ queue, total, byCode }) => ({ queue, total, byCode })) });
  else for (const summary of summaries) printSummary(summary);
  return signal.aborted ? 1 : 0;
};

export interface ReplayCommandOptions extends SelectOptions {
  readonly rate?: string;
  readonly dryRun?: boolean;
  readonly renew?: boolean;
  readonly reason?: string;
  readonly replayedBy?: string;
  readonly maxAgeSeconds?: string;
}

const whoReplays = (given: string | undefined): string => given ?? `${userInfo().username}@${hostname()}`;

export const runReplay = async (options: ReplayCommandOptions): Promise<number> => {
  const queue = readQueueName(options.queue);
  const { rate, limit, reason, dryRun = false, renew = false } = options;
  if (renew && !reason)
    throw new UsageError('--renew wants --reason "…": it is recorded with each request that is renewed');
  const maxAge = options.maxAgeSeconds ?? process.env['MAX_REQUEST_AGE_SECONDS'];
  const replayOptions: ReplayOptions = {
    ...readSelection(options),
    ...(limit === undefined ? {} : { limit: parseCount('--limit', limit) }),
    ...(rate === undefined ? {} : { rate: parseCount('--rate', rate, { least: 0.01, isWhole: false }) }),
    ...(reason === undefined ? {} : { reason }),
    dryRun,
    renew,
    replayedBy: whoReplays(options.replayedBy),
    maxRequestAgeSeconds:
      maxAge === undefined ? DEFAULT_MAX_AGE_SECONDS : parseCount('--max-age-seconds', maxAge, { least: 0 }),
  };
  const target = await findTarget(options, 'requests', queue);
  const sqs = createSqsClient(options);
  const signal = stopOnInterrupt();
  const progress = createProgress(replayOptions.limit, options.json === true);
  const result = await replay(
    {
      sqs,
      deadLetterQueueUrl: target[queue],
      requestsQueueUrl: target.requests,
      now: Date.now,
      sleep,
      signal,
      onProgress: ({ replayed, failed }) =>
        progress.update(replayed, `${replayed} replayed${failed ? `, ${failed} failed` : ''}`),
      onNotice: createTeller(),
    },
    replayOptions,
  );
  progress.end();
  sqs.destroy();
  const { isInterrupted, ...counts } = result;
  if (options.json) sayJson(counts);
  else {
    const verb = dryRun ? 'would be replayed' : 'replayed';
    say(
      `${counts.matched} matched: ${paint('green', `${counts.replayed} ${verb}`)}, ${counts.duplicates} duplicates, ${counts.expired} expired, ${counts.failed} failed`,
    );
    if (counts.expired > 0) say('Expired requests stay where they are; --renew --reason "…" replays them as of now.');
    if (counts.failed > 0) say(paint('red', 'What failed still lies in the queue: nothing is lost. Run it again.'));
    if (isInterrupted) say('Interrupted: the rest still lies in the queue. Run it again.');
    if (dryRun) say('Nothing was moved (--dry-run).');
  }
  return counts.failed > 0 || isInterrupted ? 1 : 0;
};

export interface DiscardOptions extends SelectOptions {
  readonly file?: string;
  readonly yes?: boolean;
}

const confirmDiscard = async (queue: string): Promise<boolean> => {
  if (!(process.stdin.isTTY && process.stdout.isTTY)) {
    throw new UsageError('discarding asks first, and nobody is at a terminal to answer: give --yes');
  }
  const { confirm } = await import('@clack/prompts');
  return (
    (await confirm({ message: `Delete the chosen dead letters of ${queue} for good?`, initialValue: false })) === true
  );
};

/** All that a letter was, on one line; it can be sent again from it. */
const lineOf = ({ messageId, body, attributes, at, groupId, traceHeader }: Letter): string =>
  `${JSON.stringify({ messageId, at, body, attributes, groupId, traceHeader })}\n`;

export const runDiscard = async (options: DiscardOptions): Promise<number> => {
  const queue = readQueueName(options.queue);
  const selection = readSelection(options);
  const limit = options.limit === undefined ? Number.POSITIVE_INFINITY : parseCount('--limit', options.limit);
  const target = await findTarget(options, queue);
  const { json = false, yes = false } = options;
  if (!(yes || (await confirmDiscard(queue)))) {
    say('Nothing was deleted.');
    return 1;
  }
  const file = options.file ?? `dead-letters-${queue}-${new Date().toISOString().replaceAll(':', '-')}.jsonl`;
  // A new file only: an older one may hold what was discarded before.
  const handle = await open(file, 'wx').catch(() => {
    throw new UsageError(`--file ${file}: cannot be created, or is there already`);
  });
  const sqs = createSqsClient(options);
  const signal = stopOnInterrupt();
  const scan = createScan(sqs, target[queue], { visibilitySeconds: SCAN_SECONDS, signal });
  const counts = { matched: 0, discarded: 0, failed: 0 };
  const progress = createProgress(undefined, json);
  const tell = createTeller();
  try {
    for await (const letters of scan.letters()) {
      const chosen = letters.filter((letter) => isSelected(letter, selection)).slice(0, limit - counts.matched);
      counts.matched += chosen.length;
      // On the disk before it is gone from the queue.
      await handle.appendFile(chosen.map(lineOf).join(''));
      await handle.sync();
      const left = await scan.remove(chosen.map(({ messageId }) => messageId));
      counts.failed += left.size;
      counts.discarded += chosen.length - left.size;
      for (const letter of chosen) if (left.has(letter.messageId)) tell(letter, 'written to the file, but not deleted');
      progress.update(counts.discarded, `${counts.discarded} discarded`);
      if (counts.matched >= limit) break;
    }
  } finally {
    progress.end();
    await scan.release();
    await handle.close();
    sqs.destroy();
  }
  if (json) sayJson({ ...counts, file });
  else say(`${counts.matched} matched: ${counts.discarded} discarded, ${counts.failed} failed; written to ${file}`);
  return counts.failed > 0 || signal.aborted ? 1 : 0;
};
