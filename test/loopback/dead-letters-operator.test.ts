/** `dead-letters show | export`, the filters, what a replay asks, and who renews, over the embedded SQS. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { startSqs } from '../../infra/local/sqs.ts';
import { environmentOf, type LetterOptions, putLetters, runCommand } from './command.ts';

/** Each test runs several processes, one after the other. */
vi.setConfig({ testTimeout: 180_000 });

const openQueues = async () => {
  const sqs = await startSqs();
  const folder = await mkdtemp(join(tmpdir(), 'letters-'));
  return {
    sqs,
    folder,
    run: (args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = folder) =>
      runCommand(['dead-letters', ...args], { env: { ...environmentOf(sqs), ...env }, cwd }),
    idOf: (text: string): string => {
      const all = [...sqs.messages('rejected'), ...sqs.messages('exhausted')];
      return all.find(({ body }) => body.includes(text))?.messageId ?? '';
    },
    isUntouched: (): boolean =>
      sqs.messages('requests').length === 0 &&
      sqs.messages('rejected').every(({ isInFlight }) => !isInFlight) &&
      sqs.calls('DeleteMessageBatch').length === 0,
    [Symbol.asyncDispose]: async () => {
      await sqs.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const body = { identifier: 7, requestId: 'RITM7', requestedBy: 'ana@example.com', reason: '=1+1', source: 'itsm' };
const TICKET: LetterOptions = { body: JSON.stringify(body), code: '1006', originalMessageId: 'first-of-7' };
const OTHERS: readonly LetterOptions[] = [
  { identifier: 1, code: '1005' },
  { identifier: 2, code: 'constructor' },
];

describe.concurrent('show', () => {
  test.each(['its own', 'its original’s'])('one letter whole by %s id, without consuming it', async (which) => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', [TICKET, ...OTHERS]);
    const id = which === 'its own' ? queues.idOf('RITM7') : 'first-of-7';
    const { status, json } = await queues.run(['show', id, '--json']);
    expect(status).toBe(0);
    expect(json).toMatchObject({
      ...{ queue: 'rejected', messageId: queues.idOf('RITM7'), code: '1006', error: '1006: simulated' },
      ...{ identifier: 7, requestId: 'RITM7', requestedBy: 'ana@example.com', reason: '=1+1', source: 'itsm' },
      ...{ body: TICKET.body, originalMessageId: 'first-of-7', isAgeKnown: true },
      attributes: { ErrorCode: { dataType: 'String', stringValue: '1006' } },
    });
    expect(queues.isUntouched()).toBe(true);
  });

  test('to a person: body, requester, error and attributes, and nothing that steers the terminal', async () => {
    await using queues = await openQueues();
    const planted = { ...body, requestId: '\u001b[2J\u202eRITM8' };
    await putLetters(queues.sqs, 'rejected', [{ ...TICKET, body: JSON.stringify(planted) }]);
    const { stdout } = await queues.run(['show', 'first-of-7']);
    for (const words of ['ana@example.com', '1006: simulated', 'OriginalMessageId', '\\u001b[2J\\u202eRITM8']) {
      expect(stdout).toContain(words);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is asserted
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  test('what is not there ends with 1 and the error of the contract', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', OTHERS);
    const { status, json } = await queues.run(['show', 'nowhere', '--json']);
    expect([status, json]).toEqual([
      1,
      {
        error: { code: 'NoSuchLetter', message: expect.stringContaining('nowhere'), fix: expect.stringContaining('') },
      },
    ]);
  });

  test('an id that many claim as their original names them all', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', [
      TICKET,
      { identifier: 8, code: '1006', originalMessageId: 'first-of-7' },
    ]);
    const { status, json } = await queues.run(['show', 'first-of-7', '--json']);
    expect(status).toBe(1);
    const { message } = (json as { error: { message: string } }).error;
    expect(message).toContain(queues.idOf('RITM7'));
    expect(message).toContain(queues.idOf(':8}'));
  });
});

describe.concurrent('export', () => {
  test('writes a selection to a file for its owner alone, and leaves it where it was', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', [TICKET, ...OTHERS]);
    const file = join(queues.folder, 'letters.jsonl');
    const { status, json } = await queues.run(['export', '--request-id', 'RITM7', '--file', file, '--json']);
    expect([status, json]).toEqual([0, { exported: 1, unread: 0, file }]);
    const [line, ...more] = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(more).toEqual([]);
    expect(JSON.parse(line ?? '')).toMatchObject({
      queue: 'rejected',
      body: TICKET.body,
      messageId: queues.idOf('RITM7'),
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(queues.isUntouched()).toBe(true);
  });

  test('no cell of a CSV begins a formula', async () => {
    await using queues = await openQueues();
    const formulas = ['=1', '+1', '-1', '@x', ' =1', '\t=1', '＝1'];
    await putLetters(
      queues.sqs,
      'rejected',
      formulas.map((requestId, index) => ({
        body: JSON.stringify({ identifier: index + 1, requestId }),
        code: '1006',
      })),
    );
    const file = join(queues.folder, 'letters.csv');
    await queues.run(['export', '--file', file]);
    const [head, ...lines] = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(head?.startsWith('queue,messageId,code,identifier,requestId,')).toBe(true);
    expect(lines).toHaveLength(formulas.length);
    for (const line of lines) expect(line).not.toMatch(/(?:^|,)"\s*[=+\-@＝]/);
  });

  test('by default is written outside a checkout, and not at all where nothing matches', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', [TICKET]);
    const checkout = join(queues.folder, 'clone', 'docs');
    await mkdir(join(queues.folder, 'clone', '.git'), { recursive: true });
    await mkdir(checkout);
    const args = ['export', '--queue', 'rejected', '--json'];
    const { json } = await queues.run(args, { HOME: queues.folder }, checkout);
    expect((json as { file: string }).file).toMatch(
      new RegExp(`^${queues.folder}/mysafe-enable/dead-letters-rejected-`),
    );
    expect(await readdir(checkout)).toEqual([]);
    const none = await queues.run([...args, '--code', '1010'], { HOME: queues.folder });
    expect(none.json).toEqual({ exported: 0, unread: 0, file: null });
    expect(await readdir(queues.folder)).toEqual(['clone', 'mysafe-enable']);
  });
});

describe.concurrent('the filters', () => {
  test('by request, source and message id, and counts by any error code', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', [TICKET, ...OTHERS]);
    const list = async (...args: string[]) => {
      const { json } = await queues.run(['list', '--queue', 'rejected', '--json', ...args]);
      return (json as { queues: readonly unknown[] }).queues[0];
    };
    expect(await list()).toEqual({
      queue: 'rejected',
      total: 3,
      byCode: { '1005': 1, '1006': 1, constructor: 1 },
      unread: 0,
    });
    expect(await list('--request-id', 'RITM7')).toMatchObject({ total: 1, byCode: { '1006': 1 } });
    expect(await list('--source', 'hr')).toMatchObject({ total: 0 });
    expect(await list('--message-id', queues.idOf(':1}'))).toMatchObject({ total: 1, byCode: { '1005': 1 } });
  });

  test('what SQS moved is none whatever error code it carries, and what carries none in rejected is unknown', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'exhausted', [{ identifier: 1, code: '1006' }]);
    await putLetters(queues.sqs, 'rejected', [{ identifier: 2 }]);
    const { json } = await queues.run(['list', '--json']);
    expect(json).toMatchObject({ queues: [{ byCode: { unknown: 1 } }, { byCode: { none: 1 } }] });
  });

  test.each(['1e3', '0x10', ' 10', '010', '0', '9007199254740992'])('--identifier %j is wrong usage', async (value) => {
    await using queues = await openQueues();
    const { status, json } = await queues.run(['list', '--identifier', value, '--json']);
    expect([status, json]).toMatchObject([2, { error: { code: 'WrongUsage' } }]);
    expect(queues.sqs.journal).toEqual([]);
  });

  test('a person sees request and error of each letter, a machine also requester and body', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', [TICKET]);
    const people = await queues.run(['list', '--queue', 'rejected', '--letters']);
    expect(people.stdout).toMatch(/^code +identifier +age +message +request, error$/m);
    expect(people.stdout).toMatch(/^1006 +7 +0 min +\S+ +RITM7 {2}1006: simulated$/m);
    const machines = await queues.run(['list', '--queue', 'rejected', '--letters', '--json']);
    expect(JSON.parse(machines.stdout.split('\n')[0] ?? '')).toMatchObject({
      ...{ requestedBy: 'ana@example.com', source: 'itsm', body: TICKET.body, error: '1006: simulated' },
    });
  });
});

describe.concurrent('without a terminal a replay', () => {
  test('without a filter refuses with 2 before anything is read, unless --yes is given', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', OTHERS);
    queues.sqs.journal.length = 0;
    const refused = await queues.run(['replay', '--queue', 'rejected', '--json']);
    expect([refused.status, refused.json]).toMatchObject([2, { error: { code: 'WrongUsage' } }]);
    expect(refused.stderr).toContain('--yes');
    expect(queues.sqs.journal).toEqual([]);
    expect((await queues.run(['replay', '--yes', '--json'])).json).toMatchObject({ replayed: 2 });
  });

  test('with a filter needs no answer for a few, and refuses more than 100', async () => {
    await using queues = await openQueues();
    await putLetters(
      queues.sqs,
      'rejected',
      Array.from({ length: 102 }, (_, index) => ({ identifier: index + 1, code: index === 0 ? '1005' : '1006' })),
    );
    expect((await queues.run(['replay', '--code', '1005', '--json'])).json).toMatchObject({ replayed: 1 });
    const { status, stderr } = await queues.run(['replay', '--code', '1006', '--json']);
    expect(status).toBe(2);
    expect(stderr.replaceAll('\n', ' ')).toMatch(/101 letters match.*--yes/);
    expect(queues.sqs.messages('rejected')).toHaveLength(101);
    expect(queues.sqs.messages('rejected').every(({ isInFlight }) => !isInFlight)).toBe(true);
    expect((await queues.run(['replay', '--code', '1006', '--limit', '3', '--json'])).json).toMatchObject({
      replayed: 3,
    });
  });

  test.each(['--reason', '--replayed-by'])('refuses %s of more than 256 characters with 2', async (option) => {
    await using queues = await openQueues();
    expect((await queues.run(['replay', '--code', '1006', option, 'x'.repeat(257)])).status).toBe(2);
    expect(queues.sqs.journal).toEqual([]);
  });
});

/** STS and Lambda as far as a renewal asks them: who I am, and the function's answers in turn. */
const startAccount = async (userId: string, answers: readonly object[] = []) => {
  const events: Record<string, unknown>[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const path = request.url ?? '';
    if (path.startsWith('/2015-03-31/functions/')) {
      events.push({ function: path.split('/')[3], ...(JSON.parse(text) as object) });
      const { functionError, ...answer } = (answers[events.length - 1] ?? {}) as { functionError?: string };
      if (functionError) response.setHeader('x-amz-function-error', functionError);
      response.end(JSON.stringify(answer));
      return;
    }
    const result = `<Arn>arn:aws:iam::1:user/ana</Arn><UserId>${userId}</UserId><Account>1</Account>`;
    response.setHeader('content-type', 'text/xml');
    response.end(
      `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>${result}</GetCallerIdentityResult></GetCallerIdentityResponse>`,
    );
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    events,
    env: { AWS_ENDPOINT_URL_STS: url, AWS_ENDPOINT_URL_LAMBDA: url, REPLAY_FUNCTION: 'replayer' },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

describe.concurrent('a renewal', () => {
  const EXPIRED: LetterOptions = { identifier: 1, code: 'Expired', firstSentAt: new Date(Date.now() - 5 * 86_400_000) };
  const RENEW = ['replay', '--code', 'Expired', '--renew', '--reason', 'CHG1', '--replayed-by', 'ana', '--json'];
  const counts = { matched: 1, replayed: 1, duplicates: 0, expired: 0, failed: 0, dryRun: false };

  test('by an operator in RENEWAL_SENDERS is sent from here, with who, why and when', async () => {
    await using queues = await openQueues();
    await using account = await startAccount('AROAOPERATOR:ana@laptop');
    await putLetters(queues.sqs, 'rejected', [EXPIRED]);
    const { json } = await queues.run(RENEW, { ...account.env, RENEWAL_SENDERS: 'AROAREPLAY,AROAOPERATOR' });
    expect(json).toEqual({ ...counts, unread: 0 });
    const [message] = queues.sqs.messages('requests');
    expect(message?.messageAttributes).toMatchObject({
      RenewedAt: { StringValue: expect.stringMatching(/^20.*Z$/) },
      ReplayReason: { StringValue: 'CHG1' },
      ReplayedBy: { StringValue: 'ana' },
    });
    expect(account.events).toEqual([]);
  });

  test.each([
    ['whose id is another', { RENEWAL_SENDERS: 'AROAREPLAY' }],
    ['where nobody is listed', {}],
  ])('by an operator %s goes through the function, from cursor to cursor, and says so', async (_, env) => {
    await using queues = await openQueues();
    const cursor = { before: '2026-11-26T00:00:00.000Z', limit: 1 };
    await using account = await startAccount('AIDAANA', [{ ...counts, cursor }, counts]);
    await putLetters(queues.sqs, 'rejected', [EXPIRED]);
    const args = [...RENEW, '--queue', 'rejected', '--request-id', 'R', '--limit', '2', '--before', '2026-11-26'];
    const { status, json, stderr } = await queues.run(args, { ...account.env, ...env });
    expect([status, json]).toEqual([0, { ...counts, matched: 2, replayed: 2, unread: 0 }]);
    expect(stderr).toContain('Renewed through replayer');
    const event = {
      ...{ function: 'replayer', queue: 'rejected', code: ['Expired'], requestId: 'R', limit: 2, renew: true },
      ...{ before: '2026-11-26T00:00:00.000Z', reason: 'CHG1', replayedBy: 'ana' },
    };
    expect(account.events).toEqual([event, { ...event, cursor }]);
    expect(queues.isUntouched()).toBe(true);
  });

  test('that the function could not do is said, with 1 and its message', async () => {
    await using queues = await openQueues();
    await using account = await startAccount('AIDAANA', [
      { functionError: 'Unhandled', errorMessage: 'out of memory' },
    ]);
    const { status, json } = await queues.run(RENEW, account.env);
    expect([status, json]).toMatchObject([
      1,
      { error: { code: 'ReplayFunctionFailed', message: expect.stringContaining('out of memory') } },
    ]);
  });

  test('without a function that is known is wrong usage: from here it would count for nothing', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', [EXPIRED]);
    const { status, stderr } = await queues.run(RENEW);
    expect(status).toBe(2);
    expect(stderr).toContain('REPLAY_FUNCTION');
    expect(queues.isUntouched()).toBe(true);
  });

  test('is shown by --dry-run without asking anybody', async () => {
    await using queues = await openQueues();
    await putLetters(queues.sqs, 'rejected', [EXPIRED]);
    const { status, json, stderr } = await queues.run([...RENEW, '--dry-run']);
    expect([status, json]).toEqual([0, { ...counts, unread: 0, dryRun: true }]);
    expect(stderr).toMatch(/^renew +Expired/m);
  });
});
