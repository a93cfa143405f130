/** What people hear of each outcome: together, in order, and once. */
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../functions/audit/line.ts';
import type { Outcome } from '../../functions/enable-password/batch.ts';
import { readMessages } from '../../functions/enable-password/record.ts';
import { createTelling } from '../../functions/enable-password/tell.ts';
import { createLog } from '../../functions/telemetry/log.ts';
import { createMetrics } from '../../functions/telemetry/metrics.ts';
import { createStage, record, START } from './stage.ts';

const open = () => {
  const lines: string[] = [];
  const tasks: (() => void)[] = [];
  const shared = { service: 'test', write: (line: string) => lines.push(line), now: () => START };
  const log = createLog({ ...shared, level: 'INFO' });
  const metrics = createMetrics({ ...shared, namespace: 'test', units: METRICS });
  const telling = createTelling({ log, metrics, soon: (task) => tasks.push(task) });
  return { telling, tasks, toldIds: () => lines.map((line) => JSON.parse(line)['messageId']) };
};

const outcomeOf = (messageId: string): Outcome => ({
  message: readMessages([record(messageId)], START)[0]!,
  decision: { kind: 'done', result: 'enabled' },
  effort: { attempts: 1, latenciesMs: [20] },
  durationMs: 20,
  at: START,
});

describe('outcomes', () => {
  test('that come together are told together, in order, when it is time', () => {
    const { telling, tasks, toldIds } = open();
    for (const id of ['a', 'b', 'c']) telling.outcome(outcomeOf(id));
    expect(toldIds()).toEqual([]);
    expect(tasks).toHaveLength(1);
    tasks[0]?.();
    expect(toldIds()).toEqual(['a', 'b', 'c']);
  });

  test('that nobody has told yet are told by the flush, and not once more when it is time', () => {
    const { telling, tasks, toldIds } = open();
    telling.outcome(outcomeOf('a'));
    telling.flush();
    expect(toldIds()).toEqual(['a']);
    tasks[0]?.();
    expect(toldIds()).toEqual(['a']);
  });

  test('that come after others were told have a time of their own', () => {
    const { telling, tasks, toldIds } = open();
    telling.outcome(outcomeOf('a'));
    telling.flush();
    telling.outcome(outcomeOf('b'));
    expect(tasks).toHaveLength(2);
    tasks[1]?.();
    expect(toldIds()).toEqual(['a', 'b']);
  });

  test('of an invocation are told before it ends, though it was not time yet', async () => {
    const { invoke, lines } = createStage({ soon: () => undefined });
    await invoke([record('a'), record('b')]);
    const told = lines.filter(({ message }) => message === 'password enable');
    expect(told.map(({ messageId }) => messageId)).toEqual(['a', 'b']);
    expect(lines.at(-1)).toMatchObject({ Enabled: 2 });
  });
});
