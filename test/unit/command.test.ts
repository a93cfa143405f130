/** A command's options stand beside what it does: what is declared is read, what is read is declared. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Command, command, flag, type OptionsOf, value, WHERE } from '../../functions/cli/command.ts';
import { ROOMS } from '../../functions/cli/rooms.ts';
import { REQUESTER_FIELDS } from '../../functions/requests/fields.ts';

const cli = join(import.meta.dirname, '../../functions/cli');
const commands: readonly Command[] = ROOMS.flatMap((room) => (room.kind === 'command' ? [room] : room.commands));

/** By the command's name, the file that its declaration imports when it is called. */
const files = new Map(
  readdirSync(cli, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('/command.ts'))
    .flatMap((path) => {
      const [, ...declarations] = readFileSync(join(cli, path), 'utf8').split('= command({');
      return declarations.map((text) => {
        const [, name = ''] = /name: '([\w-]+)'/.exec(text) ?? [];
        const [, file = ''] = /import\('\.\/([\w-]+\.ts)'\)/.exec(text) ?? [];
        return [name, join(cli, dirname(path), file)] as const;
      });
    }),
);

/** That file, and those of its room that it imports in turn. */
const sourceOf = ({ name }: Command): string => {
  const seen = new Map<string, string>();
  const read = (path: string): void => {
    if (seen.has(path) || path.endsWith('/command.ts')) return;
    const text = readFileSync(path, 'utf8');
    seen.set(path, text);
    for (const [, next = ''] of text.matchAll(/from '(\.\/[\w-]+\.ts)'/g)) read(join(dirname(path), next));
  };
  read(files.get(name) ?? `no declaration of ${name}`);
  return [...seen.values()].join('\n');
};

describe('every option that is declared is read', () => {
  const own = commands.flatMap((each) =>
    Object.keys(each.options)
      .filter((name) => !(name in WHERE))
      .map((name) => [each.name, name, each] as const),
  );

  test.each(own)('%s reads %s', (name, option, each) => {
    const source = sourceOf(each);
    // The requester's own fields are read by their list.
    const isListed = (REQUESTER_FIELDS as readonly string[]).includes(option) && source.includes('REQUESTER_FIELDS');
    const isRead = isListed || new RegExp(`[.{ ]${option}\\b|\\['${option}'\\]`).test(source);
    expect(isRead, `${name} declares ${option}, and no file of its room reads it`).toBe(true);
  });

  test.each(Object.keys(WHERE))('target.ts or the command reads %s', (option) => {
    const shared = ['target.ts', 'aws-config.ts'].map((file) => readFileSync(join(cli, file), 'utf8'));
    const text = [...shared, ...commands.map(sourceOf)].join('');
    expect(text).toMatch(new RegExp(`[.{ '(]${option}\\b`));
  });
});

test('an option that is read but not declared, or declared as something else, does not compile', () => {
  const options = { rate: value('rate', 'messages a second'), yes: flag('do not ask') };
  const about = { name: 'x', description: 'x', options, examples: ['x'] };
  const made = [
    command({ ...about, load: async () => async (_: OptionsOf<typeof options>) => 0 }),
    command({ ...about, load: async () => async (_: { readonly yes?: boolean }) => 0 }),
    // @ts-expect-error `limit` is read, but not declared
    command({ ...about, load: async () => async (_: { readonly limit?: string }) => 0 }),
    // @ts-expect-error `yes` takes no value
    command({ ...about, load: async () => async (_: { readonly yes?: string }) => 0 }),
  ];
  expect(made).toHaveLength(4);
});

test('short flags mean the same everywhere', () => {
  const meanings = new Map<string, Set<string>>();
  for (const { options } of commands) {
    for (const [name, { short }] of Object.entries(options)) {
      if (short) meanings.set(short, (meanings.get(short) ?? new Set()).add(name));
    }
  }
  expect(Object.fromEntries([...meanings].map(([short, names]) => [short, [...names]]))).toEqual({
    s: ['stage'],
    n: ['dryRun'],
    q: ['queue'],
    y: ['yes'],
  });
});
