/** The contract's *Recovery*, in virtual time: outages of each length, both queues, and more than a queue likes to hold. */
import { expect, test } from 'vitest';
import { drawn } from '../depth.ts';
import { type OutageOptions, runOutage } from '../simulation/outage.ts';

const MINUTE = 60;
const HOUR = 3600;
/** The same each time. */
const seed = 1;

interface Case extends Partial<OutageOptions> {
  readonly seconds: number;
  readonly backlog: number;
}

const outage = ({ isFifo = false, ...options }: Case) => runOutage({ seed, isFifo, ...options });
const again = ({ seconds, backlog, isFifo = false, seed: its = seed }: Case): string =>
  `npm run simulate -- --seed ${its} --outage ${seconds}s --backlog ${backlog}${isFifo ? ' --fifo' : ''}`;

/** Either queue: in CI both, by hand the one that is drawn. */
const both = (seconds: number, ...backlogs: readonly number[]): Case[] =>
  backlogs.flatMap((backlog) => drawn([false, true]).map((isFifo) => ({ seconds, backlog, isFifo })));

test.each<Case>([
  ...both(10, 20),
  ...both(MINUTE, 1, 100),
  ...both(10 * MINUTE, 1, 100),
  ...both(3 * HOUR, 1, 100),
  ...both(24 * HOUR, 1),
  { seconds: 24 * HOUR, backlog: 10 },
  { seconds: 24 * HOUR, backlog: 100, isFifo: true },
])('after $seconds s without Segura, $backlog waiting (FIFO: $isFifo): all are back in time', async (options) => {
  const { violations, enabled } = await outage(options);
  expect(violations.join('\n'), again(options)).toBe('');
  expect(enabled).toBe(options.backlog);
});

/** Of other luck than the first; few of them by `npm test`, all of them in CI. */
const OTHERS = [2, 3, 4, 5].flatMap((pollers) =>
  [MINUTE, 10 * MINUTE].flatMap((seconds) =>
    both(seconds, 1, 100).map((each) => ({ ...each, seed: pollers + seconds, maximumConcurrency: pollers })),
  ),
);

test.each<Case>(drawn(OTHERS, 4))(
  'and with other luck: $seconds s, $backlog waiting (FIFO: $isFifo), $maximumConcurrency environments, seed $seed',
  async (options) => {
    const { violations } = await outage(options);
    expect(violations.join('\n'), again(options)).toBe('');
  },
);

test.each<readonly [string, Case]>([
  [
    'nothing of a group is given while any of it is in flight',
    { seconds: 600, backlog: 100, isFifo: true, groupLock: 'any-in-flight' },
  ],
  ['requests come in over the whole outage', { seconds: 3 * HOUR, backlog: 50, isSpread: true }],
  ['the token endpoint is down too', { seconds: 600, backlog: 100, tokensFail: true }],
])('the promise holds where %s', async (_, options) => {
  const { violations } = await outage(options);
  expect(violations.join('\n'), again(options)).toBe('');
});

test.each<readonly [string, Case]>([
  ['there are more than the queue lets be in flight', { seconds: 600, backlog: 300, maxInFlight: 100 }],
  ['Segura hangs instead of answering', { seconds: 600, backlog: 20, faults: ['hang'] }],
  ['Segura can work on two calls at once', { seconds: 600, backlog: 300, capacity: 2 }],
  // Fifty pollers hold five hundred at once.
  ['eight hundred wait, with fifty pollers', { seconds: 600, backlog: 800, maximumConcurrency: 50 }],
])('nothing is lost or given up where %s', async (_, options) => {
  const { violations, enabled } = await outage(options);
  expect(violations.join('\n'), again(options)).toBe('');
  expect(enabled).toBe(options.backlog);
});

test('four days without Segura take fewer than a thousand receives', async () => {
  const { mostReceives, exhausted, violations } = await outage({ seconds: 95 * HOUR, backlog: 2 });
  expect(violations.join('\n'), `seed ${seed}`).toBe('');
  expect({ exhausted, mostReceives }).toEqual({ exhausted: 0, mostReceives: expect.any(Number) });
  expect(mostReceives).toBeLessThan(1000);
});
