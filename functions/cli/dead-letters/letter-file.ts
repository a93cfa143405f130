/** Letters in a file: where it is unless told, and what a line of it holds. */
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Letter } from '../../dead-letters/letter.ts';
import type { QueueToRead } from '../../dead-letters/scan.ts';
import { toJson } from '../terminal/print.ts';
import { textCell } from '../terminal/spreadsheet.ts';
import { describeLetter } from './tell.ts';

/** Where `path` is in a checkout of Git, or in a folder below one. */
const isInCheckout = (path: string): boolean =>
  existsSync(join(path, '.git')) || (dirname(path) !== path && isInCheckout(dirname(path)));

const FOLDER_MODE = 0o700;

/**
 * Where letters are written unless told: here, or in the home directory where here is a checkout, for bodies name people
 * and a file in a checkout is soon committed.
 */
export const defaultFile = (queues: readonly QueueToRead[], ending: string): string => {
  const names = queues.map(({ name }) => name).join('-');
  const at = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const name = `dead-letters-${names}-${at}.${ending}`;
  if (!isInCheckout(process.cwd())) return name;
  const folder = join(homedir(), 'mysafe-enable');
  mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  return join(folder, name);
};

/** All that a letter was, on one line; it can be sent again from it. */
export const recordOf = ({ queue, messageId, at, body, attributes, groupId, traceHeader }: Letter): string =>
  toJson({ queue, messageId, at, body, attributes, groupId, traceHeader });

const csvCell = (value: unknown): string => textCell(value instanceof Date ? value.toISOString() : String(value ?? ''));

const CSV_COLUMNS = [
  ...['queue', 'messageId', 'code', 'identifier', 'requestId', 'requestedBy', 'reason', 'source', 'at', 'firstSentAt'],
  ...['originalMessageId', 'replayCount', 'replayedBy', 'replayReason', 'error', 'body'],
] as readonly (keyof ReturnType<typeof describeLetter>)[];

export const CSV_HEAD = CSV_COLUMNS.join(',');

export const csvOf = (letter: Letter): string => {
  const described = describeLetter(letter);
  return CSV_COLUMNS.map((column) => csvCell(described[column])).join(',');
};
