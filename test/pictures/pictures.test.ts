/** Each picture of docs/pictures is what its run draws now, line by line. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FOLDER, PICTURES } from './main.ts';

test.each(Object.entries(PICTURES))('%s.svg is what its run draws', async (name, draw) => {
  const [kept, drawn] = await Promise.all([readFile(join(FOLDER, `${name}.svg`), 'utf8'), draw()]);
  const isSame = kept === drawn;
  expect(
    isSame,
    `docs/pictures/${name}.svg is of another state of the code: run npm run pictures, and look at it`,
  ).toBe(true);
});
