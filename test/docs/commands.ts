/** Command lines of the pages: taken apart as a shell does, and what our own command line accepts. */
import { runCommand } from '../loopback/command.ts';

/** Simple commands of a shell text: continued lines joined, pipes and `&&` parted, comments gone. */
export const commandsOf = (text: string): string[][] => {
  const lines = text.replace(/\\\n\s*/g, ' ').split('\n');
  const commands: string[][] = [];
  for (const line of lines) {
    let words: string[] = [];
    const end = (): void => {
      // A variable set for one command stands before it.
      while (/^[A-Z_]+=/.test(words[0] ?? '')) words.shift();
      if (words.length > 0) commands.push(words);
      words = [];
    };
    for (const [word] of line.matchAll(
      /#.*$|\|\||&&|[|;&<>]|(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'|;&<>\\#]|(?<=\S)#)+/g,
    )) {
      if (word.startsWith('#')) break;
      if (/^(\|\||&&|[|;&])$/.test(word)) end();
      else words.push(word.replace(/^(["'])(.*)\1$/s, '$2'));
    }
    end();
  }
  return commands;
};

export interface Command {
  /** Each option, and whether it takes a value. */
  readonly options: ReadonlyMap<string, boolean>;
  readonly takesArguments: boolean;
  readonly subcommands: readonly string[];
}

const help = async (path: readonly string[]): Promise<Command> => {
  const { stdout } = await runCommand([...path, '--help'], { isProcess: false });
  const options = [...stdout.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)( [<[])?/gm)].flatMap(([, short, long, value]) =>
    [short, long].flatMap((name) => (name === undefined ? [] : [[name, value !== undefined] as const])),
  );
  const listed = /^Commands:\n((?: {2}.*\n?)*)/m.exec(stdout)?.[1] ?? '';
  return {
    options: new Map(options),
    takesArguments: /^Usage:.*(?:\[(?!options\])[a-z-]+(?:\.\.\.)?\]|<[a-z-]+>)/m.test(stdout),
    subcommands: [...listed.matchAll(/^ {2}([a-z][\w-]*)/gm)]
      .map(([, name]) => name ?? '')
      .filter((name) => name !== 'help'),
  };
};

/** Every command of `mysafe-enable`, by its words, read from what `--help` says. */
export const readCommands = async (path: readonly string[] = []): Promise<ReadonlyMap<string, Command>> => {
  const command = await help(path);
  const below = await Promise.all(command.subcommands.map((name) => readCommands([...path, name])));
  return new Map([[path.join(' '), command] as const, ...below.flatMap((each) => [...each])]);
};

/** @returns what is wrong with the words after `mysafe-enable`, or `undefined` */
export const faultOf = (words: readonly string[], commands: ReadonlyMap<string, Command>): string | undefined => {
  let name = '';
  let rest = [...words];
  while (rest[0] !== undefined && commands.get(name)?.subcommands.includes(rest[0])) {
    name = `${name} ${rest[0]}`.trim();
    rest = rest.slice(1);
  }
  const command = commands.get(name);
  if (!command) return `no such command: ${words.join(' ')}`;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [option = '', value] = word.split('=', 2);
    if (!/^-./.test(word)) {
      if (!command.takesArguments || command.subcommands.length > 0) return `${name} takes no ${word}`;
    } else if (option !== '--help') {
      const takesValue = command.options.get(option);
      if (takesValue === undefined) return `${name} has no ${option}`;
      if (takesValue && value === undefined && rest.shift() === undefined) return `${option} needs a value`;
    }
  }
  return undefined;
};
