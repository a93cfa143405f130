/** `mysafe-enable dead-letters show`: one letter whole, without consuming it. */
import type { Letter } from '../../dead-letters/letter.ts';
import { createScan, type QueueToRead } from '../../dead-letters/scan.ts';
import { type OpenSqs, openSqs } from '../target.ts';
import { awsError, CommandError } from '../terminal/ending.ts';
import { EXIT } from '../terminal/exit.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { hang, note, paint, plural, say, sayJson, table, whole } from '../terminal/print.ts';
import type { ShowOptions } from './command.ts';
import { findQueues, readVisibility } from './letters.ts';
import { codeName, describeLetter, UNREAD } from './tell.ts';

interface Search {
  readonly found: readonly Letter[];
  readonly unread: number;
}

/** By its own id, of which there is one; else by that of its original, which more than one may claim. */
const search = async (
  access: OpenSqs,
  queues: readonly QueueToRead[],
  messageId: string,
  options: { readonly visibilitySeconds: number; readonly signal: AbortSignal },
): Promise<Search> => {
  const found: Letter[] = [];
  let unread = 0;
  for (const queue of queues) {
    const scan = createScan(access, queue, { ...options, now: Date.now });
    try {
      for await (const turn of scan.turns()) {
        if (turn.kind === 'failed') throw awsError(turn);
        const { letters } = turn;
        const own = letters.find((letter) => letter.messageId === messageId);
        if (own) return { found: [own], unread: 0 };
        found.push(...letters.filter(({ provenance }) => provenance.originalMessageId === messageId));
      }
      unread += await scan.countUnread();
    } finally {
      await scan.release();
    }
  }
  return { found, unread };
};

const printLetter = (letter: Letter): void => {
  const { body, code, error, ...facts } = describeLetter(letter);
  const rows = Object.entries({ ...facts, code: codeName(code), error, groupId: letter.groupId }).flatMap(
    ([name, value]) =>
      value === undefined ? [] : [[name, value instanceof Date ? value.toISOString() : String(value)] as const],
  );
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) say(hang(`${paint('bold', name.padEnd(width))}  ${value}`, width + 2));
  if (!letter.isAgeKnown) say(`${paint('bold', 'firstSentAt'.padEnd(width))}  unknown: replay needs --renew`);
  const attributes = Object.entries(letter.attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
    name,
    dataType,
    stringValue ?? `${binaryValue ?? ''} (base64)`,
  ]);
  if (attributes.length > 0) say('', table(['attribute', 'type', 'value'], attributes));
  say('', paint('bold', 'body'), whole(body));
};

export const runShow = async (options: ShowOptions, [messageId = '']: readonly string[]): Promise<number> => {
  const visibilitySeconds = readVisibility(options);
  const { queues } = await findQueues(options);
  const access = openSqs(options);
  const signal = stopOnInterrupt(note);
  const { found, unread } = await search(access, queues, messageId, { visibilitySeconds, signal }).finally(() =>
    access.close(),
  );
  const [letter, ...others] = found;
  if (letter === undefined) {
    if (signal.aborted) return EXIT.failed;
    const names = queues.map(({ name }) => name).join(' or ');
    const rest = unread > 0 ? ` (${plural(unread, 'letter')} could not be read: ${UNREAD})` : '';
    throw new CommandError(
      'NoSuchLetter',
      `no dead letter with the id ${messageId} waits in ${names}${rest}`,
      'list --letters shows the ids there are; what was replayed or discarded is gone from its queue',
    );
  }
  if (others.length > 0) {
    throw new CommandError(
      'ManyLetters',
      `${messageId} is named as their original by ${plural(found.length, 'letter')}: ${found.map((each) => each.messageId).join(', ')}`,
      'give the id of one of them',
    );
  }
  const { groupId, traceHeader, attributes, isAgeKnown } = letter;
  if (options.json) sayJson({ ...describeLetter(letter), isAgeKnown, groupId, traceHeader, attributes });
  else printLetter(letter);
  return EXIT.done;
};
