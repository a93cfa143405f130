/** `mysafe-enable dead-letters list`: what waits there, by error code and age; everything is given back at the end. */
import type { Letter } from '../../dead-letters/letter.ts';
import { countLetters } from '../../dead-letters/scan.ts';
import { isFilter } from '../../dead-letters/select.ts';
import { openSqs } from '../target.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { paint, say, sayJson } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';
import type { ListOptions } from './command.ts';
import { findQueues, readSelection, readVisibility } from './letters.ts';
import { noteSummary, printSummary, type Summary, summarise } from './summary.ts';
import { describeLetter, letterHead, lineOfLetter } from './tell.ts';

/** One line for each letter, as it is read. */
const createLines = (json: boolean) => {
  let isBegun = false;
  return {
    tell: (letter: Letter): void => {
      if (json) {
        sayJson(describeLetter(letter));
        return;
      }
      if (!isBegun) say(paint('bold', letterHead()));
      isBegun = true;
      say(lineOfLetter(letter, Date.now()));
    },
    end: (): void => {
      if (isBegun) say('');
    },
  };
};

const countsOf = ({ queue, total, byCode, unread }: Summary) => ({
  queue,
  total,
  byCode: Object.fromEntries([...byCode].map(([code, { count }]) => [code, count])),
  unread,
});

export const runList = async (options: ListOptions): Promise<number> => {
  const selection = readSelection(options, Date.now());
  const isFiltered = isFilter(selection);
  const visibilitySeconds = readVisibility(options);
  const { queues } = await findQueues(options);
  const access = openSqs(options);
  const counts = await Promise.all(queues.map(({ url }) => countLetters(access.client, url)));
  const total = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  const { json = false, letters = false } = options;
  // The letters themselves show how far it has come, and a bar would be drawn into their lines.
  const progress = await createProgress(total, json || letters);
  const signal = stopOnInterrupt(progress.tell);
  let read = 0;
  const onRead = (count: number): void => {
    read += count;
    progress.update(read, `${read} read`);
  };
  const lines = createLines(json);
  const reading = {
    access,
    selection,
    visibilitySeconds,
    signal,
    onRead,
    ...(letters ? { onLetter: lines.tell } : {}),
  };
  const summaries = await Promise.all(queues.map((queue) => summarise(queue, reading)));
  progress.end();
  access.close();
  if (json) {
    for (const summary of summaries) noteSummary(summary, isFiltered);
    sayJson({ queues: summaries.map(countsOf) });
  } else {
    lines.end();
    for (const summary of summaries) printSummary(summary, isFiltered);
  }
  return summaries.some(({ isCutShort }) => isCutShort) ? 1 : 0;
};
