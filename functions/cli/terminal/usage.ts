import { parseBound } from '../../dead-letters/select.ts';
import { parseNotAfter, parseIdentifier as parsePlainIdentifier } from '../../requests/request.ts';

/** Where the message itself says what to give instead. */
export const DEFAULT_FIX = 'give what the message asks for; --help shows what each option takes';

/** Wrong usage: exit status 2, and a message that says what to give instead. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  readonly errorCode: string = 'WrongUsage';
  readonly fix: string;

  constructor(message: string, { fix = DEFAULT_FIX }: { readonly fix?: string } = {}) {
    super(message);
    this.fix = fix;
  }
}

/** Not the command but the environment is wrong: `doctor` counts that among its checks. */
export class VariableError extends UsageError {
  override readonly name = 'VariableError';
  override readonly errorCode = 'WrongVariable';
}

/**
 * `8h`, `30m`, `2d` from now on (or ago), or a moment as a request's own `notAfter` is written: with an offset, because
 * what is meant must not depend on the time zone of this machine. Of the past also a day; for an end in the future that would
 * leave open whether the day still counts.
 */
export const parseMoment = (option: string, value: string, now: number, direction: 1 | -1): Date => {
  const [, count, unit] = /^(\d+)\s*([smhd])$/.exec(value) ?? [];
  const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? ''];
  const isDuration = count !== undefined && unitMs !== undefined;
  const parse = direction === -1 ? parseBound : parseNotAfter;
  const moment = isDuration ? new Date(now + direction * Number(count) * unitMs) : parse(value);
  if (moment === undefined || Number.isNaN(moment.getTime())) {
    throw new UsageError(
      `${option} takes a duration such as 8h (s, m, h, d) or a moment with its offset such as 2026-01-31T17:00:00Z`,
    );
  }
  return moment;
};

export const parseCount = (
  option: string,
  value: string,
  { least = 1, most = Number.MAX_SAFE_INTEGER, isWhole = true } = {},
): number => {
  const number = Number(value);
  if (value.trim() === '' || !(number >= least && number <= most) || (isWhole && !Number.isSafeInteger(number))) {
    throw new UsageError(
      `${option} takes a ${isWhole ? 'whole ' : ''}number, ${least} or more${most < Number.MAX_SAFE_INTEGER ? `, at most ${most}` : ''}`,
    );
  }
  return number;
};

/** What a message takes as an identifier, and nothing that only means the same: not `1e3`, not ` 10`. */
export const parseIdentifier = (option: string, value: string): number => {
  const identifier = parsePlainIdentifier(value);
  if (identifier === undefined) {
    throw new UsageError(`${option} takes a whole number from 1 to 2^53-1 in plain digits, such as 10`);
  }
  return identifier;
};
