/**
 * A JSON text read in place: checked to its end, while only the members of its outermost object are told, as they are
 * written. `JSON.parse` keeps the last of two equal keys and forgets how a number was written, and with a reviver it cost
 * 200 MiB for a body of 1 MiB; this costs at most one byte for each level of nesting. It takes exactly the texts that
 * `JSON.parse` takes.
 */

/** A member of the outermost object: its key, unescaped, and where its value stands in the text. */
export type OnMember = (key: string, valueStart: number, valueEnd: number) => void;

/** Where the value stands, without the white space around it; `undefined` where the text is not JSON. */
export type Scanned = { readonly start: number; readonly end: number } | undefined;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = { array: 0x5b, object: 0x7b } as const;
const CLOSE = { array: 0x5d, object: 0x7d } as const;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** The end of what a sticky expression matches at `from`, or -1. */
const endOf = (expression: RegExp, text: string, from: number): number => {
  expression.lastIndex = from;
  return expression.test(text) ? expression.lastIndex : -1;
};

const skipSpace = (text: string, from: number): number => {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
};

/** Behind the string whose opening quotation mark stands at `from`, or -1. */
const skipString = (text: string, from: number): number => {
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code < 0x20) return -1;
    if (code === BACKSLASH) {
      at = endOf(ESCAPE, text, at) - 1;
      if (at < 0) return -1;
    }
  }
  return -1;
};

/** Behind the string, number or word at `from`, or -1. */
const skipScalar = (text: string, from: number): number => {
  const code = text.charCodeAt(from);
  if (code === QUOTE) return skipString(text, from);
  return endOf(code === 0x2d || (code >= 0x30 && code <= 0x39) ? NUMBER : LITERAL, text, from);
};

/** So many levels fit into one integer; hardly any text is deeper. */
const FLAT_LEVELS = 31;

/** Which brackets are open: one bit for each level, and one byte for each beyond those of an integer. */
const createBrackets = () => {
  let flat = 0;
  let deep: Uint8Array | undefined;
  let depth = 0;
  return {
    push: (isObject: boolean): void => {
      const bit = isObject ? 1 : 0;
      const level = depth - FLAT_LEVELS;
      depth += 1;
      if (level < 0) flat = (flat << 1) | bit;
      else {
        if (deep === undefined || level === deep.length) {
          const more = new Uint8Array(Math.max(64, level * 2));
          if (deep) more.set(deep);
          deep = more;
        }
        deep[level] = bit;
      }
    },
    pop: (): void => {
      depth -= 1;
      if (depth < FLAT_LEVELS) flat >>= 1;
    },
    depth: () => depth,
    isObject: () => (depth > FLAT_LEVELS ? deep?.[depth - FLAT_LEVELS - 1] : flat & 1) === 1,
  };
};

/** What the string says that stands there with its quotation marks; it was found by `scanJson`. */
export const unquote = (text: string, start: number, end: number): string => {
  const written = text.slice(start + 1, end - 1);
  return written.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : written;
};

/** @param onMember is told the members of the outermost object as they are found, also where the text then turns out wrong */
export const scanJson = (text: string, onMember: OnMember): Scanned => {
  const brackets = createBrackets();
  const start = skipSpace(text, 0);
  let at = start;
  let member: { readonly key: string; readonly start: number } | undefined;
  /** Takes `"key":` of an object; false where there is none. */
  const takeKey = (): boolean => {
    const keyEnd = text.charCodeAt(at) === QUOTE ? skipString(text, at) : -1;
    if (keyEnd < 0) return false;
    const colon = skipSpace(text, keyEnd);
    if (text.charCodeAt(colon) !== COLON) return false;
    const valueStart = skipSpace(text, colon + 1);
    if (brackets.depth() === 1) member = { key: unquote(text, at, keyEnd), start: valueStart };
    at = valueStart;
    return true;
  };
  /** A value has ended at `at`: goes to where the next one begins, or out of all brackets. */
  const takeEnd = (): boolean => {
    while (brackets.depth() > 0) {
      if (brackets.depth() === 1 && member !== undefined) {
        onMember(member.key, member.start, at);
        member = undefined;
      }
      at = skipSpace(text, at);
      const code = text.charCodeAt(at);
      if (code === COMMA) {
        at = skipSpace(text, at + 1);
        return !brackets.isObject() || takeKey();
      }
      if (code !== (brackets.isObject() ? CLOSE.object : CLOSE.array)) return false;
      brackets.pop();
      at += 1;
    }
    return true;
  };
  do {
    const code = text.charCodeAt(at);
    if (code === OPEN.object || code === OPEN.array) {
      brackets.push(code === OPEN.object);
      at = skipSpace(text, at + 1);
      if (text.charCodeAt(at) !== (code === OPEN.object ? CLOSE.object : CLOSE.array)) {
        if (code === OPEN.object && !takeKey()) return undefined;
        continue;
      }
      brackets.pop();
      at += 1;
    } else {
      at = skipScalar(text, at);
      if (at < 0) return undefined;
    }
    if (!takeEnd()) return undefined;
  } while (brackets.depth() > 0);
  return skipSpace(text, at) === text.length ? { start, end: at } : undefined;
};
