/** Audit lines in CloudWatch Logs, over real HTTP and paged: exactly those that are meant are found, each once. */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AuditLine } from '../../functions/audit/read.ts';
import { type Question, searchLines, searchParts } from '../../functions/audit/search.ts';
import { startLogs } from '../../infra/local/logs.ts';

const GROUP = '/aws/lambda/x';
const AT = Date.parse('2026-10-01T00:00:00Z');

const openLogs = async (searchedAtOnce = 3) => {
  const logs = await startLogs({ searchedAtOnce });
  logs.createGroup(GROUP);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new CloudWatchLogsClient({ endpoint: logs.url, region: 'us-east-1', credentials });
  const find = async (question: Question, from = AT, to = AT + 86_400_000): Promise<AuditLine[]> => {
    const found: AuditLine[] = [];
    const search = { logGroup: GROUP, question, from: new Date(from), to: new Date(to) };
    for await (const lines of searchLines(client, search)) found.push(...lines);
    return found;
  };
  return {
    logs,
    client,
    find,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await logs.close();
    },
  };
};

const lineOf = (fields: object, at = AT): string =>
  JSON.stringify({
    level: 'INFO',
    message: 'password enable',
    timestamp: new Date(at).toISOString(),
    outcome: 'enabled',
    messageId: 'm',
    ...fields,
  });

describe('a search', () => {
  test('finds exactly the lines of a request id, whatever characters it has', async () => {
    const id = fc.oneof(
      fc.string({ minLength: 1, maxLength: 8 }),
      fc.constantFrom('RITM1', 'a"b', 'a*', '*', 'a\\', '$.x', '{ }', 'ünï', 'a b'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(id, { minLength: 1, maxLength: 12 }), async (ids) => {
        await using opened = await openLogs();
        for (const [index, requestId] of ids.entries()) {
          opened.logs.put(GROUP, lineOf({ requestId, messageId: String(index) }), AT + index);
          opened.logs.put(GROUP, 'START RequestId: 1', AT + index);
        }
        const [requestId = ''] = ids;
        const found = await opened.find({ kind: 'request', requestId });
        const expected = ids.flatMap((each, index) => (each === requestId ? [String(index)] : []));
        expect(found.map(({ messageId }) => messageId)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  test('finds a message by its own id and as the original of a replay, and an identifier as a number', async () => {
    await using opened = await openLogs();
    opened.logs.put(GROUP, lineOf({ messageId: 'a', identifier: 10 }), AT);
    opened.logs.put(GROUP, lineOf({ messageId: 'b', originalMessageId: 'a', identifier: 10, outcome: 'kept' }), AT);
    opened.logs.put(GROUP, lineOf({ messageId: 'c', identifier: 100 }), AT);
    const ids = async (question: Question) => (await opened.find(question)).map(({ messageId }) => messageId);
    expect(await ids({ kind: 'message', messageId: 'a' })).toEqual(['a', 'b']);
    expect(await ids({ kind: 'identifier', identifier: 10 })).toEqual(['a', 'b']);
    expect(await ids({ kind: 'all' })).toEqual(['a', 'b', 'c']);
  });

  test('goes past empty pages, takes the first millisecond and not the last, and reads no line that is none', async () => {
    await using opened = await openLogs(1);
    for (let index = 0; index < 20; index += 1) opened.logs.put(GROUP, `noise ${index}`, AT + index);
    opened.logs.put(GROUP, lineOf({ messageId: 'first' }), AT);
    opened.logs.put(GROUP, lineOf({ messageId: 'inside' }), AT + 999);
    opened.logs.put(GROUP, lineOf({ messageId: 'after' }), AT + 1000);
    opened.logs.put(GROUP, `${lineOf({ messageId: 'cut' }).slice(0, -4)}`, AT + 5);
    opened.logs.put(GROUP, lineOf({ messageId: 7 }), AT + 5);
    opened.logs.put(GROUP, lineOf({ timestamp: 'yesterday' }), AT + 5);
    const found = await opened.find({ kind: 'all' }, AT, AT + 1000);
    expect(found.map(({ messageId }) => messageId)).toEqual(['first', 'inside']);
    expect(opened.logs.journal.length).toBeGreaterThan(5);
  });

  test('in parts finds what a search from end to end finds, each line once', async () => {
    await using opened = await openLogs();
    for (let index = 0; index < 50; index += 1) {
      opened.logs.put(GROUP, lineOf({ messageId: String(index) }), AT + index * 3_600_000);
    }
    const found: string[] = [];
    const to = new Date(AT + 50 * 3_600_000);
    const search = { logGroup: GROUP, question: { kind: 'all' }, from: new Date(AT), to } as const;
    await searchParts(opened.client, search, (lines) => found.push(...lines.map(({ messageId }) => messageId)));
    expect(found.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 50 }, (_, index) => String(index)),
    );
  });

  test('is tried again where AWS throttles it', async () => {
    await using opened = await openLogs();
    opened.logs.put(GROUP, lineOf({}), AT);
    opened.logs.next('throttle');
    expect(await opened.find({ kind: 'all' })).toHaveLength(1);
  });
});

describe('the stand-in refuses what AWS refuses', () => {
  test.each([
    ['a group that is not there', { logGroupName: '/nowhere' }, 'ResourceNotFoundException'],
    ['a pattern that is none', { logGroupName: GROUP, filterPattern: '{ $.a == }' }, 'InvalidParameterException'],
    [
      'a quotation mark that is not closed',
      { logGroupName: GROUP, filterPattern: '{ $.a = "x }' },
      'InvalidParameterException',
    ],
    ['more than 10,000 at once', { logGroupName: GROUP, limit: 10_001 }, 'InvalidParameterException'],
    ['a token of nobody', { logGroupName: GROUP, nextToken: 'x' }, 'InvalidParameterException'],
    ['no group', {}, 'InvalidParameterException'],
  ])('%s', async (_, input, type) => {
    await using opened = await openLogs();
    const response = await fetch(opened.logs.url, {
      method: 'POST',
      headers: {
        'x-amz-target': 'Logs_20140328.FilterLogEvents',
        authorization: 'AWS4-HMAC-SHA256 Credential=local/20261001/us-east-1/logs/aws4_request',
      },
      body: JSON.stringify(input),
    });
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ __type: type })]);
  });
});
