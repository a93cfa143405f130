/** One table: what is called, what is wrong with it, how it ends. And what `--help` says, of every command. */
import { describe, expect, test } from 'vitest';
import { longName } from '../../functions/cli/command.ts';
import { ROOMS } from '../../functions/cli/rooms.ts';
import manifest from '../../package.json' with { type: 'json' };
import { runCommand } from './command.ts';

const env = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  REJECTED_QUEUE_URL: 'http://127.0.0.1:1/1/rejected',
  EXHAUSTED_QUEUE_URL: 'http://127.0.0.1:1/1/exhausted',
  SOURCE_QUEUE_URL: 'http://127.0.0.1:1/1/requests',
};

/** Tells of each file of the AWS SDK as it is loaded. */
const hook = (code: string): string => `--import data:text/javascript,${encodeURIComponent(code)}`;
const TELL_SDK = hook(`import { registerHooks } from 'node:module';
  registerHooks({ resolve(name, context, next) {
    if (name.startsWith('@aws-sdk')) process.stderr.write('loaded ' + name + '\\n');
    return next(name, context);
  } });`);
/** A fault in the middle of a command. */
const BREAK = hook(
  `Object.defineProperty(process.stdout, 'write', { value() { throw new TypeError('broken for a test'); } });`,
);

/** What cannot stand between blanks. */
const WORDS: Readonly<Record<string, string>> = { EMPTY: '', LONG: 'x'.repeat(257) };

const run = (words: string, more: Readonly<Record<string, string | undefined>> = {}, isFromSource = false) => {
  // Each call of `local` here is refused, or asks for help.
  const args = words.split(' ').filter(Boolean);
  return runCommand(
    args.map((word) => WORDS[word] ?? word),
    { env: { ...env, ...more }, isFromSource, isProcess: false },
  );
};

const COMMANDS = ROOMS.flatMap((room) =>
  room.kind === 'command'
    ? [[room.name, room] as const]
    : room.commands.map((each) => [`${room.name} ${each.name}`, each] as const),
);
const NAMES = COMMANDS.map(([name]) => name);

const TABLE = [
  ['', 2, 'WrongUsage', /unknown option '--json'/],
  ['nonsense', 2, 'WrongUsage', /unknown command 'nonsense'/],
  ['local extra', 2, 'WrongUsage', /too many arguments for 'local'/],
  ['local --watch', 2, 'WrongUsage', /leave --json out/],
  ['local --port 80', 2, 'WrongUsage', /--port and --env-file are of a world that keeps running: add --watch/],
  ['send', 2, 'WrongUsage', /give one identifier or more/],
  ['send abc', 2, 'WrongUsage', /"abc" is not an identifier/],
  ['send 1e3', 2, 'WrongUsage', /"1e3" is not an identifier/],
  ['send 1 --file requests.csv', 2, 'WrongUsage', /not both/],
  ['send --file nowhere.csv', 2, 'WrongUsage', /there is no such file/],
  ['send 1 --format xml', 2, 'WrongUsage', /--format takes csv or jsonl/],
  ['send 1 --reason LONG', 2, 'WrongUsage', /reason must be at most 256 characters/],
  ['send 1 --requested-by EMPTY', 2, 'WrongUsage', /--requested-by takes a text that is not empty/],
  ['send 1 --not-after EMPTY', 2, 'WrongUsage', /--not-after takes a text that is not empty/],
  ['send 1 --not-after soon', 2, 'WrongUsage', /--not-after takes a duration/],
  ['send 1 --not-after 2020-01-01T00:00:00Z', 2, 'WrongUsage', /--not-after has passed/],
  ['send 1 --receipts package.json', 2, 'WrongUsage', /there is such a file already/],
  ['send 1 --resume nowhere.jsonl', 2, 'WrongUsage', /there is no such file/],
  ['send 1 --receipts a --resume b', 2, 'WrongUsage', /leave --receipts out/],
  ['send 1 --wait', 2, 'WrongUsage', /set LOG_GROUP/],
  ['trace', 2, 'WrongUsage', /give one of: a message id, --request-id, --identifier/],
  ['trace x --identifier 10', 2, 'WrongUsage', /give one of/],
  ['trace EMPTY', 2, 'WrongUsage', /<message-id> takes a text that is not empty/],
  ['trace --request-id EMPTY', 2, 'WrongUsage', /--request-id takes a text that is not empty/],
  ['trace --identifier 1e3', 2, 'WrongUsage', /--identifier takes a whole number/],
  ['trace x --since soon', 2, 'WrongUsage', /--since takes a duration/],
  ['trace x', 2, 'WrongUsage', /set LOG_GROUP/],
  ['status extra', 2, 'WrongUsage', /too many arguments for 'status'/],
  ['status --stage EMPTY', 2, 'WrongUsage', /--stage takes a text that is not empty/],
  ['status --region nowhere_1', 2, 'WrongUsage', /--region is no AWS region such as eu-west-1/],
  ['pause extra', 2, 'WrongUsage', /too many arguments for 'pause'/],
  ['resume --nonsense', 2, 'WrongUsage', /unknown option '--nonsense'/],
  ['report', 2, 'WrongUsage', /give --from/],
  ['report --from soon', 2, 'WrongUsage', /--from takes a duration/],
  ['report --from 2026-10-02 --to 2026-10-01', 2, 'WrongUsage', /--from must be before --to/],
  ['report --from 1d --format xml', 2, 'WrongUsage', /--format takes csv or jsonl/],
  ['report --from 1d --log-group g --file package.json', 2, 'WrongUsage', /is there already: name a new file/],
  ['report --from 1d --file nowhere/report.csv --log-group g', 2, 'WrongUsage', /cannot be made: ENOENT/],
  ['dead-letters nonsense', 2, 'WrongUsage', /unknown command/],
  ['dead-letters list extra', 2, 'WrongUsage', /too many arguments/],
  ['dead-letters list --quue rejected', 2, 'WrongUsage', /unknown option '--quue' \(Did you mean --queue\?\)/],
  ['dead-letters list --queue requests', 2, 'WrongUsage', /--queue takes rejected or exhausted/],
  ['dead-letters list -q requests', 2, 'WrongUsage', /--queue takes rejected or exhausted/],
  ['dead-letters list --after 99999999999d', 2, 'WrongUsage', /--after takes a duration/],
  ['dead-letters list --identifier x', 2, 'WrongUsage', /--identifier takes/],
  ['dead-letters list --visibility-timeout 99999', 2, 'WrongUsage', /at most 43200/],
  ['dead-letters list --code 1007', 2, 'WrongUsage', /--code takes 1005, 1006, 1010, InvalidMessage, Expired, none/],
  ['dead-letters list --source EMPTY', 2, 'WrongUsage', /--source takes a text that is not empty/],
  ['dead-letters list --endpoint-url notaurl', 2, 'WrongUsage', /--endpoint-url is not a URL such as/],
  ['dead-letters list --rejected-queue-url rejected', 2, 'WrongUsage', /is not a queue URL such as/],
  ['dead-letters show', 2, 'WrongUsage', /missing required argument 'message-id'/],
  ['dead-letters export --format xml', 2, 'WrongUsage', /--format takes jsonl or csv/],
  ['dead-letters export --limit x', 2, 'WrongUsage', /--limit takes a whole number/],
  ['dead-letters export --file package.json', 2, 'WrongUsage', /is there already: name a new file/],
  ['dead-letters replay', 2, 'WrongUsage', /asks first, and nobody is at a terminal/],
  ['dead-letters replay --limit 0', 2, 'WrongUsage', /--limit takes a whole number, 1 or more/],
  ['dead-letters replay --rate none', 2, 'WrongUsage', /--rate takes a number/],
  ['dead-letters replay --renew', 2, 'WrongUsage', /--renew needs --reason/],
  ['dead-letters replay --reason LONG', 2, 'WrongUsage', /--reason takes at most 256 characters/],
  ['dead-letters replay --max-age-seconds -1', 2, 'WrongUsage', /--max-age-seconds takes a whole number, 0 or more/],
  ['dead-letters replay --before soon', 2, 'WrongUsage', /--before takes a duration/],
  ['dead-letters replay --before 2026-02-30', 2, 'WrongUsage', /or a moment with its offset/],
  ['dead-letters replay --after 2026-02-30T10:00:00Z', 2, 'WrongUsage', /--after takes a duration/],
  ['dead-letters discard', 2, 'WrongUsage', /give --yes/],
  ['dead-letters discard --yes --code 1005,', 2, 'WrongUsage', /--code takes 1005/],
  ['dead-letters discard --yes --file package.json', 2, 'WrongUsage', /is there already: name a new file/],
  ['doctor --endpoint-url localhost:4566', 2, 'WrongUsage', /--endpoint-url is not a URL/],
  ['doctor --only nonsense', 2, 'WrongUsage', /--only takes configuration, queues/],
  ['doctor --identifier x', 2, 'WrongUsage', /--identifier takes a whole number/],
  ['doctor --identifier 10', 2, 'WrongUsage', /--identifier is for --end-to-end/],
  ['doctor --record package.json', 2, 'WrongUsage', /--record package.json is there already: name a new file/],
  ['completion', 2, 'WrongUsage', /missing required argument 'shell'/],
  ['completion tcsh', 2, 'WrongUsage', /completion takes bash, zsh, fish/],
  ['dead-letters list --stage prod', 1, 'ECONNREFUSED', /^no answer: refused$/],
  ['status --stage prod', 1, 'ECONNREFUSED', /^no answer: refused$/],
  ['pause', 1, 'ECONNREFUSED', /^no answer: refused$/],
] as const;

describe.concurrent('what is wrong, the exit status and the error code', () => {
  test.each(TABLE)('"mysafe-enable %s" ends with %i, %s', async (words, expected, code, said) => {
    const { status, json, stderr } = await run(`${words} --json`);
    expect(json).toEqual({ error: { code, message: expect.stringMatching(said), fix: expect.stringMatching(/\S/) } });
    expect(stderr).toMatch(/^(Usage: |mysafe-enable: )/);
    expect(status).toBe(expected);
  });
});

test('of every command there is something in the table', () => {
  const called = TABLE.map(([words]) => words);
  const isIn = (name: string): boolean => called.some((words) => words === name || words.startsWith(`${name} `));
  expect(NAMES.filter((name) => !isIn(name))).toEqual([]);
});

describe.concurrent('without --json', () => {
  test.each([
    ['', 2, /Usage: npx mysafe-enable .*needs a command: local, send/s],
    ['dead-letters', 2, /Usage: npx mysafe-enable dead-letters .*needs a command: list/s],
    ['dead-letters list --queue', 2, /option '-q, --queue <queue>' argument missing\nWhat to fix: /],
    ['nonsense', 2, /^mysafe-enable: unknown command 'nonsense'\nWhat to fix: npx mysafe-enable --help shows/],
    ['send --nonsense 1', 2, /^mysafe-enable: unknown option .*\nWhat to fix: npx mysafe-enable send --help shows/],
    [
      'dead-letters list --stage prod',
      1,
      /^mysafe-enable: ECONNREFUSED: .*\nWhat to fix: AWS cannot be reached: check/s,
    ],
  ] as const)('"mysafe-enable %s" says it beside the result', async (words, expected, said) => {
    const { status, stdout, stderr } = await run(words);
    expect([status, stdout]).toEqual([expected, '']);
    expect(stderr).toMatch(said);
  });

  test('a fault of ours is told as that, and DEBUG shows where it stands', async () => {
    const { status, stderr } = await run('local', { DEBUG: '1', NODE_OPTIONS: BREAK }, true);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^mysafe-enable: Bug: TypeError: broken for a test\nWhat to fix: this is a fault of .*^ +at /ms,
    );
  });
});

describe.concurrent('help', () => {
  test.each(COMMANDS)(
    'of %s names its options and shows examples that are its own',
    async (name, { options, examples }) => {
      const { status, stdout, stderr } = await run(`${name} --help`);
      expect([status, stderr]).toEqual([0, '']);
      for (const option of Object.keys(options)) expect(stdout).toContain(longName(option));
      for (const example of examples) expect(stdout).toContain(`\n  npx mysafe-enable ${example}`);
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) expect(example.startsWith(name)).toBe(true);
    },
  );

  test.each(['--help', 'send --help', 'dead-letters replay --help', 'nonsense'])(
    '"%s" loads no AWS SDK',
    async (words) => {
      const { stdout, stderr } = await run(words, { NODE_OPTIONS: TELL_SDK }, true);
      expect(stdout + stderr).toContain('mysafe-enable');
      expect(stderr).not.toContain('loaded');
    },
  );

  test('what a command loads is seen: "send 1" loads the AWS SDK', async () => {
    expect((await run('send 1', { NODE_OPTIONS: TELL_SDK }, true)).stderr).toContain('loaded @aws-sdk/client-sqs');
  });

  test('--version tells the version of the package', async () => {
    expect((await run('--version')).stdout).toBe(`${manifest.version}\n`);
  });
});

describe.concurrent('Ctrl-C', () => {
  const TELL_LISTENING = hook(
    `process.on('newListener', (name) => { if (name === 'SIGTERM') process.stderr.write('listening\\n'); });`,
  );
  /** Standard input that never ends, and a signal as soon as the command listens to it. */
  const interrupt = (words: string, signal: NodeJS.Signals) =>
    runCommand(words.split(' '), {
      env: { ...env, NODE_OPTIONS: TELL_LISTENING },
      input: (async function* () {
        yield '10\n';
        await new Promise((resolve) => setTimeout(resolve, 20_000).unref());
      })(),
      watch: (_, stderr) => (stderr.includes('listening') ? signal : undefined),
    });

  test.each(['SIGINT', 'SIGTERM'] as const)('before its work is done ends a command with 130: %s', async (signal) => {
    const { status, json } = await interrupt('send --file - --json', signal);
    expect(status).toBe(130);
    expect(json).toBeDefined();
  });
});
