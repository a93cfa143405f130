/** Wrong usage: exit status 2, and a message that says what to give instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `8h`, `30m`, `2d` from now on, or an ISO 8601 moment with offset. */
export const parseMoment = (option: string, value: string, now: number, direction: 1 | -1): Date => {
  const [, count, unit] = /^(\d+)\s*([smhd])$/.exec(value) ?? [];
  const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? ''];
  if (count !== undefined && unitMs !== undefined) return new Date(now + direction * Number(count) * unitMs);
  const moment = new Date(value);
  if (Number.isNaN(moment.getTime()) || !/^\d{4}-\d{2}-\d{2}/.test(value)) {
    throw new UsageError(`${option} takes a duration such as 8h (s, m, h, d) or a moment such as 2026-01-31T17:00:00Z`);
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
