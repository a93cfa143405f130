/** `mysafe-enable dead-letters discard`: onto the disk first, then gone for good. */
import { createScan, type QueueToRead, type Scan } from '../../dead-letters/scan.ts';
import { isSelected, type Selection } from '../../dead-letters/select.ts';
import { sleep } from '../../time/sleep.ts';
import { createFile, type NewFile } from '../new-file.ts';
import { type OpenSqs, openSqs } from '../target.ts';
import { type Answer, ask, hasPerson } from '../terminal/ask.ts';
import { EXIT } from '../terminal/exit.ts';
import { explain } from '../terminal/hints.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { note, paint, plural, say, sayJson } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';
import { UsageError } from '../terminal/usage.ts';
import type { DiscardOptions } from './command.ts';
import { defaultFile, recordOf } from './letter-file.ts';
import { findQueues, readLimit, readSelection, readVisibility } from './letters.ts';
import { createTeller } from './tell.ts';

const KEEP_EVERY_MS = 1000;
const RIGHTS = 'sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:DeleteMessage on it';

interface Chosen {
  readonly scan: Scan;
  readonly messageIds: readonly string[];
}

/** Holds and writes down what is meant, of one queue. */
const gather = async (
  access: OpenSqs,
  queue: QueueToRead,
  file: NewFile,
  options: { selection: Selection; limit: number; visibilitySeconds: number; signal: AbortSignal },
  onRead: (count: number) => void,
): Promise<Chosen & { readonly failure?: string }> => {
  const { selection, limit, visibilitySeconds, signal } = options;
  const scan = createScan(access, queue, { visibilitySeconds, now: Date.now, signal });
  const messageIds: string[] = [];
  try {
    for await (const turn of scan.turns()) {
      if (turn.kind === 'failed') {
        return { scan, messageIds, failure: `${queue.name}: ${explain(turn, RIGHTS)}` };
      }
      const chosen = turn.letters.filter((letter) => isSelected(letter, selection)).slice(0, limit - messageIds.length);
      for (const { messageId } of chosen) messageIds.push(messageId);
      if (chosen.length > 0) await file.append(chosen.map((letter) => `${recordOf(letter)}\n`).join(''));
      onRead(messageIds.length);
      if (messageIds.length >= limit) break;
    }
    return { scan, messageIds };
  } catch (error) {
    // The file could not be written: nobody else knows of what is held here.
    await scan.release();
    throw error;
  }
};

/** Holds the letters for as long as a person thinks about it. */
const askAbout = async (count: number, file: string, scans: readonly Scan[], signal: AbortSignal): Promise<Answer> => {
  const question = `Delete ${plural(count, 'dead letter')} for good? They are written to ${file}.`;
  let isAnswered = false;
  const answer = ask(question, signal).finally(() => {
    isAnswered = true;
  });
  while (!isAnswered) {
    await Promise.race([answer, sleep(KEEP_EVERY_MS)]);
    for (const scan of scans) await scan.keepHeld();
  }
  return answer;
};

export const runDiscard = async (options: DiscardOptions): Promise<number> => {
  const { json = false, yes = false } = options;
  if (!(yes || hasPerson())) {
    throw new UsageError('discarding asks first, and nobody is at a terminal to answer: give --yes');
  }
  const limit = readLimit(options);
  const selection = readSelection(options, Date.now());
  const visibilitySeconds = readVisibility(options);
  const { queues } = await findQueues(options);
  const path = options.file ?? defaultFile(queues, 'jsonl');
  const file = await createFile('--file', path);
  const access = openSqs(options);
  const progress = await createProgress(undefined, json);
  const signal = stopOnInterrupt(progress.tell);
  const notice = createTeller(progress.tell);
  const tell = json ? note : say;
  const all: Chosen[] = [];
  const counts = { matched: 0, discarded: 0, failed: 0 };
  let failure: string | undefined;
  let isRefused = false;
  let isInterrupted = false;
  let isRemovalTried = false;
  try {
    for (const queue of queues) {
      const left = { selection, limit: limit - counts.matched, visibilitySeconds, signal };
      if (left.limit <= 0 || signal.aborted) break;
      const { matched } = counts;
      const chosen = await gather(access, queue, file, left, (count) =>
        progress.update(matched + count, `${matched + count} written`),
      );
      all.push(chosen);
      failure ??= chosen.failure;
      counts.matched += chosen.messageIds.length;
    }
    // On the disk before it is gone from the queue.
    await file.sync();
    progress.end();
    const scans = all.map(({ scan }) => scan);
    const isAsked = counts.matched > 0 && !yes && !signal.aborted && !failure;
    const answer = isAsked ? await askAbout(counts.matched, path, scans, signal) : 'yes';
    isInterrupted = answer === 'interrupted';
    isRefused = signal.aborted || failure !== undefined || answer !== 'yes';
    for (const { scan, messageIds } of isRefused ? [] : all) {
      isRemovalTried ||= messageIds.length > 0;
      const left = await scan.remove(messageIds);
      for (const messageId of left) notice({ messageId }, 'written to the file, but SQS did not confirm its deletion');
      counts.failed += left.size;
      counts.discarded += messageIds.length - left.size;
    }
  } catch (error) {
    if (isRemovalTried) note(`What was to be deleted is written to ${path}; some of it may be gone.`);
    throw error;
  } finally {
    progress.end();
    for (const { scan } of all) await scan.release();
    await file.close();
    // A file of what was never to be deleted would mislead. But once a removal was tried, SQS may have deleted what it did
    // not confirm, and the file is the only copy.
    if (!isRemovalTried) await file.remove();
    access.close();
  }
  if (failure) note(paint('red', failure));
  if (isRefused) tell('Nothing was deleted.');
  else {
    const failed = counts.failed > 0 ? `, ${paint('red', `${counts.failed} failed`)}` : '';
    const where = isRemovalTried ? `; written to ${path}` : '';
    tell(`${counts.matched} matched: ${counts.discarded} discarded${failed}${where}`);
  }
  if (json) sayJson({ ...counts, file: isRemovalTried ? path : null });
  if (isInterrupted) return EXIT.interrupted;
  return counts.failed > 0 || isRefused ? EXIT.failed : EXIT.done;
};
