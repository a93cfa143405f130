/** Tokens, expressions and aggregates of Logs Insights QL; the commands are in insights.ts. */

export type Row = Readonly<Record<string, unknown>>;
type Value = unknown;
export type Evaluate = (row: Row) => Value;
export type Aggregate = (rows: readonly Row[]) => Value;

export class QueryError extends Error {
  override readonly name = 'QueryError';
}

const TOKEN =
  /\s*(?:(?<string>"(?:[^"\\]|\\.)*")|(?<regex>\/(?:[^/\\]|\\.)+\/)|(?<duration>\d+(?:ms|[smhdw])\b)|(?<number>\d+(?:\.\d+)?)|(?<word>@?[A-Za-z_][\w.]*)|(?<sign><=|>=|!=|[=<>()[\],*]))/y;

interface Token {
  readonly kind: 'string' | 'regex' | 'duration' | 'number' | 'word' | 'sign';
  readonly text: string;
}

export const tokenize = (source: string): Token[] => {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  const text = source.trimEnd();
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const groups = TOKEN.exec(text)?.groups;
    if (!groups) throw new QueryError(`not understood: ${text.slice(from)}`);
    const [kind, found] = Object.entries(groups).find(([, value]) => value !== undefined) as [Token['kind'], string];
    tokens.push({ kind, text: found });
  }
  return tokens;
};

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const asNumber = (value: Value): number =>
  typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);

const compare = (left: Value, right: Value): number => {
  const numbers = [asNumber(left), asNumber(right)] as const;
  if (!numbers.some(Number.isNaN)) return numbers[0] - numbers[1];
  return String(left) < String(right) ? -1 : Number(String(left) !== String(right));
};

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

export const present = (value: Value): boolean => value !== undefined && value !== null;
const percentile = (values: readonly number[], percent: number): number | undefined => {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
};
const byTime = (one: Row, other: Row): number => compare(one['@timestamp'], other['@timestamp']);

const AGGREGATES: Readonly<Record<string, (rows: readonly Row[], of: Evaluate, percent: number) => Value>> = {
  count: (rows, of) => rows.filter((row) => present(of(row))).length,
  count_distinct: (rows, of) => new Set(rows.map(of).filter(present)).size,
  sum: (rows, of) => rows.map((row) => asNumber(of(row) ?? 0)).reduce((sum, value) => sum + value, 0),
  min: (rows, of) => rows.map(of).filter(present).toSorted(compare)[0],
  max: (rows, of) => rows.map(of).filter(present).toSorted(compare).at(-1),
  avg: (rows, of) => {
    const values = rows.map(of).filter(present).map(asNumber);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  },
  pct: (rows, of, percent) => percentile(rows.map(of).filter(present).map(asNumber), percent),
  earliest: (rows, of) => of(rows.toSorted(byTime)[0] ?? {}),
  latest: (rows, of) => of(rows.toSorted(byTime).at(-1) ?? {}),
};

/** One command's tokens, read from left to right. */
export const createReader = (tokens: readonly Token[], onField: (name: string) => void) => {
  let at = 0;
  const peek = (): Token | undefined => tokens[at];
  const isNext = (text: string): boolean => peek()?.text.toLowerCase() === text && peek()?.kind !== 'string';
  const accept = (text: string): boolean => {
    const found = isNext(text);
    if (found) at += 1;
    return found;
  };
  const fail = (wanted: string): never => {
    throw new QueryError(`${wanted} expected, ${peek()?.text ?? 'the end'} found`);
  };
  const expect = (text: string): void => {
    if (!accept(text)) fail(text);
  };
  const take = (kind: Token['kind']): string => {
    const token = peek();
    if (token?.kind !== kind) return fail(`a ${kind}`);
    at += 1;
    return token.text;
  };
  const field = (): Evaluate => {
    const name = take('word');
    onField(name);
    return (row) => row[name];
  };
  const list = <Item>(item: () => Item): Item[] => {
    const items = [item()];
    while (accept(',')) items.push(item());
    return items;
  };
  const bin = (): Evaluate => {
    expect('(');
    const [, count = '', unit = ''] = /^(\d+)([a-z]+)$/.exec(take('duration')) ?? [];
    expect(')');
    const step = Number(count) * (UNITS_MS[unit] ?? Number.NaN);
    return (row) => new Date(Math.floor(Date.parse(String(row['@timestamp'])) / step) * step).toISOString();
  };
  const literal = (): Value => {
    const token = peek();
    if (token?.kind === 'string') return JSON.parse(take('string'));
    if (token?.kind === 'number') return Number(take('number'));
    return fail('a string or a number');
  };
  const value = (): Evaluate => {
    if (peek()?.kind === 'word') return field();
    const said = literal();
    return () => said;
  };

  const comparison = (): Evaluate => {
    if (accept('ispresent')) {
      expect('(');
      const of = field();
      expect(')');
      return (row) => present(of(row));
    }
    if (accept('(')) {
      const inner = disjunction();
      expect(')');
      return inner;
    }
    const left = value();
    if (accept('in')) {
      expect('[');
      const all = list(literal);
      expect(']');
      return (row) => present(left(row)) && all.some((each) => compare(left(row), each) === 0);
    }
    if (accept('like')) {
      const pattern = new RegExp(take('regex').slice(1, -1));
      return (row) => present(left(row)) && pattern.test(String(left(row)));
    }
    const holds = COMPARISONS[take('sign')] ?? fail('a comparison');
    const right = value();
    return (row) => present(left(row)) && present(right(row)) && holds(compare(left(row), right(row)));
  };
  const negation = (): Evaluate => {
    if (!accept('not')) return comparison();
    const inner = negation();
    return (row) => !inner(row);
  };
  const conjunction = (): Evaluate => {
    const all = [negation()];
    while (accept('and')) all.push(negation());
    return (row) => all.every((each) => each(row));
  };
  function disjunction(): Evaluate {
    const any = [conjunction()];
    while (accept('or')) any.push(conjunction());
    return (row) => any.some((each) => each(row));
  }

  const alias = (otherwise: string): string => (accept('as') ? take('word') : otherwise);
  const textFrom = (from: number): string =>
    tokens
      .slice(from, at)
      .map(({ text }) => text)
      .join('');

  /** A field, or bin(…), with the name of its column. */
  const column = (): readonly [string, Evaluate] => {
    const from = at;
    const of = accept('bin') ? bin() : field();
    return [alias(textFrom(from)), of];
  };
  const aggregate = (): readonly [string, Aggregate] => {
    const from = at;
    const name = take('word');
    const apply = AGGREGATES[name] ?? fail('an aggregate function');
    expect('(');
    const of: Evaluate = name === 'count' && accept('*') ? () => true : field();
    if (name === 'pct') expect(',');
    const percent = name === 'pct' ? Number(take('number')) : 0;
    expect(')');
    return [alias(textFrom(from)), (rows) => apply(rows, of, percent)];
  };
  const order = (): ((one: Row, other: Row) => number) => {
    const of = field();
    const sign = accept('desc') ? -1 : accept('asc') ? 1 : fail('asc or desc');
    return (one, other) => sign * compare(of(one), of(other));
  };
  const end = (): void => {
    if (at < tokens.length) fail('the end of the command');
  };
  return { accept, take, list, field, disjunction, column, aggregate, order, end };
};
