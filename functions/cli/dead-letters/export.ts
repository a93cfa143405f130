/** `mysafe-enable dead-letters export`: all of a selection to a file, without consuming it. */
import type { Letter } from '../../dead-letters/letter.ts';
import { createScan, type QueueToRead } from '../../dead-letters/scan.ts';
import { isSelected, type Selection } from '../../dead-letters/select.ts';
import { createFile, type NewFile } from '../new-file.ts';
import { type OpenSqs, openSqs } from '../target.ts';
import { EXIT } from '../terminal/exit.ts';
import { explain } from '../terminal/hints.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { note, paint, plural, say, sayJson, wrap } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';
import { UsageError } from '../terminal/usage.ts';
import type { ExportOptions } from './command.ts';
import { CSV_HEAD, csvOf, defaultFile, recordOf } from './letter-file.ts';
import { findQueues, readLimit, readSelection, readVisibility } from './letters.ts';
import { UNREAD } from './tell.ts';

const FORMATS = ['jsonl', 'csv'] as const;
type Format = (typeof FORMATS)[number];

const readFormat = ({ format, file }: ExportOptions): Format => {
  const found = FORMATS.find((each) => each === (format ?? (file?.endsWith('.csv') ? 'csv' : 'jsonl')));
  if (found === undefined) throw new UsageError(`--format takes ${FORMATS.join(' or ')}`);
  return found;
};

const LINES: Readonly<Record<Format, { readonly head: string; readonly lineOf: (letter: Letter) => string }>> = {
  jsonl: { head: '', lineOf: (letter) => `${recordOf(letter)}\n` },
  csv: { head: `${CSV_HEAD}\n`, lineOf: (letter) => `${csvOf(letter)}\n` },
};

interface Writing {
  readonly access: OpenSqs;
  readonly file: NewFile;
  readonly lineOf: (letter: Letter) => string;
  readonly selection: Selection;
  readonly visibilitySeconds: number;
  readonly signal: AbortSignal;
}

interface Written {
  readonly count: number;
  readonly unread: number;
  /** Why the queue was not read to its end. */
  readonly failure?: string;
}

const RIGHTS = 'sqs:ReceiveMessage and sqs:ChangeMessageVisibility on it';

const write = async (queue: QueueToRead, writing: Writing, limit: number): Promise<Written> => {
  const { access, file, lineOf, selection, visibilitySeconds, signal } = writing;
  const scan = createScan(access, queue, { visibilitySeconds, now: Date.now, signal });
  let count = 0;
  try {
    for await (const turn of scan.turns()) {
      if (turn.kind === 'failed') {
        return { count, unread: 0, failure: `${queue.name}: ${explain(turn, RIGHTS)}` };
      }
      const chosen = turn.letters.filter((letter) => isSelected(letter, selection)).slice(0, limit - count);
      count += chosen.length;
      await file.append(chosen.map(lineOf).join(''));
      if (count >= limit) return { count, unread: 0 };
    }
    if (signal.aborted) return { count, unread: 0, failure: `${queue.name}: interrupted` };
    return { count, unread: await scan.countUnread() };
  } finally {
    await scan.release();
  }
};

export const runExport = async (options: ExportOptions): Promise<number> => {
  const { json = false } = options;
  const format = readFormat(options);
  const limit = readLimit(options);
  const selection = readSelection(options, Date.now());
  const visibilitySeconds = readVisibility(options);
  const { queues } = await findQueues(options);
  const path = options.file ?? defaultFile(queues, format);
  const file = await createFile('--file', path);
  const access = openSqs(options);
  const progress = await createProgress(undefined, json);
  const signal = stopOnInterrupt(progress.tell);
  const { head, lineOf } = LINES[format];
  const writing = { access, file, lineOf, selection, visibilitySeconds, signal };
  const failures: string[] = [];
  let exported = 0;
  let unread = 0;
  try {
    await file.append(head);
    for (const queue of queues) {
      if (exported >= limit) break;
      const written = await write(queue, writing, limit - exported);
      exported += written.count;
      unread += written.unread;
      if (written.failure !== undefined) failures.push(written.failure);
      progress.update(exported, `${exported} written`);
    }
    await file.sync();
  } finally {
    progress.end();
    await file.close();
    if (exported === 0) await file.remove();
    access.close();
  }
  for (const failure of failures) note(paint('red', failure));
  if (unread > 0) note(wrap(`${plural(unread, 'letter')} could not be read: ${UNREAD}.`));
  const where = exported > 0 ? `written to ${path}; nothing was taken out of its queue` : 'no file written';
  if (json) sayJson({ exported, unread, file: exported > 0 ? path : null });
  else say(`${plural(exported, 'dead letter')}: ${where}`);
  return failures.length > 0 ? EXIT.failed : EXIT.done;
};
