/** One invocation at the breaker: who passes, who probes and when, who is stopped, and that nobody waits forever. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBreaker, type Sign } from '../../functions/enable-password/breaker.ts';
import { createGate, type Entry } from '../../functions/enable-password/gate.ts';
import { createDeadline } from '../../functions/enable-password/waits.ts';
import type { Cause } from '../../functions/segura/answers.ts';
import { runs } from '../depth.ts';
import { createClock } from '../virtual-time/clock.ts';
import { finish } from './stage.ts';

const open = (random = () => 0) => {
  const clock = createClock(0);
  const breaker = createBreaker();
  let closings = 0;
  const begin = (remainingMs = 120_000) => {
    const gate = createGate({
      breaker,
      now: clock.now,
      sleep: clock.sleep,
      random,
      deadline: createDeadline(clock.now, remainingMs, 1),
      onBack: () => {
        closings += 1;
      },
    });
    const enter = (identifier: number): Promise<Entry> => finish(clock, Promise.resolve(gate.enter(identifier)));
    /** Enters and reports at once. */
    const call = async (identifier: number, sign: Sign, cause: Cause = 'gateway', retryAfterSeconds?: number) => {
      const entry = await enter(identifier);
      if (entry.kind === 'pass') gate.report(entry, { identifier, sign, cause, retryAfterSeconds });
      return entry;
    };
    return { gate, enter, call };
  };
  return { clock, begin, closings: () => closings, pass: (ms: number) => finish(clock, clock.sleep(ms)) };
};
type Begun = ReturnType<ReturnType<typeof open>['begin']>;

const PASS: Entry = { kind: 'pass', isProbe: false };
const PROBE: Entry = { kind: 'pass', isProbe: true };
const stop = (cause: Cause): Entry => ({ kind: 'stop', cause });

/** An invocation that finds Segura plainly down, one call after the other. */
const openIt = async ({ call }: Begun, cause: Cause = 'gateway') => {
  for (const identifier of [1, 2, 3, 4, 5]) await call(identifier, 'down', cause);
};
/** An outage that is two minutes old: nobody waits in an invocation for its end any more. */
const oldOutage = async () => {
  const opened = open();
  await openIt(opened.begin());
  await opened.pass(120_000);
  await opened.begin().call(6, 'down');
  return opened;
};

describe('while calls flow', () => {
  test('all pass at once, nobody as a probe', () => {
    const { gate } = open().begin();
    for (let identifier = 1; identifier <= 50; identifier += 1) expect(gate.enter(identifier)).toEqual(PASS);
  });

  test('answers that say nothing of Segura stop nobody', async () => {
    const { call } = open().begin();
    for (let identifier = 0; identifier < 100; identifier += 1) expect(await call(identifier, 'unknown')).toEqual(PASS);
  });
});

describe('while Segura is plainly down', () => {
  test('the invocation that finds out waits for one probe, and the others for what it finds', async () => {
    const { begin, clock, closings } = open();
    const invocation = begin();
    await openIt(invocation);
    expect(await invocation.enter(6)).toEqual(PROBE);
    expect(clock.now()).toBe(10_000);
    let hasEntered = false;
    const waiting = Promise.resolve(invocation.gate.enter(7)).finally(() => {
      hasEntered = true;
    });
    await finish(clock, clock.sleep(20_000));
    expect(hasEntered).toBe(false);
    invocation.gate.report(PROBE, { identifier: 6, sign: 'up', cause: 'gateway' });
    expect(await finish(clock, waiting)).toEqual(PASS);
    expect(closings()).toBe(1);
  });

  test('a probe that fails stops the rest of the invocation', async () => {
    const { begin, clock } = open();
    const invocation = begin();
    await openIt(invocation);
    expect(await invocation.call(6, 'down')).toEqual(PROBE);
    const at = clock.now();
    for (const identifier of [7, 1]) expect(await invocation.enter(identifier)).toEqual(stop('gateway'));
    expect(clock.now()).toBe(at);
  });

  test('failures of single messages count too, one an invocation', async () => {
    const { begin } = open();
    for (const identifier of [1, 2, 3, 4, 5]) await begin().call(identifier, 'down');
    expect(await begin().call(6, 'down')).toEqual(PROBE);
  });

  test('an environment makes at most one call in ten seconds, however many invocations it has', async () => {
    const { begin, clock } = open();
    await openIt(begin());
    const calls: number[] = [];
    for (let turn = 0; turn < 60; turn += 1) {
      const { call } = begin();
      for (const identifier of [10, 11, 12]) {
        if ((await call(identifier + turn * 3, 'down')).kind === 'pass') calls.push(clock.now());
      }
      await finish(clock, clock.sleep(1700));
    }
    const gaps = calls.slice(1).map((at, index) => at - calls[index]!);
    expect(calls.length).toBeGreaterThan(8);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10_000);
  });

  test('an old outage keeps nobody waiting: stopped at once, or a probe at once', async () => {
    const { begin, clock, pass } = await oldOutage();
    const before = clock.now();
    expect(await begin().enter(7)).toEqual(stop('gateway'));
    expect(clock.now()).toBe(before);
    await pass(10_000);
    expect(await begin().enter(7)).toEqual(PROBE);
    expect(clock.now()).toBe(before + 10_000);
  });

  test('what people must fix keeps nobody waiting either', async () => {
    const { begin, clock } = open();
    const invocation = begin();
    await openIt(invocation, 'credentials');
    expect(await invocation.enter(9)).toEqual(stop('credentials'));
    expect(clock.now()).toBe(0);
  });

  test('with less time than the next probe takes, it ends at once', async () => {
    const { begin, clock } = open();
    const invocation = begin(8000);
    await openIt(invocation);
    expect(await invocation.enter(10)).toEqual(stop('gateway'));
    expect(clock.now()).toBe(0);
  });

  test('another environment knows nothing of it', async () => {
    await openIt(open().begin());
    expect(open().begin().gate.enter(1)).toEqual(PASS);
  });
});

describe('a probe', () => {
  test('is of an identifier that has not failed, where one waits', async () => {
    const { begin, clock, pass } = await oldOutage();
    await pass(60_000);
    const { gate } = begin();
    const entries = [1, 2, 77, 3].map((identifier) => Promise.resolve(gate.enter(identifier)));
    expect(await finish(clock, entries[2]!)).toEqual(PROBE);
    gate.report(PROBE, { identifier: 77, sign: 'down', cause: 'gateway' });
    expect(await finish(clock, Promise.all([entries[0], entries[1], entries[3]]))).toEqual(
      Array(3).fill(stop('gateway')),
    );
  });

  test('of another identifier is worth waiting for while only a few have failed', async () => {
    const { begin, clock, pass } = open();
    for (const identifier of [1, 2, 3, 1, 2]) await begin().call(identifier, 'down');
    await pass(600_000);
    await begin().call(1, 'down');
    const before = clock.now();
    expect(await begin().call(4, 'up')).toEqual(PROBE);
    expect(clock.now() - before).toBe(10_000);
  });

  test('that found out nothing is followed by one more at once, and then by none for ten seconds', async () => {
    const { begin, clock, pass } = await oldOutage();
    await pass(60_000);
    const { call } = begin();
    const before = clock.now();
    expect(await call(10, 'unknown')).toEqual(PROBE);
    expect(await call(10, 'unknown')).toEqual(PROBE);
    expect(await call(11, 'unknown')).toEqual(stop('gateway'));
    expect(clock.now()).toBe(before);
  });

  test('is worth waiting for with several that came at once: another environment may have called them back', async () => {
    const { begin, clock, pass } = await oldOutage();
    /** One invocation with so many; how long it waited. */
    const invoke = async (...identifiers: readonly number[]) => {
      const { gate } = begin();
      const startedAt = clock.now();
      const enter = async (identifier: number) => {
        const entry = await gate.enter(identifier);
        if (entry.kind === 'pass') gate.report(entry, { identifier, sign: 'down', cause: 'gateway' });
      };
      await finish(clock, Promise.all(identifiers.map(enter)));
      return clock.now() - startedAt;
    };
    await pass(1000);
    expect(await invoke(21)).toBe(0);
    expect(await invoke(22, 23)).toBe(9000);
    await pass(1000);
    expect(await invoke(24, 25, 26)).toBe(0);
    expect(await invoke(27, 28, 29, 30)).toBe(9000);
    await pass(49_000);
    await begin().call(31, 'down');
    await pass(1000);
    expect(await invoke(32, 33)).toBe(0);
    await pass(8000);
    expect(await invoke(34, 35)).toBe(1000);
  });

  test('that made no call gives its turn to another', async () => {
    const { begin, pass } = await oldOutage();
    await pass(60_000);
    const { gate, enter } = begin();
    gate.release(await enter(10));
    expect(await enter(11)).toEqual(PROBE);
  });
});

describe('a pause that was asked for', () => {
  test('is kept by all, of this invocation and of the next', async () => {
    const { begin, clock } = open();
    const first = begin();
    await first.call(1, 'down', 'rate-limited', 5);
    await first.call(2, 'unknown', 'unexpected-answer', 2);
    expect(clock.now()).toBe(5000);
    await first.call(3, 'down', 'gateway', 7);
    expect(await begin().enter(4)).toEqual(PASS);
    expect(clock.now()).toBe(14_000);
  });

  test('that leaves no time ends the calls, with the wait that was asked for', async () => {
    const { begin, pass } = open();
    await begin().call(1, 'down', 'rate-limited', 600);
    await pass(100_000);
    expect(await begin().enter(9)).toEqual({ kind: 'stop', cause: 'rate-limited', retryAfterSeconds: 500 });
  });

  test('is not kept in the same millisecond by all', async () => {
    let drawn = 0;
    const { begin, clock } = open(() => {
      drawn += 0.3;
      return drawn;
    });
    const { call, gate } = begin();
    await call(1, 'down', 'gateway', 10);
    const at: number[] = [];
    const entered = [2, 3, 4].map((identifier) =>
      Promise.resolve(gate.enter(identifier)).then(() => at.push(clock.now())),
    );
    await finish(clock, Promise.all(entered));
    expect(new Set(at).size).toBe(3);
    expect(Math.min(...at)).toBeGreaterThanOrEqual(10_000);
  });

  test('without end does not keep anyone waiting', async () => {
    const { begin } = open();
    const { call, enter } = begin();
    await call(1, 'down', 'rate-limited', Number.POSITIVE_INFINITY);
    expect((await enter(2)).kind).toBe('stop');
  });

  test('with a success is none', async () => {
    const { call, gate } = open().begin();
    await call(1, 'up', 'gateway', 600);
    expect(gate.enter(2)).toEqual(PASS);
  });
});

describe('without a token', () => {
  test('the calls of the invocation end, those of the next do not', async () => {
    const { begin } = open();
    const { gate, enter } = begin();
    gate.stop(await enter(1), { identifier: 1, cause: 'credentials' });
    expect(await enter(2)).toEqual(stop('credentials'));
    expect(await begin().enter(3)).toEqual(PASS);
  });

  test('those who wait for a probe stop too', async () => {
    const { begin, clock } = open();
    const invocation = begin();
    await openIt(invocation);
    const probe = await invocation.enter(6);
    const waiting = Promise.all([7, 8].map((identifier) => invocation.gate.enter(identifier)));
    invocation.gate.stop(probe, { identifier: 6, cause: 'tls' });
    expect((await finish(clock, waiting)).map(({ kind }) => kind)).toEqual(['stop', 'stop']);
  });

  test('for want of a pause, the pause holds for the next invocation', async () => {
    const { begin } = open();
    const { gate, enter } = begin();
    gate.stop(await enter(1), { identifier: 1, cause: 'rate-limited', retryAfterSeconds: 600 });
    expect(await begin().enter(3)).toEqual({ kind: 'stop', cause: 'rate-limited', retryAfterSeconds: 600 });
  });
});

test('another secret is tried at once, also by those who wait', async () => {
  const { begin, clock } = open();
  const invocation = begin();
  await openIt(invocation);
  const waiting = Promise.resolve(invocation.gate.enter(6));
  await finish(clock, clock.sleep(1000));
  invocation.gate.secretChanged();
  expect(await finish(clock, waiting)).toEqual(PROBE);
  expect(clock.now()).toBe(1000);
});

test('whatever the calls say, nobody waits forever, and never two probe at once', async () => {
  const step = fc.record({
    identifier: fc.integer({ min: 1, max: 6 }),
    ends: fc.constantFrom<Sign | 'release' | 'stop' | 'secret'>('up', 'down', 'unknown', 'release', 'stop', 'secret'),
    cause: fc.constantFrom<Cause>('gateway', 'credentials', 'rate-limited', 'tls'),
    tookMs: fc.integer({ min: 0, max: 3000 }),
    retryAfterSeconds: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 25 }), { minLength: 1, maxLength: 4 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      async (invocations, drawn) => {
        const { begin, clock } = open(() => drawn);
        for (const steps of invocations) {
          const { gate } = begin(20_000);
          let probing = 0;
          const one = async ({ identifier, ends, cause, tookMs, retryAfterSeconds }: (typeof steps)[number]) => {
            const entry = await gate.enter(identifier);
            if (entry.kind === 'stop') return;
            if (entry.isProbe) probing += 1;
            expect(probing, 'two probes at once').toBeLessThanOrEqual(1);
            await clock.sleep(tookMs);
            if (entry.isProbe) probing -= 1;
            if (ends === 'release') gate.release(entry);
            else if (ends === 'stop') gate.stop(entry, { identifier, cause, retryAfterSeconds });
            else gate.report(entry, { identifier, sign: ends === 'secret' ? 'down' : ends, cause, retryAfterSeconds });
            if (ends === 'secret') gate.secretChanged();
          };
          await finish(clock, Promise.all(steps.map(one)));
        }
      },
    ),
    { numRuns: runs(500) },
  );
});
