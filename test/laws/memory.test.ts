/** What an invocation was given is gone when it has answered, but for what little an environment remembers on purpose. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { SQSRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { createStage, record } from '../unit/stage.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const INVOCATIONS = 20;
const RECORDS = 10;

test('no record of an earlier invocation stays in memory', async () => {
  const stage = createStage();
  const records: WeakRef<SQSRecord>[] = [];
  for (let invocation = 0; invocation < INVOCATIONS; invocation += 1) {
    const batch = Array.from({ length: RECORDS }, (_, index) =>
      record(`message-${invocation}-${index}`, invocation * RECORDS + index + 1),
    );
    for (const each of batch) records.push(new WeakRef(each));
    await stage.invoke(batch);
  }
  // Weak references are let go of when the turn that looked at them has ended.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  const alive = records.filter((reference) => reference.deref() !== undefined).length;
  expect(alive).toBeLessThanOrEqual(RECORDS);
});
