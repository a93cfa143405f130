/**
 * Metrics in CloudWatch's embedded metric format: log lines that cost no call. One document per set of dimension values.
 * Source: CloudWatch User Guide, "Embedded metric format specification".
 */

export type Unit = 'Count' | 'Seconds' | 'Milliseconds';

/** Values of dimensions beside `service`; few and short, for each combination is billed as a metric. */
export type Dimensions = Readonly<Record<string, string>>;

export interface Metrics<Name extends string> {
  /** Adds to a sum. */
  readonly count: (name: Name, value?: number, dimensions?: Dimensions) => void;
  /** Adds one observation to a distribution. */
  readonly observe: (name: Name, value: number) => void;
  /** Writes what has come together since the last time. */
  readonly flush: () => void;
}

export interface MetricsParts<Name extends string> {
  readonly namespace: string;
  readonly service: string;
  readonly units: Readonly<Record<Name, Unit>>;
  readonly write: (lines: string) => void;
  readonly now: () => number;
}

/** The specification's limit for one metric in one document. */
const MAX_VALUES = 100;

export const createMetrics = <Name extends string>(parts: MetricsParts<Name>): Metrics<Name> => {
  const { namespace, service, units, write, now } = parts;
  let sums = new Map<string, { readonly dimensions: Dimensions; readonly values: Map<Name, number> }>();
  let observations = new Map<Name, number[]>();

  const document = (dimensions: Dimensions, values: ReadonlyMap<Name, number | readonly number[]>): void => {
    const names = Object.keys(dimensions);
    const directive = {
      Namespace: namespace,
      // Also without the detail, so that an alarm on the whole needs no arithmetic.
      Dimensions: names.length > 0 ? [['service'], ['service', ...names]] : [['service']],
      Metrics: [...values.keys()].map((name) => ({ Name: name, Unit: units[name] })),
    };
    const entry = { _aws: { Timestamp: now(), CloudWatchMetrics: [directive] }, service, ...dimensions };
    write(`${JSON.stringify({ ...entry, ...Object.fromEntries(values) })}\n`);
  };

  return {
    count: (name, value = 1, dimensions = {}) => {
      const key = JSON.stringify(dimensions);
      const sum = sums.get(key) ?? { dimensions, values: new Map<Name, number>() };
      sum.values.set(name, (sum.values.get(name) ?? 0) + value);
      sums.set(key, sum);
    },
    observe: (name, value) => {
      const values = observations.get(name);
      if (values) values.push(value);
      else observations.set(name, [value]);
    },
    flush: () => {
      const plain = new Map<Name, number | readonly number[]>(sums.get('{}')?.values);
      const detailed = [...sums.values()].filter(({ dimensions }) => Object.keys(dimensions).length > 0);
      const observed = observations;
      sums = new Map();
      observations = new Map();
      const longest = Math.max(0, ...[...observed.values()].map((values) => values.length));
      for (let from = 0; from === 0 || from < longest; from += MAX_VALUES) {
        const values = from === 0 ? plain : new Map<Name, readonly number[]>();
        for (const [name, all] of observed) {
          const part = all.slice(from, from + MAX_VALUES);
          if (part.length > 0) values.set(name, part);
        }
        if (values.size > 0) document({}, values);
      }
      for (const { dimensions, values } of detailed) document(dimensions, values);
    },
  };
};
