/** The worked example of docs/outcomes.md, run as it stands there, against a ServiceNow and a Jira on loopback. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SQSBatchResponse } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { readPage } from './pages.ts';

const item = { sys_id: 'abc', state: '2', work_notes: [] as string[] };
const issue = { status: 'open', transitions: [] as string[], comments: [] as { body: string }[] };
/** Where each transition leads; declined is in Jira's category done, as done is. */
const STATUS_AFTER: Readonly<Record<string, string>> = { 31: 'done', 41: 'declined' };
const refused: string[] = [];

const bodyOf = async (request: IncomingMessage) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? undefined : JSON.parse(text);
};

interface Sent {
  readonly state?: string;
  readonly work_notes?: string;
  readonly transition?: { readonly id: string };
  readonly body?: string;
}

/** As much of both as the example uses. */
const answer = (method: string, url: URL, body: Sent = {}): [number, unknown?] => {
  const { pathname, searchParams } = url;
  if (pathname === '/api/now/table/sc_req_item' && method === 'GET') {
    const isThere = searchParams.get('sysparm_query') === 'number=RITM0010012';
    return [200, { result: isThere ? [{ sys_id: item.sys_id, state: item.state }] : [] }];
  }
  if (pathname === '/api/now/table/sc_req_item/abc' && method === 'PATCH') {
    item.state = body.state ?? '';
    item.work_notes.push(body.work_notes ?? '');
    return [200, { result: item }];
  }
  if (pathname === '/rest/api/2/issue/ACC-7' && method === 'GET') {
    const status = { id: issue.status, statusCategory: { key: issue.status === 'open' ? 'new' : 'done' } };
    return [200, { fields: { status, comment: { comments: issue.comments } } }];
  }
  if (pathname === '/rest/api/2/issue/ACC-7/transitions' && issue.status !== 'done') {
    const id = body.transition?.id ?? '';
    issue.transitions.push(id);
    issue.status = STATUS_AFTER[id] ?? issue.status;
    return [204];
  }
  if (pathname === '/rest/api/2/issue/ACC-7/comment') {
    issue.comments.push({ body: body.body ?? '' });
    return [201, {}];
  }
  refused.push(`${method} ${pathname}`);
  return [404, { errorMessages: ['not found'] }];
};

const server = createServer(async (request, response) => {
  const [status, body] = answer(request.method ?? '', new URL(request.url ?? '', 'http://x'), await bodyOf(request));
  response
    .writeHead(status, { 'Content-Type': 'application/json' })
    .end(body === undefined ? undefined : JSON.stringify(body));
});

let folder: string;
let handler: (event: unknown) => Promise<SQSBatchResponse>;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.entries({
    SERVICENOW_URL: url,
    SERVICENOW_TOKEN: 'one',
    JIRA_URL: url,
    JIRA_TOKEN: 'two',
    JIRA_DONE_ID: '31',
    JIRA_DECLINED_ID: '41',
    JIRA_DECLINED_STATUS: 'declined',
  }).map(([name, value]) => vi.stubEnv(name, value));
  const [example] = readPage('docs/outcomes.md').blocks.filter(({ language }) => language === 'typescript');
  folder = await mkdtemp(join(tmpdir(), 'outcomes-example-'));
  const file = join(folder, 'example.mjs');
  await writeFile(file, stripTypeScriptTypes(example?.text ?? ''));
  ({ handler } = await import(file));
});

beforeEach(() => {
  Object.assign(item, { state: '2', work_notes: [] });
  Object.assign(issue, { status: 'open', transitions: [], comments: [] });
  refused.length = 0;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
  server.close();
});

const enabled = { outcomeId: 'm-1/enabled', outcome: 'enabled', identifier: 12 };
const rejected = {
  outcomeId: 'm-1/rejected',
  outcome: 'rejected',
  identifier: 404,
  errorCode: '1005',
  errorMessage: '1005: Password not found',
};
const servicenow = { source: 'servicenow', requestId: 'RITM0010012' };
const jira = { source: 'jira', requestId: 'ACC-7' };
const tell = (...events: object[]) =>
  handler({ Records: events.map((event, index) => ({ messageId: `o-${index}`, body: JSON.stringify(event) })) });

test('a requested item of ServiceNow is closed once, however often the event comes', async () => {
  for (let time = 0; time < 2; time += 1) {
    expect(await tell({ ...enabled, ...servicenow })).toEqual({ batchItemFailures: [] });
  }
  expect(item).toMatchObject({ state: '3', work_notes: ['Password 12 is enabled. [m-1/enabled]'] });
});

test('a rejection says why, and an enable after a replay overrules it, never the other way round', async () => {
  await tell({ ...rejected, ...servicenow });
  expect(item.state).toBe('4');
  expect(item.work_notes[0]).toContain('1005: Password not found');
  await tell({ ...enabled, outcomeId: 'm-2/enabled', ...servicenow });
  expect(item.state).toBe('3');
  await tell({ ...rejected, ...servicenow });
  expect(item.state).toBe('3');
});

test('an issue of Jira gets its transition and its comment once each', async () => {
  for (let time = 0; time < 2; time += 1) await tell({ ...enabled, ...jira });
  expect(issue).toMatchObject({ transitions: ['31'], comments: [{ body: 'Password 12 is enabled. [m-1/enabled]' }] });
  Object.assign(issue, { status: 'open', transitions: [], comments: [] });
  await tell({ ...rejected, ...jira });
  expect(issue).toMatchObject({ transitions: ['41'], comments: [{ body: expect.stringContaining('(1005)') }] });
});

test('of Jira too: an enable after a replay overrules a declined issue, never the other way round', async () => {
  await tell({ ...rejected, ...jira });
  expect(issue.status).toBe('declined');
  for (let time = 0; time < 2; time += 1) await tell({ ...enabled, outcomeId: 'm-2/enabled', ...jira });
  await tell({ ...rejected, ...jira });
  expect(issue).toMatchObject({ status: 'done', transitions: ['41', '31'] });
  expect(issue.comments.map(({ body }) => body)).toEqual([
    expect.stringContaining('[m-1/rejected]'),
    'Password 12 is enabled. [m-2/enabled]',
  ]);
});

test('an event that could not be told is kept, and takes no other with it', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const answered = await tell({ ...enabled, source: 'jira', requestId: 'ACC-8' }, { ...enabled, ...servicenow });
  expect(answered).toEqual({ batchItemFailures: [{ itemIdentifier: 'o-0' }] });
  expect(item.state).toBe('3');
  log.mockRestore();
});

test("the requester's words reach no URL unless they are a ticket's number", async () => {
  const answered = await tell(
    { ...enabled, source: 'jira', requestId: '../../../admin' },
    { ...enabled, source: 'servicenow', requestId: 'RITM0010012^ORstate=1' },
    { ...enabled, source: 'constructor', requestId: 'ACC-7' },
    enabled,
  );
  expect(answered).toEqual({ batchItemFailures: [] });
  expect([refused, item.state, issue.status]).toEqual([[], '2', 'open']);
});
