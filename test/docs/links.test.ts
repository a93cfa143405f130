import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPage, readPages, root } from './pages.ts';

const pages = readPages();
const relative = pages.flatMap(({ name, links }) =>
  links.filter((link) => !/^[a-z]+:/.test(link)).map((link) => ({ name, link })),
);

describe('a link', () => {
  test.each(relative)('of $name leads somewhere: $link', ({ name, link }) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? name : normalize(join(dirname(name), path));
    expect(existsSync(join(root, target)), `${target} is not there`).toBe(true);
    if (anchor !== undefined) expect([...readPage(target).anchors]).toContain(anchor);
  });

  test('to the outside is https, and none leads to this or that machine', () => {
    const outside = pages.flatMap(({ links }) => links.filter((link) => /^[a-z]+:/.test(link)));
    expect(outside.filter((link) => !/^https:\/\/[\w.-]+\.[a-z]+(\/|$)/.test(link))).toEqual([]);
  });
});

test('every page of docs/ is reached from the README', () => {
  const readme = readPage('README.md').links.map((link) => link.split('#')[0]);
  const reached = new Set(readme);
  for (const page of pages.filter(({ name }) => readme.includes(name))) {
    for (const link of page.links) reached.add(normalize(join(dirname(page.name), link.split('#')[0] ?? '')));
  }
  expect(pages.map(({ name }) => name).filter((name) => name.startsWith('docs/') && !reached.has(name))).toEqual([]);
});

test('every file of the repository that the pages name is there', () => {
  const named = pages.flatMap(({ name, text }) =>
    [...text.matchAll(/`((?:functions|infra|test|events|docs)\/[\w./-]*)`/g)].map(([, path]) => ({
      name,
      path: path ?? '',
    })),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ path }) => !existsSync(join(root, path)))).toEqual([]);
});
