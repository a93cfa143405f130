/**
 * Work in proportion to what comes from outside: every function that reads it with a regular expression is given texts that
 * are the worst for one, and the processor time it takes is measured. Quadratic
 * work on 100,000 characters would take ten seconds and more.
 */
import { describe, expect, test } from 'vitest';
import { readAuditLine } from '../../functions/audit/read.ts';
import { shareableText } from '../../functions/cli/doctor/record.ts';
import { columnsOf, describeMissing, findConflict } from '../../functions/cli/send/columns.ts';
import { fixOf } from '../../functions/cli/terminal/hints.ts';
import { table, toJson } from '../../functions/cli/terminal/print.ts';
import { csvLine } from '../../functions/cli/terminal/spreadsheet.ts';
import { shorten, visible, wrapLine } from '../../functions/cli/terminal/text.ts';
import { parseIdentifier, parseNotAfter, parseRequest } from '../../functions/requests/request.ts';
import { readPem } from '../../functions/segura/pem.ts';
import { readAnswer } from '../../functions/segura/reading.ts';
import { createRedaction } from '../../functions/segura/redaction.ts';
import { parsePattern } from '../../infra/local/log-pattern.ts';

const LENGTH = 100_000;
const MOST_CPU_MS = 1500;

const repeat = (unit: string): string => unit.repeat(Math.ceil(LENGTH / unit.length)).slice(0, LENGTH);

/** Long runs of what an expression takes, and then what it cannot take. */
const TEXTS: readonly (readonly [string, string])[] = [
  ['blanks', repeat(' ')],
  ['blanks and an end', `${repeat(' ')}x`],
  ['line ends', repeat('\n')],
  ['tabs and carriage returns', repeat('\t\r')],
  ['digits and an end', `${repeat('1')}x`],
  ['brackets and digits', repeat('(1')],
  ['quotation marks', repeat('"')],
  ['escaped quotation marks', `"${repeat('\\"')}`],
  ['backslashes', repeat('\\')],
  ['colons', `${repeat(':')}\n`],
  ['beginnings of tokens', repeat('eyJ-')],
  ['a token without an end', `eyJ${repeat('a')}`],
  ['bearers', repeat('Bearer a')],
  ['beginnings of PEM', repeat('-----BEGIN ')],
  ['ends of PEM', `-----BEGIN CERTIFICATE-----${repeat('-----END')}`],
  ['escape sequences', repeat('\u001b[31m')],
  ['objects', repeat('{"a":')],
  ['arrays', repeat('[')],
  ['slashes', `https://${repeat('/')}`],
  ['tags', repeat('<html')],
  ['[word] marks', repeat('[word]')],
  ['formulas', repeat('=+-@')],
  ['combining marks', repeat('\u0301')],
  ['joined emoji', repeat('👩\u200d')],
];

const redaction = createRedaction();

const WORK: readonly (readonly [string, (text: string) => unknown])[] = [
  ['visible', visible],
  ['toJson', toJson],
  ['wrapLine', (text) => wrapLine(text, 80, 2)],
  ['table', (text) => table(['a', 'b'], [[text, text]])],
  ['shorten', (text) => shorten(text, 80)],
  ['csvLine', (text) => csvLine([text])],
  ['fixOf', fixOf],
  ['readAuditLine', readAuditLine],
  ['readAuditLine of a line', (text) => readAuditLine(`{"message":"password enable","reason":${JSON.stringify(text)}`)],
  ['parseRequest', parseRequest],
  ['parseRequest of a field', (text) => parseRequest(`{"identifier":${JSON.stringify(text)}}`)],
  ['parseIdentifier', parseIdentifier],
  ['parseNotAfter', parseNotAfter],
  ['readPem', readPem],
  ['redact', redaction.redact],
  ['shareableText', shareableText],
  [
    'readAnswer',
    (body) =>
      readAnswer(
        { kind: 'answered', status: 400, headers: {}, body, latencyMs: 1, reusedConnection: false } as never,
        0,
      ),
  ],
  ['columnsOf', (text) => columnsOf([text])],
  ['findConflict', (text) => findConflict([text, text])],
  ['describeMissing', (text) => describeMissing([text.slice(0, 2000)])],
  ['parsePattern', parsePattern],
];

const cpuMs = (work: () => unknown): number => {
  const before = process.cpuUsage();
  try {
    work();
  } catch {
    // What it says of such a text is not the question here.
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

describe.each(WORK)('%s works in proportion', (_, work) => {
  test.each(TEXTS)('to %s', (_name, text) => {
    expect(cpuMs(() => work(text))).toBeLessThan(MOST_CPU_MS);
  });
});
