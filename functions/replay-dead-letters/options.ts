/** The event of replay-dead-letters: the options of `dead-letters replay` as JSON, checked before anything is read. */
import { DEAD_LETTER_QUEUES, type DeadLetterQueue } from '../dead-letters/letter.ts';
import type { ReplayOptions } from '../dead-letters/plan.ts';
import type { ReplayResult } from '../dead-letters/replay.ts';
import { KNOWN_CODES, parseBound, parseCodes } from '../dead-letters/select.ts';
import { isWords } from '../requests/provenance.ts';
import { parseIdentifier, parseNotAfter } from '../requests/request.ts';

export interface ReplayRequest {
  /** The queue that is meant or, where none is named, both. */
  readonly queues: readonly DeadLetterQueue[];
  readonly options: ReplayOptions;
}

/** What an unfinished run hands to the next: letters that failed later are none of its business. */
export interface Cursor {
  readonly before: string;
  /** What is left of the limit. */
  readonly limit?: number;
}

/** @returns what the next run goes on from, or `undefined` where there is nothing to go on with */
export const cursorAfter = (
  { isInterrupted, replayed, failed }: Pick<ReplayResult, 'isInterrupted' | 'replayed' | 'failed'>,
  { before, limit }: Pick<ReplayOptions, 'before' | 'limit'>,
  startedAt: Date,
): Cursor | undefined => {
  // It holds for all runs together; the batch in which time ran out may have used it up.
  const left = limit === undefined ? undefined : limit - replayed - failed;
  if (!isInterrupted || left === 0) return undefined;
  // What fails again from the start of the first run on has a later moment.
  return { before: (before ?? startedAt).toISOString(), ...(left === undefined ? {} : { limit: left }) };
};

const KEYS = [
  'queue',
  'code',
  'identifier',
  'requestId',
  'source',
  'messageId',
  'before',
  'after',
  'limit',
  'rate',
  'dryRun',
  'renew',
  'reason',
  'replayedBy',
  'maxAgeSeconds',
  'cursor',
] as const;

/** The event is no set of options; the message names each fault. */
class OptionsError extends Error {
  readonly code = 'OPTIONS_MALFORMED';
  constructor(faults: readonly string[]) {
    super(
      `The event must hold the options of a replay, such as {"queue": "rejected", "code": "1006"}: ${faults.join('; ')}`,
    );
    this.name = 'OptionsError';
  }
}

type Given = Readonly<Record<string, unknown>>;

const text = (value: unknown) => (typeof value === 'string' && value.trim() !== '' ? value : undefined);
const words = (value: unknown) => {
  const given = text(value);
  return given !== undefined && isWords(given) ? given : undefined;
};
const flag = (value: unknown) => (typeof value === 'boolean' ? value : undefined);
const atLeast = (least: number) => (value: unknown) =>
  typeof value === 'number' && value >= least ? value : undefined;
const whole = (least: number) => (value: unknown) => (Number.isSafeInteger(value) ? atLeast(least)(value) : undefined);
const codeList = (value: unknown) => {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.length > 0 && all.every((each) => typeof each === 'string') ? parseCodes(all) : undefined;
};
const readCursor = (value: unknown) => {
  const { before: bound, limit: left } = (value ?? {}) as Partial<Cursor>;
  const isLimit = left === undefined || whole(1)(left) !== undefined;
  const end = parseNotAfter(bound);
  return end && isLimit ? { before: end, limit: left } : undefined;
};

const A_TEXT = 'a text that is not empty';
const WORDS = 'a text of 1 to 256 characters';
const A_MOMENT = 'ISO 8601 with offset, such as 2026-01-31T17:00:00Z, or a day';

/** Each key as it is meant, or `undefined` where it is not given; what is wrong with it goes to `faults`. */
const readKeys = (given: Given, faults: string[]) => {
  const read = <Value>(
    key: (typeof KEYS)[number],
    what: string,
    parse: (value: unknown) => Value | undefined,
  ): Value | undefined => {
    const value = given[key];
    if (value === undefined || value === null) return undefined;
    const parsed = parse(value);
    if (parsed === undefined) faults.push(`${key} must be ${what}`);
    return parsed;
  };
  return {
    queue: read('queue', '"rejected" or "exhausted"', (value) => DEAD_LETTER_QUEUES.find((name) => name === value)),
    codes: read('code', `one or a list of ${KNOWN_CODES.join(', ')}`, codeList),
    identifier: read('identifier', 'a positive integer', parseIdentifier),
    requestId: read('requestId', A_TEXT, text),
    source: read('source', A_TEXT, text),
    messageId: read('messageId', A_TEXT, text),
    before: read('before', A_MOMENT, parseBound),
    after: read('after', A_MOMENT, parseBound),
    cursor: read('cursor', 'what an earlier run gave', readCursor),
    limit: read('limit', 'a whole number from 1', whole(1)),
    rate: read('rate', 'a number of messages a second, from 0.01', atLeast(0.01)),
    dryRun: read('dryRun', 'true or false', flag),
    renew: read('renew', 'true or false', flag),
    reason: read('reason', WORDS, words),
    replayedBy: read('replayedBy', WORDS, words),
    maxAgeSeconds: read('maxAgeSeconds', 'a whole number from 0', whole(0)),
  };
};

/** Without what was not given. */
const present = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    readonly [Name in keyof Fields]?: NonNullable<Fields[Name]>;
  };

/** @throws OptionsError that lists all faults together. */
export const readOptions = (event: unknown, maxAgeDefault: number): ReplayRequest => {
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    throw new OptionsError(['it is not an object']);
  const faults: string[] = Object.keys(event)
    .filter((key) => !(KEYS as readonly string[]).includes(key))
    .map((key) => `${key} is not known`);
  const { queue, cursor, maxAgeSeconds, replayedBy, ...keys } = readKeys(event as Given, faults);
  if (keys.renew && keys.reason === undefined) faults.push('renew needs a reason');
  if (faults.length > 0) throw new OptionsError(faults);

  const { before } = keys;
  return {
    queues: queue === undefined ? DEAD_LETTER_QUEUES : [queue],
    options: {
      ...present({
        ...keys,
        before: cursor?.before && (!before || cursor.before < before) ? cursor.before : before,
        limit: cursor?.limit ?? keys.limit,
      }),
      replayedBy: replayedBy ?? 'replay-dead-letters',
      maxRequestAgeSeconds: maxAgeSeconds ?? maxAgeDefault,
    },
  };
};
