/** The declared commands as commander parses them; its own complaints become the one shape of wrong usage. */
import { Command as Commander, CommanderError, Option as CommanderOption } from 'commander';
import { type Command, type Group, longName, type Option } from './command.ts';
import { columns, note, say } from './terminal/print.ts';
import { BREAK, wrapLine } from './terminal/text.ts';
import { UsageError } from './terminal/usage.ts';

/** The form that works in a clone, in a project that depends on the package, and without either. */
const PROGRAM = 'npx mysafe-enable';

/** Two blanks before, a blank and a backslash behind. */
const EXAMPLE_MARGIN = 4;

type Carry = (command: Command, options: Readonly<Record<string, unknown>>, words: readonly string[]) => Promise<void>;

/** What a shell's variable without a value leaves behind: left out without a word, it would mean something else. */
const refuseEmpty = (name: string, value: string): void => {
  if (value.trim() === '') throw new UsageError(`${name} takes a text that is not empty`);
};

const optionOf = (name: string, option: Option): CommanderOption => {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const takes = option.kind === 'flag' ? '' : ` <${option.takes}>`;
  const made = new CommanderOption(`${short}${longName(name)}${takes}`, option.description);
  if (option.kind !== 'flag') {
    made.argParser<string | readonly string[]>((value, before = []) => {
      refuseEmpty(longName(name), value);
      return option.kind === 'values' ? [...before, value] : value;
    });
  }
  return option.group === undefined ? made : made.helpGroup(option.group);
};

/** Help that was asked for is no failure; all else says how the command is used. */
const endUsage = (command: Commander, path: string) => (error: CommanderError) => {
  if (error.exitCode === 0) throw error;
  const isEmpty = error.code === 'commander.help';
  throw new UsageError(
    isEmpty ? `${path} needs a command: ${command.commands.map((each) => each.name()).join(', ')}` : said(error),
    { fix: `${path} --help shows how it is used` },
  );
};

/** Without the prefix that commander gives its messages. */
const said = ({ message }: CommanderError): string =>
  message
    .replace(/^error: /, '')
    .split('\n')
    .join(' ');

const quiet = (command: Commander, path: string): Commander =>
  command
    .exitOverride(endUsage(command, path))
    .configureOutput({
      writeOut: (text) => say(...text.trimEnd().split('\n')),
      writeErr: (text) => note(...text.trimEnd().split('\n')),
      // It is told once, by whoever ends the process.
      outputError: () => {},
    })
    .helpCommand(false);

/** On a terminal that is too narrow it goes on behind a backslash, so that it can still be copied. */
const exampleOf = (line: string): string => {
  if (!process.stdout.isTTY) return `  ${line}`;
  return wrapLine(line, columns() - EXAMPLE_MARGIN, 2)
    .split(BREAK)
    .map((part) => `  ${part}`)
    .join(' \\\n');
};

/** @param start what stands before each example */
const declare = (made: Commander, command: Command, start: string, carry: Carry): void => {
  made.description(command.description);
  const { words } = command;
  if (words) {
    const brackets = { one: `<${words.name}>`, optional: `[${words.name}]`, many: `[${words.name}...]` }[words.count];
    made.argument(brackets, words.description);
  }
  for (const [name, option] of Object.entries(command.options)) made.addOption(optionOf(name, option));
  made.addHelpText(
    'after',
    () =>
      `\nExamples:\n${command.examples.map((line) => exampleOf(line === '' ? start.replace(/ --$/, '') : `${start} ${line}`)).join('\n')}`,
  );
  made.action(() => {
    for (const word of made.args) refuseEmpty(`<${words?.name}>`, word);
    return carry(command, made.opts(), made.args);
  });
};

const addCommand = (parent: Commander, path: string, command: Command, carry: Carry): void => {
  declare(quiet(parent.command(command.name), `${path} ${command.name}`), command, PROGRAM, carry);
};

/** A script of its own that is declared as commands are, such as `npm run simulate --`; that is its path. */
export const createScript = (path: string, command: Command, carry: Carry): Commander => {
  const made = quiet(new Commander(path), path);
  declare(made, command, path, carry);
  return made;
};

/** @param carry is given the command that was called, and what it was given */
export const createProgram = (rooms: readonly (Command | Group)[], version: string, carry: Carry): Commander => {
  const program = quiet(new Commander(PROGRAM), PROGRAM)
    .description("Enables disabled passwords in Segura's MySafe vault when an access request is approved.")
    .version(version)
    .addHelpText('after', '\nExit status: 0 done, 1 something failed, 2 wrong usage, 130 interrupted.');
  for (const room of rooms) {
    if (room.kind === 'command') {
      addCommand(program, PROGRAM, room, carry);
      continue;
    }
    const path = `${PROGRAM} ${room.name}`;
    const made = quiet(program.command(room.name), path).description(room.description);
    for (const each of room.commands) addCommand(made, path, each, carry);
  }
  return program;
};

export const isHelp = (error: unknown): boolean => error instanceof CommanderError && error.exitCode === 0;
