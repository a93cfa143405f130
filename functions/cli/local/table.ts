/** The table of `local`: what became of each message, as wide as the terminal. */

import { columns, paint, say, seconds, shorten, table } from '../terminal/print.ts';
import type { Scene } from './scenes.ts';

export interface Row {
  readonly scene: Scene;
  readonly said: string;
  readonly outcome: string;
  readonly errorCode: string | undefined;
  readonly liesIn: string;
  readonly inSegura: string;
  readonly durationMs: number;
  readonly isAsExpected: boolean;
}

const OUTCOME_STYLES = { enabled: 'green', 'already-enabled': 'green', rejected: 'yellow', kept: 'cyan' } as const;

export const outcomeText = (outcome: string, errorCode: string | undefined): string =>
  errorCode ? `${outcome} (${errorCode})` : outcome;

const width = (cells: readonly string[]): number => Math.max(...cells.map(({ length }) => length));

const GAP = 2;
const FULL_TITLE = 27;

/** The title and the message get what the others leave; on a narrow terminal the message goes, then how long it waits. */
export const printRows = (rows: readonly Row[]): void => {
  const fixed = (isShort: boolean) =>
    rows.map((row) => [
      row.said,
      outcomeText(row.outcome, row.errorCode),
      isShort ? row.liesIn.replace(/,.*/, '') : row.liesIn,
      seconds(row.durationMs),
    ]);
  const heads = ['Segura said', 'became', 'lies in', 'took'];
  const left = (isShort: boolean): number =>
    heads.reduce(
      (rest, head, index) => rest - GAP - width([head, ...fixed(isShort).map((cells) => cells[index] ?? '')]),
      columns() - 1 - GAP,
    );
  const isShort = left(false) < 20;
  const body = left(isShort) - FULL_TITLE - GAP;
  const hasBody = body >= 10;
  const title = Math.max(10, hasBody ? FULL_TITLE : left(isShort));
  const cells = fixed(isShort);
  say(
    table(
      ['', 'what it shows', ...(hasBody ? ['message'] : []), ...heads],
      rows.map(({ scene, outcome, isAsExpected }, index) => {
        const [said = '', became = '', ...rest] = cells[index] ?? [];
        return [
          isAsExpected ? paint('green', '✓') : paint('red', '✗'),
          shorten(scene.title, title),
          ...(hasBody ? [shorten(scene.body, body)] : []),
          said,
          paint(OUTCOME_STYLES[outcome as Scene['outcome']] ?? 'red', became),
          ...rest,
        ];
      }),
    ),
  );
};
