/** Before a replay: what it would move, and whether that is meant. */
import { countLetters, type QueueToRead } from '../../dead-letters/scan.ts';
import { isFilter, type Selection } from '../../dead-letters/select.ts';
import type { OpenSqs } from '../target.ts';
import { type Answer, ask, hasPerson } from '../terminal/ask.ts';
import { plural } from '../terminal/print.ts';
import type { Progress } from '../terminal/progress.ts';
import { UsageError } from '../terminal/usage.ts';
import { noteSummary, printSummary, type Summary, summarise } from './summary.ts';

/** More than these are asked about, however they are chosen. */
const MANY = 100;

export interface Asking {
  readonly access: OpenSqs;
  readonly queues: readonly QueueToRead[];
  readonly selection: Selection;
  readonly limit: number;
  readonly visibilitySeconds: number;
  readonly yes: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Approval {
  readonly isGiven: boolean;
  /** The question was answered by Ctrl-C. */
  readonly isInterrupted?: boolean;
  /** Letters that are meant, as far as known. */
  readonly total?: number;
}

const refuse = (why: string): never => {
  throw new UsageError(
    `${why}, and nobody is at a terminal to answer: look with --dry-run, then give a filter or --yes`,
  );
};

/** A filter, or a limit, says what is meant; then it is enough to know that they are not many. */
const isPlain = ({ selection, limit }: Asking): boolean => isFilter(selection) || Number.isFinite(limit);

/** @throws UsageError at once where nobody could answer: nothing need be read for that */
export const refuseUnasked = (asking: Pick<Asking, 'selection' | 'limit' | 'yes'>, isDryRun: boolean): void => {
  if (asking.yes || isDryRun || isFilter(asking.selection) || Number.isFinite(asking.limit) || hasPerson()) return;
  refuse('a replay without a filter asks first');
};

const countVisible = async ({ access, queues }: Asking): Promise<number | undefined> => {
  const counts = await Promise.all(queues.map(({ url }) => countLetters(access.client, url)));
  return counts.reduce<number | undefined>(
    (sum, count) => (sum === undefined || count === undefined ? undefined : sum + count),
    0,
  );
};

const readAll = async ({
  access,
  queues,
  selection,
  visibilitySeconds,
  progress,
  signal,
}: Asking): Promise<Summary[]> => {
  let read = 0;
  const onRead = (count: number): void => {
    read += count;
    progress.update(0, `${read} read`);
  };
  const reading = { access, selection, visibilitySeconds, signal, onRead };
  return Promise.all(queues.map((queue) => summarise(queue, reading)));
};

const askAbout = async (count: number, summaries: readonly Summary[], asking: Asking): Promise<Answer> => {
  asking.progress.end();
  for (const summary of summaries) printSummary(summary, isFilter(asking.selection));
  return ask(`Replay ${plural(count, 'dead letter')} to requests?`, asking.signal);
};

/** @throws UsageError where it would ask and nobody could answer */
export const approve = async (asking: Asking, isDryRun: boolean): Promise<Approval> => {
  const { limit, yes, signal } = asking;
  const visible = await countVisible(asking);
  const atMost = visible === undefined ? undefined : Math.min(visible, limit);
  if (yes || isDryRun || (isPlain(asking) && (atMost ?? limit) <= MANY)) {
    return { isGiven: true, ...(atMost === undefined ? {} : { total: atMost }) };
  }
  const summaries = await readAll(asking);
  const matched = summaries.reduce((sum, { total }) => sum + total, 0);
  const total = Math.min(matched, limit);
  const isKnown = summaries.every(({ isCutShort, failure }) => !isCutShort && failure === undefined);
  if (!isKnown) {
    asking.progress.end();
    for (const summary of summaries) noteSummary(summary, isFilter(asking.selection));
    return { isGiven: false, total };
  }
  if (total === 0 || (isPlain(asking) && total <= MANY)) return { isGiven: true, total };
  if (!hasPerson()) refuse(`${plural(total, 'letter')} match, and more than ${MANY} are asked about`);
  if (signal.aborted) return { isGiven: false, total };
  const answer = await askAbout(total, summaries, asking);
  return { isGiven: answer === 'yes', isInterrupted: answer === 'interrupted', total };
};
