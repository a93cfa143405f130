/** What the pages show can be typed in: every command exists, every snippet parses. */
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { ROOMS } from '../../functions/cli/rooms.ts';
import { type Command, commandsOf, faultOf, readCommands } from './commands.ts';
import { type Block, readPages, root } from './pages.ts';

const pages = readPages();
const blocks = pages.flatMap((page) => page.blocks);
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const SHELLS = ['sh', 'bash', 'console'];
const isShell = ({ language }: Block): boolean => SHELLS.includes(language);
const hasPython = spawnSync('python3', ['--version']).status === 0;
const CHECK_PYTHON = 'import ast, sys; ast.parse(sys.stdin.read())';

const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  json: (text) => JSON.parse(text),
  jsonl: (text) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  typescript: (text) => stripTypeScriptTypes(text),
  javascript: (text) => stripTypeScriptTypes(text),
  yaml: (text) => parseYaml(text, { logLevel: 'error' }),
  python: (text) => execFileSync('python3', ['-c', CHECK_PYTHON], { input: text, stdio: 'pipe' }),
};
/** Not parsed here: shown for the eye, or checked in a test of its own. */
const OTHERS = ['', 'text', 'insights', 'csv', 'http', 'vtl', 'groovy', 'xml'];

/** Whatever a reader has on their machine. */
const FOREIGN = [
  '.',
  'cat',
  'cd',
  'cp',
  'curl',
  'export',
  'git',
  'head',
  'jq',
  'openssl',
  'echo',
  'printf',
  'unzip',
  'python3',
  'pip',
  'read',
  'sam',
];
const NPM = ['ci', 'start', 'test', 'audit', 'install', 'i', 'run', 'sbom'];

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not to be run
  }
};

/** The words that our own command line would get, if this calls it. */
const ownWords = (words: readonly string[]): readonly string[] | undefined => {
  const line = words.join('\u0000');
  const found =
    /^(?:npx\0)?mysafe-enable(?:\0|$)|^npm\0run\0(?:--silent\0)?mysafe-enable\0--(?:\0|$)|^npm\0start\0--\0/.exec(line);
  if (!found) return undefined;
  const rest = line.slice(found[0].length).split('\u0000').filter(Boolean);
  return found[0].includes('start') ? ['local', ...rest] : rest;
};

const pascal = (name: string): string => name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());

/** An operation of AWS's own command line is one of its SDK too; checked for the clients that are installed. */
const faultOfAws = async ([, service = '', operation = '']: readonly string[]): Promise<string | undefined> => {
  if (['help', 'configure', 'sso'].includes(service)) return undefined;
  const alias =
    { logs: 'cloudwatch-logs', secretsmanager: 'secrets-manager', events: 'eventbridge' }[service] ?? service;
  if (!existsSync(join(root, 'node_modules/@aws-sdk', `client-${alias}`))) return undefined;
  const client = await import(`@aws-sdk/client-${alias}`);
  return `${pascal(operation)}Command` in client || operation === 'wait'
    ? undefined
    : `aws ${service} has no ${operation}`;
};

let commands: ReadonlyMap<string, Command>;

const faultOfCommand = async (words: readonly string[]): Promise<string | undefined> => {
  const [name = '', second = '', third = ''] = words;
  const own = ownWords(words);
  if (own) {
    const isSpoiled = name === 'npm' && own.includes('--json') && !words.includes('--silent');
    return isSpoiled ? 'npm writes lines before the JSON: npm run --silent' : faultOf(own, commands);
  }
  if (name === 'npm') {
    const script = second === 'run' ? (third.startsWith('--') ? words[3] : third) : undefined;
    if (script !== undefined) return script in scripts ? undefined : `package.json has no script ${script}`;
    return NPM.includes(second) ? undefined : `npm has no ${second} here`;
  }
  if (name === 'npx') {
    if (second === 'node') return existsSync(join(root, third)) ? undefined : `${third} is not there`;
    return existsSync(join(root, 'node_modules/.bin', second)) ? undefined : `${second} is not installed`;
  }
  if (name === 'aws') return faultOfAws(words);
  // A script of ours, as it is called from the project's folder.
  if (name.includes('/')) return isExecutable(join(root, name)) ? undefined : `${name} is not there, or no script`;
  return FOREIGN.includes(name) ? undefined : `nobody knows ${name}`;
};

beforeAll(async () => {
  commands = await readCommands();
});

test('the command line tells of its commands and options', () => {
  const declared = ROOMS.flatMap((room) =>
    room.kind === 'command' ? [room.name] : [room.name, ...room.commands.map(({ name }) => `${room.name} ${name}`)],
  );
  expect(new Set(commands.keys())).toEqual(new Set(['', ...declared]));
  expect(faultOf(['dead-letters', 'replay', '-n', '-s', 'prod'], commands)).toBeUndefined();
  expect(faultOf(['send', '-z'], commands)).toBe('send has no -z');
  expect(faultOf(['send', '10', '--request-id', 'R', '--json'], commands)).toBeUndefined();
  expect(faultOf(['send', '--no-such'], commands)).toBe('send has no --no-such');
  expect(faultOf(['dead-letters', 'list', 'rejected'], commands)).toBe('dead-letters list takes no rejected');
  expect(faultOf(['doctor', '--stage'], commands)).toBe('--stage needs a value');
  expect(faultOf(['dead-letters', 'purge'], commands)).toBe('dead-letters takes no purge');
});

test('a shell text is taken apart as a shell does', () => {
  expect(commandsOf('A=1 one "two 2" \\\n  --three | four # five\nsix && seven')).toEqual([
    ['one', 'two 2', '--three'],
    ['four'],
    ['six'],
    ['seven'],
  ]);
});

describe('a snippet', () => {
  test.each(blocks)('$place is in a language that is checked', ({ language }) => {
    expect([...Object.keys(PARSERS), ...OTHERS, ...SHELLS]).toContain(language);
  });

  for (const { place, language, text } of blocks.filter((block) => block.language in PARSERS)) {
    test.skipIf(language === 'python' && !hasPython)(`${place} parses as ${language}`, () => {
      PARSERS[language]?.(text);
    });
  }

  test.each(blocks.filter(isShell))('$place is good shell, and every command in it exists', async ({ text }) => {
    const { stderr } = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' });
    expect(stderr).toBe('');
    const faults = await Promise.all(commandsOf(text).map(faultOfCommand));
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });
});

describe('a command in a sentence', () => {
  const inline = pages.flatMap(({ name, text }) =>
    [...text.replace(/^\s*```[\s\S]*?^\s*```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => ({
      name,
      code: code ?? '',
    })),
  );
  const ours = inline.filter(({ code }) =>
    /^(npm |npx |mysafe-enable |dead-letters \w+ --|send \d|doctor --)/.test(code),
  );

  test.each(ours)('of $name exists: $code', async ({ code }) => {
    const [words = []] = commandsOf(code.replaceAll('…', 'x'));
    const fault = /^(npm|npx|mysafe-enable)$/.test(words[0] ?? '')
      ? await faultOfCommand(words)
      : faultOf(words, commands);
    // `npm run mysafe-enable --` names the command line as such.
    expect(fault).toBeUndefined();
  });
});

test('a command for a stage names the region, or its block sets it: it can be copied as it is', () => {
  const incomplete = blocks
    .filter((block) => isShell(block) && !/AWS_DEFAULT_REGION=/.test(block.text))
    .flatMap(({ place, text }) =>
      commandsOf(text)
        .filter((words) => words.includes('--stage') && !words.includes('--region'))
        .map((words) => `${place}: ${words.join(' ')}`),
    );
  expect(incomplete, 'add --region eu-west-1').toEqual([]);
});
