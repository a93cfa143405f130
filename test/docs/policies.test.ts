/** The IAM policies of docs/platform-engineer.md allow what the commands really call, and the sender's and auditor's no more. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startSqs } from '../../infra/local/sqs.ts';
import { environmentOf, runCommand } from '../loopback/command.ts';
import { root } from './pages.ts';

const page = readFileSync(join(root, 'docs/platform-engineer.md'), 'utf8');

const allowedFor = (reader: string): string[] => {
  const [, policy = ''] =
    new RegExp(`^#### The ${reader}\\n[\\s\\S]*?\`\`\`json\\n([\\s\\S]*?)\`\`\``, 'm').exec(page) ?? [];
  const { Statement } = JSON.parse(policy) as { Statement: { Action: string | string[] }[] };
  return Statement.flatMap(({ Action }) => Action).toSorted();
};

/** A call by batch wants the right of the single one; whoever may read a queue's attributes finds its URL by another. */
const rightOf = (action: string): string => `sqs:${action.replace(/Batch$/, '')}`;

/** Runs each against queues on loopback. @returns the rights that it took */
const recorded = async (...commands: readonly (readonly string[])[]): Promise<string[]> => {
  const sqs = await startSqs();
  try {
    for (const args of commands) await runCommand(args, { env: environmentOf(sqs) });
    return [...new Set(sqs.journal.map(({ action }) => rightOf(action)))].toSorted();
  } finally {
    await sqs.close();
  }
};

/** The clients' calls that a file of the command line names, such as `DescribeStacks`. */
const namedIn = (...files: readonly string[]): string[] =>
  files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/new (\w+)Command\(/g)].map(([, name = '']) => name),
  );
const filesOf = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);

/** In an account, beside the queues: the stack's outputs, its queues by name, the audit log, delivery, the function. */
const RIGHTS: Readonly<Record<string, string>> = {
  DescribeStacks: 'cloudformation:DescribeStacks',
  GetQueueUrl: 'sqs:GetQueueUrl',
  GetQueueAttributes: 'sqs:GetQueueAttributes',
  FilterLogEvents: 'logs:FilterLogEvents',
  ListEventSourceMappings: 'lambda:ListEventSourceMappings',
  GetEventSourceMapping: 'lambda:GetEventSourceMapping',
  UpdateEventSourceMapping: 'lambda:UpdateEventSourceMapping',
  Invoke: 'lambda:InvokeFunction',
};

test('the sender may send, find the queue, and no more', async () => {
  const taken = await recorded(['send', '10', '11']);
  expect(taken).toContain('sqs:SendMessage');
  const found = namedIn('functions/cli/target.ts').map((name) => RIGHTS[name]);
  expect(allowedFor('sender')).toEqual([...new Set([...taken, ...found])].toSorted());
}, 120_000);

test('the operator may do all that the commands do', async () => {
  const letters = ['dead-letters', 'list'];
  const taken = await recorded(
    ['send', '10'],
    letters,
    ['dead-letters', 'replay', '--yes', '--queue', 'rejected'],
    ['dead-letters', 'discard', '--yes', '--queue', 'rejected', '--file', '/dev/null'],
  );
  const calls = namedIn(
    'functions/cli/target.ts',
    'functions/cli/delivery.ts',
    ...filesOf('functions/audit'),
    ...filesOf('functions/cli/dead-letters'),
  );
  const known = calls.filter((name) => name !== 'GetCallerIdentity').map((name) => RIGHTS[name] ?? `unknown: ${name}`);
  expect(allowedFor('operator')).toEqual(expect.arrayContaining([...taken, ...known]));
}, 240_000);

test('the auditor may read the log and look at letters, and neither send nor delete', async () => {
  const taken = await recorded(['dead-letters', 'list']);
  const allowed = allowedFor('auditor');
  expect(allowed).toEqual(expect.arrayContaining([...taken, 'logs:FilterLogEvents']));
  expect(allowed.filter((action) => /Send|Delete|Purge|Update|Invoke/.test(action))).toEqual([]);
}, 120_000);
