/** What is left to official parts stays with them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const sources = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file: join(folder, file), text: readFileSync(join(root, folder, file), 'utf8') }));

test('nothing in functions/ makes a signature for AWS', () => {
  const own = sources('functions').filter(({ text }) => /AWS4-HMAC|aws4_request|createHmac/.test(text));
  expect(own.map(({ file }) => file)).toEqual([]);
});

test('no file of a package is imported by a path inside it', () => {
  const deep = [...sources('functions'), ...sources('infra')].filter(({ text }) =>
    /from '@(?:aws-sdk|smithy)\/[^'/]+\/dist/.test(text),
  );
  expect(deep.map(({ file }) => file)).toEqual([]);
});
