/**
 * The one step in which the bytes of a file become text: UTF-8 that has to be valid, or UTF-16 with its byte order mark.
 * Whatever else comes is refused with its line, because a name that is sent garbled is an audit trail that names nobody.
 */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { CommandError } from '../terminal/ending.ts';

type Unicode = 'UTF-8' | 'UTF-16LE' | 'UTF-16BE';

/** The longer mark first: UTF-32's begins as UTF-16's. */
const BYTE_ORDER_MARKS: readonly (readonly [readonly number[], Unicode | 'UTF-32'])[] = [
  [[0xff, 0xfe, 0x00, 0x00], 'UTF-32'],
  [[0x00, 0x00, 0xfe, 0xff], 'UTF-32'],
  [[0xef, 0xbb, 0xbf], 'UTF-8'],
  [[0xff, 0xfe], 'UTF-16LE'],
  [[0xfe, 0xff], 'UTF-16BE'],
];
const LINE_FEED = 0x0a;
/** Enough of a line to see what encoding it is. */
const SAMPLE_BYTES = 4096;

const findMark = async (path: string) => {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(4) });
    const head = buffer.subarray(0, bytesRead);
    const found = BYTE_ORDER_MARKS.find(([mark]) => mark.every((byte, index) => head[index] === byte));
    const [mark, encoding] = found ?? [[], 'UTF-8' as const];
    return { start: mark.length, encoding };
  } finally {
    await file.close();
  }
};

const countLineFeeds = (bytes: Buffer): number => {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count += 1;
  return count;
};

/** What encoding bytes that are not UTF-8 look like; a guess, for whoever has to convert the file. */
const guessEncoding = (bytes: Buffer): string => {
  if (bytes.includes(0)) return 'UTF-16 without a byte order mark';
  const decoded = bytes.toString('utf8');
  const broken = decoded.match(/\ufffd/g)?.length ?? 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything that is not ASCII
  const sound = (decoded.match(/[^\x00-\x7f]/gu)?.length ?? 0) - broken;
  if (sound >= broken) return 'UTF-8 with characters cut, or mixed with another encoding';
  const isHigh = (byte = 0): boolean => byte >= 0x80;
  const high = [...bytes.keys()].filter((at) => isHigh(bytes[at]));
  const alone = high.filter((at) => !isHigh(bytes[at - 1]) && !isHigh(bytes[at + 1]));
  // Accents stand alone among ASCII letters; where all letters are high, the script is another.
  if (alone.length * 2 < high.length)
    return 'an older encoding of its language, such as Windows-1251, Shift_JIS or GB 18030';
  // Bytes that Windows-1252 leaves empty are letters on DOS and on old Macs.
  const isOlder = [0x81, 0x8d, 0x8f, 0x90, 0x9d].some((byte) => bytes.includes(byte));
  return isOlder ? 'a code page of DOS or of old Macs' : 'Windows-1252';
};

const refuse = (label: string, line: number, looksLike: string): CommandError =>
  new CommandError(
    'UnknownEncoding',
    `${label}: line ${line} is not UTF-8; it looks like ${looksLike}`,
    'save the file as UTF-8 (in Excel: CSV UTF-8), or convert it with iconv; nothing of it was sent',
  );

/** Where the last character that is whole ends; up to three bytes may belong to one that goes on in the next chunk. */
const wholeCharacters = (bytes: Buffer): number => {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
};

async function* readUtf8(path: string, start: number, label: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let lines = 0;
  const check = (bytes: Buffer, guess = guessEncoding): void => {
    if (isUtf8(bytes) && !bytes.includes(0)) {
      lines += countLineFeeds(bytes);
      return;
    }
    for (let from = 0; from < bytes.length; ) {
      const feed = bytes.indexOf(LINE_FEED, from);
      const line = bytes.subarray(from, feed < 0 ? bytes.length : feed);
      if (!isUtf8(line) || line.includes(0)) {
        throw refuse(label, lines + 1, guess(bytes.subarray(from, from + SAMPLE_BYTES)));
      }
      lines += 1;
      from += line.length + 1;
    }
  };
  for await (const chunk of createReadStream(path, { start }) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = wholeCharacters(bytes);
    const whole = bytes.subarray(0, end);
    check(whole);
    rest = bytes.subarray(end);
    yield whole;
  }
  check(rest, () => 'UTF-8 that was cut within a character, or Windows-1252');
}

const isHighSurrogate = (text: string): boolean => /[\ud800-\udbff]$/.test(text);

async function* readUtf16(path: string, start: number, isBigEndian: boolean, label: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let lines = 1;
  const broken = (line: number) => refuse(label, line, 'UTF-16 with characters cut, or mixed with another encoding');
  for await (const chunk of createReadStream(path, { start }) as AsyncIterable<Buffer>) {
    const bytes = Buffer.concat([rest, chunk]);
    const units = bytes.subarray(0, bytes.length - (bytes.length % 2));
    const text = (isBigEndian ? Buffer.from(units).swap16() : units).toString('utf16le');
    const whole = isHighSurrogate(text) ? text.slice(0, -1) : text;
    rest = bytes.subarray(whole.length * 2);
    for (const line of whole.split('\n')) {
      if (!line.isWellFormed() || line.includes('\0')) throw broken(lines);
      lines += 1;
    }
    lines -= 1;
    yield Buffer.from(whole, 'utf8');
  }
  if (rest.length > 0) throw broken(lines);
}

/**
 * @param label what the file is called in messages
 * @returns valid UTF-8 without a byte order mark, in chunks that end with a whole character
 * @throws CommandError where the file is in no encoding that is known for certain
 */
export async function* decodeFile(path: string, label: string): AsyncGenerator<Buffer> {
  const { start, encoding } = await findMark(path);
  if (encoding === 'UTF-32') throw refuse(label, 1, 'UTF-32');
  yield* encoding === 'UTF-8' ? readUtf8(path, start, label) : readUtf16(path, start, encoding === 'UTF-16BE', label);
}
