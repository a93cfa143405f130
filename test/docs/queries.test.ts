/** Every Logs Insights query of the pages, run on what the built functions write in a day with all that can happen. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIELDS } from '../../functions/telemetry/log.ts';
import { bundleOf, createLambda } from '../../infra/local/lambda.ts';
import { until, type World } from '../../infra/local/world.ts';
import { openWorld } from '../loopback/in-process-lambda.ts';
import { parseQuery, toRow } from './insights.ts';
import type { Row } from './insights-reader.ts';
import { readPages } from './pages.ts';

const FIRST_ID = '19dd0b57-b21e-4ac1-bd88-01bbb068cb12';
const ana = { requestedBy: 'ana@example.com', source: 'servicenow' };
const ticket = { ...ana, identifier: 12, requestId: 'RITM0010012', reason: 'on-call, database down' };

const record = (messageId: string, body: unknown, messageAttributes = {}, receiveCount = 1) => ({
  messageId,
  receiptHandle: `handle-${messageId}`,
  body: JSON.stringify(body),
  attributes: { ApproximateReceiveCount: String(receiveCount), SentTimestamp: String(Date.now()) },
  messageAttributes,
  eventSource: 'aws:sqs',
});
const text = (stringValue: string) => ({ dataType: 'String', stringValue });

/** What each query of each page promises to find, by the heading that it stands under. */
const PROMISES: Readonly<Record<string, (found: readonly Row[], query: number) => void>> = {
  'What became of one ticket': (found) => {
    expect(found.map(({ outcome, errorCode }) => [outcome, errorCode])).toEqual([
      ['rejected', '1006'],
      ['enabled', undefined],
    ]);
  },
  'Who had one password enabled': (found) => {
    expect(found).toMatchObject([{ outcome: 'enabled', requestedBy: 'ana@example.com', requestId: 'RITM0010012' }]);
  },
  'What one person had enabled': (found) => {
    expect(found.map(({ identifier }) => identifier).sort()).toEqual([12, 13]);
  },
  'Enabled without a ticket': (found) => {
    expect(found.map(({ identifier }) => identifier)).toEqual([11]);
  },
  'How many, by requester and day': (found) => {
    expect(found.reduce((sum, { passwords }) => sum + Number(passwords), 0)).toBe(2);
    expect(found).toContainEqual(
      expect.objectContaining({ requestedBy: 'ana@example.com', passwords: 1, different: 1 }),
    );
  },
  'What was rejected, and why': (found) => {
    expect(found.map(({ errorCode }) => errorCode).sort()).toEqual(['1005', '1006', 'Expired', 'InvalidMessage']);
    for (const row of found) expect(row).toMatchObject({ errorMessage: expect.stringMatching(/.{10}/) });
  },
  'What was asked for too late': (found) => {
    expect(found).toMatchObject([{ identifier: 15, errorMessage: expect.stringContaining('2026-01-01') }]);
  },
  'The whole way of one message, through replays': (found) => {
    expect(found).toMatchObject([
      { outcome: 'rejected', messageId: FIRST_ID },
      { message: 'dead letter', outcome: 'replayed', replayedBy: 'ops' },
      { outcome: 'enabled', messageId: 'm-replayed', replayCount: 1, replayedBy: 'ops', replayReason: 'access given' },
    ]);
  },
  'What was replayed, by whom': (found, query) => {
    const replayedBy = 'ops';
    if (query === 0)
      expect(found).toMatchObject([{ replayedBy, originalMessageId: FIRST_ID, requestId: 'RITM0010012' }]);
    else expect(found).toMatchObject([{ replayedBy, replayReason: 'access given', outcome: 'replayed' }]);
  },
  'Enabled after an answer was lost': (found) => {
    expect(found).toMatchObject([{ messageId: 'm-lost', password: 25, lines: 2, firstReceive: 1 }]);
  },
  'What waits, and for whom': (found) => {
    expect(found.map(({ cause, messages }) => [cause, messages])).toEqual(
      expect.arrayContaining([
        ['gateway', 1],
        ['unexpected-answer', 1],
      ]),
    );
  },
  'Errors and warnings': (found) => {
    expect(found).toContainEqual(
      expect.objectContaining({ level: 'WARN', message: 'answer is not documented, message kept', lines: 1 }),
    );
  },
  'Answers that nobody has documented': (found) => {
    expect(found).toMatchObject([{ answers: 1, passwords: 1, errorCode: 'HTTP200' }]);
  },
  'How long requests take': (found) => {
    expect(found.reduce((sum, { done }) => sum + Number(done), 0)).toBe(4);
    for (const { median, p95 } of found) expect(Number(p95)).toBeGreaterThanOrEqual(Number(median));
  },
  'One request': (found) => {
    expect(found).toHaveLength(2);
  },
};

const queries = readPages().flatMap(({ blocks }) => blocks.filter(({ language }) => language === 'insights'));
/** Written by every line, or made by CloudWatch. */
const ALWAYS = ['level', 'message', 'service', 'timestamp', '@timestamp', '@message'];

describe('a query of the pages', () => {
  let world: World;
  let rows: readonly Row[] = [];

  beforeAll(async () => {
    world = await openWorld({ passwords: { 11: 'disabled', 12: 'no-access', 13: 'active', 25: 'disabled' } });
    const invoke = (...Records: unknown[]) => world.invoke({ Records }, { remainingMs: 5000 });
    world.segura.always(25, { kind: 'lost-answer' });
    world.segura.always(30, { kind: 'fixture', name: 'login-page-as-200' });
    await invoke(
      record(FIRST_ID, ticket),
      record('m-number', 11),
      record('m-active', { identifier: 13, requestId: 'RITM0010013', ...ana }),
      record('m-missing', { identifier: 404, requestId: 'RITM0010014', ...ana }),
      record('m-invalid', 'please'),
      record('m-late', { identifier: 15, requestId: 'RITM0010015', notAfter: '2026-01-01T00:00:00Z' }),
      record('m-unknown', { identifier: 30, requestId: 'RITM0010016' }),
      record('m-lost', { identifier: 25, requestId: 'RITM0010017', requestedBy: 'rui@example.com' }),
    );
    world.segura.always(25, { kind: 'none' });
    await invoke(record('m-lost', { identifier: 25, requestId: 'RITM0010017', requestedBy: 'rui@example.com' }, {}, 2));

    const replayer = createLambda({
      bundle: bundleOf('replay-dead-letters'),
      env: { ...world.environment, EXHAUSTED_QUEUE_URL: world.sqs.queueUrl('exhausted') },
    });
    const event = { queue: 'rejected', code: '1006', replayedBy: 'ops', reason: 'access given' };
    const { functionError } = await replayer.invoke(event);
    expect(functionError).toBeUndefined();
    world.segura.passwords.set('12', 'disabled');
    const provenance = { OriginalMessageId: text(FIRST_ID), ReplayCount: { dataType: 'Number', stringValue: '1' } };
    await invoke(
      record('m-replayed', ticket, { ...provenance, ReplayedBy: text('ops'), ReplayReason: text('access given') }),
    );
    await until(() => world.auditLines().length >= 10 && replayer.lines.length >= 1, 'every line');
    rows = [...world.lines(), ...replayer.lines].map(toRow);
    await replayer.close();
  });

  afterAll(() => world[Symbol.asyncDispose]());

  test.each(queries)('$place is understood, and reads only fields that a line can carry', ({ text: query }) => {
    const known: readonly string[] = [...FIELDS, ...ALWAYS];
    expect([...parseQuery(query).fields].filter((field) => !known.includes(field))).toEqual([]);
  });

  test.each(queries)('$place ($heading) finds what it promises', ({ text: query, heading, page }) => {
    const promise = PROMISES[heading];
    if (!promise) throw new Error(`say in this test what the query under "${heading}" promises`);
    const under = queries.filter((each) => each.heading === heading && each.page === page);
    promise(
      parseQuery(query).run(rows),
      under.findIndex((each) => each.text === query),
    );
  });

  test('there is one for each promise', () => {
    expect(new Set(queries.map(({ heading }) => heading))).toEqual(new Set(Object.keys(PROMISES)));
  });
});
