/**
 * CloudWatch Logs Insights QL, as much of it as our pages use, parsed strictly and carried out on rows: a query of the
 * pages that AWS would refuse, or that finds something else than it promises, fails here.
 * Source: CloudWatch Logs User Guide, "CloudWatch Logs Insights language query syntax" (read 2026-11).
 */
import { createReader, type Evaluate, present, QueryError, type Row, tokenize } from './insights-reader.ts';

type Command = (rows: readonly Row[]) => readonly Row[];

export interface Query {
  /** Every field that the query reads from the lines, without those it makes itself. */
  readonly fields: ReadonlySet<string>;
  readonly run: (rows: readonly Row[]) => readonly Row[];
}

/** Pipes part commands, but not within a string or a regular expression; a line that begins with # is a comment. */
const commandsOf = (source: string): string[] =>
  source
    .replace(/^\s*#.*$/gm, '')
    .split(/\|(?=(?:[^"/]|"[^"]*"|\/[^/\n]*\/)*$)/)
    .map((command) => command.trim());

const pick = (columns: readonly (readonly [string, Evaluate])[]) => (row: Row) =>
  Object.fromEntries(columns.map(([name, of]) => [name, of(row)]).filter(([, found]) => present(found)));

/** @throws QueryError for what is not in the language, or not in the part of it that is known here */
export const parseQuery = (source: string): Query => {
  const fields = new Set<string>();
  const made = new Set<string>();
  const note = (name: string): void => {
    if (!made.has(name)) fields.add(name);
  };

  const readCommand = (text: string): Command => {
    const [first, ...rest] = tokenize(text);
    const read = createReader(rest, note);
    const name = first?.text;
    let command: Command;
    if (name === 'filter') {
      const holds = read.disjunction();
      command = (rows) => rows.filter(holds);
    } else if (name === 'fields' || name === 'display') {
      const columns = read.list(read.column);
      for (const [column] of columns) if (!fields.has(column)) made.add(column);
      // `fields` shows these and keeps the others for the commands after it.
      const show = pick(columns);
      command = (rows) => rows.map((row) => ({ ...(name === 'fields' ? row : {}), ...show(row) }));
    } else if (name === 'stats') {
      const aggregates = read.list(read.aggregate);
      const groups = read.accept('by') ? read.list(read.column) : [];
      for (const [column] of [...aggregates, ...groups]) if (!fields.has(column)) made.add(column);
      command = (rows) => {
        const grouped = Map.groupBy(rows, (row) => JSON.stringify(pick(groups)(row)));
        return [...grouped].map(([key, members]) => ({
          ...(JSON.parse(key) as Row),
          ...Object.fromEntries(aggregates.map(([column, of]) => [column, of(members)])),
        }));
      };
    } else if (name === 'sort') {
      const orders = read.list(read.order);
      command = (rows) =>
        rows.toSorted((one, other) => orders.map((each) => each(one, other)).find((sign) => sign !== 0) ?? 0);
    } else if (name === 'limit') {
      const most = Number(read.take('number'));
      command = (rows) => rows.slice(0, most);
    } else {
      throw new QueryError(`no such command: ${text}`);
    }
    read.end();
    return command;
  };

  const commands = commandsOf(source).map(readCommand);
  return { fields, run: (rows) => commands.reduce((left, command) => command(left), rows) };
};

/** A line of a log as Logs Insights sees it. */
export const toRow = (line: Row): Row => ({
  ...line,
  '@timestamp': line['timestamp'] ?? '',
  '@message': JSON.stringify(line),
});
