/** Embedded metric format, held to the limits of CloudWatch's specification. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { METRICS, type MetricName } from '../../functions/audit/line.ts';
import { createMetrics } from '../../functions/telemetry/metrics.ts';

const NOW = Date.UTC(2026, 0, 1);

interface Document {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [field: string]: unknown;
}

const open = () => {
  const lines: string[] = [];
  const metrics = createMetrics<MetricName>({
    namespace: 'mysafe-enable',
    service: 'mysafe',
    units: METRICS,
    write: (text) => lines.push(...text.trimEnd().split('\n')),
    now: () => NOW,
  });
  const documents = () => lines.map((line) => JSON.parse(line) as Document);
  return { metrics, documents };
};

/** What CloudWatch would refuse, or silently drop. Specification: CloudWatch User Guide, "Embedded metric format". */
const check = (document: Document): void => {
  expect(JSON.stringify(document).length).toBeLessThan(1_048_576);
  expect(Number.isInteger(document._aws.Timestamp)).toBe(true);
  for (const { Namespace, Dimensions, Metrics } of document._aws.CloudWatchMetrics) {
    expect(Namespace).toMatch(/^[^:].{0,254}$/);
    expect(Metrics.length).toBeLessThanOrEqual(100);
    for (const names of Dimensions) {
      expect(names.length).toBeLessThanOrEqual(30);
      for (const name of names) {
        expect(typeof document[name]).toBe('string');
        expect(String(document[name]).length).toBeLessThanOrEqual(1024);
        expect(document[name]).not.toBe('');
      }
    }
    for (const { Name, Unit } of Metrics) {
      expect(['Count', 'Seconds', 'Milliseconds']).toContain(Unit);
      const values = [document[Name]].flat();
      expect(values.length).toBeGreaterThan(0);
      expect(values.length).toBeLessThanOrEqual(100);
      for (const value of values) expect(Number.isFinite(value)).toBe(true);
    }
  }
};

test('a quiet invocation writes nothing', () => {
  const { metrics, documents } = open();
  metrics.flush();
  expect(documents()).toEqual([]);
});

test('an ordinary invocation is one document', () => {
  const { metrics, documents } = open();
  metrics.count('Enabled');
  metrics.count('Enabled');
  metrics.count('TokenRequests', 3);
  metrics.observe('SeguraLatency', 120);
  metrics.observe('SeguraLatency', 80);
  metrics.flush();
  expect(documents()).toEqual([
    {
      _aws: {
        Timestamp: NOW,
        CloudWatchMetrics: [
          {
            Namespace: 'mysafe-enable',
            Dimensions: [['service']],
            Metrics: [
              { Name: 'Enabled', Unit: 'Count' },
              { Name: 'TokenRequests', Unit: 'Count' },
              { Name: 'SeguraLatency', Unit: 'Milliseconds' },
            ],
          },
        ],
      },
      service: 'mysafe',
      Enabled: 2,
      TokenRequests: 3,
      SeguraLatency: [120, 80],
    },
  ]);
});

test('each value of a dimension is a document of its own, which also counts towards the whole', () => {
  const { metrics, documents } = open();
  metrics.count('Rejected', 1, { ErrorCode: '1005' });
  metrics.count('Rejected', 1, { ErrorCode: '1006' });
  metrics.count('Rejected', 1, { ErrorCode: '1005' });
  metrics.flush();
  expect(
    documents().map(({ _aws, ErrorCode, Rejected }) => [_aws.CloudWatchMetrics[0]?.Dimensions, ErrorCode, Rejected]),
  ).toEqual([
    [[['service'], ['service', 'ErrorCode']], '1005', 2],
    [[['service'], ['service', 'ErrorCode']], '1006', 1],
  ]);
});

test('what is written is not written again', () => {
  const { metrics, documents } = open();
  metrics.count('Enabled');
  metrics.observe('RequestAge', 1);
  metrics.flush();
  metrics.flush();
  expect(documents()).toHaveLength(1);
  metrics.count('Enabled');
  metrics.flush();
  expect(documents()[1]?.['Enabled']).toBe(1);
  expect(documents()[1]).not.toHaveProperty('RequestAge');
});

describe('whatever an invocation has to tell', () => {
  const names = fc.constantFrom(...(Object.keys(METRICS) as MetricName[]));
  const told = fc.oneof(
    fc.record({
      kind: fc.constant('count' as const),
      name: names,
      value: fc.nat(50),
      code: fc.constantFrom(undefined, 'a', 'b'),
    }),
    fc.record({ kind: fc.constant('observe' as const), name: names, value: fc.nat(900_000), times: fc.nat(350) }),
  );

  test('stays within CloudWatch’s limits, and every sum and every observation comes out', () => {
    fc.assert(
      fc.property(fc.array(told, { maxLength: 30 }), (events) => {
        // A metric is either counted or observed, as in line.ts.
        const kindOf = new Map<string, string>();
        const consistent = events.filter(({ kind, name }) => {
          if (!kindOf.has(name)) kindOf.set(name, kind);
          return kindOf.get(name) === kind;
        });
        const { metrics, documents } = open();
        const sums: Record<string, number> = {};
        const counts: Record<string, number> = {};
        for (const event of consistent) {
          if (event.kind === 'count') {
            metrics.count(event.name, event.value, event.code === undefined ? {} : { cause: event.code });
            sums[event.name] = (sums[event.name] ?? 0) + event.value;
          } else {
            for (let time = 0; time < event.times; time += 1) metrics.observe(event.name, event.value);
            if (event.times > 0) counts[event.name] = (counts[event.name] ?? 0) + event.times;
          }
        }
        metrics.flush();
        const foundSums: Record<string, number> = {};
        const foundCounts: Record<string, number> = {};
        for (const document of documents()) {
          check(document);
          for (const { Name } of document._aws.CloudWatchMetrics[0]?.Metrics ?? []) {
            const value = document[Name];
            if (Array.isArray(value)) foundCounts[Name] = (foundCounts[Name] ?? 0) + value.length;
            else foundSums[Name] = (foundSums[Name] ?? 0) + Number(value);
          }
        }
        expect(foundSums).toEqual(sums);
        expect(foundCounts).toEqual(counts);
      }),
    );
  });
});
