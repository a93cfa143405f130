/** `report` as one calls it: each request once through replays, totals that agree, holes that are named. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { LOG_GROUP, openAccount } from './account.ts';
import { putLetters } from './command.ts';
import { makeFolder } from './folder.ts';

interface Entry {
  readonly record: string;
  readonly fate: string;
  readonly [column: string]: string;
}

const read = (csv: string): readonly Entry[] => parse(csv, { columns: true }) as Entry[];
const requestsOf = (entries: readonly Entry[]): readonly Entry[] =>
  entries.filter(({ record }) => record === 'request');

/** The sums at the end, held against the lines before them. */
const expectAgreement = (entries: readonly Entry[]): void => {
  const lines = requestsOf(entries);
  const total = (name: string): number => Number(entries.find(({ record }) => record === `total ${name}`)?.fate);
  expect(total('requests')).toBe(lines.length);
  for (const fate of ['enabled', 'already-enabled', 'rejected', 'exhausted', 'waiting', 'unknown']) {
    expect([fate, total(fate)]).toEqual([fate, lines.filter((line) => line.fate === fate).length]);
  }
  const sum = (column: string): number => lines.reduce((all, line) => all + Number(line[column]), 0);
  expect([total('deliveries'), total('replays')]).toEqual([sum('deliveries'), sum('replays')]);
};

const lineOf = (at: string, more: object): string =>
  JSON.stringify({
    message: 'password enable',
    timestamp: at,
    outcome: 'enabled',
    messageId: 'm',
    identifier: 1,
    ...more,
  });

describe.concurrent('report', () => {
  test('has each request once, from its sending to its fate, through a replay', async () => {
    await using account = await openAccount({ passwords: { 10: 'disabled', 11: 'no-access', 20: 'active' } });
    const { world } = account;
    const ask = { requestId: 'RITM1', requestedBy: 'ana', reason: '=HYPERLINK("x")', source: 'servicenow' };
    await world.send({ identifier: 10, ...ask });
    const replayed = await world.send({ identifier: 11, requestId: 'RITM2' });
    await world.send({ identifier: 20 });
    await world.send('no request');
    await world.send({ identifier: 10, source: 'mysafe-enable doctor' });
    await world.pump();
    world.segura.passwords.set('11', 'disabled');
    await account.run(['dead-letters', 'replay', '--code', '1006', '--reason', 'given', '--replayed-by', 'bob']);
    await world.pump();
    await putLetters(world.sqs, 'exhausted', [{ identifier: 30 }]);

    const { status, stdout, stderr } = await account.run(['report', '--from', '1h']);
    expect([status, stderr]).toEqual([0, '5 requests\n']);
    const entries = read(stdout);
    const lines = requestsOf(entries);
    const of = (identifier: string) => lines.filter((line) => line['identifier'] === identifier);
    expect(of('10')).toEqual([
      expect.objectContaining({
        fate: 'enabled',
        requestId: 'RITM1',
        requestedBy: 'ana',
        reason: `'=HYPERLINK("x")`,
        source: 'servicenow',
        deliveries: '1',
        replays: '0',
        firstSentAt: expect.stringMatching(/^\d{4}-.*Z$/),
        settledAt: expect.stringMatching(/^\d{4}-.*Z$/),
      }),
    ]);
    expect(of('11')).toEqual([
      expect.objectContaining({
        fate: 'enabled',
        messageId: replayed,
        errorCode: '',
        deliveries: '2',
        replays: '1',
        replayedBy: 'bob',
        replayReason: 'given',
      }),
    ]);
    expect(of('20')).toEqual([expect.objectContaining({ fate: 'already-enabled' })]);
    expect(of('')).toEqual([expect.objectContaining({ fate: 'rejected', errorCode: 'InvalidMessage' })]);
    expect(of('30')).toEqual([expect.objectContaining({ fate: 'exhausted', deliveries: '0' })]);
    expectAgreement(entries);
    expect(stdout).not.toMatch(/(^|,)"?[=+\-@]/m);
  });

  test('as JSON Lines to a file says the same, and the object of --json are its totals', async () => {
    await using account = await openAccount({ passwords: { 10: 'disabled' } });
    await using folder = await makeFolder();
    await account.world.send({ identifier: 10, requestId: '\u001b[2J' });
    await account.world.pump();
    const file = join(folder.path, 'report.jsonl');
    const words = ['report', '--from', '1h', '--format', 'jsonl', '--file', file, '--json'];
    const { status, json } = await account.run(words);
    expect(status).toBe(0);
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain('\u001b');
    const records = text
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each));
    expect(records).toEqual([
      expect.objectContaining({ record: 'request', fate: 'enabled', identifier: 10, requestId: '\u001b[2J' }),
      expect.objectContaining({ record: 'totals', requests: 1, inRequestsNow: 0, notRead: [] }),
    ]);
    const { record: _, ...totals } = records[1];
    expect(json).toEqual(totals);
    const again = await account.run(words);
    expect([again.status, again.json]).toEqual([2, { error: expect.objectContaining({ code: 'WrongUsage' }) }]);
  });

  test('names the hours without a line, and takes what was delivered in its time and settled after it', async () => {
    await using account = await openAccount();
    const put = (at: string, more: object): void => account.logs.put(LOG_GROUP, lineOf(at, more), Date.parse(at));
    put('2026-10-01T00:10:00.000Z', { messageId: 'a' });
    put('2026-10-01T03:59:59.999Z', { messageId: 'b', outcome: 'kept', cause: 'gateway' });
    put('2026-10-01T06:00:00.000Z', { messageId: 'b' });
    put('2026-10-01T05:00:00.000Z', { messageId: 'after' });
    const { stdout } = await account.run(['report', '--from', '2026-10-01T00:00:00Z', '--to', '2026-10-01T05:00:00Z']);
    const entries = read(stdout);
    expect(requestsOf(entries).map(({ messageId, fate, settledAt }) => [messageId, fate, settledAt])).toEqual([
      ['a', 'enabled', '2026-10-01T00:10:00.000Z'],
      ['b', 'enabled', '2026-10-01T06:00:00.000Z'],
    ]);
    expect(entries.filter(({ record }) => record === 'hours without a line').map(({ fate }) => fate)).toEqual([
      '2026-10-01T01:00:00.000Z/2026-10-01T03:00:00.000Z',
      '2026-10-01T04:00:00.000Z/2026-10-01T05:00:00.000Z',
    ]);
    expectAgreement(entries);
  });

  test('says what it could not read, and ends with 1; without the log there is no report and no file', async () => {
    await using account = await openAccount();
    await using folder = await makeFolder();
    account.world.sqs.settings.faults.set('ReceiveMessage', { kind: 'denied' });
    const { status, stdout } = await account.run(['report', '--from', '1h']);
    expect(status).toBe(1);
    expect(
      read(stdout)
        .filter(({ record }) => record === 'not read')
        .map(({ fate }) => fate),
    ).toEqual(['rejected', 'exhausted']);
    account.logs.next('denied');
    const file = join(folder.path, 'report.csv');
    const denied = await account.run(['report', '--from', '1h', '--file', file, '--json']);
    expect([denied.status, denied.json]).toEqual([
      1,
      { error: expect.objectContaining({ code: 'AccessDeniedException' }) },
    ]);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  test.each([
    [['report'], /give --from/],
    [['report', '--from', 'soon'], /--from takes/],
    [['report', '--from', '2026-10-02', '--to', '2026-10-01'], /--from must be before --to/],
    [['report', '--from', '1h', '--format', 'xml'], /--format takes csv or jsonl/],
  ])('%j is wrong usage', async (words, said) => {
    await using account = await openAccount();
    const { status, stderr } = await account.run(words);
    expect([status, stderr]).toEqual([2, expect.stringMatching(said)]);
  });
});
