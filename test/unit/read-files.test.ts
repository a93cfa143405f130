/** Files as people have them: read right, or refused. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createCheck } from '../../functions/cli/send/check.ts';
import { type Format, openArguments, openFile } from '../../functions/cli/send/request-source.ts';
import { parseIdentifier, parseRequest } from '../../functions/requests/request.ts';
import { runs } from '../depth.ts';

// In memory where there is such a place: thousands of files are written.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mysafe-enable-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const check = createCheck({ fields: {}, groupId: undefined, isFifo: false, now: Date.now() });

/** What would be sent, what is invalid, and what is said before. */
const read = async (name: string, content: string | Buffer, format?: Format) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  const source = await openFile(path, format, new AbortController().signal);
  const sent: Record<string, unknown>[] = [];
  const bodies: string[] = [];
  const invalid: string[] = [];
  for await (const portion of source.read()) {
    for (const found of portion) {
      const checked = check(found);
      if (checked.kind === 'invalid') invalid.push(`${checked.place}: ${checked.reason}`);
      else {
        bodies.push(checked.outgoing.body);
        sent.push(JSON.parse(checked.outgoing.body));
      }
    }
  }
  const notes = source.notes.map((note) => note.replaceAll(path, name));
  return { sent, bodies, invalid, notes, identifiers: sent.map(({ identifier }) => identifier) };
};
const refusal = async (name: string, content: string | Buffer, format?: Format): Promise<string> => {
  const answer = await read(name, content, format).catch((error: Error) => error);
  if (!(answer instanceof Error)) throw new Error(`not refused: ${JSON.stringify(answer)}`);
  return `${answer.name}: ${answer.message.replaceAll(join(folder, name), name)}`;
};
const utf16 = (text: string, isBigEndian = false): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return isBigEndian ? bytes.swap16() : bytes;
};
const LINES = '{"identifier":10,"reason":"Müller 😀"}\n{"identifier":11}\n';

describe('an encoding', () => {
  test.each([
    ['UTF-8', Buffer.from(LINES)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${LINES}`)],
    ['UTF-16 LE', utf16(LINES)],
    ['UTF-16 BE', utf16(LINES, true)],
  ])('%s is read', async (_, bytes) => {
    expect((await read('a.jsonl', bytes)).sent).toEqual([{ identifier: 10, reason: 'Müller 😀' }, { identifier: 11 }]);
  });

  test.each(['UTF-8', 'UTF-16 LE', 'UTF-16 BE'])('%s is read whole, wherever a chunk of it ends', async (encoding) => {
    for (let pad = 0; pad < 8; pad += 1) {
      const text = `${' '.repeat(pad)}{"identifier":1,"x":"${'ä😀'.repeat(30_000)}"}\n`;
      const bytes = encoding === 'UTF-8' ? Buffer.from(text) : utf16(text, encoding === 'UTF-16 BE');
      expect((await read('chunks.jsonl', bytes)).sent).toEqual([{ identifier: 1, x: 'ä😀'.repeat(30_000) }]);
    }
  });

  const csv = (last: string) => Buffer.from(`identifier,requestedBy\n10,ana\n11,${last}\n`, 'latin1');
  test.each([
    ['Windows-1252', csv('Jos\xe9 M\xfcller'), /line 3 is not UTF-8; it looks like Windows-1252/],
    ['Windows-1252 quotation marks', csv('the \x93boss\x94'), /line 3 .* Windows-1252/],
    ['DOS', csv('M\x81ller'), /line 3 .* a code page of DOS or of old Macs/],
    ['Windows-1251', csv('\xc0\xed\xed\xe0'), /line 3 .* an older encoding of its language, such as Windows-1251/],
    ['UTF-8 cut within a character', Buffer.from('identifier,requestedBy\n10,Mü').subarray(0, -1), /line 2 .* cut/],
    ['UTF-16 without a byte order mark', utf16(LINES).subarray(2), /line 1 .* UTF-16 without a byte order mark/],
    ['UTF-16 of an odd number of bytes', utf16('identifier\n10\n').subarray(0, -1), /line 2 .* cut/],
    [
      'UTF-16 with half a character',
      Buffer.concat([utf16('identifier\n'), Buffer.from([0x3d, 0xd8, 0x0a, 0])]),
      /line 2/,
    ],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x31, 0, 0, 0]), /line 1 .* UTF-32/],
  ])('%s is refused, with the line and what it looks like', async (_, bytes, words) => {
    expect(await refusal('a.csv', bytes)).toMatch(words);
  });

  test('that is unknown far behind the beginning is refused with its line', async () => {
    const many = '1,ana\n'.repeat(50_000);
    expect(await refusal('far.csv', Buffer.from(`identifier,requestedBy\n${many}2,Jos\xe9\n3,x\n`, 'latin1'))).toMatch(
      /line 50002 is not UTF-8; it looks like Windows-1252/,
    );
  });
});

describe('JSON Lines', () => {
  test.each([
    ['U+2028 in a text', '{"identifier":10,"reason":"first\u202899\u2028last"}\n', [10]],
    [
      'U+2029, U+0085, form feed and vertical tab',
      '{"identifier":10,"reason":"a\u2029b\u0085c"}\n\f\n\v\n11',
      [10, 11],
    ],
    ['CRLF and no last line end', '10\r\n"11"\r\n{"identifier":"12"}', [10, 11, 12]],
  ])('end at a line feed alone: %s', async (_, content, identifiers) => {
    expect((await read('a.jsonl', content)).identifiers).toEqual(identifiers);
  });

  test('of a lone carriage return are one line', async () => {
    expect((await read('mac.jsonl', '10\r11\r')).invalid).toEqual([
      expect.stringMatching(/^line 1: the body is not JSON/),
    ]);
  });

  test.each([
    ['10\n{"identifier":11,"reason":"x"}\n', [10, 11]],
    ['"10"\n11\n', [10, 11]],
    [' {"identifier":10}\n', [10]],
    ['\ufeff{"identifier":10}\n', [10]],
    ['identifier\n10\n', [10]],
    ['identifier;reason\n10;x\n', [10]],
  ])('are told from CSV by their first line where the name does not say: %j', async (content, identifiers) => {
    const { identifiers: found, notes } = await read('requests', content);
    expect([found, notes]).toEqual([identifiers, []]);
  });

  test('are not a JSON array', async () => {
    expect(await refusal('a.json', '[{"identifier":10}]')).toMatch(/line 1 begins a JSON array, not JSON Lines/);
  });

  test('that are longer than any message are named, and cost no other line', async () => {
    const { identifiers, invalid } = await read('long.jsonl', `1\n"${'x'.repeat(9_000_000)}"\n2\n`);
    expect(identifiers).toEqual([1, 2]);
    expect(invalid).toEqual(['line 2: it is longer than any message can be']);
  });

  test('keep unknown fields as they are written, and lose null', async () => {
    const line = '{"identifier":"10","ticket":12345678901234567890,"a":1.50,"a":2,"reason":null,"\\u0062":"\\u00e9"}';
    expect((await read('a.jsonl', line)).bodies).toEqual([
      '{"identifier":10,"ticket":12345678901234567890,"a":1.50,"a":2,"b":"\\u00e9"}',
    ]);
  });

  test('that say null leave the word to the options', () => {
    const withReason = createCheck({ fields: { reason: 'all' }, groupId: undefined, isFifo: false, now: 0 });
    const found = { kind: 'json', place: 'line 1', json: '{"identifier":1,"reason":null}' } as const;
    expect(withReason(found)).toMatchObject({ outgoing: { body: '{"identifier":1,"reason":"all"}' } });
  });
});

describe('CSV', () => {
  test.each([
    ['a quoted name with a comma before identifier', '"Vault, name",identifier,ticket\nOracle,10,4711\n', [10]],
    ['a quoted name with a line end', '"Vault\nname";identifier\nOracle;10\n', [10]],
    ['a quoted name with all delimiters', '"a,b;c\td"\tidentifier\nx\t10\n', [10]],
    ['more semicolons within a name than commas', 'identifier,"a;b;c;d"\n10,x\n', [10]],
    ['rows of separators only', 'identifier;reason\n10;x\n;\n ; \n11;y\n;;;\n', [10, 11]],
    ['trailing separators', 'identifier;reason;;\n10;x;;\n11;y\n12;z;\n13;z;;;;\n', [10, 11, 12, 13]],
    ['empty lines', '\n\nidentifier\n\n10\n \n11\n', [10, 11]],
    ['the line ends of old Macs', 'identifier,reason\r10,x\r11,y\r', [10, 11]],
    ['line ends of both kinds', 'identifier,reason\r\n10,x\n11,"y\nz"\r\n12,\n', [10, 11, 12]],
    ["Excel's first line sep=", 'sep=;\r\nidentifier;reason\r\n10;a,b\r\n', [10]],
    ['a name in another case, with spaces', ' Identifier , Requested By \n10,ana\n', [10]],
    ['quoted identifiers', '"identifier"\n"10"\n 11 \n', [10, 11]],
    ['no header', '10\n11\n', [10, 11]],
  ])('with %s is read', async (_, content, identifiers) => {
    const { identifiers: found, invalid } = await read('a.csv', content);
    expect([found, invalid]).toEqual([identifiers, []]);
  });

  test('without a header says so', async () => {
    expect((await read('a.csv', '10\n')).notes).toEqual([
      '--file a.csv: its first line is a number, so it is read as CSV without a header: one identifier a line',
    ]);
  });

  test('names the columns that are not sent', async () => {
    expect((await read('a.csv', 'identifier,colour,,reason2\n1,red,x,y\n')).notes).toEqual([
      '3 columns not sent: colour, (without a name), reason2',
    ]);
  });

  test.each([
    ['identifier,name,identifier\n10,x,99\n', '"identifier" and "identifier" both mean identifier'],
    ['identifier,name,Identifier\n10,x,99\n', '"identifier" and "Identifier" both mean identifier'],
    ['identifier;identifier2\n10;99\n', '"identifier" and "identifier2" both mean identifier'],
    ['identifier.1,identifier\n10,99\n', '"identifier.1" and "identifier" both mean identifier'],
    ['identifier1,identifier2\n10,99\n', '"identifier1" and "identifier2" both mean identifier'],
    ['identifier,IDENTIFIER (2)\n10,99\n', '"identifier" and "IDENTIFIER (2)" both mean identifier'],
    ['identifier,Request ID,request_id\n10,a,b\n', '"Request ID" and "request_id" both mean requestId'],
    ['identifier,reason,reason_2\n10,a,b\n', '"reason" and "reason_2" both mean reason'],
  ])('with two columns that mean one field is wrong usage that names both: %j', async (content, words) => {
    expect(await refusal('a.csv', content)).toBe(`UsageError: --file a.csv: the columns ${words}: leave one of them`);
  });

  test.each([
    ['id\n10\n', /found "id": did you mean identifier\?$/],
    ['name;ID;reason\nx;10;y\n', /found "ID": did you mean identifier\? \(its columns are "name", "ID", "reason"\)$/],
    ['name,identifer\nx,10\n', /found "identifer": did you mean identifier\?/],
    ['identifier2\n10\n', /found "identifier2": did you mean identifier\?/],
    ['password_id,name\n10,x\n', /found "password_id": did you mean identifier\?/],
    ['colour,name\nred,x\n', /names no column identifier; its columns are "colour", "name"$/],
    ['10,ana\n11,bob\n', /there is more than one column: the first line must name them, identifier,/],
    ['{"identifier": 10}\n', /for JSON Lines add --format jsonl/],
    ['identifier,x;identifier\n10,99;11\n', /cannot be told whether a comma or a semicolon separates/],
    ['"identifier\n10\n', /a quotation mark of the first line is not closed/],
  ])('%j is wrong usage: its header can’t be', async (content, words) => {
    const said = await refusal('a.csv', content);
    expect(said).toMatch(/^UsageError: --file a\.csv: /);
    expect(said).toMatch(words);
  });

  test('names a bad row by the line it begins in', async () => {
    const content = 'identifier,reason\n1,"over\ntwo lines"\nno,"over\ntwo lines"\n2,x,y\n3\n010,x\n1e1,x\n';
    expect((await read('a.csv', content)).invalid).toEqual([
      expect.stringMatching(/^line 4: identifier must be/),
      'line 6: it has more columns than the first line names',
      'line 7: it has fewer columns than the first line names',
      expect.stringMatching(/^line 8: identifier must be/),
      expect.stringMatching(/^line 9: identifier must be/),
    ]);
  });

  test.each(['1,x\n2,"bro"ken\n3,x\n', '1,x\n2,bro"ken\n3,x\n', '1,x\n2,"never closed\n3,x\n'])(
    'with a quotation mark too many is not read on: %j',
    async (rows) => {
      expect(await refusal('a.csv', `identifier,reason\n${rows}`)).toMatch(
        /CommandError: .*line \d+: a quotation mark/,
      );
    },
  );

  test('with a quotation mark that is never closed takes no memory for the rest', async () => {
    const rows = '2,x\n'.repeat(3_000_000);
    expect(await refusal('open.csv', `identifier,reason\n1,"${rows}`)).toMatch(/a quotation mark is not closed/);
  });
});

describe('arguments', () => {
  test.each([
    ['10,11', 'separate them by spaces: send 10 11'],
    ['10;11', 'separate them by spaces: send 10 11'],
    ['1-5', 'name each: send 1 2 3 4 5'],
    ['1..3', 'name each: send 1 2 3'],
    ['1-500', 'seq 1 500 | npx mysafe-enable send --file -'],
    ['abc', 'an identifier is a whole number from 1, in digits alone'],
    ['010', 'in digits alone'],
    ['1e3', 'in digits alone'],
  ])('%s is wrong usage that says what to write', (argument, words) => {
    expect(() => openArguments(['10', argument], (each) => parseIdentifier(each) !== undefined)).toThrow(words);
  });
});

/** Another reader of CSV, by RFC 4180 and one character at a time; for files that are well-formed. */
const readAsSecond = (text: string, delimiter: string): string[][] => {
  const rows: string[][] = [[]];
  let cell = '';
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (isQuoted && character === '"' && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (character === delimiter || character === '\n')) {
      rows.at(-1)!.push(cell.trim());
      cell = '';
      if (character === '\n') rows.push([]);
    } else cell += character;
  }
  rows.at(-1)!.push(cell.trim());
  return rows.filter((row) => row.some((each) => each !== ''));
};

describe('any file', () => {
  const cell = fc.oneof(
    fc.constantFrom(
      'identifier',
      'reason',
      'Identifier',
      'id',
      '10',
      '11',
      '010',
      'a,b',
      'a;b',
      'x\ny',
      'say "so"',
      '',
    ),
    fc.string({ maxLength: 4 }).filter((text) => !/[\0\r]/.test(text)),
    fc.nat({ max: 99 }).map(String),
  );
  const delimiter = fc.constantFrom(',', ';', '\t');
  const write = (rows: readonly (readonly string[])[], by: string): string =>
    rows.map((row) => row.map((each) => `"${each.replaceAll('"', '""')}"`).join(by)).join('\n');

  test('of CSV yields exactly the identifiers that a second reader finds, or is refused', async () => {
    let readCount = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
        delimiter,
        fc.boolean(),
        async (rows, by, hasHeader) => {
          const all = hasHeader ? [['reason', 'identifier', 'x'], ...rows] : rows;
          const text = write(all, by);
          const found = await read('any.csv', text).catch((error: Error) => error);
          if (found instanceof Error) {
            expect(found.name).toMatch(/^(UsageError|CommandError)$/);
            return;
          }
          if (found.invalid.length > 0) return;
          readCount += 1;
          const [names = [], ...second] = readAsSecond(text, by);
          const column = names.findIndex((name) => name.toLowerCase() === 'identifier');
          const expected = column < 0 ? readAsSecond(text, by).map((row) => row[0]) : second.map((row) => row[column]);
          expect(found.identifiers.map(String)).toEqual(text.trim() === '' ? [] : expected);
        },
      ),
      { numRuns: runs(600, 150) },
    );
    expect(readCount).toBeGreaterThan(runs(600, 150) / 30);
  });

  test('of JSON Lines sends what the function takes, with the same identifier, and nothing else', async () => {
    const text = fc.option(fc.string({ maxLength: 20 }), { nil: null });
    const identifier = fc.oneof(
      fc.maxSafeInteger(),
      fc.maxSafeInteger().map(String),
      fc.constantFrom('010', 1.5, null),
    );
    const object = fc.record({ identifier, reason: text, source: text, other: fc.jsonValue() }, { requiredKeys: [] });
    const inner = fc.oneof(identifier, object);
    const value = fc.oneof(
      inner,
      inner.map((content) => ({ Type: 'Notification', Message: JSON.stringify(content) })),
      inner.map((detail) => ({ 'detail-type': 'x', source: 'itsm', detail })),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 8 }), async (values) => {
        const lines = values.map((each) => JSON.stringify(each));
        const { bodies, invalid } = await read('any.jsonl', lines.join('\n'), 'jsonl').catch(() => ({
          bodies: [],
          invalid: lines,
        }));
        const taken = lines.map(parseRequest).filter(({ kind }) => kind === 'request');
        if (invalid !== lines) expect(bodies.map(parseRequest)).toEqual(taken);
        expect(bodies.length + invalid.length).toBe(lines.length);
      }),
      { numRuns: runs(500) },
    );
  });

  test('of bytes never ends in a bug', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom<Format>('csv', 'jsonl'),
        async (bytes, format) => {
          const found = await read('bytes', Buffer.from(bytes), format).catch((error: Error) => error);
          if (found instanceof Error) expect(found.name).toMatch(/^(UsageError|CommandError)$/);
        },
      ),
      { numRuns: runs(300) },
    );
  });
});
