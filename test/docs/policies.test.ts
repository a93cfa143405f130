/** The IAM policies of docs/platform-engineer.md allow what each reader's commands really call, recorded, and no more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../../infra/local/world.ts';
import { openAccount } from '../loopback/account.ts';
import { putLetters } from '../loopback/command.ts';
import { makeFolder } from '../loopback/folder.ts';
import { root } from './pages.ts';

const page = readFileSync(join(root, 'docs/platform-engineer.md'), 'utf8');

const allowedFor = (reader: string): string[] => {
  const [, policy = ''] =
    new RegExp(`^#### The ${reader}\\n[\\s\\S]*?\`\`\`json\\n([\\s\\S]*?)\`\`\``, 'm').exec(page) ?? [];
  const { Statement } = JSON.parse(policy) as { Statement: { Action: string | string[] }[] };
  return [...new Set(Statement.flatMap(({ Action }) => Action))].toSorted();
};

/** Lambda's REST API, by method and path. */
const LAMBDA: readonly (readonly [RegExp, string])[] = [
  [/^GET \/2015-03-31\/event-source-mappings\/?\?/, 'ListEventSourceMappings'],
  [/^GET \/2015-03-31\/event-source-mappings\//, 'GetEventSourceMapping'],
  [/^PUT \/2015-03-31\/event-source-mappings\//, 'UpdateEventSourceMapping'],
  [/^GET \/2015-03-31\/functions\/[^/]+\/configuration/, 'GetFunctionConfiguration'],
  [/^GET \/2019-09-30\/functions\/[^/]+\/concurrency/, 'GetFunctionConcurrency'],
  [/^POST \/2015-03-31\/functions\/[^/]+\/invocations/, 'InvokeFunction'],
];
const lambdaRight = (method: string, path: string): string =>
  `lambda:${LAMBDA.find(([call]) => call.test(`${method} ${path}`))?.[1] ?? `${method} ${path}`}`;

/** With `--stage` a command finds the stack, or its queues by name. */
const FINDING = ['cloudformation:DescribeStacks', 'sqs:GetQueueUrl'];
/** The function's own calls are signed for another region. */
const REGION = 'eu-west-1';

/** Runs each command in one account, with a letter in it before each that takes one. @returns the rights that they took */
const recorded = async (...commands: readonly (readonly string[])[]): Promise<string[]> => {
  await using account = await openAccount({ passwords: { 10: 'disabled' } });
  const { world, logs, run } = account;
  const { journal } = account.account;
  const source = world.poll({ pollSeconds: 1 });
  const secretReads = () => world.secrets.reads.length;
  await world.send(10);
  await until(() => world.auditLines().length > 0, 'the line of a request');
  const rights = new Set<string>();
  let letters = 0;
  for (const words of commands) {
    if (world.messages('rejected').length === 0) {
      await putLetters(world.sqs, 'rejected', [{ code: '1006', identifier: 7, originalMessageId: `m-${letters}` }]);
      letters += 1;
    }
    const reads = secretReads();
    const { status, stderr } = await run(words, { env: { AWS_REGION: REGION, AWS_DEFAULT_REGION: REGION } });
    expect([words, status, status === 0 ? '' : stderr]).toEqual([words, 0, '']);
    if (words[0] === 'doctor' && secretReads() > reads) rights.add('secretsmanager:GetSecretValue');
  }
  await source.stop();
  // A call by batch wants the right of the single one.
  const calls = world.sqs.journal.filter(({ region }) => region === REGION);
  for (const { action } of calls) rights.add(`sqs:${action.replace(/Batch$/, '')}`);
  // Everybody may ask who they are, at the path /.
  for (const { method, path } of journal) if (path !== '/') rights.add(lambdaRight(method, path));
  for (const { action } of logs.journal) rights.add(`logs:${action}`);
  return [...new Set([...rights, ...FINDING])].toSorted();
};

/** What all who look may do; `file` is a new one. */
const look = (file: string): readonly (readonly string[])[] => [
  ['status'],
  ['report', '--from', '1h'],
  ['trace', '--identifier', '10'],
  ['dead-letters', 'list'],
  ['dead-letters', 'show', 'm-0'],
  ['dead-letters', 'export', '--file', file],
];

test.concurrent('the sender may send, find the queue, and no more', async () => {
  expect(allowedFor('sender')).toEqual(await recorded(['send', '10', '11']));
}, 300_000);

test.concurrent('the operator may do what the commands do that look, replay, discard and pause, and renew by the function', async () => {
  await using folder = await makeFolder();
  const taken = await recorded(
    ['send', '10'],
    ...look(join(folder.path, 'exported.jsonl')),
    ['dead-letters', 'replay', '--yes', '--queue', 'rejected'],
    ['dead-letters', 'discard', '--yes', '--queue', 'rejected', '--file', join(folder.path, 'letters.jsonl')],
    ['pause', '--yes'],
    ['resume', '--yes'],
  );
  expect(allowedFor('operator')).toEqual([...taken, 'lambda:InvokeFunction'].toSorted());
}, 240_000);

test.concurrent('the auditor may read the log and look at letters, and neither send nor delete', async () => {
  await using folder = await makeFolder();
  const allowed = allowedFor('auditor');
  expect(allowed).toEqual(await recorded(...look(join(folder.path, 'exported.jsonl'))));
  expect(allowed.filter((action) => /Send|Delete|Purge|Update|Invoke/.test(action))).toEqual([]);
}, 240_000);

test.concurrent('the doctor may read what it checks, and from end to end send a request and take away what it leaves', async () => {
  await using folder = await makeFolder();
  const [taken, plain] = await Promise.all([
    recorded(['doctor', '--record', join(folder.path, 'answers.json')], ['doctor', '--end-to-end']),
    recorded(['doctor']),
  ]);
  expect(allowedFor('doctor')).toEqual(taken);
  const { Statement } = JSON.parse(/^#### The doctor\n[\s\S]*?```json\n([\s\S]*?)```/m.exec(page)?.[1] ?? '') as {
    Statement: { Sid?: string; Action: string | string[] }[];
  };
  const without = Statement.filter(({ Sid }) => Sid !== 'end').flatMap(({ Action }) => Action);
  expect(without).toEqual(expect.arrayContaining(plain.filter((right) => right !== 'logs:FilterLogEvents')));
  expect(without.filter((action) => /Send|Delete|Receive|Change|Invoke/.test(action))).toEqual([]);
}, 240_000);
