/** What is seen of a message: audit lines, correlation and metrics, as the built bundle writes them. */
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../functions/audit/line.ts';
import type { Line } from '../../infra/local/lambda.ts';
import { until, type World } from '../../infra/local/world.ts';
import { openWorld } from './in-process-lambda.ts';

const passwords = { 10: 'disabled', 11: 'disabled', 12: 'disabled', 13: 'active', 14: 'no-access' } as const;

const record = (messageId: string, body: unknown, changes: Readonly<Record<string, unknown>> = {}) => ({
  messageId,
  receiptHandle: `handle-${messageId}`,
  body: JSON.stringify(body),
  attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(Date.now()) },
  messageAttributes: {},
  eventSource: 'aws:sqs',
  ...changes,
});

const documents = (world: World): readonly Line[] => world.lines().filter(({ _aws }) => _aws !== undefined);
const metricsOf = (world: World, name: string): readonly unknown[] =>
  documents(world).flatMap((document) => (name in document ? [document[name]].flat() : []));
/** Output comes by another way than the answer. */
const audited = (world: World, count: number) =>
  until(() => world.auditLines().length >= count && documents(world).length > 0, `${count} audit lines`);

describe.concurrent('an audit line', () => {
  test('is written once for a message and invocation, also when the deadline cut the work short', async () => {
    await using world = await openWorld({ passwords });
    world.segura.settings.outage = { kind: 'hang' };
    const Records = [record('m-1', { identifier: 10, requestId: 'REQ-1' }), record('m-2', 11), record('m-2', 11)];
    const invocations = [
      await world.invoke({ Records }, { remainingMs: 3000 }),
      await world.invoke({ Records }, { remainingMs: 3000 }),
    ];
    await audited(world, 4);
    const seen = world.auditLines().map((line) => [line['messageId'], line['function_request_id']]);
    expect(new Set(seen.map(String)).size).toBe(4);
    expect(seen).toHaveLength(4);
    expect(invocations.map(({ functionError }) => functionError)).toEqual([undefined, undefined]);
    expect(world.auditLines()).toContainEqual(
      expect.objectContaining({ messageId: 'm-1', requestId: 'REQ-1', outcome: 'kept', attempts: 1 }),
    );
  });

  test('and every other line about a message carry its message id, its request id and that of Lambda', async () => {
    await using world = await openWorld({ passwords });
    world.segura.always(10, { kind: 'fixture', name: 'login-page-as-200' });
    world.sqs.settings.faults.set('SendMessageBatch', { kind: 'failed-entries', senderFault: true });
    world.sqs.settings.faults.set('ChangeMessageVisibilityBatch', { kind: 'failed-entries', senderFault: true });
    const crowded = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`own${index}`, { dataType: 'String', stringValue: 'x' }]),
    );
    await world.invoke({
      Records: [
        record('m-unknown', { identifier: 10, requestId: 'REQ-1' }),
        record('m-unconfirmed', { identifier: 404, requestId: 'REQ-2' }, { messageAttributes: crowded }),
      ],
    });
    await audited(world, 2);
    const ids: Readonly<Record<string, string>> = { 'm-unknown': 'REQ-1', 'm-unconfirmed': 'REQ-2' };
    const lines = world.lines().filter(({ _aws }) => _aws === undefined);
    expect(new Set(lines.map(({ message }) => message))).toEqual(
      new Set([
        'answer is not documented, message kept',
        'dead letter has no room for all attributes',
        'dead letter not confirmed, message kept',
        'visibility timeout not changed',
        'password enable',
      ]),
    );
    const [requestId] = new Set(lines.map((line) => line['function_request_id']));
    expect(requestId).toEqual(expect.any(String));
    for (const line of lines) {
      expect(line).toMatchObject({ requestId: ids[String(line['messageId'])], function_request_id: requestId });
    }
  });
});

describe.concurrent('metrics', () => {
  test('RequestAge counts from the first sending, also after replays, which the audit line tells of', async () => {
    await using world = await openWorld({ passwords });
    const text = (stringValue: string) => ({ dataType: 'String', stringValue });
    const messageAttributes = {
      OriginalMessageId: text('m-first'),
      FirstSentAt: text(new Date(Date.now() - 3_600_000).toISOString()),
      ReplayCount: { dataType: 'Number', stringValue: '2' },
      ReplayedBy: text('ana'),
      ReplayReason: text('Segura is back'),
    };
    await world.invoke({ Records: [record('m-3', 10, { messageAttributes })] });
    await audited(world, 1);
    const [age] = metricsOf(world, 'RequestAge');
    expect(age).toBeGreaterThanOrEqual(3600);
    expect(age).toBeLessThan(3700);
    expect(world.auditLines()).toMatchObject([
      {
        messageId: 'm-3',
        originalMessageId: 'm-first',
        replayCount: 2,
        replayedBy: 'ana',
        replayReason: 'Segura is back',
      },
    ]);
  });

  test('are those of the contract and no others; none has an identifier or a person as dimension', async () => {
    await using world = await openWorld({ passwords });
    world.segura.always(12, { kind: 'fixture', name: 'login-page-as-200' });
    const Records = [10, 11, 12, 13, 14, 404].map((identifier) =>
      record(`m-${identifier}`, { identifier, requestedBy: 'ana', requestId: `REQ-${identifier}` }),
    );
    await world.invoke({ Records: [...Records, record('m-invalid', 'no request')] });
    await audited(world, 7);
    const dimensions = documents(world).map((document) => {
      const { CloudWatchMetrics } = document['_aws'] as {
        CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }[];
      };
      for (const { Name, Unit } of CloudWatchMetrics.flatMap(({ Metrics }) => Metrics)) {
        expect(METRICS).toHaveProperty(Name, Unit);
      }
      return CloudWatchMetrics.flatMap(({ Dimensions }) =>
        Dimensions.flat().map((name) => `${name}=${document[name]}`),
      );
    });
    expect(new Set(dimensions.flat())).toEqual(
      new Set([
        'service=mysafe-enable',
        'ErrorCode=1005',
        'ErrorCode=1006',
        'ErrorCode=InvalidMessage',
        'cause=unexpected-answer',
      ]),
    );
    expect(metricsOf(world, 'Enabled')).toEqual([2]);
    expect(metricsOf(world, 'AlreadyEnabled')).toEqual([1]);
    expect(metricsOf(world, 'RequestAge')).toHaveLength(7);
    expect(metricsOf(world, 'SeguraAttempts')).toHaveLength(6);
    expect(metricsOf(world, 'SeguraLatency')).toHaveLength(6);
    expect(metricsOf(world, 'TokenRequests')).toEqual([1]);
  });
});
