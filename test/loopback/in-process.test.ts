/** What runs in this process says what it says in a process of its own, and refuses what only a process can do. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startSqs } from '../../infra/local/sqs.ts';
import { startWorld, until } from '../../infra/local/world.ts';
import { drawn } from '../depth.ts';
import { type CommandOptions, environmentOf, putLetters, runCommand } from './command.ts';
import { makeFolder } from './folder.ts';
import { openWorld } from './in-process-lambda.ts';

const outcomeOf = async (args: readonly string[], options: CommandOptions) => {
  const { status, stdout, stderr } = await runCommand(args, options);
  return { status, stdout, stderr };
};

const CALLS: readonly (readonly [string, string | undefined])[] = [
  ['--help', undefined],
  ['send --help', undefined],
  ['nonsense --json', undefined],
  ['send abc --json', undefined],
  ['send --file nowhere.csv', undefined],
  ['send --file requests.csv --dry-run', undefined],
  ['send --file - --dry-run --json', '{"identifier":10,"reason":"Müller 日本"}\nnothing\n'],
  ['dead-letters list --letters', undefined],
  ['dead-letters list --code 1005 --json', undefined],
  ['dead-letters discard', undefined],
];

test.concurrent.each(drawn(CALLS, 4))('"%s", with the same words and the same exit status', async (words, input) => {
  const sqs = await startSqs();
  await using folder = await makeFolder();
  try {
    await putLetters(sqs, 'rejected', [{ identifier: 11, code: '1005' }, { body: 'Müller' }]);
    await writeFile(join(folder.path, 'requests.csv'), 'identifier,reason\n10,日本\nabc,\n');
    const options = { env: environmentOf(sqs), cwd: folder.path, ...(input === undefined ? {} : { input }) };
    const own = await outcomeOf(words.split(' '), { ...options, isProcess: true });
    expect(own.stdout + own.stderr).not.toBe('');
    expect(await outcomeOf(words.split(' '), options)).toEqual(own);
  } finally {
    await sqs.close();
  }
});

test('at a terminal too, in its colours and within its columns', async () => {
  const sqs = await startSqs();
  try {
    await putLetters(sqs, 'rejected', [{ identifier: 11, code: '1005' }, { body: 'Müller '.repeat(30) }]);
    const words = ['dead-letters', 'list', '--letters'];
    const options = { env: environmentOf(sqs), columns: 80 };
    const own = await outcomeOf(words, { ...options, isProcess: true });
    expect(own.stdout).toContain('\u001b[');
    expect(await outcomeOf(words, options)).toEqual(own);
  } finally {
    await sqs.close();
  }
});

test('a file that it writes is in the folder in which it was called', async () => {
  const sqs = await startSqs();
  await using folder = await makeFolder();
  try {
    await putLetters(sqs, 'rejected', [{ identifier: 11, code: '1005' }]);
    const words = 'dead-letters export --queue rejected --file letters.jsonl'.split(' ');
    expect(await outcomeOf(words, { env: environmentOf(sqs), cwd: folder.path })).toMatchObject({ status: 0 });
    expect(await readFile(join(folder.path, 'letters.jsonl'), 'utf8')).toContain('"ErrorCode"');
  } finally {
    await sqs.close();
  }
});

test('what one call leaves behind in its memory, the next does not find', async () => {
  const env = { AWS_REGION: 'us-east-1' };
  const [first, second] = await Promise.all([
    outcomeOf(['send', 'abc'], { env }),
    outcomeOf(['send', '0', '--json'], { env }),
  ]);
  expect([first.status, second.status]).toEqual([2, 2]);
  expect(first.stderr).toContain('"abc" is not an identifier');
  expect(second.stderr).not.toContain('abc');
  expect(first.stdout).toBe('');
});

test('the function answers and writes the same, and keeps nothing from one environment to the next', async () => {
  const play = async (open: typeof openWorld) => {
    await using world = await open({ passwords: { 10: 'disabled', 14: 'no-access' } });
    for (const body of [10, 14, 'nothing']) await world.send(body);
    const { kept } = await world.deliver();
    world.kill();
    await world.send(10);
    await world.deliver();
    const lines = world.lines().map((line) => Object.keys(line).toSorted());
    const outcomes = world.auditLines().map(({ outcome, errorCode }) => [outcome, errorCode]);
    return { kept, lines: lines.toSorted(), outcomes: outcomes.toSorted(), starts: world.lambda.starts() };
  };
  const here = await play(openWorld);
  expect(here).toEqual(await play(startWorld));
  expect(here.starts).toBe(2);
});

test('an environment that is killed in the middle of its work is refused, for it would go on', async () => {
  const world = await openWorld({ passwords: { 10: 'disabled' } });
  world.segura.always(10, { kind: 'hang' });
  await world.send(10);
  const Records = await world.receiveRecords();
  const invoked = world.invoke({ Records }, { remainingMs: 4000 });
  await until(() => world.segura.enableCalls(10).length > 0, 'the call');
  expect(() => world.kill()).toThrow('only a process can be killed in the middle of its work');
  await invoked;
  await world[Symbol.asyncDispose]();
});
