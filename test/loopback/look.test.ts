/** The commands that look, `trace` and `status`, and `pause` and `resume`: as one calls them, against a whole world. */
import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../infra/local/faults.ts';
import { startProcess } from '../../infra/local/lambda-process.ts';
import { until } from '../../infra/local/world.ts';
import { openAccount } from './account.ts';

/** Segura's own fault is tried again once; then the message is kept. */
const SERVER_ERRORS: readonly Fault[] = [
  { kind: 'fixture', name: 'server-error-v4' },
  { kind: 'fixture', name: 'server-error-v4' },
];

interface Traced {
  readonly requests: readonly {
    readonly messageId: string;
    readonly identifier: number;
    readonly fate: string;
    readonly foundIn?: string;
    readonly deliveries: number;
    readonly replays: number;
    readonly lines: readonly { readonly outcome: string }[];
  }[];
}

describe.concurrent('trace', () => {
  test('tells the story of a request that met a fault of Segura and was enabled at its second delivery', async () => {
    await using account = await openAccount({ passwords: { 10: 'disabled' } });
    const { world } = account;
    world.segura.nextFor(10, ...SERVER_ERRORS);
    const body = { identifier: 10, requestId: 'RITM0012345', requestedBy: 'ana@example.com', reason: 'on-call' };
    const messageId = await world.send(body);
    const records = await world.receiveRecords();
    await world.invoke({ Records: records });

    const kept = await account.run(['trace', '--request-id', 'RITM0012345']);
    expect([kept.status, kept.stderr]).toEqual([0, '']);
    const [title, sent, delivery, now] = kept.stdout.split('\n');
    expect(title).toBe('Password 10, RITM0012345, asked by ana@example.com, because: on-call (times in UTC)');
    expect(sent).toMatch(new RegExp(`^ {2}[-\\d]{10} [\\d:]{8} {2}sent as message ${messageId}`));
    expect(delivery).toMatch(
      /delivery 1, \d calls? to Segura, .*: kept until .* \(\d+ s\): Segura had a fault of its own \(server-error, (HTTP)?500\)$/,
    );
    expect(now).toMatch(/waits in requests, back in \d+ s$/);

    // Its wait is over.
    const [{ receiptHandle: ReceiptHandle }] = records as [SQSRecord];
    const QueueUrl = world.sqs.queueUrl('requests');
    await world.client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    await world.deliver();
    const done = await account.run(['trace', messageId]);
    expect(done.stdout).toMatch(
      /delivery 1, .*\n.*delivery 2, 1 call to Segura, .*: enabled\n.*settled: the password is enabled\n$/,
    );
  });

  test('tells of a 503, a kill, a dead letter, a renewal and its end, in this order, with times and why', async () => {
    await using account = await openAccount({
      ...{ passwords: { 10: 'disabled' }, env: { RENEWAL_SENDERS: 'local' } },
      startEnvironment: startProcess,
    });
    const { world } = account;
    const { segura, environment } = world;
    const messageId = await world.send({ identifier: 10, requestId: 'RITM7', requestedBy: 'ana', reason: 'on-call' });
    segura.always(10, { kind: 'kong', status: 503 });
    const first = await world.receiveRecords();
    // Too little time for more than a few attempts.
    await world.invoke({ Records: first }, { remainingMs: 4000 });

    const QueueUrl = world.sqs.queueUrl('requests');
    const showAgain = ([record]: readonly SQSRecord[]) =>
      world.client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl,
          ReceiptHandle: record?.receiptHandle ?? '',
          VisibilityTimeout: 0,
        }),
      );
    await showAgain(first);
    const second = await world.receiveRecords();
    const calls = segura.enableCalls(10).length;
    segura.always(10, { kind: 'hang' });
    const killed = world.invoke({ Records: second }).catch(() => undefined);
    await until(() => segura.enableCalls(10).length > calls, 'the call in the middle of which it is killed');
    world.kill();
    await killed;

    // A process that starts now takes the request for too old; the one after it does not.
    environment['MAX_REQUEST_AGE_SECONDS'] = '1';
    await showAgain(second);
    await world.deliver();
    world.kill();
    environment['MAX_REQUEST_AGE_SECONDS'] = '345600';
    segura.always(10, { kind: 'none' });
    const renewal = ['dead-letters', 'replay', '--code', 'Expired', '--renew', '--reason', 'CHG0040007'];
    const words = [...renewal, '--max-age-seconds', '1', '--replayed-by', 'bob'];
    expect((await account.run(words, { env: { RENEWAL_SENDERS: 'AIDALOCAL' } })).status).toBe(0);
    await world.deliver();

    const { stdout } = await account.run(['trace', messageId]);
    const clock = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d';
    const story = [
      'Password 10, RITM7, asked by ana, because: on-call \\(times in UTC\\)',
      `  ${clock}  sent as message ${messageId} .*`,
      `  ${clock}  delivery 1, \\d calls? to Segura, .*: kept until ${clock} \\(\\d+ s\\): .* \\(gateway, HTTP503\\)`,
      ' {23}delivery 2: no line was written; killed or timed out, or before --since',
      `  ${clock}  delivery 3, no call to Segura: rejected \\(Expired\\): .* older than 1 s`,
      ' {23}replay 1, claimed by bob: CHG0040007, renewed as of \\d{4}-.*Z',
      `  ${clock}  delivery 1, 1 call to Segura, .*: enabled`,
      `  ${clock}  settled: the password is enabled`,
    ];
    expect(stdout).toMatch(new RegExp(`^${story.join('\\n')}\\n$`));
    const times = [...stdout.matchAll(new RegExp(`^ {2}(${clock})`, 'gm'))].map(([, time]) => time);
    expect(times).toEqual(times.toSorted());
  });

  test('finds the dead letter, and follows it through its replay by message and identifier', async () => {
    await using account = await openAccount({ passwords: { 11: 'no-access' } });
    const { world } = account;
    const messageId = await world.send({ identifier: 11, requestId: 'RITM2' });
    await world.deliver();
    const rejected = await account.run(['trace', messageId]);
    expect(rejected.stdout).toMatch(
      /rejected \(1006\): User does not have access\n.*settled: rejected; its dead letter waits in rejected\n$/,
    );

    world.segura.passwords.set('11', 'disabled');
    const replay = ['dead-letters', 'replay', '--code', '1006', '--reason', 'access given', '--replayed-by', 'bob'];
    expect((await account.run(replay)).status).toBe(0);
    await world.deliver();
    const { stdout } = await account.run(['trace', messageId]);
    expect(stdout).toMatch(
      /delivery 1, .*rejected.*\n +replay 1, claimed by bob: access given\n.*delivery 1, .*enabled\n/,
    );
    const { json } = await account.run(['trace', messageId, '--json']);
    const { requests } = json as Traced;
    expect(requests).toEqual([
      expect.objectContaining({ messageId, identifier: 11, fate: 'enabled', deliveries: 2, replays: 1 }),
    ]);
  });

  test('joins no message by a claim alone: another identifier under the same original is a request of its own', async () => {
    await using account = await openAccount({ passwords: { 10: 'disabled', 12: 'disabled' } });
    const { world } = account;
    const messageId = await world.send({ identifier: 10 });
    const attributes = {
      OriginalMessageId: { DataType: 'String', StringValue: messageId },
      ReplayCount: { DataType: 'Number', StringValue: '1' },
    };
    await world.send({ identifier: 12 }, { attributes });
    await world.pump();
    const { json } = await account.run(['trace', messageId, '--json']);
    expect((json as Traced).requests.map(({ identifier, deliveries }) => [identifier, deliveries])).toEqual(
      expect.arrayContaining([
        [10, 1],
        [12, 1],
      ]),
    );
  });

  test.each([
    [['trace', 'no-such-message'], 1, 'NotFound'],
    [['trace', '--request-id', 'a"b* c'], 1, 'NotFound'],
    [['trace'], 2, 'WrongUsage'],
    [['trace', 'x', '--identifier', '10'], 2, 'WrongUsage'],
    [['trace', '--identifier', '1e3'], 2, 'WrongUsage'],
    [['trace', 'x', '--since', 'soon'], 2, 'WrongUsage'],
  ])('%j ends with %i, %s', async (words, expected, code) => {
    await using account = await openAccount();
    const { status, json } = await account.run([...words, '--json']);
    expect([status, json]).toEqual([expected, { error: expect.objectContaining({ code }) }]);
  });

  test('a denied log is said as that, with the right that is missing', async () => {
    await using account = await openAccount();
    account.logs.next('denied');
    const { status, json } = await account.run(['trace', 'x', '--json']);
    expect([status, json]).toEqual([1, { error: expect.objectContaining({ code: 'AccessDeniedException' }) }]);
  });
});

describe.concurrent('status, pause and resume', () => {
  test('say how many wait, since when, for whom, and since when delivery is paused', async () => {
    await using account = await openAccount({ passwords: { 10: 'disabled', 20: 'disabled' } });
    const { world } = account;
    world.segura.nextFor(10, ...SERVER_ERRORS);
    await world.send({ identifier: 20, requestedBy: 'eve' });
    await world.send({ identifier: 404 });
    await world.deliver();
    await world.send({ identifier: 10, requestedBy: 'ana' });
    await world.deliver();
    await world.send({ identifier: 30 });

    const before = await account.run(['status', '--json']);
    expect([before.status, before.stderr]).toEqual([0, '']);
    expect(before.json).toMatchObject({
      requests: { waiting: 2, inWork: 0 },
      waitingFor: { ana: 1 },
      rejected: 1,
      exhausted: 0,
      paused: false,
      version: { number: '1', since: expect.stringMatching(/^2026-/), software: '0.0.0-local' },
      lastQuarterOfAnHour: { enabled: 1, 'already-enabled': 0, rejected: 1, kept: 1 },
    });

    const paused = await account.run(['pause', '--json']);
    expect([paused.status, paused.json]).toEqual([0, { deliveries: [expect.objectContaining({ state: 'Disabled' })] }]);
    expect(account.account.mapping.state).toBe('Disabled');

    const { status, stdout } = await account.run(['status']);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^requests {5}2 waiting, 0 in work\nsince {8}\S+Z \(0 min\), of 1 kept request\nfor {10}ana \(1\)\ndelivery {5}paused since \S+Z \(0 min\); npx mysafe-enable resume delivers again\nfunction {5}version 1 of 2026-\S+, mysafe-enable 0\.0\.0-local\nrejected {5}1 dead letter\nexhausted {4}0 dead letters\nlast 15 min {2}1 enabled, 0 already-enabled, 1 rejected, 1 kept\n$/,
    );

    const again = await account.run(['pause']);
    expect([again.status, again.stdout]).toEqual([0, expect.stringMatching(/^Nothing to change/)]);
    expect((await account.run(['resume'])).status).toBe(0);
    expect(account.account.mapping.state).toBe('Enabled');
  });

  test('what one part of the account refuses is named, the rest is told, and the status is 1', async () => {
    await using account = await openAccount();
    account.account.settings.fault = 'denied';
    account.logs.next('denied');
    const { status, stdout } = await account.run(['status']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^requests {5}0 waiting/);
    expect(stdout).toMatch(/^delivery {5}not known: your role needs lambda:ListEventSourceMappings/m);
    expect(stdout).toMatch(/^log {10}not known: your role needs logs:FilterLogEvents/m);
  });

  test('pause without a mapping to pause says so', async () => {
    await using account = await openAccount();
    account.account.settings.fault = 'absent';
    const { status, json } = await account.run(['pause', '--json']);
    expect([status, json]).toEqual([1, { error: expect.objectContaining({ code: 'NoEventSourceMapping' }) }]);
  });
});
