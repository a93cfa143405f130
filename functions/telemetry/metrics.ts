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
  /** Without dimensions. */
  let plain = new Map<Name, number>();
  let detailed = new Map<string, { readonly dimensions: Dimensions; readonly sums: Map<Name, number> }>();
  let observations = new Map<Name, number[]>();

  const document = (dimensions: Dimensions, values: Iterable<readonly [Name, number | readonly number[]]>): void => {
    const names = Object.keys(dimensions);
    const metrics: { readonly Name: Name; readonly Unit: Unit }[] = [];
    const directive = {
      Namespace: namespace,
      // Also without the detail, so that an alarm on the whole needs no arithmetic.
      Dimensions: names.length > 0 ? [['service'], ['service', ...names]] : [['service']],
      Metrics: metrics,
    };
    const entry: Record<string, unknown> = { _aws: { Timestamp: now(), CloudWatchMetrics: [directive] }, service };
    for (const name of names) entry[name] = dimensions[name];
    for (const [name, value] of values) {
      metrics.push({ Name: name, Unit: units[name] });
      entry[name] = value;
    }
    write(`${JSON.stringify(entry)}\n`);
  };

  const sumsOf = (dimensions: Dimensions): Map<Name, number> => {
    const key = JSON.stringify(dimensions);
    const known = detailed.get(key) ?? { dimensions, sums: new Map<Name, number>() };
    detailed.set(key, known);
    return known.sums;
  };

  return {
    count: (name, value = 1, dimensions) => {
      const sums = dimensions ? sumsOf(dimensions) : plain;
      sums.set(name, (sums.get(name) ?? 0) + value);
    },
    observe: (name, value) => {
      const values = observations.get(name);
      if (values) values.push(value);
      else observations.set(name, [value]);
    },
    flush: () => {
      const [counted, details, observed] = [plain, detailed, observations];
      plain = new Map();
      detailed = new Map();
      observations = new Map();
      for (let from = 0; ; from += MAX_VALUES) {
        const values: [Name, number | readonly number[]][] = from === 0 ? [...counted] : [];
        for (const [name, all] of observed) {
          if (all.length > from) values.push([name, all.slice(from, from + MAX_VALUES)]);
        }
        if (values.length === 0) break;
        document({}, values);
      }
      for (const { dimensions, sums } of details.values()) document(dimensions, sums);
    },
  };
};
