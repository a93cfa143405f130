/** The queue that the local world and the simulation share does what AWS does. */
import { describe, expect, test } from 'vitest';
import { createQueue, type QueueMessage, type QueueOptions } from '../../infra/local/queue.ts';

const setUp = (options: Partial<QueueOptions> = {}) => {
  let time = 0;
  const queue = createQueue({ arn: 'arn', isFifo: false, now: () => time, ...options });
  const put = (...ids: readonly string[]): void => {
    for (const messageId of ids) queue.put({ messageId, body: messageId, groupId: messageId.slice(0, 1) });
  };
  return {
    queue,
    put,
    pass: (seconds: number): void => {
      time += seconds * 1000;
    },
    receive: (most = 10): QueueMessage[] => queue.receive(most),
    ids: (most = 10): string[] => queue.receive(most).map(({ messageId }) => messageId),
  };
};
const hidden = (queue: ReturnType<typeof createQueue>, { receiptHandle }: QueueMessage, seconds: number) =>
  expect(queue.changeVisibility(receiptHandle, seconds)).toBeUndefined();

describe('a FIFO group', () => {
  const fifo = (groupLock?: QueueOptions['groupLock']) =>
    setUp({ isFifo: true, ...(groupLock === undefined ? {} : { groupLock }) });

  test('comes in order, up to ten messages a receive, and nothing more while its first is in flight', () => {
    const { put, ids, receive, queue } = fifo();
    const sent = Array.from({ length: 12 }, (_, index) => `a${index}`);
    put(...sent);
    const first = receive();
    expect(first.map(({ messageId }) => messageId)).toEqual(sent.slice(0, 10));
    expect(ids()).toEqual([]);
    queue.remove(first[0]!.receiptHandle);
    expect(ids()).toEqual([]);
    for (const { receiptHandle } of first.slice(1)) queue.remove(receiptHandle);
    expect(ids()).toEqual(['a10', 'a11']);
  });

  test('ends before its first invisible message: what comes behind that one waits, visible or not', () => {
    const { put, receive, ids, queue, pass } = fifo();
    put('a1', 'a2', 'a3');
    const [first, second, third] = receive();
    hidden(queue, second!, 100);
    hidden(queue, third!, 0);
    expect(ids()).toEqual([]);
    hidden(queue, first!, 0);
    expect(ids()).toEqual(['a1']);
    pass(101);
    expect(ids()).toEqual(['a1', 'a2', 'a3']);
  });

  test('gives nothing while any of it is in flight, where the queue is as strict as AWS’s guide', () => {
    const { put, receive, ids, queue, pass } = fifo('any-in-flight');
    put('a1', 'a2', 'b1');
    const [first, second] = receive(2);
    hidden(queue, second!, 100);
    hidden(queue, first!, 0);
    expect(ids()).toEqual(['b1']);
    pass(99);
    expect(ids()).toEqual(['b1']);
    pass(1);
    expect(ids()).toEqual(['a1', 'a2']);
  });

  test('does not hold up another group', () => {
    const { put, ids } = fifo();
    put('a1', 'b1', 'a2');
    expect(ids(1)).toEqual(['a1']);
    expect(ids()).toEqual(['b1']);
  });

  test('keeps its order when a new message comes behind one that is in flight', () => {
    const { put, receive, ids, queue } = fifo();
    put('a1');
    const [first] = receive();
    put('a2');
    expect(ids()).toEqual([]);
    hidden(queue, first!, 0);
    expect(ids()).toEqual(['a1', 'a2']);
  });
});

describe('a standard queue is fair', () => {
  const noisy = 30;
  const names = (group: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${group}${index}`);

  test('a group with 30 messages in flight, and more than a tenth of all, comes after the others', () => {
    const { put, ids, queue } = setUp();
    put(...names('a', noisy + 2));
    expect(ids(noisy)).toEqual(names('a', noisy));
    expect(queue.noisyGroups()).toEqual(['a']);
    put('b0', 'c0');
    expect(ids(2)).toEqual(['b0', 'c0']);
    expect(ids()).toEqual(['a30', 'a31']);
    expect(ids()).toEqual([]);
  });

  test.each([
    ['29 in flight', 29, 0],
    ['a tenth of what is in flight', 30, 270],
  ])('a group with %s is not noisy', (_, own, others) => {
    const { put, ids, queue } = setUp();
    // Without a group, each message is a neighbour of its own.
    for (let index = 0; index < others; index += 1) queue.put({ messageId: `x${index}`, body: '' });
    put(...names('a', own + 1));
    for (let taken = 0; taken < own + others; taken += 10) ids(Math.min(10, own + others - taken));
    put('b0');
    expect(queue.inFlight()).toBe(own + others);
    expect(queue.noisyGroups()).toEqual([]);
    expect(ids()).toEqual([`a${own}`, 'b0']);
  });

  test('what a noisy group has kept counts, and it is quiet again once that is done', () => {
    const { put, receive, ids, queue, pass } = setUp({ settings: { visibilitySeconds: 1000 } });
    put(...names('a', noisy + 1));
    const first = Array.from({ length: 3 }, () => receive()).flat();
    put('b0');
    expect(ids(1)).toEqual(['b0']);
    pass(10);
    put('b1');
    // Passed over once, and first again as soon as its group is quiet: it has waited longest.
    for (const { receiptHandle } of first) queue.remove(receiptHandle);
    expect(queue.noisyGroups()).toEqual([]);
    expect(ids()).toEqual(['a30', 'b1']);
  });

  test('of two noisy groups the one with fewer in flight comes first', () => {
    const { put, ids } = setUp();
    put(...names('a', noisy + 10), ...names('b', noisy));
    for (let taken = 0; taken < 7; taken += 1) ids();
    put('a99', 'b99');
    expect(ids()).toEqual(['b99', 'a99']);
  });

  test('a FIFO queue is not: its groups have an order', () => {
    const { put, ids, queue } = setUp({ isFifo: true });
    put(...names('a', noisy + 1), 'b0');
    for (let taken = 0; taken < 4; taken += 1) ids();
    expect(queue.noisyGroups()).toEqual([]);
  });
});

describe('a receipt handle', () => {
  test('that the queue never gave is invalid', () => {
    const { queue } = setUp();
    for (const handle of ['', 'made-up', 'arn#a#1', 'other#a#0']) {
      expect(queue.remove(handle)).toMatchObject({ code: 'ReceiptHandleIsInvalid' });
      expect(queue.changeVisibility(handle, 0)).toMatchObject({ code: 'ReceiptHandleIsInvalid' });
    }
  });

  test('changes nothing once the message is visible again or deleted', () => {
    const { put, receive, queue, pass } = setUp();
    put('a');
    const [message] = receive();
    const handle = message!.receiptHandle;
    pass(30);
    expect(queue.changeVisibility(handle, 10)).toMatchObject({ code: 'InvalidParameterValue' });
    expect(queue.remove(handle)).toBeUndefined();
    expect(queue.changeVisibility(handle, 10)).toMatchObject({ code: 'InvalidParameterValue' });
    expect(queue.size()).toBe(0);
  });

  test('of an older receive hits the newer one on a standard queue, and nothing on a FIFO queue', () => {
    for (const isFifo of [false, true]) {
      const { put, receive, queue, pass } = setUp({ isFifo });
      put('a');
      const old = receive()[0]!.receiptHandle;
      pass(30);
      expect(receive()).toHaveLength(1);
      expect(queue.changeVisibility(old, 0) === undefined, String(isFifo)).toBe(!isFifo);
      expect(queue.remove(old) === undefined).toBe(!isFifo);
      expect(queue.size()).toBe(isFifo ? 1 : 0);
    }
  });

  test('hides a message for twelve hours from its receive at most', () => {
    const { put, receive, queue, pass } = setUp();
    put('a');
    const { receiptHandle } = receive()[0]!;
    pass(10);
    expect(queue.changeVisibility(receiptHandle, 43_191)).toMatchObject({ code: 'InvalidParameterValue' });
    expect(queue.changeVisibility(receiptHandle, 43_190)).toBeUndefined();
  });
});

describe('a message', () => {
  test('that was received as often as the redrive policy allows goes to the dead-letter queue at the next receive', () => {
    for (const isFifo of [false, true]) {
      const dead = setUp({ isFifo, arn: 'dead' });
      const { put, ids, pass } = setUp({
        isFifo,
        settings: { redrive: { maxReceiveCount: 2, to: (message) => dead.queue.adopt(message, 'arn') } },
      });
      put('a1');
      for (const _ of [1, 2]) {
        expect(ids()).toEqual(['a1']);
        pass(30);
      }
      put('a2');
      dead.pass(90);
      expect(ids()).toEqual(['a2']);
      // A FIFO queue gives a letter a new time of sending (SQS Developer Guide, "dead-letter queue retention").
      expect(dead.receive()[0]).toMatchObject({
        messageId: 'a1',
        receiveCount: 3,
        deadLetterSourceArn: 'arn',
        sentAt: isFifo ? 90_000 : 0,
      });
    }
  });

  test('is forgotten when its retention is over, even in flight', () => {
    const { put, queue, ids, receive, pass } = setUp({ settings: { retentionSeconds: 60, visibilitySeconds: 50 } });
    put('a', 'b');
    receive(1);
    pass(61);
    expect(ids()).toEqual([]);
    expect(queue.size()).toBe(0);
  });

  test('with a delay comes when it is over', () => {
    const { queue, ids, pass } = setUp();
    queue.put({ messageId: 'a', body: 'a', delaySeconds: 20 });
    expect(ids()).toEqual([]);
    expect(queue.nextInMs()).toBe(20_000);
    pass(20);
    expect(ids()).toEqual(['a']);
  });

  test('sent twice under one deduplication id is one message for five minutes', () => {
    const { queue, pass } = setUp({ isFifo: true });
    const put = (messageId: string) =>
      queue.put({ messageId, body: 'a', groupId: 'a', deduplicationId: 'once' }).messageId;
    expect([put('a1'), put('a2')]).toEqual(['a1', 'a1']);
    pass(300);
    expect(put('a3')).toBe('a3');
    expect(queue.size()).toBe(2);
  });
});

test.each([false, true])('no more messages are in flight than SQS allows (FIFO: %s)', (isFifo) => {
  const { put, queue, ids, pass } = setUp({ isFifo, maxInFlight: 3 });
  put('a', 'b', 'c', 'd');
  expect(ids()).toEqual(['a', 'b', 'c']);
  expect([ids(), queue.isFull(), queue.nextInMs()]).toEqual([[], true, 30_000]);
  pass(30);
  expect(ids()).toHaveLength(3);
});
