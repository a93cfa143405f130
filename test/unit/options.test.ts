/** Of every command each option: without its value, and with an empty one; and words that no command knows. */
import { describe, expect, test } from 'vitest';
import { type Command, longName } from '../../functions/cli/command.ts';
import { createProgram } from '../../functions/cli/program.ts';
import { ROOMS } from '../../functions/cli/rooms.ts';
import { UsageError } from '../../functions/cli/terminal/usage.ts';

type Called = readonly [path: readonly string[], command: Command];

const COMMANDS = ROOMS.flatMap((room): Called[] =>
  room.kind === 'command' ? [[[room.name], room]] : room.commands.map((each) => [[room.name, each.name], each]),
);

/** What ends the parsing, or `undefined` where the command would be carried out. */
const parse = async (words: readonly string[]): Promise<unknown> => {
  const program = createProgram(ROOMS, '0.0.0', async () => {});
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    return error;
  }
  return undefined;
};

const wordsOf = ({ words }: Command): readonly string[] => (words?.count === 'one' ? ['word'] : []);

describe.each(COMMANDS.map(([path, command]) => [path.join(' '), path, command] as const))('%s', (_, path, command) => {
  const given = [...path, ...wordsOf(command)];
  const taking = Object.entries(command.options).filter(([, { kind }]) => kind !== 'flag');

  test('takes what it declares', async () => {
    const all = Object.entries(command.options).flatMap(([name, { kind }]) =>
      kind === 'flag' ? [longName(name)] : [longName(name), 'x'],
    );
    expect(await parse([...given, ...all])).toBeUndefined();
  });

  test('refuses each option that takes a value and has none, or an empty one', async () => {
    for (const [name] of taking) {
      for (const more of [[longName(name)], [longName(name), ''], [longName(name), '  ']]) {
        expect([more, await parse([...given, ...more])]).toEqual([more, expect.any(UsageError)]);
      }
    }
  });

  test('refuses an option that it does not know, and words that it does not take', async () => {
    expect(await parse([...given, '--nonsense'])).toBeInstanceOf(UsageError);
    expect(await parse([...given, '-Z'])).toBeInstanceOf(UsageError);
    if (command.words?.count !== 'many') expect(await parse([...given, 'a', 'b'])).toBeInstanceOf(UsageError);
    if (command.words !== undefined) expect(await parse([...path, ''])).toBeInstanceOf(UsageError);
  });
});
