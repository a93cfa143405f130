/** What `dead-letters list`, `replay` and `discard` have in common: the filters, the queues, how a letter is told of. */

import { isSameQueue } from '../../aws/queue-url.ts';
import { DEAD_LETTER_QUEUES, type DeadLetterQueue, type Letter, NO_CODE } from '../../dead-letters/letter.ts';
import type { QueueToRead } from '../../dead-letters/scan.ts';
import { codeOf, KNOWN_CODES, parseCodes, type Selection } from '../../dead-letters/select.ts';
import { parseRequest } from '../../requests/request.ts';
import { findTarget, nameOfVariable, notFound, type Target } from '../target.ts';
import { note, paint } from '../terminal/print.ts';
import { parseCount, parseMoment, UsageError } from '../terminal/usage.ts';
import type { SelectOptions } from './command.ts';

const MAX_TOLD = 20;
const VISIBILITY_SECONDS = 120;

const readCodes = (code: readonly string[]): readonly string[] => {
  const codes = parseCodes(code);
  if (codes === undefined) throw new UsageError(`--code takes ${KNOWN_CODES.join(', ')}`);
  return codes;
};

export const readSelection = ({ code = [], identifier, before, after }: SelectOptions, now: number): Selection => ({
  codes: readCodes(code),
  ...(identifier === undefined ? {} : { identifier: parseCount('--identifier', identifier) }),
  ...(before === undefined ? {} : { before: parseMoment('--before', before, now, -1) }),
  ...(after === undefined ? {} : { after: parseMoment('--after', after, now, -1) }),
});

export const readLimit = ({ limit }: { readonly limit?: string }): number =>
  limit === undefined ? Number.POSITIVE_INFINITY : parseCount('--limit', limit);

/** AWS: a visibility timeout is at most 12 hours. */
export const readVisibility = ({ visibilityTimeout }: SelectOptions): number =>
  visibilityTimeout === undefined
    ? VISIBILITY_SECONDS
    : parseCount('--visibility-timeout', visibilityTimeout, { most: 43_200 });

/** @throws UsageError when the name is that of neither */
const readQueueName = (queue: string | undefined): DeadLetterQueue | undefined => {
  const found = DEAD_LETTER_QUEUES.find((name) => name === queue);
  if (queue !== undefined && !found) throw new UsageError(`--queue takes ${DEAD_LETTER_QUEUES.join(' or ')}`);
  return found;
};

/**
 * The queue of `--queue` or, without it, each of the two that is to be found.
 * @throws UsageError where none is, or where one is `requests`: what lies there is wanted still
 */
export const findQueues = async <Wanted extends keyof Target>(
  options: SelectOptions,
  ...wanted: readonly Wanted[]
): Promise<{
  readonly queues: readonly QueueToRead[];
  readonly target: Target & { readonly [Name in Wanted]: string };
}> => {
  const name = readQueueName(options.queue);
  const names = name === undefined ? DEAD_LETTER_QUEUES : [name];
  const target = await findTarget(options, ...wanted);
  const queues = names.flatMap((each) => {
    const url = target[each];
    return url === undefined ? [] : [{ name: each, url }];
  });
  if (queues.length === 0) await findTarget(options, ...names);
  for (const each of names) {
    // Half of an answer must not pass for the whole of it.
    if (target[each] === undefined) note(`${each} is left out: ${notFound(each, options)}`);
  }
  for (const { name: each, url } of queues) {
    if (target.requests !== undefined && isSameQueue(url, target.requests)) {
      throw new UsageError(
        `what is given as the ${each} queue is the requests queue itself, where no dead letters lie: check ${nameOfVariable(each)}`,
      );
    }
  }
  return { queues, target };
};

/** What a person should know of single letters; beyond a score they are counted. */
export const createTeller = (tell: (text: string) => void) => {
  let told = 0;
  return (letter: Pick<Letter, 'messageId'>, notice: string): void => {
    told += 1;
    if (told <= MAX_TOLD) tell(`${paint('yellow', '!', process.stderr)} ${letter.messageId}: ${notice}`);
    if (told === MAX_TOLD + 1) tell('… and more; all are counted');
  };
};

export const age = (ms: number): string => {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
};

/** Why a letter may stay unread: SQS hands out one group's next only when the one before is gone. */
export const UNREAD = 'they lie behind others of their message group, or beyond the 100,000 that one reader may hold';

export const codeName = (code: string): string => (code === NO_CODE ? 'none (moved by SQS)' : code);

/** What is told of one letter: never its body, which may be anything. */
export const describeLetter = (letter: Letter) => {
  const parsed = parseRequest(letter.body);
  const { identifier, requestId } = parsed.kind === 'request' ? parsed.request : {};
  const { originalMessageId, firstSentAt, replayCount } = letter.provenance;
  return {
    messageId: letter.messageId,
    code: codeOf(letter),
    identifier,
    requestId,
    at: letter.at,
    firstSentAt,
    originalMessageId,
    replayCount,
    error: letter.failure?.errorMessage,
  };
};

const row = (code: string, identifier: string, at: string, messageId: string): string =>
  `${code.padEnd(14)}  ${identifier.padEnd(8)}  ${at.padEnd(6)}  ${messageId}`;

export const LETTER_HEAD = row('code', 'password', 'age', 'message');

export const lineOfLetter = (letter: Letter, now: number): string => {
  const { messageId, code, identifier, requestId, at } = describeLetter(letter);
  const line = row(code, String(identifier ?? '-'), age(now - at.getTime()), messageId);
  return requestId === undefined ? line : `${line}  ${requestId}`;
};
