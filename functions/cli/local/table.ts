/**
 * The table of `local`, a row at a time: so its columns are as wide as what is expected in them. What was sent comes last,
 * and is cut only where a terminal would wrap it.
 */
import { columns, paint, say, seconds } from '../terminal/print.ts';
import { shorten } from '../terminal/text.ts';
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

const longest = (texts: readonly string[]): number => Math.max(...texts.map(({ length }) => length));

const GAP = '  ';
const MARK_WIDTH = 1;
const LEAST_MESSAGE = 10;

interface Column {
  readonly head: string;
  readonly width: number;
  readonly text: (row: Row) => string;
  readonly style?: (row: Row, text: string) => string;
}

const sum = (columnsShown: readonly Column[]): number =>
  columnsShown.reduce((total, { width }) => total + GAP.length + width, MARK_WIDTH);

const becameOf = ({ outcome, errorCode }: Row): string => outcomeText(outcome, errorCode);

/** All but the message. On a narrow terminal the time goes, how long a message waits, and the end of a title. */
const columnsOf = (scenes: readonly Scene[], terminalColumns: number): readonly Column[] => {
  const said: Column = { head: 'Segura said', width: longest(['(not called)']), text: (row) => row.said };
  const became: Column = {
    head: 'became',
    width: longest(scenes.map(({ outcome, errorCode }) => outcomeText(outcome, errorCode))),
    text: becameOf,
    style: (row, text) => paint(OUTCOME_STYLES[row.outcome as Scene['outcome']] ?? 'red', text),
  };
  const place: Column = { head: 'is now in', width: longest(['requests, again in 60 s']), text: (row) => row.liesIn };
  const took: Column = { head: 'took', width: longest(['999 ms']), text: (row) => seconds(row.durationMs) };
  const title: Column = {
    head: 'what is shown',
    width: longest(scenes.map((scene) => scene.title)),
    text: (row) => row.scene.title,
  };
  const wide = [title, said, became, place, took];
  if (sum(wide) < terminalColumns) return wide;
  const short: Column = {
    ...place,
    width: longest(['requests', place.head]),
    text: (row) => row.liesIn.replace(/,.*/, ''),
  };
  const width = Math.min(title.width, Math.max(10, terminalColumns - 1 - sum([said, became, short]) - GAP.length));
  return [{ ...title, width, text: (row) => shorten(row.scene.title, width) }, said, became, short];
};

/** @param terminalColumns `Infinity` where no terminal reads: then nothing is cut */
export const createTable = (
  scenes: readonly Scene[],
  terminalColumns: number = process.stdout.isTTY ? columns() : Number.POSITIVE_INFINITY,
) => {
  const shown = columnsOf(scenes, terminalColumns);
  const left = terminalColumns - 1 - sum(shown) - GAP.length;
  const hasMessage = left >= LEAST_MESSAGE;
  const line = (mark: string, cells: readonly string[], message: string): string =>
    [mark, ...cells, ...(hasMessage ? [message] : [])].join(GAP);
  return {
    printHead: (): void =>
      say(
        line(
          ' ',
          shown.map(({ head, width }) => paint('bold', head.padEnd(width))),
          paint('bold', 'message'),
        ),
      ),
    printRow: (row: Row): void => {
      const cells = shown.map(({ width, text, style }, index) => {
        // Nobody wants to copy blanks at the end of a line.
        const isLast = !hasMessage && index === shown.length - 1;
        const padded = isLast ? text(row) : text(row).padEnd(width);
        return style ? style(row, padded) : padded;
      });
      const { body } = row.scene;
      const message = paint('dim', Number.isFinite(left) ? shorten(body, left) : body);
      say(line(row.isAsExpected ? paint('green', '✓') : paint('red', '✗'), cells, message));
    },
  };
};
