/**
 * Every command with hostile text planted in whatever comes from outside: fields of a request, attributes of a letter,
 * answers of Segura, lines of the log, names and cells of a file. Nothing of it reaches the terminal or a file as it is.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import type { QueueName } from '../../infra/local/sqs.ts';
import { LOG_GROUP, openAccount } from './account.ts';
import type { CommandResult } from './command.ts';
import { makeFolder } from './folder.ts';

/** Writes the clipboard, clears the screen, turns the direction, and makes a row of its own. */
const HOSTILE = '\u001b]52;c;ZXZpbA==\u0007\u001b[2J\u009b2J\u202eevil\u2028\nforged\rforged\u007f';
/** As SQS lets it into an attribute: without C0 but for line ends. */
const IN_ATTRIBUTES = '\u009b2J\u202eevil\u2028\nforged\u007f';

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

const expectHarmless = (text: string): void => {
  expect(text).not.toMatch(STEERING);
  expect(text).not.toMatch(/^forged/m);
};

/** @returns what was printed, so that a test can say that the text did arrive */
const harmless = ({ stdout, stderr }: CommandResult): string => {
  expectHarmless(stdout);
  expectHarmless(stderr);
  return stdout + stderr;
};

type Account = Awaited<ReturnType<typeof openAccount>>;

const ASK = { requestId: HOSTILE, requestedBy: HOSTILE, reason: HOSTILE, source: HOSTILE };

const putLetter = async ({ world }: Account, queue: QueueName, body: string): Promise<string> => {
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  const MessageAttributes = {
    ErrorCode: text(queue === 'rejected' ? '1006' : IN_ATTRIBUTES),
    ErrorMessage: text(IN_ATTRIBUTES),
    FirstSentAt: text(new Date().toISOString()),
    FailedAt: text(new Date().toISOString()),
    OriginalMessageId: text(IN_ATTRIBUTES),
    ReplayCount: { DataType: 'Number', StringValue: '1' },
    ReplayedBy: text(IN_ATTRIBUTES),
    ReplayReason: text(IN_ATTRIBUTES),
    Own: text(IN_ATTRIBUTES),
  };
  const QueueUrl = world.sqs.queueUrl(queue);
  const { MessageId = '' } = await world.client.send(
    new SendMessageCommand({ QueueUrl, MessageBody: body, MessageAttributes }),
  );
  return MessageId;
};

describe.concurrent('hostile text', () => {
  test.each([
    ['list --letters', undefined],
    ['list --letters --json', undefined],
    ['show', undefined],
    ['replay --dry-run', undefined],
    ['export --file letters.csv', 'letters.csv'],
    ['export --file letters.jsonl', 'letters.jsonl'],
    ['discard --yes --file discarded.jsonl', 'discarded.jsonl'],
  ])('in letters is shown, not sent, by dead-letters %s', async (words, file) => {
    await using account = await openAccount();
    await using folder = await makeFolder();
    const body = JSON.stringify({ identifier: 10, ...ASK, [HOSTILE]: HOSTILE });
    const id = await putLetter(account, 'rejected', body);
    await putLetter(account, 'rejected', `no request \u009b2J\u202e\nforged`);
    await putLetter(account, 'exhausted', body);
    const args = ['dead-letters', ...words.split(' '), ...(words === 'show' ? [id] : [])];
    const said = harmless(await account.run(args, { cwd: folder.path }));
    if (file === undefined) expect(said).toContain('evil');
    else {
      const text = await readFile(join(folder.path, file), 'utf8');
      expectHarmless(text.replaceAll('\r\n', '\n'));
      expect(text).toContain('evil');
    }
  });

  test('in the log is shown, not sent, by trace, status and report', async () => {
    await using account = await openAccount();
    const line = (outcome: string) =>
      JSON.stringify({
        message: 'password enable',
        timestamp: new Date().toISOString(),
        outcome,
        messageId: HOSTILE,
        identifier: 10,
        errorCode: HOSTILE,
        errorMessage: HOSTILE,
        cause: HOSTILE,
        firstSentAt: new Date().toISOString(),
        sentBy: HOSTILE,
        caller: HOSTILE,
        originalMessageId: HOSTILE,
        replayCount: 1,
        replayedBy: HOSTILE,
        replayReason: HOSTILE,
        renewedAt: HOSTILE,
        ...ASK,
      });
    account.logs.put(LOG_GROUP, line('rejected'));
    account.logs.put(LOG_GROUP, line('kept'));
    const asked = [
      ['trace', '--identifier', '10'],
      ['trace', HOSTILE, '--json'],
      ['status'],
      ['report', '--from', '1h', '--format', 'jsonl'],
    ];
    for (const said of await Promise.all(asked.map((words) => account.run(words)))) {
      expect(harmless(said)).toContain('evil');
    }
    const csv = await account.run(['report', '--from', '1h']);
    expectHarmless(csv.stdout.replaceAll('\r\n', '\n'));
  });

  test('in answers of Segura is shown, not sent, by doctor', async () => {
    await using account = await openAccount();
    const json = (body: object) => ({
      kind: 'answer' as const,
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    account.world.segura.always(0, json({ response: { status: 400, message: HOSTILE, error: true, error_code: 7 } }));
    expect(harmless(await account.run(['doctor']))).toMatch(/way|Segura/);
    account.world.segura.always(0, { ...json({}), body: HOSTILE });
    harmless(await account.run(['doctor', '--json']));
    account.world.segura.nextToken(json({ error: HOSTILE, error_description: HOSTILE }));
    harmless(await account.run(['doctor']));
  });

  test('in files, names and arguments is shown, not sent, by send', async () => {
    await using account = await openAccount();
    await using folder = await makeFolder();
    const files = {
      'columns.csv': `identifier,"${HOSTILE}",requestId\n10,x,"${HOSTILE}"\n${HOSTILE},x,y\n`,
      'lines.jsonl': `{"identifier": 10, "requestId": ${JSON.stringify(HOSTILE)}}\n{"identifier": ${JSON.stringify(HOSTILE)}}\n${HOSTILE}\n`,
      'header.csv': `"${HOSTILE}",b\n1,2\n`,
    };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder.path, name), text);
      const { status, ...said } = await account.run(['send', '--file', join(folder.path, name)]);
      harmless({ status, ...said });
      expect(status).not.toBe(0);
    }
    const receipts = join(folder.path, 'receipts.jsonl');
    harmless(await account.run(['send', '10', '--request-id', HOSTILE, '--receipts', receipts]));
    expectHarmless(await readFile(receipts, 'utf8'));
    for (const words of [[`10${HOSTILE}`], ['10', '--not-after', HOSTILE], ['10', `--${HOSTILE}`]]) {
      const { status, ...said } = await account.run(['send', ...words, '--json']);
      harmless({ status, ...said });
      expect(status).toBe(2);
    }
  });
});
