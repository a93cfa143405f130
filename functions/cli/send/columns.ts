/** Which column of a file holds which field of a request. */
import { FIELD_NAMES, type FieldName } from '../../requests/fields.ts';

export interface Column {
  readonly name: string;
  /** `undefined` for a column that is not sent. */
  readonly field: FieldName | undefined;
}

/** People write "Request ID", programs request_id. */
const plain = (name: string): string => name.toLowerCase().replace(/[\s_.-]/g, '');
const FIELD_BY_NAME: ReadonlyMap<string, FieldName> = new Map(FIELD_NAMES.map((field) => [plain(field), field]));

const fieldOf = (name: string): FieldName | undefined => FIELD_BY_NAME.get(plain(name));
/** From its first digit only: from each of them it would take quadratic time. */
const NUMBER_BEHIND = /\(?(?<!\d)\d+\)?$/;
/** A program that finds one name twice puts a number behind the second: identifier2, identifier.1, identifier (1). */
const meantBy = (name: string): FieldName | undefined => FIELD_BY_NAME.get(plain(name).replace(NUMBER_BEHIND, ''));

export const columnsOf = (names: readonly string[]): readonly Column[] =>
  names.map((name) => ({ name, field: fieldOf(name) }));

/** Two columns that mean one field. */
export const findConflict = (
  names: readonly string[],
): { readonly field: FieldName; readonly first: string; readonly second: string } | undefined => {
  const seen = new Map<FieldName, string>();
  for (const name of names) {
    const field = meantBy(name);
    if (field === undefined) continue;
    const first = seen.get(field);
    if (first !== undefined) return { field, first, second: name };
    seen.set(field, name);
  }
  return undefined;
};

/** Letters to change, add or take away until one word is the other (Levenshtein). */
const distance = (one: string, other: string): number => {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (const [at, otherLetter] of [...other].entries()) {
      const change = (row[at] ?? 0) + (letter === otherLetter ? 0 : 1);
      next.push(Math.min(change, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
};

const IDENTIFIER = 'identifier';
/** How far a name is from `identifier`; `id`, `ident` and `identifiers` are near, whatever their length. */
const strangeness = (name: string): number => {
  const word = plain(name).replace(NUMBER_BEHIND, '');
  if (word === '') return Number.POSITIVE_INFINITY;
  if (IDENTIFIER.startsWith(word) || word.startsWith(IDENTIFIER)) return 0;
  return word.endsWith('id') ? 1 : distance(word, IDENTIFIER);
};

const SHOWN = 5;
const NEAR = 4;

const NUMBER_AT_START = /^[0-9]/;

/** What is wrong with a first record that names no column `identifier`. */
export const describeMissing = (names: readonly string[]): string => {
  if (NUMBER_AT_START.test(names[0] ?? '')) {
    return `there is more than one column: the first line must name them, ${FIELD_NAMES.join(',')}`;
  }
  const shown = names.slice(0, SHOWN).map((name) => JSON.stringify(name));
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  const ranked = names.map((name) => ({ name, by: strangeness(name) })).sort((one, other) => one.by - other.by);
  const [nearest] = ranked.filter(({ by }) => by <= NEAR);
  const missing = 'the first line names no column identifier';
  if (nearest === undefined) return `${missing}; its columns are ${shown.join(', ')}${more}`;
  const others = names.length > 1 ? ` (its columns are ${shown.join(', ')}${more})` : '';
  return `${missing}; found ${JSON.stringify(nearest.name)}: did you mean identifier?${others}`;
};
