/** Which dead letters are meant: the queues and every filter of the command line and of the function, in one place. */

import { parseNotAfter, parseRequest, requesterOf } from '../requests/request.ts';
import { REJECTED_CODES } from '../segura/answers.ts';
import { type Letter, NO_CODE, UNKNOWN_CODE } from './letter.ts';

/** Everything by which a letter can be chosen: Segura's errors that reject, our own, none and unknown. */
export const KNOWN_CODES: readonly string[] = [...REJECTED_CODES, 'InvalidMessage', 'Expired', NO_CODE, UNKNOWN_CODE];

/**
 * Error codes in any case, each text one or several with commas between.
 * @returns `undefined` where one is not known: a filter that can match nothing, or by mistake everything
 */
export const parseCodes = (texts: readonly string[]): readonly string[] | undefined => {
  const codes = texts
    .flatMap((text) => text.split(','))
    .map((text) => KNOWN_CODES.find((code) => code.toLowerCase() === text.trim().toLowerCase()));
  return codes.every((code) => code !== undefined) ? codes : undefined;
};

/** A bound in time: a moment with its offset, or a day, whose beginning in UTC is meant. `undefined` for anything else. */
export const parseBound = (value: unknown): Date | undefined =>
  parseNotAfter(typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) ? `${value}T00:00Z` : value);

export interface Selection {
  /** Error codes; none given means all. */
  readonly codes?: readonly string[];
  readonly identifier?: number;
  /** The requester's own words, as they stand in the body. */
  readonly requestId?: string;
  readonly source?: string;
  /** SQS's id of the letter itself: that of its original is a claim of whoever sent it. */
  readonly messageId?: string;
  /** By the time of failing, or of sending where SQS moved it. */
  readonly before?: Date;
  readonly after?: Date;
}

export const codeOf = ({ failure }: Letter): string => failure?.errorCode ?? NO_CODE;

/** Whether it chooses at all, or means everything in its queues. */
export const isFilter = ({ codes = [], ...rest }: Selection): boolean =>
  codes.length > 0 || Object.values(rest).some((value) => value !== undefined);

const isBodySelected = ({ body }: Letter, { identifier, requestId, source }: Selection): boolean => {
  if (identifier === undefined && requestId === undefined && source === undefined) return true;
  const parsed = parseRequest(body);
  const requester = requesterOf(parsed);
  if (requestId !== undefined && requester.requestId !== requestId) return false;
  if (source !== undefined && requester.source !== source) return false;
  return identifier === undefined || (parsed.kind === 'request' && parsed.request.identifier === identifier);
};

export const isSelected = (letter: Letter, selection: Selection): boolean => {
  const { codes = [], messageId, before, after } = selection;
  if (codes.length > 0 && !codes.includes(codeOf(letter))) return false;
  if (messageId !== undefined && letter.messageId !== messageId) return false;
  if (before && letter.at >= before) return false;
  if (after && letter.at <= after) return false;
  return isBodySelected(letter, selection);
};
