import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readScenes } from '../../functions/cli/local/scenes.ts';
import { outcomeText } from '../../functions/cli/local/table.ts';
import { PICTURE, terminalPicture } from './terminal-picture.ts';

const REPAINT = 'draw it again: node test/docs/terminal-picture.ts';

/** The text of each line, cell by cell, as somebody would select it. */
const cellsOf = (svg: string): readonly (readonly string[])[] =>
  [...svg.matchAll(/<text [^>]*>(.*?)<\/text>/g)].map(([, line = '']) =>
    [...line.matchAll(/<tspan[^>]*>(.*?)<\/tspan>/g)].map(([, text = '']) =>
      text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))),
    ),
  );

test('the picture of npm start shows each message with what becomes of it, and that all was as it should be', async () => {
  const lines = cellsOf(await readFile(PICTURE, 'utf8'));
  const rows = lines.filter(([mark]) => mark === '✓');
  const scenes = await readScenes();
  const wanted = scenes.map(({ title, outcome, errorCode }) => `${title}: ${outcomeText(outcome, errorCode)}`);
  expect(rows.map(([, title, , became]) => `${title}: ${became}`).sort(), REPAINT).toEqual(wanted.sort());
  expect(lines.flat()).toContain('All as it should be.');
});

test('a terminal picture keeps colours, columns and hostile text as text', () => {
  const svg = terminalPicture('\u001b[32m✓\u001b[39m  a <b> & "c"   \u001b[33mrejected\u001b[39m', 'x < y');
  expect(svg).toContain('<title id="title">x &#60; y</title>');
  expect(cellsOf(svg)).toEqual([['✓', 'a <b> & "c"', 'rejected']]);
  expect(svg).toMatch(/<tspan x="20\.0" class="g">✓<\/tspan> <tspan x="43\.4">a /);
  expect(svg).toContain('class="y">rejected');
});
