/**
 * Where `send` takes requests from: arguments, CSV, JSON Lines, standard input. What it gives can be read twice, because
 * all is checked before anything is sent; and line by line, so that a million lines need no more memory than one.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { type CsvError, parse } from 'csv-parse';
import { REQUESTER_FIELDS } from '../../requests/request.ts';
import { UsageError } from '../terminal/usage.ts';

/** One request as it was found: JSON that is still to be checked, or the reason why it cannot even be that. */
export interface Found {
  readonly place: string;
  readonly json?: string;
  readonly fault?: string;
}

export interface RequestSource {
  readonly read: () => AsyncGenerator<Found>;
  /** Columns of a CSV file that are not sent. */
  readonly leftOut: readonly string[];
  readonly close: () => Promise<void>;
}

export type Format = 'csv' | 'jsonl';

const CSV_FIELDS = ['identifier', ...REQUESTER_FIELDS, 'notAfter'];
const DELIMITERS = [',', ';', '\t'] as const;
const HEAD_BYTES = 65_536;

/** People write "Request ID", programs request_id. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '');
const fieldOf = (column: string): string | undefined => CSV_FIELDS.find((field) => plain(field) === plain(column));

async function* readLines(path: string): AsyncGenerator<Found> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    const json = (line === 1 ? text.replace(/^\ufeff/, '') : text).trim();
    if (json !== '') yield { place: `line ${line}`, json };
  }
}

/** How a CSV file is written; a spreadsheet of many countries separates by semicolon. */
interface CsvShape {
  readonly delimiter: string;
  /** By column, the field it holds; `undefined` for one that is not sent. */
  readonly fields: readonly (string | undefined)[];
  readonly hasHeader: boolean;
  readonly leftOut: readonly string[];
}

const readShape = (head: string): CsvShape => {
  const first =
    head
      .replace(/^\ufeff/, '')
      .split(/\r?\n/)
      .find((line) => line.trim() !== '') ?? '';
  const counts = DELIMITERS.map((delimiter) => first.split(delimiter).length);
  const delimiter = DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
  const names = first.split(delimiter).map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  const fields = names.map(fieldOf);
  if (fields.includes('identifier')) {
    return { delimiter, fields, hasHeader: true, leftOut: names.filter((_, index) => fields[index] === undefined) };
  }
  return { delimiter, fields: ['identifier'], hasHeader: false, leftOut: [] };
};

const readRecord = (cells: readonly string[], { fields, hasHeader }: CsvShape): Omit<Found, 'place'> => {
  if (!hasHeader && cells.length > 1) {
    return { fault: `there is more than one column: the first line must name them, ${CSV_FIELDS.join(',')}` };
  }
  const filled = fields.flatMap((field, index) => {
    const cell = cells[index];
    return field === undefined || cell === undefined || cell === '' ? [] : [[field, cell] as const];
  });
  return { json: JSON.stringify(Object.fromEntries(filled)) };
};

/** One mark too many, and where the next line begins is anybody's guess: such a file is not read on. */
const QUOTE_FAULT = /QUOTE/;
const QUOTE_HINT =
  'a quotation mark is not closed, or stands inside a cell where it has to be doubled; nothing after it can be read';

async function* readCsv(path: string, shape: CsvShape): AsyncGenerator<Found> {
  const skipped: Found[] = [];
  let quoteFault: string | undefined;
  const parser = parse({
    bom: true,
    trim: true,
    delimiter: shape.delimiter,
    skip_empty_lines: true,
    relax_column_count: !shape.hasHeader,
    skip_records_with_error: true,
    info: true,
    on_skip: (error: CsvError | undefined) => {
      const { code = '', lines = 0 } = error as { code?: string; lines?: number };
      if (QUOTE_FAULT.test(code)) quoteFault ??= `line ${lines}: ${QUOTE_HINT}`;
      else skipped.push({ place: `line ${lines}`, fault: 'it has not as many columns as the first line names' });
      return undefined;
    },
  });
  const input = createReadStream(path);
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  let isHeader = shape.hasHeader;
  for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    yield* skipped.splice(0);
    if (quoteFault !== undefined) break;
    if (!isHeader) yield { place: `line ${info.lines}`, ...readRecord(record, shape) };
    isHeader = false;
  }
  yield* skipped;
  if (quoteFault !== undefined) throw new UsageError(quoteFault);
}

const readHead = async (path: string): Promise<string> => {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(HEAD_BYTES) });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
};

const formatOf = (path: string, head: string): Format => {
  if (/\.(csv|tsv)$/i.test(path)) return 'csv';
  if (/\.(jsonl|ndjson|json)$/i.test(path)) return 'jsonl';
  return /^\ufeff?\s*\{/.test(head) ? 'jsonl' : 'csv';
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
    throw error;
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
  if (!isFile) throw new UsageError(`--file ${file}: it is no ordinary file; pipe it in with --file -`);
};

/** @throws UsageError where there is no such file; an AbortError where reading standard input was interrupted */
export const openFile = async (
  file: string,
  format: Format | undefined,
  signal: AbortSignal,
): Promise<RequestSource> => {
  if (file !== '-') await checkFile(file);
  const { path, close } = file === '-' ? await putAside(signal) : { path: file, close: async () => {} };
  const head = await readHead(path);
  if ((format ?? formatOf(file, head)) === 'jsonl') return { read: () => readLines(path), leftOut: [], close };
  const shape = readShape(head);
  return { read: () => readCsv(path, shape), leftOut: shape.leftOut, close };
};

export const openArguments = (identifiers: readonly string[]): RequestSource => ({
  read: async function* () {
    for (const identifier of identifiers) {
      yield { place: `argument ${identifier}`, json: JSON.stringify({ identifier }) };
    }
  },
  leftOut: [],
  close: async () => {},
});
