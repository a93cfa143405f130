/**
 * CloudWatch's filter patterns, as far as we use them: JSON patterns of `=` and `!=` with `&&`, `||` and parentheses, terms
 * and quoted phrases. Anything else is refused, as AWS refuses what it cannot read.
 */

export type Matches = (message: string) => boolean;

type Test = (value: Readonly<Record<string, unknown>>) => boolean;

const TOKENS = /\s*(&&|\|\||[()=]|!=|\$\.[A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|[\w*.-]+)/y;

const tokenize = (text: string): string[] | undefined => {
  const tokens: string[] = [];
  TOKENS.lastIndex = 0;
  while (TOKENS.lastIndex < text.trimEnd().length) {
    const found = TOKENS.exec(text);
    if (!found?.[1]) return undefined;
    tokens.push(found[1]);
  }
  return tokens;
};

/** `*` stands for any characters, as in AWS. */
const compare = (wanted: string): ((value: unknown) => boolean) => {
  if (!wanted.startsWith('"')) {
    return Number.isNaN(Number(wanted)) ? (value) => value === wanted : (value) => value === Number(wanted);
  }
  const text = wanted.slice(1, -1).replace(/\\(.)/g, '$1');
  if (!text.includes('*')) return (value) => value === text;
  const [first = '', ...rest] = text.split('*');
  const last = rest.pop() ?? '';
  return (value) => {
    if (typeof value !== 'string' || !value.startsWith(first) || !value.endsWith(last)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = value.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= value.length - last.length;
  };
};

/** By recursive descent: `||` of `&&` of comparisons and parentheses. @returns `undefined` for what is not a pattern */
const parseJson = (tokens: readonly string[]): Test | undefined => {
  let at = 0;
  const take = (token: string): boolean => {
    if (tokens[at] !== token) return false;
    at += 1;
    return true;
  };
  const comparison = (): Test | undefined => {
    if (take('(')) {
      const inner = either();
      return inner && take(')') ? inner : undefined;
    }
    const [selector = '', operator = '', wanted = ''] = tokens.slice(at, at + 3);
    if (!selector.startsWith('$.') || !['=', '!='].includes(operator) || !/^["\w*.-]/.test(wanted)) return undefined;
    at += 3;
    const isWanted = compare(wanted);
    const name = selector.slice(2);
    return operator === '=' ? (value) => isWanted(value[name]) : (value) => name in value && !isWanted(value[name]);
  };
  const chain = (operator: string, part: () => Test | undefined, join: (a: Test, b: Test) => Test) => () => {
    let left = part();
    while (left && take(operator)) {
      const right = part();
      left = right && join(left, right);
    }
    return left;
  };
  const both = chain('&&', comparison, (a, b) => (value) => a(value) && b(value));
  const either = chain('||', both, (a, b) => (value) => a(value) || b(value));
  const test = either();
  return at === tokens.length ? test : undefined;
};

const parseObject = (message: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined; // a line of text matches no JSON pattern
  }
};

/** @returns `undefined` for a pattern that AWS would refuse, or that is none of ours */
export const parsePattern = (pattern: string): Matches | undefined => {
  const text = pattern.trim();
  if (text === '') return () => true;
  if (text.length > 1024) return undefined;
  if (text.startsWith('{')) {
    const tokens = text.endsWith('}') ? tokenize(text.slice(1, -1)) : undefined;
    const test = tokens && parseJson(tokens);
    return (
      test &&
      ((message) => {
        const value = parseObject(message);
        return value !== undefined && test(value);
      })
    );
  }
  const terms = tokenize(text);
  if (!terms?.every((term) => /^["\w]/.test(term))) return undefined;
  const words = terms.map((term) => (term.startsWith('"') ? term.slice(1, -1).replace(/\\(.)/g, '$1') : term));
  return (message) => words.every((word) => message.includes(word));
};
