import type { FieldName } from '../../requests/fields.ts';

/** One request as it was found, still to be checked. `place` is `line 3` or `argument 1`. */
export type Found =
  | { readonly kind: 'json'; readonly place: string; readonly json: string }
  | { readonly kind: 'fields'; readonly place: string; readonly fields: Readonly<Partial<Record<FieldName, string>>> }
  /** It cannot even be read. */
  | { readonly kind: 'fault'; readonly place: string; readonly fault: string };

/** Longer than any message can be, even where every character of it is escaped; what is longer is not held. */
export const MAX_LINE_LENGTH = 8 * 1_048_576;
