/** Plain words: what a stranger stumbles over stands in no page, no message and no comment. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPages, root } from './pages.ts';

/** What is refused, and what to write instead. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bmend(?:s|ed|ing)?\b/i, 'fix'],
  [/\b(?:is|are|was|were) not to be (?:reached|read|found|had)\b/i, 'cannot be reached'],
  [/\b(?:lie|lies|lying|lain)\b/i, 'is, are, waiting, stay'],
  [/\b(?:is|are) over already\b/i, 'has passed'],
  [/\banew\b/i, 'again'],
  [/\bfor ever\b/i, 'forever'],
  [/\bcertificates? (?:run|runs|ran|has run) out\b/i, 'has expired'],
  [/\bas (?:half|most)\b(?=[,\s]*(?:pct|by|max|$))/i, 'median, p95'],
];

interface Line {
  readonly place: string;
  readonly text: string;
}

const filesOf = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(
      (name) => ['.ts', '.mjs', '.cjs', '.yml', '.html'].includes(extname(name)) && !name.includes('node_modules'),
    )
    .map((name) => join(folder, name));

/** Of a program, what people read: its comments, and what stands in quotes. Names in code are not prose. */
const proseOf = (line: string): string =>
  /^\s*(?:\/\*|\*|#)/.test(line)
    ? line
    : [...line.matchAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`?|\/\/ .*$|\s# .*$/g)]
        .join(' ')
        // What is filled in is code again.
        .replace(/\$\{[^}]*\}/g, '');

const linesOf = (name: string, text: string, read: (line: string) => string): readonly Line[] =>
  text.split('\n').map((line, index) => ({ place: `${name}:${index + 1}`, text: read(line) }));

const faultsOf = (lines: readonly Line[]): readonly string[] =>
  lines.flatMap(({ place, text }) =>
    WORDS.flatMap(([word, better]) => {
      const found = word.exec(text)?.[0];
      return found === undefined ? [] : [`${place} has "${found}": write "${better}"`];
    }),
  );

describe('plain words stand in', () => {
  test('the pages', () => {
    const pages = readPages().filter(({ name }) => name !== 'CHANGELOG.md');
    expect(faultsOf(pages.flatMap(({ name, text }) => linesOf(name, text, (line) => line)))).toEqual([]);
  });

  test('the schemas and samples', () => {
    const names = readdirSync(join(root, 'events')).map((name) => join('events', name));
    const lines = names.flatMap((name) => linesOf(name, readFileSync(join(root, name), 'utf8'), (line) => line));
    expect(lines.length).toBeGreaterThan(300);
    expect(faultsOf(lines)).toEqual([]);
  });

  test.each(['functions', 'infra', 'test'])('messages and comments of %s', (folder) => {
    // Not this file, which names what it refuses.
    const names = filesOf(folder).filter((name) => !name.endsWith('words.test.ts'));
    const lines = names.flatMap((name) => linesOf(name, readFileSync(join(root, name), 'utf8'), proseOf));
    expect(lines.length).toBeGreaterThan(1000);
    expect(faultsOf(lines)).toEqual([]);
  });

  test('nothing, where a word is not plain: each is told with its place', () => {
    const bad = [
      "say('mend it');",
      '// it lies there',
      'the time is over already',
      'is not to be reached',
      'pct(x, 50) as half, pct',
    ];
    const faults = faultsOf(linesOf('a.ts', bad.slice(0, 2).join('\n'), proseOf));
    expect(faults).toEqual(['a.ts:1 has "mend": write "fix"', 'a.ts:2 has "lies": write "is, are, waiting, stay"']);
    expect(faultsOf(linesOf('b.md', bad.slice(2).join('\n'), (line) => line))).toHaveLength(3);
    expect(faultsOf(linesOf('c.ts', 'const lying = queue.lying();', proseOf))).toEqual([]);
  });
});
