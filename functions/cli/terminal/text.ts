/** A text as a terminal shows it: what of it is visible, how many columns it takes, where its lines end. */
import { randomUUID } from 'node:crypto';

/**
 * What is ours within a text (colours, line ends, how it is to be laid out) is marked with a word that is made again for
 * each process, so that no text from outside can contain it.
 */
export const MARK = `\u001b${randomUUID()}`;
/** A line end of ours within one text. */
export const BREAK = `${MARK}\n`;
/** Behind a mark: a colour, a line end, or how the line is laid out. */
export const MARKED = new RegExp(`${MARK}(\\[[\\d;]*m|\\n|[>=]\\d+\\.|!)`);

/**
 * Controls (C0, DEL, C1), lone surrogates, line and paragraph separators, and format characters (Unicode's Cf: bidi marks
 * and what else is invisible), but for the two joiners, which scripts and emoji need and which steer nothing.
 */
export const STEERING = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escapeOf = (character: string): string => {
  const point = character.codePointAt(0) ?? 0;
  const digits = point.toString(16);
  return SHORT[character] ?? (point > 0xffff ? `\\u{${digits}}` : `\\u${digits.padStart(4, '0')}`);
};

/** Text from outside with everything visible that could steer a terminal or hide from a reader. */
export const visible = (text: string): string => text.replace(STEERING, escapeOf);

/** Scripts and emoji that take two columns (Unicode Standard Annex 11). */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u;
/** Narrower terminals are treated as this wide. */
const MIN_WIDTH = 40;
const PLAIN = /^[\x20-\x7e]*$/;
const graphemes = new Intl.Segmenter();

/** Columns that a text takes, once it is printed. */
export const widthOf = (text: string): number => {
  const shown = visible(
    text
      .split(MARKED)
      .filter((_, index) => index % 2 === 0)
      .join(''),
  );
  if (PLAIN.test(shown)) return shown.length;
  let columnCount = 0;
  for (const { segment } of graphemes.segment(shown)) columnCount += WIDE.test(segment) ? 2 : 1;
  return columnCount;
};

/** Cuts a text to `width` columns, with an ellipsis where something is missing. */
export const shorten = (text: string, width: number): string => {
  // No character takes less than a column, so the rest need not even be looked at.
  const shown = visible(text.slice(0, Math.max(0, width) * 8 + 8));
  if (widthOf(shown) <= width && shown.length >= text.length) return shown;
  let cut = '';
  let left = width - 1;
  for (const { segment } of graphemes.segment(shown)) {
    left -= widthOf(segment);
    if (left < 0) break;
    cut += segment;
  }
  return `${cut}…`;
};

/** A word that is longer than a line, in parts that are not; one with marks of ours stays whole. */
const splitWord = (word: string, width: number): string[] => {
  if (widthOf(word) <= width || word.includes(MARK)) return [word];
  const parts: string[] = [];
  let part = '';
  let left = width;
  for (const { segment } of graphemes.segment(word)) {
    const columnCount = widthOf(segment);
    if (columnCount > left && part !== '') {
      parts.push(part);
      part = '';
      left = width;
    }
    part += segment;
    left -= columnCount;
  }
  return [...parts, part];
};

/** On as many lines as it needs, the later ones indented; blanks stay where they are, but for those at an end. */
export const wrapLine = (text: string, columnCount: number, indent: number): string => {
  const width = Math.max(MIN_WIDTH, columnCount);
  if (widthOf(text) <= width) return text;
  const hanging = Math.min(indent, width - MIN_WIDTH / 2);
  const lines: string[] = [];
  let line = '';
  let taken = 0;
  for (const token of text.split(/( +)/)) {
    const isBlank = token.startsWith(' ');
    const room = width - (lines.length === 0 ? 0 : hanging);
    for (const part of isBlank ? [token] : splitWord(token, width - hanging)) {
      const columnsOfPart = widthOf(part);
      if (taken + columnsOfPart > room && taken > 0 && !isBlank) {
        lines.push(line.trimEnd());
        line = '';
        taken = 0;
      }
      if (isBlank && taken === 0 && lines.length > 0) continue;
      line += part;
      taken += columnsOfPart;
    }
  }
  return [...lines, line.trimEnd()].join(`${BREAK}${' '.repeat(hanging)}`);
};
