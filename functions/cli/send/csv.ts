/**
 * CSV by csv-parse alone: the parser that reads the rows reads the header too, and the delimiter is the one under which the
 * first record names the column `identifier`. Text that is cut by hand took `"Vault, name"` for two columns and sent the
 * ticket's number as the password.
 */
import { CsvError, type Options, type Parser, parse } from 'csv-parse';
import type { FieldName } from '../../requests/fields.ts';
import { CommandError } from '../terminal/ending.ts';
import { UsageError } from '../terminal/usage.ts';
import { type Column, columnsOf, describeMissing, findConflict } from './columns.ts';
import { type Found, MAX_LINE_LENGTH } from './found.ts';

export interface CsvShape {
  readonly delimiter: string;
  readonly columns: readonly Column[];
  /** Lines to leave out before the first record, such as Excel's `sep=;`. */
  readonly skipLines: number;
  readonly hasHeader: boolean;
}

const DELIMITERS = [',', ';', '\t'] as const;
const DELIMITER_NAMES = { ',': 'a comma', ';': 'a semicolon', '\t': 'a tab' } as const;
/** Enough to see what a file is. */
const SAMPLE_BYTES = 1024;
const NUMBER = /^[+-]?[0-9][0-9.,eE+-]*$/;

const optionsFor = (delimiter: string, skipLines: number): Options => ({
  delimiter,
  from_line: skipLines + 1,
  trim: true,
  record_delimiter: ['\r\n', '\n', '\r'],
  skip_empty_lines: true,
  // Rows of separators only.
  skip_records_with_empty_values: true,
  relax_column_count: true,
  // A quotation mark that is never closed would take in the rest of the file.
  max_record_size: MAX_LINE_LENGTH,
});

const faultOf = (label: string, error: unknown): unknown => {
  if (!(error instanceof CsvError)) return error;
  return new CommandError(
    'InvalidFile',
    `${label}: line ${String(error['lines'])}: a quotation mark is not closed, or stands inside a cell where it has to be doubled; nothing after it can be read`,
    'close it, or write it twice within a quoted cell',
  );
};

const write = (parser: Parser, chunk: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    parser.write(chunk, (error) => (error ? reject(error) : resolve()));
  });

const end = (parser: Parser): Promise<void> =>
  new Promise((resolve, reject) => {
    parser.on('error', reject);
    parser.end(resolve);
  });

/** Without the empty ones at the end: trailing separators are nothing. */
const withoutTrailing = (cells: readonly string[]): readonly string[] =>
  cells.slice(0, cells.findLastIndex((cell) => cell !== '') + 1);

/** The first record as this delimiter cuts it; `undefined` where it cuts through quotation marks. */
const readFirst = async (
  head: Buffer,
  delimiter: string,
  skipLines: number,
): Promise<readonly string[] | undefined> => {
  const parser = parse({ ...optionsFor(delimiter, skipLines), to: 1 });
  parser.on('error', () => {}); // told by the iteration
  parser.end(head);
  try {
    for await (const record of parser as AsyncIterable<string[]>) return withoutTrailing(record);
    return [];
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
};

const toColumns = (names: readonly string[], label: string): readonly Column[] => {
  const conflict = findConflict(names);
  if (conflict === undefined) return columnsOf(names);
  const { field, first, second } = conflict;
  throw new UsageError(
    `${label}: the columns ${JSON.stringify(first)} and ${JSON.stringify(second)} both mean ${field}: leave one of them`,
  );
};

interface Candidate {
  readonly delimiter: (typeof DELIMITERS)[number];
  readonly names: readonly string[];
}

const chooseHeader = (candidates: readonly Candidate[], label: string): Candidate | undefined => {
  const naming = candidates.filter(
    ({ names }) =>
      findConflict(names)?.field === 'identifier' || columnsOf(names).some(({ field }) => field === 'identifier'),
  );
  const [one, other] = naming;
  if (one === undefined || other === undefined || naming.every(({ names }) => names.length === 1)) return one;
  throw new UsageError(
    `${label}: it cannot be told whether ${DELIMITER_NAMES[one.delimiter]} or ${DELIMITER_NAMES[other.delimiter]} separates the columns of its first line`,
  );
};

/** @param head the beginning of the file, which has to hold its first record. @throws UsageError for a header that can't be */
export const readShape = async (head: Buffer, label: string): Promise<CsvShape> => {
  const skipLines = /^sep=[,;\t]\r?\n/i.test(head.toString('latin1', 0, 7)) ? 1 : 0;
  const given = skipLines === 1 ? [DELIMITERS.find((each) => each.charCodeAt(0) === head[4]) ?? ','] : DELIMITERS;
  const candidates: Candidate[] = [];
  for (const delimiter of given) {
    const names = await readFirst(head, delimiter, skipLines);
    if (names !== undefined) candidates.push({ delimiter, names });
  }
  const header = chooseHeader(candidates, label);
  if (header !== undefined) {
    const { delimiter, names } = header;
    return { delimiter, skipLines, hasHeader: true, columns: toColumns(names, label) };
  }
  // Nothing but empty lines: there will be no record either.
  if (candidates.every(({ names }) => names.length === 0) && candidates.length > 0) {
    return { delimiter: ',', skipLines, hasHeader: true, columns: columnsOf(['identifier']) };
  }
  const bare = candidates.find(({ names }) => names.length === 1 && NUMBER.test(names[0] ?? ''));
  if (bare !== undefined) {
    return { delimiter: bare.delimiter, skipLines, hasHeader: false, columns: columnsOf(['identifier']) };
  }
  if (/^\s*\{/.test(head.toString('utf8', 0, SAMPLE_BYTES))) {
    throw new UsageError(`${label}: its first line is not a list of columns; for JSON Lines add --format jsonl`);
  }
  const [most = []] = candidates.map(({ names }) => names).sort((one, other) => other.length - one.length);
  if (candidates.length === 0) {
    throw new UsageError(`${label}: a quotation mark of the first line is not closed, or stands inside a name`);
  }
  throw new UsageError(`${label}: ${describeMissing(most)}`);
};

/** An empty cell is not given. */
const createReadRecord = (columns: readonly Column[]) => {
  const names = columns.map(({ field }) => field);
  return (place: string, cells: readonly string[]): Found => {
    if (cells.length < names.length)
      return { kind: 'fault', place, fault: 'it has fewer columns than the first line names' };
    const fields: Partial<Record<FieldName, string>> = {};
    for (let index = 0; index < cells.length; index += 1) {
      const cell = cells[index];
      if (cell === undefined || cell === '') continue;
      if (index >= names.length)
        return { kind: 'fault', place, fault: 'it has more columns than the first line names' };
      const name = names[index];
      if (name !== undefined) fields[name] = cell;
    }
    return { kind: 'fields', place, fields };
  };
};

/** Of a record over several lines, the first; csv-parse tells the last. */
const firstLine = (lastLine: number, cells: readonly string[]): number => {
  let line = lastLine;
  for (const cell of cells) if (cell.includes('\n')) line -= cell.split('\n').length - 1;
  return line;
};

/**
 * csv-parse pushes each record as it has read it, while `info.lines` is the line of its end. Taken here, because its own
 * options that tell the line (`info`, `on_record`) copy all it knows for each record: twice the time of a million lines.
 */
const createParser = (options: Options, onRecord: (cells: readonly string[], lastLine: number) => void): Parser => {
  const parser = parse(options);
  parser.push = (record: readonly string[] | null) => {
    if (record !== null) onRecord(record, parser.info.lines);
    return true;
  };
  parser.on('error', () => {}); // told by write and end
  return parser;
};

export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  { delimiter, skipLines, hasHeader, columns }: CsvShape,
  label: string,
): AsyncGenerator<readonly Found[]> {
  let found: Found[] = [];
  let isHeader = hasHeader;
  let lineBefore = 0;
  const readRecord = createReadRecord(columns);
  const parser = createParser(optionsFor(delimiter, skipLines), (cells, lastLine) => {
    const line = lastLine > lineBefore + 1 ? firstLine(lastLine, cells) : lastLine;
    lineBefore = lastLine;
    if (!isHeader) found.push(readRecord(`line ${line}`, cells));
    isHeader = false;
  });
  const take = (): readonly Found[] => {
    const taken = found;
    found = [];
    return taken;
  };
  let failure: unknown;
  try {
    for await (const chunk of chunks) {
      await write(parser, chunk);
      yield take();
    }
    await end(parser);
  } catch (error) {
    failure = faultOf(label, error);
  } finally {
    parser.destroy();
  }
  // Also what stood before a fault is told of.
  yield take();
  if (failure !== undefined) throw failure;
}
