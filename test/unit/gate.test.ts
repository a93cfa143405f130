/** The way to Segura, closed and opened by what the calls of one execution environment meet. */
import { expect, test } from 'vitest';
import { createBreaker, type Entry, type Gate } from '../../functions/enable-password/gate.ts';
import { createDeadline } from '../../functions/enable-password/waits.ts';

const time = { now: () => 0, random: () => 0, sleep: () => Promise.resolve() };

/** An invocation of one message after the other in one execution environment. */
const createEnvironment = () => {
  const breaker = createBreaker();
  return (): Gate => breaker.beginInvocation({ ...time, deadline: createDeadline(time.now, 120_000, 1) });
};

const enter = async (gate: Gate, identifier: number): Promise<Extract<Entry, { kind: 'pass' }>> => {
  const entry = await gate.enter(identifier);
  if (entry.kind !== 'pass') throw new Error(`the way is closed for ${entry.cause}`);
  return entry;
};

test('failures of single messages close the way as those of a batch do: the next invocation probes once', async () => {
  const begin = createEnvironment();
  for (const identifier of [1, 2, 3]) {
    const gate = begin();
    for (const _ of ['first', 'second']) (await enter(gate, identifier)).report('down', 'gateway');
  }
  const gate = begin();
  const probe = await enter(gate, 4);
  expect(probe.isProbe).toBe(true);
  probe.report('down', 'gateway');
  expect(await gate.enter(4)).toEqual({ kind: 'stop', cause: 'gateway' });
});

test('a single failing identifier never closes the way, however often it comes back', async () => {
  const begin = createEnvironment();
  for (let receive = 1; receive <= 20; receive += 1) (await enter(begin(), 1)).report('down', 'gateway');
  expect((await enter(begin(), 2)).isProbe).toBe(false);
});

test('one answer of Segura in between begins the row anew', async () => {
  const begin = createEnvironment();
  for (const identifier of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const gate = begin();
    (await enter(gate, identifier)).report('down', 'gateway');
    if (identifier % 4 === 0) (await enter(gate, 9)).report('up', 'gateway');
  }
  expect((await enter(begin(), 10)).isProbe).toBe(false);
});
