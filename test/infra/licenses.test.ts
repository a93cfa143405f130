import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LICENSES_FILE, renderLicenses } from '../../infra/licenses.ts';

test('THIRD-PARTY-LICENSES.md lists what is bundled now; else write it again: npx node infra/licenses.ts', async () => {
  expect(readFileSync(LICENSES_FILE, 'utf8')).toBe(await renderLicenses());
});

test('each bundled package stands there with its authors and the terms', async () => {
  const text = await renderLicenses();
  expect(text).toContain('| @middy/core |');
  expect(text).toMatch(/Copyright \(c\) 2017-\d{4} \[will Farrell\]/);
  const [, ...sections] = text.split('\n## ');
  const listed = [...text.matchAll(/^\| (@?[\w/.-]+) \| \d/gm)].map(([, name]) => name ?? '');
  expect(listed.length).toBeGreaterThan(1);
  for (const name of listed) {
    const own = sections.find((section) => section.split('\n', 1)[0]?.split(/: |, /).includes(name));
    expect(own, name).toMatch(/TERMS AND CONDITIONS|Permission is hereby granted/);
  }
});
