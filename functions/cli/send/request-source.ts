/**
 * Where `send` takes requests from: arguments, CSV, JSON Lines, standard input. What it gives can be read twice, because
 * all is checked before anything is sent; and in portions, so that a million lines need no more memory than a thousand.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CommandError, fileError } from '../terminal/ending.ts';
import { isFileFailure } from '../terminal/file-failure.ts';
import { plural } from '../terminal/print.ts';
import { UsageError } from '../terminal/usage.ts';
import { type CsvShape, readCsv, readShape } from './csv.ts';
import { decodeFile } from './decode.ts';
import type { Found } from './found.ts';
import { readJsonLines } from './json-lines.ts';

export interface RequestSource {
  /** For people: `--file requests.csv`. */
  readonly label: string;
  readonly read: () => AsyncGenerator<readonly Found[]>;
  /** How it is read, where that is not plain: columns that are not sent, a file without a header. */
  readonly notes: readonly string[];
  readonly close: () => Promise<void>;
}

export type Format = 'csv' | 'jsonl';

/** The first line of JSON Lines: an object, or an identifier alone. */
const JSON_LINE = /^\s*(?:\{|"?[0-9]+"?\s*(?:[\r\n]|$))/;

const formatOf = (path: string, head: string): Format => {
  if (/\.(csv|tsv)$/i.test(path)) return 'csv';
  if (/\.(jsonl|ndjson|json)$/i.test(path)) return 'jsonl';
  return JSON_LINE.test(head) ? 'jsonl' : 'csv';
};

/** The first chunk of what is decoded. */
const readHead = async (path: string, label: string): Promise<Buffer> => {
  for await (const chunk of decodeFile(path, label)) return chunk;
  return Buffer.alloc(0);
};

/** Standard input can be read but once, so it is put aside; for our own eyes, and only for as long as it takes. */
const putAside = async (signal: AbortSignal): Promise<{ path: string; close: () => Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-'));
  const path = join(folder, 'standard-input');
  const close = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }), { signal });
  } catch (error) {
    await close();
    throw isFileFailure(error) ? fileError(error, path) : error;
  }
  return { path, close };
};

/** It is read twice, which a pipe cannot be. @throws UsageError */
const checkFile = async (file: string): Promise<void> => {
  let isFile: boolean;
  try {
    isFile = (await stat(file)).isFile();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new UsageError(`--file ${file}: ${what}`);
  }
  if (!isFile) throw new UsageError(`--file ${file}: it is not an ordinary file; pipe it in with --file -`);
};

const notesOn = ({ columns, hasHeader }: CsvShape, label: string): readonly string[] => {
  if (!hasHeader)
    return [`${label}: its first line is a number, so it is read as CSV without a header: one identifier a line`];
  const leftOut = columns.filter(({ field }) => field === undefined).map(({ name }) => name || '(without a name)');
  return leftOut.length === 0 ? [] : [`${plural(leftOut.length, 'column')} not sent: ${leftOut.join(', ')}`];
};

const ARRAY_FIX =
  "write one request a line: jq -c '.[]' requests.json | npx mysafe-enable send --file - --format jsonl";

/** @throws UsageError where there is no such file or its header can't be; CommandError where it cannot be decoded; an AbortError where reading standard input was interrupted */
export const openFile = async (
  file: string,
  format: Format | undefined,
  signal: AbortSignal,
): Promise<RequestSource> => {
  if (file !== '-') await checkFile(file);
  const { path, close } = file === '-' ? await putAside(signal) : { path: file, close: async () => {} };
  const label = `--file ${file}`;
  try {
    const head = await readHead(path, label);
    const chunks = () => decodeFile(path, label);
    const text = head.toString('utf8', 0, 1024);
    if ((format ?? formatOf(file, text)) === 'jsonl') {
      if (/^\s*\[/.test(text))
        throw new CommandError('InvalidFile', `${label}: line 1 begins a JSON array, not JSON Lines`, ARRAY_FIX);
      return { label, read: () => readJsonLines(chunks()), notes: [], close };
    }
    const shape = await readShape(head, label);
    return { label, read: () => readCsv(chunks(), shape, label), notes: notesOn(shape, label), close };
  } catch (error) {
    await close();
    throw error;
  }
};

const RANGE = /^([1-9][0-9]{0,15})(?:-|\.\.)([1-9][0-9]{0,15})$/;
const MAX_SHOWN = 10;

/** What somebody who wrote this probably wants. */
const helpWith = (argument: string): string => {
  const parts = argument.split(/[,;\s]+/).filter(Boolean);
  if (parts.length > 1 && parts.every((part) => /^[0-9]+$/.test(part)))
    return `separate them by spaces: send ${parts.join(' ')}`;
  const [, from, to] = RANGE.exec(argument) ?? [];
  if (from === undefined || to === undefined) return 'an identifier is a whole number from 1, in digits alone';
  const count = Number(to) - Number(from) + 1;
  if (count >= 1 && count <= MAX_SHOWN) {
    return `a range is not taken; name each: send ${Array.from({ length: count }, (_, index) => Number(from) + index).join(' ')}`;
  }
  return `a range is not taken; pipe the numbers in: seq ${from} ${to} | npx mysafe-enable send --file -`;
};

/** @throws UsageError where one of them is not an identifier */
export const openArguments = (
  identifiers: readonly string[],
  isIdentifier: (argument: string) => boolean,
): RequestSource => {
  for (const argument of identifiers) {
    if (!isIdentifier(argument))
      throw new UsageError(`${JSON.stringify(argument)} is not an identifier: ${helpWith(argument)}`);
  }
  const read = async function* (): AsyncGenerator<readonly Found[]> {
    yield identifiers.map((identifier, index) => ({
      kind: 'fields',
      place: `argument ${index + 1}`,
      fields: { identifier },
    }));
  };
  return { label: 'the arguments', read, notes: [], close: async () => {} };
};
