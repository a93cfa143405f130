/** Which folder of the code imports from which: as the contributor is shown it, and in one direction. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { expect, test } from 'vitest';
import { readPage, root } from './pages.ts';

const sources = ['functions', 'infra'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => posix.join(folder, name.split(sep).join('/'))),
);

/** A folder of functions/ with all below it; of infra/ each that holds code of its own. */
const roomOf = (file: string): string => {
  const [top = '', first = '', ...rest] = file.split('/');
  if (top === 'functions') return rest.length > 0 ? first : top;
  if (first === 'local' && rest[0] === 'console') return 'infra/local/console';
  return rest.length > 0 ? posix.join(top, first) : top;
};

const importsOf = (file: string): readonly string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:\bfrom|\bimport\()\s*'(\.[^']+\.ts)'/g)].map(
    ([, path = '']) => posix.join(posix.dirname(file), path),
  );

const readRooms = (): ReadonlyMap<string, readonly string[]> => {
  const rooms = new Map<string, Set<string>>();
  for (const file of sources) {
    const room = roomOf(file);
    const from = rooms.get(room) ?? new Set();
    for (const imported of importsOf(file)) if (roomOf(imported) !== room) from.add(roomOf(imported));
    rooms.set(room, from);
  }
  return new Map([...rooms].map(([room, from]) => [room, [...from]]));
};

const rooms = readRooms();

/** | `aws` | `http`, `settings` | */
const readShown = (): readonly (readonly [room: string, from: readonly string[]])[] => {
  const [, section = ''] = readPage('docs/contributor.md').text.split('### Which folder imports from which');
  const [table = ''] = section.split(/^#/m);
  return [...table.matchAll(/^\| `([\w/-]+)` \|([^|]*)\|/gm)].map(([, room = '', from = '']) => [
    room,
    [...from.matchAll(/`([\w/-]+)`/g)].map(([, name]) => name ?? ''),
  ]);
};

const shown = readShown();

test('each folder of code is shown with exactly the folders that it imports from', () => {
  const rowOf = (room: string, from: readonly string[]): string =>
    `| \`${room}\` | ${
      from.length === 0
        ? 'none'
        : from
            .toSorted()
            .map((name) => `\`${name}\``)
            .join(', ')
    } |`;
  const wanted = [...rooms].map(([room, from]) => rowOf(room, from)).toSorted();
  expect(shown.map(([room, from]) => rowOf(room, from)).toSorted(), 'docs/contributor.md: correct these rows').toEqual(
    wanted,
  );
});

test('a folder imports only from those below it in the table, so none depends on itself', () => {
  const order = shown.map(([room]) => room);
  const upwards = shown.flatMap(([room, from]) =>
    from.filter((name) => order.indexOf(name) <= order.indexOf(room)).map((name) => `${room} from ${name}`),
  );
  expect(upwards).toEqual([]);
});

test('no function imports from another, and nothing imports from test/', () => {
  const deployed = ['enable-password', 'replay-dead-letters'];
  expect([...rooms].filter(([, from]) => from.some((name) => deployed.includes(name)))).toEqual([]);
  expect(sources.filter((file) => importsOf(file).some((path) => path.startsWith('test/')))).toEqual([]);
});

test('what a file of functions/ or infra/ exports for others is imported by one of them', () => {
  const texts = new Map(
    [
      ...sources,
      ...readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).map((name) => `test/${name}`),
    ]
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => [name, readFileSync(join(root, name), 'utf8')]),
  );
  // Found by name by those who call them: Lambda, the framework, and the SDK in whose place they stand.
  const isCalledByName = (file: string): boolean =>
    /\/handler\.ts$|^infra\/stand-ins\/|^infra\/(?:parameters|region|plugin)\.ts$/.test(file);
  const unused = sources
    .filter((file) => !isCalledByName(file))
    .flatMap((file) =>
      [...(texts.get(file) ?? '').matchAll(/^export (?:async )?(?:const|function\*?|class) (\w+)/gm)]
        .map(([, name = '']) => name)
        .filter(
          (name) =>
            ![...texts].some(
              ([other, text]) =>
                other !== file && text.includes(posix.basename(file)) && new RegExp(`\\b${name}\\b`).test(text),
            ),
        )
        .map((name) => `${file} exports ${name}`),
    );
  expect(unused, 'take the word export off, or the thing itself out').toEqual([]);
});

test('a comment names no file that is not there', () => {
  const named = sources.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^\s*(?:\/\*\*?|\*|\/\/).*$/gm)].flatMap(([comment]) =>
      // Of addresses and of what is only built, nothing is there.
      [...comment.replace(/https?:\S+|dist\/\S+/g, '').matchAll(/(?<![\w./-])[\w-][\w./-]*\.(?:ts|yml|cjs|md)\b/g)].map(
        ([name]) => ({ file, name }),
      ),
    ),
  );
  const files = ['functions', 'infra', 'test', 'docs', 'events', '.'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: folder !== '.', encoding: 'utf8' }).map((name) =>
      posix.join(folder, name.split(sep).join('/')),
    ),
  );
  expect(named.length).toBeGreaterThan(50);
  const isThere = (name: string): boolean => files.some((file) => file === name || file.endsWith(`/${name}`));
  expect(named.filter(({ name }) => !isThere(name)).map(({ file, name }) => `${file} names ${name}`)).toEqual([]);
});
