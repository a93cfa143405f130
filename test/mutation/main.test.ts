/** A break whose text is gone would break nothing, and be noticed by no test. */
import { expect, test } from 'vitest';
import { BREAKS, misfitOf } from './main.ts';

test('the text of each break is in its file, once', async () => {
  const misfits = await Promise.all(BREAKS.map(misfitOf));
  expect(misfits.filter((misfit) => misfit !== undefined)).toEqual([]);
});

test('each break changes its file', () => {
  expect(BREAKS.filter(({ from, to }) => from === to)).toEqual([]);
});
