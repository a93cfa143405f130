/** SQS records in, messages out: each once, with all its deliveries; an event of another kind throws. */
import type { SQSRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { correlation, readEvent, readMessages } from '../../functions/enable-password/record.ts';

const NOW = Date.UTC(2026, 10, 23);
const SENT = NOW - 60_000;

const record = (messageId: string, body = '10', changes: object = {}, attributes: object = {}): SQSRecord =>
  ({
    messageId,
    receiptHandle: `handle-${messageId}`,
    body,
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(SENT), ...attributes },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-1:1:requests',
    ...changes,
  }) as SQSRecord;
const fifo = (messageId: string, group: string) =>
  record(messageId, '10', { eventSourceARN: 'arn:aws:sqs:eu-west-1:1:requests.fifo' }, { MessageGroupId: group });

describe('an event', () => {
  test('of SQS gives its records', () => {
    const Records = [record('a'), record('b')];
    expect(readEvent({ Records })).toEqual(Records);
    expect(readEvent({ Records: [] })).toEqual([]);
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'Records'],
    ['an empty object', {}],
    ['an EventBridge event', { 'detail-type': 'x', detail: { identifier: 10 } }],
    ['a request by itself', { identifier: 10 }],
    ['records that are no list', { Records: { 0: record('a') } }],
    ['an S3 event', { Records: [{ eventSource: 'aws:s3', s3: {} }] }],
    ['an SNS event', { Records: [{ EventSource: 'aws:sns', Sns: { Message: '10' } }] }],
    ['one stranger among many', { Records: [record('a'), { ...record('b'), eventSource: 'aws:kinesis' }] }],
    ['a record without an id', { Records: [{ ...record('a'), messageId: '' }] }],
    ['a record without a body', { Records: [{ ...record('a'), body: undefined }] }],
    ['a record whose body is an object', { Records: [{ ...record('a'), body: { identifier: 10 } }] }],
    ['a hole', { Records: [null] }],
  ])('%s throws, so that nothing is acknowledged unread', (_, event) => {
    expect(() => readEvent(event)).toThrow(/not an SQS event.*event source mapping/);
  });

  test('the error does not repeat the event', () => {
    expect(() => readEvent({ Records: [{ eventSource: 'aws:s3', secret: 'hunter2' }] })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });
});

describe('a message', () => {
  const read = (...records: SQSRecord[]) => readMessages(records, NOW);

  test('carries what SQS and its producer said', () => {
    const attributes = { own: { stringValue: 'x', dataType: 'String' } };
    const [message] = read(
      record(
        'a',
        '{"identifier": 10, "requestId": "R"}',
        { messageAttributes: attributes },
        {
          ApproximateReceiveCount: '3',
          AWSTraceHeader: 'Root=1-2-3',
        },
      ),
    );
    expect(message).toEqual({
      messageId: 'a',
      body: '{"identifier": 10, "requestId": "R"}',
      attributes,
      parsed: { kind: 'request', request: { identifier: 10, requestId: 'R' } },
      provenance: { originalMessageId: 'a', firstSentAt: new Date(SENT), replayCount: 0 },
      sentAt: SENT,
      receiveCount: 3,
      receiptHandles: ['handle-a'],
      traceHeader: 'Root=1-2-3',
    });
  });

  test('delivered more than once in a batch is one, in the place of the first, with every handle', () => {
    const messages = read(record('a'), record('b'), record('a', '10', { receiptHandle: 'again' }), record('c'));
    expect(messages.map(({ messageId, receiptHandles }) => [messageId, receiptHandles])).toEqual([
      ['a', ['handle-a', 'again']],
      ['b', ['handle-b']],
      ['c', ['handle-c']],
    ]);
  });

  test('has a group on a FIFO queue alone: on a standard queue a group orders nothing', () => {
    expect(read(fifo('a', 'g'))[0]?.groupId).toBe('g');
    const [fair] = read(record('a', '10', {}, { MessageGroupId: 'tenant' }));
    expect(fair).toMatchObject({ fairGroupId: 'tenant' });
    expect(fair).not.toHaveProperty('groupId');
    const withoutArn = record('a', '10', { eventSourceARN: undefined }, { MessageGroupId: 'g', SequenceNumber: '1' });
    expect(read(withoutArn)[0]?.groupId).toBe('g');
  });

  test('replayed remembers its first sending', () => {
    const messageAttributes = {
      OriginalMessageId: { stringValue: 'first', dataType: 'String' },
      FirstSentAt: { stringValue: new Date(SENT - 5000).toISOString(), dataType: 'String' },
      ReplayCount: { stringValue: '2', dataType: 'Number' },
    };
    expect(read(record('b', '10', { messageAttributes }))[0]?.provenance).toEqual({
      originalMessageId: 'first',
      firstSentAt: new Date(SENT - 5000),
      replayCount: 2,
    });
  });

  test('has its sender from SQS, whose renewal counts only where it is listed', () => {
    const messageAttributes = { RenewedAt: { stringValue: new Date(SENT).toISOString(), dataType: 'String' } };
    const sent = record('a', '10', { messageAttributes }, { SenderId: 'AROAREPLAY:session' });
    const trust = { renewalSenders: ['AROAREPLAY'], callerSenders: [] };
    expect(readMessages([sent], NOW, trust)).toMatchObject([
      { sentBy: 'AROAREPLAY:session', provenance: { renewedAt: new Date(SENT) } },
    ]);
    expect(read(sent)[0]?.provenance).not.toHaveProperty('renewedAt');
  });

  test('has no trace header that is longer than one can be', () => {
    expect(read(record('a', '10', {}, { AWSTraceHeader: 'x'.repeat(1025) }))[0]).not.toHaveProperty('traceHeader');
  });

  test.each([undefined, '', 'now', '0', '-5', '1e300'])('sent at %j is taken as sent now', (SentTimestamp) => {
    expect(read(record('a', '10', {}, { SentTimestamp }))[0]?.provenance.firstSentAt).toEqual(new Date(NOW));
  });

  test.each([undefined, '0', 'x', '-1'])('received %j times is received once', (ApproximateReceiveCount) => {
    expect(read(record('a', '10', {}, { ApproximateReceiveCount }))[0]?.receiveCount).toBe(1);
  });

  test('made by hand may lack what SQS always gives', () => {
    const bare = { messageId: 'a', body: '10', eventSource: 'aws:sqs' } as SQSRecord;
    expect(read(bare)).toMatchObject([{ messageId: 'a', receiveCount: 1, attributes: {} }]);
  });

  test('is named in every line by SQS’s id, and the requester’s own where given', () => {
    const messages = read(
      record('a'),
      record('b', '{"identifier": 1, "requestId": "R"}'),
      record('c', 'x'),
      record('d', '{"identifier": 0, "requestId": "S"}'),
    );
    expect(messages.map(correlation)).toEqual([
      { messageId: 'a' },
      { messageId: 'b', requestId: 'R' },
      { messageId: 'c' },
      { messageId: 'd', requestId: 'S' },
    ]);
  });
});
