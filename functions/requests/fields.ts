/** The fields of a request, by name. */

/** The requester's own words: audited, never sent to Segura. */
export const REQUESTER_FIELDS = ['requestId', 'requestedBy', 'reason', 'source'] as const;

export const FIELD_NAMES = ['identifier', ...REQUESTER_FIELDS, 'notAfter'] as const;
export type FieldName = (typeof FIELD_NAMES)[number];
