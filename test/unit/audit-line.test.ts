/** What is told of an outcome: the audit line, the outcome event, the metrics. */
import { describe, expect, test } from 'vitest';
import {
  createAudit,
  METRICS,
  type MetricName,
  type Outcome,
  outcomeBody,
  outcomeEvent,
} from '../../functions/audit/line.ts';
import type { Effort } from '../../functions/enable-password/attempt.ts';
import type { Decision } from '../../functions/enable-password/decision.ts';
import { type Message, readMessages } from '../../functions/enable-password/record.ts';
import type { Trust } from '../../functions/requests/provenance.ts';
import { createLog } from '../../functions/telemetry/log.ts';
import { createMetrics } from '../../functions/telemetry/metrics.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const requester = { requestId: 'REQ-1', requestedBy: 'ana', reason: 'on-call', source: 'itsm' };

const message = (
  body: unknown = { identifier: 10, ...requester },
  attributes: object = {},
  system: object = {},
  trust?: Trust,
): Message =>
  readMessages(
    [
      {
        messageId: 'm-1',
        receiptHandle: 'h',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        attributes: { ApproximateReceiveCount: '2', SentTimestamp: String(NOW - 90_000), ...system },
        messageAttributes: attributes,
        eventSource: 'aws:sqs',
      } as never,
    ],
    NOW,
    trust,
  )[0]!;

const effort: Effort = { attempts: 2, latenciesMs: [120.4, 80.6] };
const done: Decision = { kind: 'done', result: 'enabled' };
const rejected = { kind: 'rejected', errorCode: '1006', errorMessage: '1006: User does not have access' } as const;
const kept: Decision = { kind: 'kept', cause: 'gateway', errorCode: '503' };

const tell = (...outcomes: Partial<Outcome>[]) => {
  const written: Record<string, unknown>[] = [];
  const write = (text: string) =>
    void written.push(
      ...text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
  const shared = { service: 's', write, now: () => NOW };
  const metrics = createMetrics<MetricName>({ ...shared, namespace: 'n', units: METRICS });
  const audit = createAudit(createLog({ ...shared, level: 'SILENT' }), metrics);
  for (const outcome of outcomes) {
    audit({ message: message(), decision: done, effort, durationMs: 250.7, at: NOW, ...outcome });
  }
  metrics.flush();
  return {
    lines: written.filter(({ _aws }) => _aws === undefined),
    documents: written.filter(({ _aws }) => _aws !== undefined),
  };
};
/** Without what every line has. */
const fieldsOf = (line: Record<string, unknown> | undefined) => {
  const { level: _, service: __, timestamp: ___, ...fields } = line ?? {};
  return fields;
};

describe('the audit line', () => {
  test('of an enabled password', () => {
    expect(tell({}).lines.map(fieldsOf)).toEqual([
      {
        message: 'password enable',
        outcome: 'enabled',
        identifier: 10,
        attempts: 2,
        durationMs: 251,
        messageId: 'm-1',
        receiveCount: 2,
        firstSentAt: '2026-11-23T11:58:30.000Z',
        ...requester,
      },
    ]);
  });

  test.each<readonly [Decision, Record<string, unknown>]>([
    [{ kind: 'done', result: 'already-enabled' }, { outcome: 'already-enabled' }],
    [rejected, { outcome: 'rejected', errorCode: '1006', errorMessage: rejected.errorMessage }],
    [kept, { outcome: 'kept', errorCode: '503', cause: 'gateway' }],
    [
      { kind: 'kept', cause: 'deadline' },
      { outcome: 'kept', cause: 'deadline' },
    ],
  ])('of %j says so', (decision, fields) => {
    expect(tell({ decision }).lines).toMatchObject([fields]);
  });

  test('of a message that is not a request has no identifier and no requester', () => {
    const fields = fieldsOf(
      tell({ message: message('hunter2'), decision: { ...rejected, errorCode: 'InvalidMessage' } }).lines[0],
    );
    expect(fields).not.toHaveProperty('identifier');
    expect(fields).not.toHaveProperty('requestedBy');
    expect(JSON.stringify(fields)).not.toContain('hunter2');
  });

  test('of a malformed request has no identifier either, but the requester it names', () => {
    const malformed = message({ identifier: 0, ...requester, reason: null });
    const fields = fieldsOf(
      tell({ message: malformed, decision: { ...rejected, errorCode: 'InvalidMessage' } }).lines[0],
    );
    expect(fields).toMatchObject({ requestId: 'REQ-1', requestedBy: 'ana', source: 'itsm' });
    expect(fields).not.toHaveProperty('identifier');
    expect(fields).not.toHaveProperty('reason');
  });

  test('of a replayed message says where it came from, who replayed it and why; of another it does not', () => {
    const text = (stringValue: string) => ({ stringValue, dataType: 'String' });
    const replayed = message(10, {
      OriginalMessageId: text('m-0'),
      ReplayCount: text('3'),
      ReplayedBy: text('bob'),
      ReplayReason: text('CHG-7'),
    });
    const from = { originalMessageId: 'm-0', replayCount: 3, replayedBy: 'bob', replayReason: 'CHG-7' };
    expect(tell({ message: replayed }).lines).toMatchObject([from]);
    for (const field of Object.keys(from)) expect(tell({}).lines[0]).not.toHaveProperty(field);
  });

  test('says by SQS’s own id who sent it, and what only the senders that are listed can say', () => {
    const text = (stringValue: string) => ({ stringValue, dataType: 'String' });
    const attributes = { RenewedAt: text('2026-11-23T11:00:00Z'), Caller: text('arn:aws:iam::1:user/ana') };
    const trust = { renewalSenders: ['AROAREPLAY'], callerSenders: ['AROAREPLAY'] };
    const lineOf = (senderId: string) =>
      tell({ message: message(10, attributes, { SenderId: senderId }, trust) }).lines[0];
    expect(lineOf('AROAREPLAY:session')).toMatchObject({
      sentBy: 'AROAREPLAY:session',
      renewedAt: '2026-11-23T11:00:00.000Z',
      caller: 'arn:aws:iam::1:user/ana',
    });
    expect(lineOf('AIDAEVE')).toMatchObject({ sentBy: 'AIDAEVE' });
    for (const field of ['renewedAt', 'caller']) expect(lineOf('AIDAEVE')).not.toHaveProperty(field);
  });

  test.each([
    [
      'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
      '1-5759e988-bd862e3fe1be46a994272793',
    ],
    ['Self=1-a-b;Root=1-c-d', '1-c-d'],
    ['Sampled=0', undefined],
  ])('links the trace %s', (AWSTraceHeader, trace) => {
    expect(tell({ message: message(10, {}, { AWSTraceHeader }) }).lines[0]?.['xray_trace_id']).toBe(trace);
  });

  test('holds no more of Segura’s sentence than the dead letter does', () => {
    const [line] = tell({ decision: { ...rejected, errorMessage: 'x'.repeat(5000) } }).lines;
    expect(line?.['errorMessage']).toBe('x'.repeat(1024));
    const [cut] = tell({ decision: { ...rejected, errorMessage: `${'x'.repeat(1023)}😀` } }).lines;
    expect(cut?.['errorMessage']).toBe(`${'x'.repeat(1023)}\ufffd`);
  });
});

describe('the metrics', () => {
  test('count each outcome, rejections by code and kept messages by cause', () => {
    const { documents } = tell(
      {},
      {},
      { decision: { kind: 'done', result: 'already-enabled' } },
      { decision: rejected },
      { decision: kept },
      { decision: { kind: 'kept', cause: 'fifo-order' } },
    );
    const [whole, ...detailed] = documents;
    expect(whole).toMatchObject({ Enabled: 2, AlreadyEnabled: 1 });
    expect(detailed).toEqual([
      expect.objectContaining({ ErrorCode: '1006', Rejected: 1 }),
      expect.objectContaining({ cause: 'gateway', Kept: 1 }),
      expect.objectContaining({ cause: 'fifo-order', Kept: 1 }),
    ]);
  });

  test('observe age from the first sending, attempts, and each call’s latency', () => {
    expect(tell({}).documents).toMatchObject([{ RequestAge: [90], SeguraAttempts: [2], SeguraLatency: [120, 81] }]);
  });

  test('of a message that was not called say nothing of attempts', () => {
    const [whole] = tell({ effort: { attempts: 0, latenciesMs: [] } }).documents;
    expect(whole).not.toHaveProperty('SeguraAttempts');
    expect(whole).not.toHaveProperty('SeguraLatency');
  });

  test('know no age below zero, whatever the clocks say', () => {
    expect(tell({ at: NOW - 3_600_000 }).documents).toMatchObject([{ RequestAge: [0] }]);
  });

  test('have code or cause as dimension, and hold neither identifier nor person', () => {
    const held = tell({ decision: rejected }, { decision: kept }).documents.map(({ _aws, ...fields }) => {
      const { CloudWatchMetrics } = _aws as { CloudWatchMetrics: { Dimensions: string[][] }[] };
      return [CloudWatchMetrics.flatMap(({ Dimensions }) => Dimensions), Object.keys(fields)];
    });
    expect(held).toEqual([
      [[['service']], ['service', 'RequestAge', 'SeguraAttempts', 'SeguraLatency']],
      [
        [['service'], ['service', 'ErrorCode']],
        ['service', 'ErrorCode', 'Rejected'],
      ],
      [
        [['service'], ['service', 'cause']],
        ['service', 'cause', 'Kept'],
      ],
    ]);
  });
});

describe('the outcome event', () => {
  const settledAt = new Date(NOW);

  test('tells the system that asked what became of it', () => {
    expect(outcomeEvent(message(), done, effort, settledAt)).toEqual({
      outcomeId: 'm-1/enabled',
      outcome: 'enabled',
      identifier: 10,
      messageId: 'm-1',
      originalMessageId: 'm-1',
      firstSentAt: '2026-11-23T11:58:30.000Z',
      settledAt: '2026-11-23T12:00:00.000Z',
      attempts: 2,
      receiveCount: 2,
      replayCount: 0,
      ...requester,
    });
  });

  test('has one id for a message however often it is enabled, and another where it is rejected', () => {
    const already: Decision = { kind: 'done', result: 'already-enabled' };
    expect(outcomeEvent(message(), already, effort, settledAt).outcomeId).toBe('m-1/enabled');
    expect(outcomeEvent(message(), rejected, effort, settledAt).outcomeId).toBe('m-1/rejected');
  });

  test('of a rejection carries code and sentence, of no request no identifier', () => {
    const invalid = { kind: 'rejected', errorCode: 'InvalidMessage', errorMessage: 'not JSON' } as const;
    expect(outcomeEvent(message('x'), invalid, effort, settledAt)).toMatchObject({
      outcome: 'rejected',
      identifier: null,
      errorCode: 'InvalidMessage',
      errorMessage: 'not JSON',
    });
  });

  test('as a body holds no character that SQS refuses, and is read back the same', () => {
    const event = outcomeEvent(
      message({ identifier: 10, reason: 'a\u0000\u001f\ufffe\uffff\ud800z' }),
      done,
      effort,
      settledAt,
    );
    const body = outcomeBody(event);
    // SQS: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF
    expect(body).toMatch(/^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u);
    expect(JSON.parse(body)).toEqual(event);
  });
});
