/** `mysafe-enable dead-letters replay`: back to `requests`. The work itself is dead-letters/replay.ts. */
import { hostname, userInfo } from 'node:os';
import type { Letter } from '../../dead-letters/letter.ts';
import type { ReplayOptions } from '../../dead-letters/plan.ts';
import {
  type Fate,
  type ReplayCounts,
  type ReplayParts,
  type ReplayResult,
  replay,
} from '../../dead-letters/replay.ts';
import { isWords } from '../../requests/provenance.ts';
import { DEFAULTS } from '../../settings/variables.ts';
import { sleep } from '../../time/sleep.ts';
import { openSqs } from '../target.ts';
import { EXIT } from '../terminal/exit.ts';
import { fixOf, isLasting } from '../terminal/hints.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { note, paint, plural, say, sayJson, wrap } from '../terminal/print.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { parseCount, UsageError } from '../terminal/usage.ts';
import { approve, refuseUnasked } from './approve.ts';
import type { ReplayCommandOptions } from './command.ts';
import { findQueues, readLimit, readSelection, readVisibility } from './letters.ts';
import { eventOf, mayRenewHere, replayByFunction, requireReplayFunction } from './renewal.ts';
import { createTeller, letterHead, lineOfLetter, UNREAD } from './tell.ts';

const RIGHTS =
  'sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:DeleteMessage on the dead-letter queues, sqs:SendMessage on requests';

/** What would become of a letter: as wide as the column. */
const WOULD: Readonly<Record<Fate, string>> = {
  replayed: 'replay  ',
  renewed: 'renew   ',
  duplicate: 'delete  ',
  expired: 'stay    ',
  'unknown-age': 'stay    ',
};

const readMaxAge = ({ maxAgeSeconds }: ReplayCommandOptions): number => {
  if (maxAgeSeconds !== undefined) return parseCount('--max-age-seconds', maxAgeSeconds, { least: 0 });
  const variable = 'MAX_REQUEST_AGE_SECONDS';
  // Set to nothing it is as good as not set, as in the function.
  const value = process.env[variable]?.trim();
  return value ? parseCount(variable, value, { least: 0 }) : DEFAULTS[variable];
};

const readOptions = (options: ReplayCommandOptions): ReplayOptions => {
  const { rate, reason, replayedBy, dryRun = false, renew = false } = options;
  if (renew && !reason?.trim()) {
    throw new UsageError('--renew needs --reason "…": it is recorded with each request that is renewed');
  }
  for (const [option, words] of [
    ['--reason', reason],
    ['--replayed-by', replayedBy],
  ] as const) {
    if (words !== undefined && !isWords(words)) throw new UsageError(`${option} takes at most 256 characters`);
  }
  const limit = readLimit(options);
  return {
    ...readSelection(options, Date.now()),
    ...(Number.isFinite(limit) ? { limit } : {}),
    ...(rate === undefined ? {} : { rate: parseCount('--rate', rate, { least: 0.01, isWhole: false }) }),
    ...(reason === undefined ? {} : { reason }),
    dryRun,
    renew,
    replayedBy: replayedBy ?? `${userInfo().username}@${hostname()}`,
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
    tellLine(`What was not replayed is still in its queue: nothing is lost.${again}`);
  }
  if (unread > 0) tellLine(`${plural(unread, 'letter')} more could not be read: ${UNREAD}. Run it again.`);
  if (dryRun) tell('Nothing was moved (--dry-run).');
};

/** Each letter, and what would become of it, as it is found. */
const createPreview = (tell: (text: string) => void) => {
  let isBegun = false;
  return (letter: Letter, fate: Fate): void => {
    if (!isBegun) tell(paint('bold', letterHead('would   ')));
    isBegun = true;
    tell(lineOfLetter(letter, Date.now(), WOULD[fate]));
  };
};

const NOTHING = { matched: 0, replayed: 0, duplicates: 0, expired: 0, failed: 0, unread: 0 };

/** Here or, where a renewal sent from here would count for nothing, by the function. */
const carryOut = async (
  options: ReplayCommandOptions,
  replayOptions: ReplayOptions,
  parts: Pick<ReplayParts, 'client' | 'sqs' | 'deadLetterQueues' | 'queueUrl'> & {
    readonly replayFunction: string | undefined;
    readonly total: number | undefined;
    readonly progress: Progress;
    readonly signal: AbortSignal;
  },
): Promise<ReplayResult> => {
  const { replayFunction, total, progress, signal, ...queues } = parts;
  const { json = false, queue, maxAgeSeconds } = options;
  const { dryRun = false, renew = false } = replayOptions;
  const onProgress = ({ replayed, duplicates, expired, failed }: ReplayCounts): void => {
    const of = total === undefined ? '' : ` of ${total}`;
    const lost = failed > 0 ? `, ${failed} failed` : '';
    progress.update(replayed + duplicates + expired + failed, `${replayed} replayed${of}${lost}`);
  };
  if (renew && !dryRun && !(await mayRenewHere(options))) {
    const functionName = requireReplayFunction(replayFunction);
    progress.tell(`Renewed through ${functionName}: you are not one of RENEWAL_SENDERS.`);
    const age = maxAgeSeconds === undefined ? undefined : replayOptions.maxRequestAgeSeconds;
    return replayByFunction(options, eventOf(replayOptions, queue, age), { functionName, signal, onProgress });
  }
  const fates = dryRun ? { onFate: createPreview(json ? note : say) } : {};
  const clock = { now: Date.now, sleep };
  return replay(
    { ...queues, ...clock, ...fates, signal, onProgress, onNotice: createTeller(progress.tell) },
    replayOptions,
  );
};

export const runReplay = async (options: ReplayCommandOptions): Promise<number> => {
  const replayOptions = readOptions(options);
  const { json = false, yes = false } = options;
  const { dryRun = false, limit = Number.POSITIVE_INFINITY, visibilitySeconds = 120 } = replayOptions;
  const asked = { selection: readSelection(options, Date.now()), limit, yes };
  refuseUnasked(asked, dryRun);
  const { queues, target } = await findQueues(options, 'requests');
  const { replayFunction } = target;
  const access = openSqs(options);
  const counting = await createProgress(undefined, json || dryRun);
  const signal = stopOnInterrupt((text) => counting.tell(text));
  const tell = json ? note : say;
  try {
    const asking = { ...asked, access, queues, visibilitySeconds, progress: counting, signal };
    const { isGiven, isInterrupted = false, total } = await approve(asking, dryRun);
    counting.end();
    if (!isGiven) {
      tell('Nothing was moved.');
      if (json) sayJson({ ...NOTHING, matched: total ?? 0, dryRun });
      return isInterrupted ? EXIT.interrupted : EXIT.failed;
    }
    const progress = await createProgress(total, json || dryRun);
    const parts = {
      ...access,
      deadLetterQueues: queues,
      queueUrl: target.requests,
      replayFunction,
      total,
      progress,
      signal,
    };
    const result = await carryOut(options, replayOptions, parts).finally(() => progress.end());
    printResult(result, tell);
    const { isInterrupted: isCutShort, stop: _, ...counts } = result;
    if (json) sayJson(counts);
    return counts.failed > 0 || isCutShort ? EXIT.failed : EXIT.done;
  } finally {
    access.close();
  }
};
