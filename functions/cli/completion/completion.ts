/** `mysafe-enable completion`: a script for a shell, made from what the commands declare. */
import { type Command, type Group, longName, type Option } from '../command.ts';
import { ROOMS } from '../rooms.ts';
import { EXIT } from '../terminal/exit.ts';
import { say, sayJson, whole } from '../terminal/print.ts';
import { UsageError } from '../terminal/usage.ts';
import { type CompletionOptions, SHELLS } from './command.ts';

type Shell = (typeof SHELLS)[number];

/** One command by its words, such as `dead-letters list`, and what may follow. */
interface Entry {
  readonly path: string;
  /** Commands below it, or the words that its argument takes. */
  readonly words: readonly string[];
  readonly options: readonly (readonly [name: string, option: Option])[];
}

const namesOf = ([name, { short }]: Entry['options'][number]): string[] => [
  longName(name),
  ...(short === undefined ? [] : [`-${short}`]),
];

const entryOf = (path: string, { words, options }: Command): Entry => ({
  path,
  words: words?.choices ?? [],
  options: Object.entries(options),
});

const readEntries = (rooms: readonly (Command | Group)[]): readonly Entry[] => [
  { path: '', words: rooms.map(({ name }) => name), options: [] },
  ...rooms.flatMap((room): Entry[] =>
    room.kind === 'command'
      ? [entryOf(room.name, room)]
      : [
          { path: room.name, words: room.commands.map(({ name }) => name), options: [] },
          ...room.commands.map((each) => entryOf(`${room.name} ${each.name}`, each)),
        ],
  ),
];

const ALIAS = "# In a clone: alias mysafe-enable='npx mysafe-enable'";

interface Dialect {
  /** The words before the one that is typed. */
  readonly before: string;
  readonly offer: (words: readonly string[]) => string;
  readonly offerFiles: string;
}

/** What bash and zsh write alike: which words make a command, what an option takes, what may stand next. */
const casesOf = (entries: readonly Entry[], { before, offer, offerFiles }: Dialect): string => {
  const parents = entries
    .filter(({ path }) => path !== '')
    .map(({ path }) => {
      const at = path.lastIndexOf(' ');
      return `"${path.slice(0, Math.max(0, at))} ${path.slice(at + 1)}"`;
    });
  const taking = entries.flatMap(({ path, options }) =>
    options
      .filter(([, { kind }]) => kind !== 'flag')
      .map((option) => {
        const patterns = namesOf(option).map((name) => `"${path}:${name}"`);
        const [, declared] = option;
        const choices = declared.kind === 'flag' ? undefined : declared.choices;
        return `    ${patterns.join('|')}) ${choices === undefined ? offerFiles : offer(choices)}; return ;;`;
      }),
  );
  const next = entries.map(
    ({ path, words, options }) => `    "${path}") ${offer([...words, ...options.flatMap(namesOf), '--help'])} ;;`,
  );
  return `  for word in ${before}; do
    case "$command $word" in
      ${parents.join('|')}) command="\${command:+$command }$word" ;;
    esac
  done
  case "$command:$previous" in
${taking.join('\n')}
  esac
  case "$command" in
${next.join('\n')}
  esac`;
};

const BASH: Dialect = {
  before: '"${COMP_WORDS[@]:1:COMP_CWORD-1}"',
  offer: (words) => `COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$current"))`,
  offerFiles: 'COMPREPLY=($(compgen -f -- "$current"))',
};

const bash = (entries: readonly Entry[]): string => `# bash completion of mysafe-enable
${ALIAS}
_mysafe_enable() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" word
${casesOf(entries, BASH)}
}
complete -F _mysafe_enable mysafe-enable`;

const ZSH: Dialect = {
  before: '"${(@)words[2,CURRENT-1]}"',
  offer: (words) => `compadd -- ${words.join(' ')}`,
  offerFiles: '_files',
};

const zsh = (entries: readonly Entry[]): string => `#compdef mysafe-enable
${ALIAS}
_mysafe_enable() {
  local previous="\${words[CURRENT-1]}" command="" word
${casesOf(entries, ZSH)}
}
compdef _mysafe_enable mysafe-enable`;

/** Single quotes of fish know two escapes. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

const fish = (entries: readonly Entry[]): string => {
  const within = (path: string): string =>
    path === ''
      ? '__fish_use_subcommand'
      : path
          .split(' ')
          .map((word) => `__fish_seen_subcommand_from ${word}`)
          .join('; and ');
  const lines = entries.flatMap(({ path, words, options }) => {
    const start = `complete -c mysafe-enable -n ${quoted(within(path))}`;
    return [
      ...(words.length > 0 ? [`${start} -a ${quoted(words.join(' '))}`] : []),
      ...options.map(([name, option]) => {
        const short = option.short === undefined ? '' : ` -s ${option.short}`;
        const choices = option.kind === 'flag' ? undefined : option.choices;
        const takes = option.kind === 'flag' ? '' : choices ? ` -x -a ${quoted(choices.join(' '))}` : ' -r -F';
        return `${start} -l ${longName(name).slice(2)}${short}${takes} -d ${quoted(option.description)}`;
      }),
    ];
  });
  return ['# fish completion of mysafe-enable', ALIAS, 'complete -c mysafe-enable -f', ...lines].join('\n');
};

const SCRIPTS: Readonly<Record<Shell, (entries: readonly Entry[]) => string>> = { bash, zsh, fish };

export const runCompletion = async (
  { json = false }: CompletionOptions,
  [name]: readonly string[],
): Promise<number> => {
  const shell = SHELLS.find((each) => each === name);
  if (shell === undefined) throw new UsageError(`completion takes ${SHELLS.join(', ')}`);
  const script = SCRIPTS[shell](readEntries(ROOMS));
  if (json) sayJson({ shell, script });
  else say(...script.split('\n').map(whole));
  return EXIT.done;
};
