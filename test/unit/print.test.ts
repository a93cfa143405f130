/** The one way to the screen: what comes from outside is shown, never sent. */
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { note, paint, say, sayJson, table, toJson, wrap } from '../../functions/cli/terminal/print.ts';
import { shorten, visible, widthOf } from '../../functions/cli/terminal/text.ts';
import { anyText } from '../any-text.ts';

let out = '';
let err = '';
beforeEach(() => {
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    return true;
  });
  vi.stubEnv('FORCE_COLOR', '1');
  vi.stubEnv('NO_COLOR', undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const red = (text: string): string => paint('red', text);

/** Everything that could steer a terminal, hide, or turn the direction of what follows. */
const HOSTILE: readonly (readonly [string, string, string])[] = [
  ['an escape sequence', '\u001b[2J', '\\u001b[2J'],
  ['a colour', '\u001b[31m', '\\u001b[31m'],
  ['the clipboard', '\u001b]52;c;ZXZpbA==\u0007', '\\u001b]52;c;ZXZpbA==\\u0007'],
  ['a line end', 'a\nb', 'a\\nb'],
  ['a carriage return', '\rforged', '\\rforged'],
  ['a tab', 'a\tb', 'a\\tb'],
  ['DEL', '\u007f', '\\u007f'],
  ['C1', '\u009b2J', '\\u009b2J'],
  ['a line separator', '\u2028', '\\u2028'],
  ['a paragraph separator', '\u2029', '\\u2029'],
  ['a bidi override', '\u202e', '\\u202e'],
  ['a bidi isolate', '\u2066', '\\u2066'],
  ['an Arabic letter mark', '\u061c', '\\u061c'],
  ['a byte order mark', '\ufeff', '\\ufeff'],
  ['a tag', '\u{e0041}', '\\u{e0041}'],
  ['half a character', '\ud83d', '\\ud83d'],
];

/** What no line of ours ever holds, but for its own end. */
const STEERING = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u;

describe('text from outside', () => {
  test.each(HOSTILE)('with %s is shown as a visible escape', (_, text, shown) => {
    expect(visible(text)).toBe(shown);
    say(`before ${text} after`);
    note(`before ${text} after`);
    expect([out, err]).toEqual([`before ${shown} after\n`, `before ${shown} after\n`]);
  });

  test.each(HOSTILE)('with %s stays itself in JSON, and is not sent', (_, text) => {
    const json = toJson({ text, [text]: 1 });
    expect(json).not.toMatch(STEERING);
    expect(JSON.parse(json)).toEqual({ text, [text]: 1 });
  });

  test('in our own colours does not end them, nor add any', () => {
    say(`${red('✗ a\u001b[0mb')} \u001b[32mc`);
    expect(out).toBe('\u001b[31m✗ a\\u001b[0mb\u001b[39m \\u001b[32mc\n');
  });

  test('cannot make a row of a table', () => {
    say(table(['id', 'by'], [['1', 'ana\n2   eve']]));
    expect(stripVTControlCharacters(out)).toBe('id  by\n────────────────\n1   ana\\n2   eve\n');
  });

  test.each(['wrap', 'table'] as const)('is shown by %s as by all others, whatever it is', (way) => {
    fc.assert(
      fc.property(anyText(), (text) => {
        out = '';
        say(`- ${way === 'wrap' ? wrap(text) : table(['head'], [[text]])} -`);
        for (const line of stripVTControlCharacters(out).trimEnd().split('\n')) expect(line).not.toMatch(STEERING);
      }),
    );
  });

  test('keeps what only looks special: accents, joiners, emoji', () => {
    const text = 'Ação 日本 👩‍💻 می‌خواهم \\n';
    expect(visible(text)).toBe(text);
  });

  test('of a megabyte pads no other row of a table to as much', () => {
    const rows = [['x'.repeat(1_000_000), '1'], ...Array.from({ length: 1000 }, () => ['y', '1'])];
    expect(table(['a', 'b'], rows).length).toBeLessThan(1_000_000);
  });
});

describe('a table', () => {
  test('is as wide as what is shown: wide characters, colours and escapes count as columns', () => {
    expect(['ab', '日本', 'é', '\u001b', red('ab'), '👍'].map(widthOf)).toEqual([2, 4, 1, 6, 2, 2]);
    say(
      table(
        ['a', 'b'],
        [
          ['日本', '1'],
          [red('x'), '2'],
        ],
      ),
    );
    expect(stripVTControlCharacters(out)).toBe('a     b\n───────\n日本  1\nx     2\n');
  });

  test('ends no line with blanks', () => {
    say(table(['code', 'count', ''], [['1006', '1', '']]));
    expect(out).not.toMatch(/ $/m);
  });
});

test.each([
  ['abcdef', 4, 'abc…'],
  ['abcd', 4, 'abcd'],
  ['日本語', 4, '日…'],
  ['\u001b\u001b', 8, '\\u001b\\…'],
  ['x'.repeat(1_000_000), 3, 'xx…'],
])('a text is cut by what is shown of it', (text, width, cut) => {
  expect(shorten(text, width)).toBe(cut);
});

test('the object of --json is one line', () => {
  sayJson({ a: 'b\n\u0085c' });
  expect(out).toBe('{"a":"b\\n\\u0085c"}\n');
});
