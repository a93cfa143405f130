/** Requests that only the dead-letter queues know: each once in the report. */
import { describe, expect, test } from 'vitest';
import { createLettersOnly } from '../../functions/cli/report/letters-only.ts';
import { type DeadLetterQueue, readLetter } from '../../functions/dead-letters/letter.ts';

const DAY = { from: new Date('2026-10-01T00:00:00Z'), to: new Date('2026-10-02T00:00:00Z') };
const REJECTED = { OriginalMessageId: 'a', ErrorCode: '1006', ErrorMessage: '1006: no access' };

const letterOf = (queue: DeadLetterQueue, body: string, attributes: Readonly<Record<string, string>>) =>
  readLetter(
    {
      MessageId: queue,
      Body: body,
      MessageAttributes: Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
      ),
      Attributes: { SentTimestamp: String(Date.parse('2026-10-01T12:00:00Z')) },
    },
    queue,
  );

/** What the report tells of these, in the order in which they are read. */
const fatesOf = (...queues: readonly DeadLetterQueue[]) => {
  const only = createLettersOnly({ get: () => undefined }, DAY, 'the doctor');
  for (const queue of queues) only.add(queue, letterOf(queue, '10', queue === 'rejected' ? REJECTED : {}), 'a');
  return [...only.rows()].map(({ fate, errorCode }) => [fate, errorCode]);
};

describe('a request that no line tells of', () => {
  test('is told once, however many letters it has', () => {
    expect(fatesOf('rejected', 'rejected')).toEqual([['rejected', '1006']]);
  });

  test('is exhausted where it is in both queues, in whatever order they are read', () => {
    expect(fatesOf('rejected', 'exhausted')).toEqual([['exhausted', undefined]]);
    expect(fatesOf('exhausted', 'rejected')).toEqual([['exhausted', undefined]]);
  });

  test('is left out where a line told of it, or the doctor sent it', () => {
    const told = createLettersOnly({ get: () => ({}) as never }, DAY, 'the doctor');
    told.add('rejected', letterOf('rejected', '10', REJECTED), 'a');
    const doctor = createLettersOnly({ get: () => undefined }, DAY, 'the doctor');
    doctor.add('rejected', letterOf('rejected', '{"identifier":10,"source":"the doctor"}', REJECTED), 'a');
    expect([...told.rows(), ...doctor.rows()]).toEqual([]);
  });
});
