/** What the commands about dead letters have in common: the filters and the queues. */
import { isSameQueue } from '../../aws/queue-url.ts';
import { DEAD_LETTER_QUEUES, type DeadLetterQueue } from '../../dead-letters/letter.ts';
import type { QueueToRead } from '../../dead-letters/scan.ts';
import { KNOWN_CODES, parseCodes, type Selection } from '../../dead-letters/select.ts';
import { parseIdentifier } from '../../requests/request.ts';
import { findTarget, nameOfVariable, notFound, type Target } from '../target.ts';
import { note } from '../terminal/print.ts';
import { parseCount, parseMoment, UsageError } from '../terminal/usage.ts';
import type { SelectOptions } from './command.ts';

const VISIBILITY_SECONDS = 120;

const readCodes = (code: readonly string[]): readonly string[] => {
  const codes = parseCodes(code);
  if (codes === undefined) throw new UsageError(`--code takes ${KNOWN_CODES.join(', ')}`);
  return codes;
};

/** As a message has it: `1e3`, `0x10` and blanks are not an identifier. */
const readIdentifier = (value: string): number => {
  const identifier = parseIdentifier(value);
  if (identifier === undefined) {
    throw new UsageError('--identifier takes a whole number from 1 to 2^53-1 in plain digits, such as 10');
  }
  return identifier;
};

const readWords = (option: string, value: string): string => {
  if (value === '') throw new UsageError(`${option} takes a text that is not empty`);
  return value;
};

export const readSelection = (options: SelectOptions, now: number): Selection => {
  const { code = [], identifier, requestId, source, messageId, before, after } = options;
  return {
    codes: readCodes(code),
    ...(identifier === undefined ? {} : { identifier: readIdentifier(identifier) }),
    ...(requestId === undefined ? {} : { requestId: readWords('--request-id', requestId) }),
    ...(source === undefined ? {} : { source: readWords('--source', source) }),
    ...(messageId === undefined ? {} : { messageId: readWords('--message-id', messageId) }),
    ...(before === undefined ? {} : { before: parseMoment('--before', before, now, -1) }),
    ...(after === undefined ? {} : { after: parseMoment('--after', after, now, -1) }),
  };
};

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
 * @throws UsageError where none is, or where one is `requests`: what is there is still needed
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
        `what is given as the ${each} queue is the requests queue itself, where there are no dead letters: check ${nameOfVariable(each)}`,
      );
    }
  }
  return { queues, target };
};
