/**
 * How a command declares itself: its options beside what it does, once. Parsing, help, completion and the types of what
 * the command reads are all made from the declaration. A declaration loads nothing: what the command does is imported
 * when it is called.
 */

interface Described {
  readonly description: string;
  /** One letter, for what is typed often. */
  readonly short?: string;
  /** Heading in the help; `Options:` unless given. */
  readonly group?: string;
}

export interface Flag extends Described {
  readonly kind: 'flag';
}

interface Taking extends Described {
  /** What stands between the angle brackets of the help. */
  readonly takes: string;
  /** For completion and help; the command itself checks what it is given. */
  readonly choices?: readonly string[];
}

export interface Value extends Taking {
  readonly kind: 'value';
}

/** May be given more than once. */
export interface Values extends Taking {
  readonly kind: 'values';
}

export type Option = Flag | Value | Values;
export type OptionSet = Readonly<Record<string, Option>>;

/** What a command reads: exactly what it declares. */
export type OptionsOf<Declared extends OptionSet> = {
  readonly [Name in keyof Declared]?: Declared[Name]['kind'] extends 'flag'
    ? boolean
    : Declared[Name]['kind'] extends 'values'
      ? readonly string[]
      : string;
};

type More = Pick<Described, 'short' | 'group'>;

export const flag = (description: string, more: More = {}): Flag => ({ kind: 'flag', description, ...more });

export const value = (takes: string, description: string, more: More & Pick<Taking, 'choices'> = {}): Value => ({
  kind: 'value',
  takes,
  description,
  ...more,
});

export const values = (takes: string, description: string, more: More & Pick<Taking, 'choices'> = {}): Values => ({
  kind: 'values',
  takes,
  description,
  ...more,
});

/** The words after the command's name. */
export interface Words {
  readonly name: string;
  readonly description: string;
  /** `many`: none, one or more. */
  readonly count: 'one' | 'optional' | 'many';
  readonly choices?: readonly string[];
}

/** Carries the command out. @returns the exit status, see terminal/ending.ts */
type Run<Read> = (options: Read, words: readonly string[]) => Promise<number>;

export interface Command {
  readonly kind: 'command';
  readonly name: string;
  readonly description: string;
  readonly words?: Words;
  readonly options: OptionSet;
  /** What stands after `npx mysafe-enable <name>`. */
  readonly examples: readonly string[];
  readonly load: () => Promise<
    (options: Readonly<Record<string, unknown>>, words: readonly string[]) => Promise<number>
  >;
}

/** Commands under one word, such as `dead-letters`. */
export interface Group {
  readonly kind: 'group';
  readonly name: string;
  readonly description: string;
  readonly commands: readonly Command[];
}

interface Declaration<Declared extends OptionSet, Read> extends Omit<Command, 'kind' | 'options' | 'load'> {
  readonly options: Declared;
  readonly load: () => Promise<Run<Read>>;
}

/** What a command reads and does not declare makes its declaration one that does not compile. */
type Undeclared<Declared extends OptionSet, Read> = [Exclude<keyof Read, keyof Declared>] extends [never]
  ? unknown
  : { readonly 'read, but not declared': Exclude<keyof Read, keyof Declared> };

export const command = <Declared extends OptionSet, Read>(
  declaration: Declaration<Declared, Read> &
    (OptionsOf<Declared> extends Read ? unknown : { readonly 'declared as something else': Read }) &
    Undeclared<Declared, Read>,
): Command => ({
  ...declaration,
  kind: 'command',
  // The parser builds exactly what is declared, so this is where its untyped object becomes a typed one.
  load: declaration.load as unknown as Command['load'],
});

export const group = (name: string, description: string, commands: readonly Command[]): Group => ({
  kind: 'group',
  name,
  description,
  commands,
});

export const OUTPUT = {
  json: flag('one JSON object as the last line of standard output', { group: 'Output:' }),
} as const satisfies OptionSet;

const where = { group: 'Where:' };

/** Where the queues and the secret are: the same for every command that asks AWS (see target.ts). */
export const WHERE = {
  stage: value('stage', 'the deployed stage whose queues and secret are meant, such as prod', { ...where, short: 's' }),
  stack: value('stack', 'name of the stack, where it is not mysafe-enable-<stage>', where),
  region: value('region', 'AWS region, such as eu-west-1 (default: as the AWS CLI finds it)', where),
  profile: value('profile', 'AWS profile (default: as the AWS CLI finds it)', where),
  endpointUrl: value('url', 'AWS endpoint, for local use', where),
  requestsQueueUrl: value('url', 'instead of SOURCE_QUEUE_URL', where),
  rejectedQueueUrl: value('url', 'instead of REJECTED_QUEUE_URL', where),
  exhaustedQueueUrl: value('url', 'instead of EXHAUSTED_QUEUE_URL', where),
  secretId: value('id', 'instead of SEGURA_SECRET_ID', where),
  logGroup: value('name', 'CloudWatch log group, instead of LOG_GROUP', where),
  ...OUTPUT,
} as const satisfies OptionSet;

/** `requestsQueueUrl` → `--requests-queue-url` */
export const longName = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
