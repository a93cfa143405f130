/** The layout that the contributor is shown is the one that is there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPage, root } from './pages.ts';

const block = readPage('docs/contributor.md').blocks.find(({ heading }) => heading === 'The layout');
const ignored = readFileSync(join(root, '.gitignore'), 'utf8')
  .split('\n')
  .map((name) => name.replace(/\/$/, ''));

/** What is shown below each folder; names stand in the first column, more than one with commas between. */
const readShown = (): ReadonlyMap<string, readonly string[]> => {
  const shown = new Map<string, string[]>();
  const path: string[] = [];
  for (const line of (block?.text ?? '').split('\n')) {
    const [, indent = '', column = ''] = /^( *)((?:[\w.-]+\/?, )*[\w.-]+\/?)/.exec(line) ?? [];
    path.length = indent.length / 2;
    const folder = path.join('');
    const names = column.split(', ');
    shown.set(folder, [...(shown.get(folder) ?? []), ...names]);
    path.push(names[0] ?? '');
  }
  return shown;
};

const isHidden = (name: string): boolean => name.startsWith('.') || ignored.includes(name);

describe.each([...readShown()])('the layout of docs/contributor.md, at "%s"', (folder, names) => {
  const there = readdirSync(join(root, folder), { withFileTypes: true }).filter(({ name }) => !isHidden(name));

  test.runIf(names.some((name) => name.endsWith('/')))('shows each folder that is there, and no other', () => {
    const folders = there.filter((entry) => entry.isDirectory()).map(({ name }) => `${name}/`);
    expect(names.filter((name) => name.endsWith('/')).toSorted()).toEqual(folders.toSorted());
  });

  test.runIf(names.some((name) => !name.endsWith('/')))('shows each file that is there, and no other', () => {
    const files = there.filter((entry) => entry.isFile()).map(({ name }) => name);
    expect(names.filter((name) => !name.endsWith('/')).toSorted()).toEqual(files.toSorted());
  });
});

test('the layout shows functions/, infra/ and test/ down to their folders', () => {
  expect([...readShown().keys()]).toEqual(
    expect.arrayContaining(['', 'functions/', 'functions/enable-password/', 'infra/', 'infra/local/', 'test/']),
  );
});
