/** Every command at 80, 100 and 160 columns, piped, with NO_COLOR: what it prints fits, and steers nothing it must not. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { widthOf } from '../../functions/cli/terminal/text.ts';
import { openAccount } from './account.ts';
import { type CommandOptions, putLetters } from './command.ts';
import { makeFolder } from './folder.ts';

const LONG_WORD = 'x'.repeat(120);
const KEPT = { kind: 'fixture', name: 'server-error-v4' } as const;

const prepare = async () => {
  const account = await openAccount({ passwords: { 10: 'disabled', 11: 'no-access', 12: 'disabled' } });
  const folder = await makeFolder();
  const { world } = account;
  world.segura.nextFor(10, KEPT, KEPT);
  const ask = {
    requestId: 'RITM0012345',
    requestedBy: 'Ana María de las Mercedes Fernández <ana@example.com>, 日本 支社',
    reason: `on-call, because of an incident with many words in its title and one that is long, ${LONG_WORD}`,
    source: 'servicenow',
  };
  const kept = await world.send({ identifier: 10, ...ask });
  const rejected = await world.send({ identifier: 11, ...ask });
  await world.pump();
  await putLetters(world.sqs, 'exhausted', [{ identifier: 9007199254740991 }]);
  const [letter] = world.messages('rejected');
  const file = join(folder.path, 'requests.csv');
  await writeFile(file, `identifier,reason\n12,${'so many words '.repeat(30)}\nabc,\n13,\n`);
  const values = { KEPT_ID: kept, REJECTED_ID: rejected, LETTER_ID: letter?.messageId ?? '', FILE: file };
  return {
    folder,
    run: (words: string, options: CommandOptions) => {
      const args = words.split(' ').map((word) => values[word as keyof typeof values] ?? word);
      return account.run(args, options);
    },
    [Symbol.asyncDispose]: async () => {
      await account[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
};

let prepared: Awaited<ReturnType<typeof prepare>>;
beforeAll(async () => {
  prepared = await prepare();
}, 240_000);
afterAll(() => prepared[Symbol.asyncDispose]());

/** Each command, in such an order that it has something to show; what it takes away, it puts back. */
const COMMANDS = [
  'status',
  'trace KEPT_ID',
  'trace no-such-message',
  'dead-letters list --letters',
  'dead-letters show LETTER_ID',
  'dead-letters replay --dry-run',
  'dead-letters discard',
  'dead-letters export --file FILE',
  'pause --yes',
  'status',
  'resume --yes',
  'send --file FILE --dry-run',
  'send --file FILE',
  'send 10 abc',
  'report --from 1h --file FILE',
  'doctor --only queues,function',
  'dead-letters replay --help',
  'send --help',
  '--help',
] as const;

const ESCAPE = '\u001b';
const linesOf = (text: string): readonly string[] => text.split('\n');
/** What may stand in a line that is shown: colours, and nothing else that begins with an escape. */
const COLOUR = new RegExp(`${ESCAPE}\\[[\\d;]*m`, 'g');
const isSteered = (text: string): boolean => text.replace(COLOUR, '').includes(ESCAPE);
/** The body of a letter is copied as a whole. */
const isWhole = (line: string): boolean => line.startsWith('{"identifier"');

describe.each([80, 100, 160])('at a terminal of %i columns', (columns) => {
  test.each([...new Set(COMMANDS)])('"%s" prints no line that is wider', async (words) => {
    const { stdout, stderr } = await prepared.run(words, { columns });
    const lines = [...linesOf(stdout), ...linesOf(stderr)].map(stripVTControlCharacters);
    expect(stdout + stderr).not.toBe('');
    expect(isSteered(stdout + stderr)).toBe(false);
    expect(lines.filter((line) => widthOf(line) > columns && !isWhole(line))).toEqual([]);
  });
});

describe('what is broken at a terminal', () => {
  const told = async (words: string, columns?: number) =>
    (await prepared.run(words, columns === undefined ? {} : { columns })).stdout;
  const joined = (text: string): string => stripVTControlCharacters(text).replace(/\s+/g, '');

  test.each(['trace KEPT_ID', 'dead-letters show LETTER_ID'])(
    'in "%s" is all there, and says the same',
    async (words) => {
      const withoutClock = (text: string): string =>
        joined(text).replace(/\d{4}-\d\d-\d\d\d\d:\d\d:\d\d|backin\d+s/g, '');
      const [narrow, piped] = await Promise.all([told(words, 80), told(words)]);
      expect(withoutClock(narrow)).toBe(withoutClock(piped));
    },
  );

  test('in a list of letters stands below its letter: request and error', async () => {
    const narrow = stripVTControlCharacters(await told('dead-letters list --letters', 80));
    expect(narrow).toMatch(/^code +identifier +age +message\n {4}request, error$/m);
    expect(narrow).toMatch(/^1006 {10} {2}11 {10}\d+ min +[-\da-f]{36}\n {4}RITM0012345 {2}1006: User/m);
    const wide = stripVTControlCharacters(await told('dead-letters list --letters', 160));
    expect(wide).toMatch(/^1006 .*[-\da-f]{36} {2}RITM0012345 {2}1006: User/m);
  });

  test('in an example of the help goes on behind a backslash, as a shell reads it', async () => {
    const help = stripVTControlCharacters(await told('send --help', 80));
    const whole = await told('send --help');
    const examplesOf = (text: string): string => text.slice(text.indexOf('\nExamples:'));
    expect(examplesOf(help).replace(/ \\\n +/g, ' ')).toBe(examplesOf(whole));
    expect(help).toContain(' \\\n');
  });
});

describe('where no terminal reads', () => {
  test.each(['trace KEPT_ID', 'dead-letters list --letters', 'status', 'send --file FILE --dry-run'])(
    '"%s" has no escape sequence, and a line for each thing',
    async (words) => {
      const { stdout, stderr } = await prepared.run(words, {});
      expect(stdout + stderr).not.toContain('\u001b');
      if (words.startsWith('trace'))
        expect(linesOf(stdout).find((line) => line.includes('because'))).toContain(LONG_WORD);
    },
  );

  test.each([
    ['NO_COLOR', { NO_COLOR: '1' }],
    ['NODE_DISABLE_COLORS', { NODE_DISABLE_COLORS: '1' }],
    ['TERM=dumb', { TERM: 'dumb' }],
  ])('at a terminal with %s there is no colour', async (_, env) => {
    const { stdout, stderr } = await prepared.run('dead-letters list', { columns: 100, env });
    expect(stdout).toContain('1006');
    expect(stdout + stderr).not.toMatch(COLOUR);
  });

  test('colours are at a terminal, unless nothing is said against them', async () => {
    expect((await prepared.run('dead-letters list', { columns: 100 })).stdout).toContain('\u001b[');
  });
});
