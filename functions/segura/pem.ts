/**
 * PEM (RFC 7468) as it comes out of consoles, shells and spreadsheets: with spaces, `\n` or `\r\n` as two or four
 * characters, or nothing at all where the line ends were; indented, or several blocks glued together.
 */

export interface PemBlock {
  /** Such as `CERTIFICATE`. */
  readonly label: string;
  /** The block as RFC 7468 writes it, without a line end after it. */
  readonly text: string;
}

const BEGIN = '-----BEGIN';
const END = '-----END';
const DASHES = '-----';
const LINE = 64;

/** What stands for white space without being it: escapes, also doubled or percent-encoded, and zero-width characters. */
// Only from the first of a run of backslashes: from each of them it would take quadratic time.
const LOST_WHITE_SPACE = /(?<!\\)\\+(?:r|n|t|u000[ad])|%0[ad]|%20|[\u200b\u2060]/gi;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** RFC 7468 and OpenSSL; where the blanks of a label were lost too, it is known by its letters. */
const LABELS: readonly string[] = [
  'CERTIFICATE',
  'X509 CERTIFICATE',
  'TRUSTED CERTIFICATE',
  'PRIVATE KEY',
  'RSA PRIVATE KEY',
  'EC PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
];

const labelOf = (raw: string): string => {
  const letters = raw.replace(/\s/g, '');
  return LABELS.find((label) => label.replaceAll(' ', '') === letters) ?? raw.trim().replace(/\s+/g, ' ');
};

const wrap = (base64: string): string => {
  const lines: string[] = [];
  for (let at = 0; at < base64.length; at += LINE) lines.push(base64.slice(at, at + LINE));
  return lines.join('\n');
};

/**
 * Every block in `source`, in order; what stands between them is left out. By `indexOf` from block to block, so that no
 * text, however long, takes more than one pass.
 * @returns `undefined` where there is none, or one that has no end or is not Base64
 */
export const readPem = (source: string): readonly PemBlock[] | undefined => {
  const text = source.replace(LOST_WHITE_SPACE, '\n');
  const blocks: PemBlock[] = [];
  for (let begin = text.indexOf(BEGIN); begin !== -1; ) {
    const labelEnd = text.indexOf(DASHES, begin + BEGIN.length);
    const end = labelEnd === -1 ? -1 : text.indexOf(END, labelEnd + DASHES.length);
    const after = end === -1 ? -1 : text.indexOf(DASHES, end + END.length);
    if (after === -1) return undefined;
    const label = labelOf(text.slice(begin + BEGIN.length, labelEnd));
    const base64 = text.slice(labelEnd + DASHES.length, end).replace(/\s/g, '');
    if (label !== labelOf(text.slice(end + END.length, after)) || !BASE64.test(base64)) return undefined;
    blocks.push({ label, text: `${BEGIN} ${label}${DASHES}\n${wrap(base64)}\n${END} ${label}${DASHES}` });
    begin = text.indexOf(BEGIN, after + DASHES.length);
  }
  return blocks.length > 0 ? blocks : undefined;
};
