/** The error numbers of Segura that reject come from one table; what lists them by hand lists all of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REJECTED_CODES } from '../../functions/segura/answers.ts';
import { root } from './pages.ts';

/** Listed since the beginning: by them a list is known. */
const FIRST = ['1005', '1006', '1010'];
const TABLE = 'functions/segura/answers.ts rejects it';

const filesIn = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => ending.test(name))
    .map((name) => `${folder}/${name}`);

/** Not the page that says how another one is added, nor what was true of earlier versions. */
const files = [
  'README.md',
  'infra/runbook.md',
  ...filesIn('docs', /\.md$/).filter((name) => name !== 'docs/contributor.md'),
  ...filesIn('events', /\.(json|yaml)$/),
];

/** A list may begin on the line before; it ends on the line of the last. */
const lists = files.flatMap((file) => {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const near = `${lines[index - 1] ?? ''}\n${line}`;
    const isList = line.includes('1010') && FIRST.every((code) => near.includes(code));
    return isList ? [{ place: `${file}:${index + 1}`, near }] : [];
  });
});

describe('what lists the error codes', () => {
  test('is found', () => {
    const found = new Set(lists.map(({ place }) => place.split(':')[0]));
    expect([...found]).toEqual(expect.arrayContaining(['README.md', 'events/outcome.schema.json', 'docs/auditor.md']));
  });

  test.each(lists)('$place lists all of them', ({ place, near }) => {
    for (const code of REJECTED_CODES) expect(near, `${place}: add ${code} behind 1010, for ${TABLE}`).toContain(code);
  });

  test('docs/outcomes.md says of each what the requester can do', () => {
    const lines = readFileSync(join(root, 'docs/outcomes.md'), 'utf8').split('\n');
    const place = `docs/outcomes.md:${lines.findIndex((line) => line.startsWith('| `1010`')) + 2}`;
    for (const code of REJECTED_CODES) {
      expect(lines, `${place}: add a row for ${code}, for ${TABLE}`).toContainEqual(
        expect.stringMatching(`^\\| \`${code}\` \\|`),
      );
    }
  });
});
