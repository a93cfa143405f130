/** The way to Segura: when it closes, who probes, when it opens, and that nobody waits at it for ever. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBreaker, type Entry, type Sign } from '../../functions/enable-password/gate.ts';
import { createDeadline } from '../../functions/enable-password/waits.ts';
import type { Cause } from '../../functions/segura/answers.ts';
import { createClock } from '../virtual-time/clock.ts';
import { finish } from './stage.ts';

type Pass = Extract<Entry, { kind: 'pass' }>;

const open = (random = () => 0) => {
  const clock = createClock(0);
  const breaker = createBreaker();
  const begin = (remainingMs = 120_000) => {
    const gate = breaker.beginInvocation({
      now: clock.now,
      sleep: clock.sleep,
      random,
      deadline: createDeadline(clock.now, remainingMs, 1),
    });
    const enter = (identifier: number) => finish(clock, gate.enter(identifier));
    /** Enters and reports at once. */
    const call = async (identifier: number, sign: Sign, cause: Cause = 'gateway'): Promise<Entry> => {
      const entry = await enter(identifier);
      if (entry.kind === 'pass') entry.report(sign, cause);
      return entry;
    };
    return { gate, enter, call };
  };
  return { clock, begin };
};
const passed = (entry: Entry): Pass => {
  if (entry.kind !== 'pass') throw new Error(`stopped for ${entry.cause}`);
  return entry;
};

/** An invocation that finds Segura plainly down, one call after the other. */
const closeIt = async ({ call }: ReturnType<ReturnType<typeof open>['begin']>, cause: Cause = 'gateway') => {
  for (const identifier of [1, 2, 3, 4, 5]) await call(identifier, 'down', cause);
};

describe('the way is open', () => {
  test('and all pass at once, nobody as a probe', async () => {
    const { begin } = open();
    const { enter } = begin();
    for (let identifier = 1; identifier <= 50; identifier += 1) {
      expect(await enter(identifier)).toMatchObject({ kind: 'pass', isProbe: false });
    }
  });

  test('for all others, however often a single identifier fails, or a second one', async () => {
    const { begin } = open();
    const { call } = begin();
    for (let turn = 0; turn < 50; turn += 1) await call(1 + (turn % 2), 'down');
    expect(await call(3, 'unknown')).toMatchObject({ kind: 'pass', isProbe: false });
  });

  test('as long as a success lies between the failures', async () => {
    const { begin } = open();
    const { call } = begin();
    for (let identifier = 0; identifier < 100; identifier += 1) {
      expect(await call(identifier, identifier % 4 === 0 ? 'up' : 'down')).toMatchObject({ isProbe: false });
    }
  });

  test('whatever answers come that say nothing of Segura', async () => {
    const { begin } = open();
    const { call } = begin();
    for (let identifier = 0; identifier < 100; identifier += 1) {
      expect(await call(identifier, 'unknown')).toMatchObject({ kind: 'pass', isProbe: false });
    }
  });
});

describe('the way closes', () => {
  test('after five failures in a row of at least three identifiers; then one probes while the others wait', async () => {
    const { begin, clock } = open();
    const invocation = begin();
    await closeIt(invocation);
    const probe = passed(await invocation.enter(6));
    expect(probe.isProbe).toBe(true);
    let hasEntered = false;
    const waiting = invocation.gate.enter(7).then((entry) => {
      hasEntered = true;
      return entry;
    });
    await finish(clock, clock.sleep(10_000));
    expect(hasEntered).toBe(false);
    probe.report('up', 'gateway');
    expect(await finish(clock, waiting)).toMatchObject({ kind: 'pass', isProbe: false });
  });

  test('after failures of single messages too, one an invocation: the next one probes once', async () => {
    const { begin } = open();
    for (const identifier of [1, 2, 3, 4, 5]) await begin().call(identifier, 'down');
    const next = begin();
    expect(await next.call(6, 'down')).toMatchObject({ kind: 'pass', isProbe: true });
    expect(await next.enter(6)).toEqual({ kind: 'stop', cause: 'gateway' });
  });

  test('and probes with waits that grow, four times, before it gives up the invocation', async () => {
    const { begin, clock } = open();
    const invocation = begin();
    await closeIt(invocation);
    const at: number[] = [];
    for (let probe = 0; probe < 4; probe += 1) {
      expect(await invocation.call(10 + probe, 'down')).toMatchObject({ kind: 'pass', isProbe: true });
      at.push(clock.now());
    }
    expect(at).toEqual([200, 600, 1400, 3000]);
    expect(await invocation.enter(20)).toEqual({ kind: 'stop', cause: 'gateway' });
    expect(await invocation.enter(21)).toEqual({ kind: 'stop', cause: 'gateway' });
  });

  test('without any probe where the token is refused: it stays refused', async () => {
    const { begin } = open();
    const invocation = begin();
    await closeIt(invocation, 'credentials');
    expect(await invocation.enter(9)).toEqual({ kind: 'stop', cause: 'credentials' });
  });

  test('again after it had opened, with as many probes', async () => {
    const { begin } = open();
    const invocation = begin();
    await closeIt(invocation);
    await invocation.call(10, 'up');
    await closeIt(invocation);
    for (let probe = 0; probe < 4; probe += 1) {
      expect(await invocation.call(10 + probe, 'down')).toMatchObject({ isProbe: true });
    }
    expect((await invocation.enter(20)).kind).toBe('stop');
  });
});

describe('a probe', () => {
  test('that says nothing of Segura lets another one probe', async () => {
    const { begin } = open();
    const invocation = begin();
    await closeIt(invocation);
    for (let turn = 0; turn < 6; turn += 1) {
      expect(await invocation.call(10 + turn, 'unknown')).toMatchObject({ kind: 'pass', isProbe: true });
    }
  });

  test('that made no call gives its place to another', async () => {
    const { begin } = open();
    const invocation = begin();
    await closeIt(invocation);
    passed(await invocation.enter(10)).release();
    expect(await invocation.enter(11)).toMatchObject({ kind: 'pass', isProbe: true });
  });

  test('for which there is no time ends the calls of the invocation', async () => {
    const { begin, clock } = open();
    const invocation = begin(2000);
    await closeIt(invocation);
    await finish(clock, clock.sleep(900));
    expect(await invocation.enter(10)).toEqual({ kind: 'stop', cause: 'gateway' });
  });
});

describe('the next invocation', () => {
  const afterAnOutage = async () => {
    const opened = open();
    const first = opened.begin();
    await closeIt(first);
    return opened;
  };

  test('probes once, at once; Segura is down still: no other call', async () => {
    const { begin, clock } = await afterAnOutage();
    const { call, enter } = begin();
    const before = clock.now();
    expect(await call(1, 'down')).toMatchObject({ kind: 'pass', isProbe: true });
    expect(clock.now()).toBe(before);
    expect(await enter(2)).toEqual({ kind: 'stop', cause: 'gateway' });
    expect(await enter(1)).toEqual({ kind: 'stop', cause: 'gateway' });
  });

  test('probes once, and opens for all when Segura is back', async () => {
    const { begin } = await afterAnOutage();
    const { call } = begin();
    expect(await call(1, 'up')).toMatchObject({ isProbe: true });
    for (const identifier of [2, 3, 4]) expect(await call(identifier, 'up')).toMatchObject({ isProbe: false });
    expect(await begin().enter(5)).toMatchObject({ isProbe: false });
  });

  test('of another environment knows nothing of it', async () => {
    await afterAnOutage();
    expect(await open().begin().enter(1)).toMatchObject({ isProbe: false });
  });

  test('probes after one that had no token', async () => {
    const { begin } = open();
    const first = begin();
    first.gate.stop('credentials');
    expect(await first.enter(1)).toEqual({ kind: 'stop', cause: 'credentials' });
    expect(await begin().enter(1)).toMatchObject({ kind: 'pass', isProbe: true });
  });
});

describe('a pause that the gateway asked for', () => {
  test('is kept by all', async () => {
    const { begin, clock } = open();
    const { gate, enter } = begin();
    gate.pause(5);
    gate.pause(2);
    expect(await enter(1)).toMatchObject({ kind: 'pass' });
    expect(clock.now()).toBe(5000);
  });

  test('that leaves no time ends the calls of a closed way, with the wait that was asked for', async () => {
    const { begin } = open();
    const invocation = begin();
    await closeIt(invocation, 'rate-limited');
    invocation.gate.pause(600);
    expect(await invocation.enter(9)).toEqual({ kind: 'stop', cause: 'rate-limited', retryAfterSeconds: 600 });
  });

  test('without end does not keep anyone waiting', async () => {
    const { begin } = open();
    const { gate, enter } = begin();
    gate.pause(Number.POSITIVE_INFINITY);
    await enter(1);
  });
});

test('stop ends also the wait of those who wait for a probe', async () => {
  const { begin, clock } = open();
  const invocation = begin();
  await closeIt(invocation);
  await invocation.enter(6);
  const waiting = Promise.all([invocation.gate.enter(7), invocation.gate.enter(8)]);
  invocation.gate.stop('tls');
  expect((await finish(clock, waiting)).map(({ kind }) => kind)).toEqual(['stop', 'stop']);
});

test('whatever the calls say, nobody waits for ever, and never two probe at once', async () => {
  const step = fc.record({
    identifier: fc.integer({ min: 1, max: 6 }),
    ends: fc.constantFrom<Sign | 'release' | 'stop' | 'pause'>('up', 'down', 'unknown', 'release', 'stop', 'pause'),
    cause: fc.constantFrom<Cause>('gateway', 'credentials', 'rate-limited', 'tls'),
    tookMs: fc.integer({ min: 0, max: 3000 }),
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
          const one = async ({ identifier, ends, cause, tookMs }: (typeof steps)[number]) => {
            const entry = await gate.enter(identifier);
            if (entry.kind === 'stop') return;
            if (entry.isProbe) probing += 1;
            expect(probing, 'two probes at once').toBeLessThanOrEqual(1);
            await clock.sleep(tookMs);
            if (entry.isProbe) probing -= 1;
            if (ends === 'pause') gate.pause(tookMs / 100);
            if (ends === 'up' || ends === 'down' || ends === 'unknown') entry.report(ends, cause);
            else entry.release();
            if (ends === 'stop') gate.stop(cause);
          };
          await finish(clock, Promise.all(steps.map(one)));
        }
      },
    ),
    { numRuns: 500 },
  );
});
