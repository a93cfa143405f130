/** CSV for a spreadsheet: no cell starts a formula, whatever stands in it, and a reader gets the text back. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvLine } from '../../functions/cli/terminal/spreadsheet.ts';
import { anyText } from '../any-text.ts';

const read = (line: string): string[] => (parse(line) as string[][])[0] ?? [];

describe('a cell', () => {
  test.each([
    ['=1+1', "'=1+1"],
    ['+49 30', "'+49 30"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['  =cmd|x', "'  =cmd|x"],
    ['\t=1', '\\t=1'],
    ['\r=1', '\\r=1'],
    ['＝1', "'＝1"],
    ['a=1', 'a=1'],
    ['a;=1', "a;'=1"],
    ['a; "=1;b', `a;' "=1;b`],
    ['say "hi", ana', 'say "hi", ana'],
    ['a\nb', 'a\\nb'],
    ['\u202eevil', '\\u202eevil'],
    ['', ''],
  ])('that holds %j is read as %j', (text, shown) => {
    expect(read(csvLine([text, 'x']))).toEqual([shown, 'x']);
  });

  test('never starts a formula and never breaks its line, by comma or by semicolon', () => {
    fc.assert(
      fc.property(fc.array(anyText(), { minLength: 1 }), (cells) => {
        const line = csvLine([...cells, 'end']);
        expect(line.match(/[\r\n]/g)).toEqual(['\r', '\n']);
        for (const delimiter of [',', ';']) {
          const [record = []] = parse(line, { delimiter, relax_quotes: true }) as string[][];
          for (const cell of record) expect(cell.trimStart()).not.toMatch(/^[=+\-@＝＋－＠]/);
        }
        expect(read(line)).toHaveLength(cells.length + 1);
      }),
    );
  });

  test('that is a number stays one', () => {
    expect(csvLine([10, undefined, 0])).toBe('10,,0\r\n');
  });
});
