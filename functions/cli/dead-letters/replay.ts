/** `mysafe-enable dead-letters replay`: back to `requests`. The work itself is dead-letters/replay.ts. */
import { hostname, userInfo } from 'node:os';
import type { Letter } from '../../dead-letters/letter.ts';
import { type Fate, type ReplayOptions, type ReplayResult, replay } from '../../dead-letters/replay.ts';
import { DEFAULTS } from '../../settings/variables.ts';
import { sleep } from '../../time/sleep.ts';
import { openSqs } from '../target.ts';
import { fixOf, isLasting } from '../terminal/hints.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { note, paint, plural, say, sayJson, wrap } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';
import { parseCount, UsageError } from '../terminal/usage.ts';
import type { ReplayCommandOptions } from './command.ts';
import {
  createTeller,
  findQueues,
  LETTER_HEAD,
  lineOfLetter,
  readLimit,
  readSelection,
  readVisibility,
  UNREAD,
} from './letters.ts';

const RIGHTS =
  'sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:DeleteMessage on the dead-letter queues, sqs:SendMessage on requests';

/** What would become of a letter: as wide as the column. */
const WOULD: Readonly<Record<Fate, string>> = {
  replayed: 'replay   ',
  renewed: 'renew    ',
  duplicate: 'delete   ',
  expired: 'stay     ',
  'unknown-age': 'stay     ',
};

const readMaxAge = ({ maxAgeSeconds }: ReplayCommandOptions): number => {
  if (maxAgeSeconds !== undefined) return parseCount('--max-age-seconds', maxAgeSeconds, { least: 0 });
  const variable = 'MAX_REQUEST_AGE_SECONDS';
  // Set to nothing it is as good as not set, as in the function.
  const value = process.env[variable]?.trim();
  return value ? parseCount(variable, value, { least: 0 }) : DEFAULTS[variable];
};

const readOptions = (options: ReplayCommandOptions): ReplayOptions => {
  const { rate, reason, dryRun = false, renew = false } = options;
  if (renew && !reason?.trim()) {
    throw new UsageError('--renew wants --reason "…": it is recorded with each request that is renewed');
  }
  const limit = readLimit(options);
  return {
    ...readSelection(options, Date.now()),
    ...(Number.isFinite(limit) ? { limit } : {}),
    ...(rate === undefined ? {} : { rate: parseCount('--rate', rate, { least: 0.01, isWhole: false }) }),
    ...(reason === undefined ? {} : { reason }),
    dryRun,
    renew,
    replayedBy: options.replayedBy ?? `${userInfo().username}@${hostname()}`,
    visibilitySeconds: readVisibility(options),
    maxRequestAgeSeconds: readMaxAge(options),
  };
};

const printResult = (result: ReplayResult, tell: (text: string) => void): void => {
  const { matched, replayed, duplicates, expired, failed, dryRun, isInterrupted, unread, stop } = result;
  const done = dryRun ? 'would be replayed' : 'replayed';
  const parts = [
    paint('green', `${replayed} ${done}`),
    duplicates > 0 && plural(duplicates, 'duplicate'),
    expired > 0 && paint('yellow', `${expired} expired`),
    failed > 0 && paint('red', `${failed} failed`),
  ];
  const tellLine = (text: string): void => tell(wrap(text));
  tell(`${matched} matched: ${parts.filter(Boolean).join(', ')}`);
  if (stop) tell(paint('red', wrap(`Ended by ${stop}`)));
  const fix = stop && fixOf(stop, RIGHTS);
  if (fix) tellLine(`What to fix: ${fix}.`);
  if (duplicates > 0 && dryRun) tellLine('A duplicate is deleted, its original being replayed once.');
  if (expired > 0)
    tellLine(
      'Expired requests, and those of unknown age, stay where they are; --renew --reason "…" replays them as of now.',
    );
  if (failed > 0 || isInterrupted) {
    const again = stop && isLasting(stop) ? '' : ' Run it again.';
    tellLine(`What was not replayed still lies in its queue: nothing is lost.${again}`);
  }
  if (unread > 0) tellLine(`${plural(unread, 'letter')} more could not be read: ${UNREAD}. Run it again.`);
  if (dryRun) tell('Nothing was moved (--dry-run).');
};

/** Each letter, and what would become of it, as it is found. */
const createPreview = (tell: (text: string) => void) => {
  let isBegun = false;
  return (letter: Letter, fate: Fate): void => {
    if (!isBegun) tell(paint('bold', `would    ${LETTER_HEAD}`));
    isBegun = true;
    tell(`${WOULD[fate]}${lineOfLetter(letter, Date.now())}`);
  };
};

export const runReplay = async (options: ReplayCommandOptions): Promise<number> => {
  const replayOptions = readOptions(options);
  const { json = false } = options;
  const { dryRun = false, limit } = replayOptions;
  const { queues, target } = await findQueues(options, 'requests');
  const access = openSqs(options);
  const progress = await createProgress(limit, json || dryRun);
  const signal = stopOnInterrupt(progress.tell);
  const tell = json ? note : say;
  const result = await replay(
    {
      ...access,
      deadLetterQueues: queues,
      queueUrl: target.requests,
      now: Date.now,
      sleep,
      signal,
      onProgress: ({ replayed, failed }) =>
        progress.update(replayed, `${replayed} replayed${failed > 0 ? `, ${failed} failed` : ''}`),
      onNotice: createTeller(progress.tell),
      ...(dryRun ? { onFate: createPreview(tell) } : {}),
    },
    replayOptions,
  );
  progress.end();
  access.close();
  printResult(result, tell);
  const { isInterrupted, stop: _, unread: __, ...counts } = result;
  if (json) sayJson(counts);
  return counts.failed > 0 || isInterrupted ? 1 : 0;
};
