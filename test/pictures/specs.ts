/** What each picture claims, as a Vega-Lite specification of its data. */
import { ENABLE_TABLE, type Policy } from '../../functions/segura/answers.ts';
import { COLOURS, type Spec } from './draw.ts';

/** One moment of an outage, as `npm run simulate -- --outage … --json` tells it. */
export interface Moment {
  readonly atSeconds: number;
  readonly waiting: number;
  readonly kept: number;
  readonly enabled: number;
  readonly exhausted: number;
}

/** One way of doing it, and how it went. */
export interface Course {
  readonly name: string;
  readonly series: readonly Moment[];
}

const STATES = ['enabled', 'waiting', 'given up (dead-letter queue)'] as const;

const SAMPLES = 240;

/** At the same moments for every course, or areas that are stacked would not meet; what has ended stays as it is. */
const sample = (series: readonly Moment[], endSeconds: number): readonly Moment[] =>
  Array.from({ length: SAMPLES + 1 }, (_, index): Moment => {
    const atSeconds = (endSeconds * index) / SAMPLES;
    const moment = series.findLast((each) => each.atSeconds <= atSeconds) ?? series[0];
    return { waiting: 0, kept: 0, enabled: 0, exhausted: 0, ...moment, atSeconds };
  });

const rowsOf = ({ name, series }: Course, endSeconds: number) =>
  sample(series, endSeconds).flatMap(({ atSeconds, waiting, kept, enabled, exhausted }) => {
    const at = Math.round(atSeconds / 3.6) / 1000;
    return [
      { name, at, state: STATES[0], order: 0, count: enabled },
      { name, at, state: STATES[1], order: 1, count: waiting + kept },
      { name, at, state: STATES[2], order: 2, count: exhausted },
    ];
  });

/** Segura is down for a while: what becomes of the requests, side by side. */
export const outageSpec = (courses: readonly Course[], outageHours: number): Spec => {
  const names = courses.map(({ name }) => name);
  const endHours = outageHours * 1.2;
  const values = courses.flatMap((course) => rowsOf(course, endHours * 3600));
  const last = courses[0]?.series.at(-1);
  const total = last === undefined ? 0 : last.waiting + last.kept + last.enabled + last.exhausted;
  return {
    title: {
      text: `Segura is down for ${outageHours} hours: which requests are still carried out?`,
      subtitle: [
        `${total} requests sent meanwhile. Grey band: the outage. Simulated in virtual time from the real code.`,
      ],
    },
    data: { values },
    facet: { column: { field: 'name', sort: names } },
    spec: {
      width: 250,
      height: 220,
      layer: [
        {
          data: { values: [{ from: 0, to: outageHours }] },
          mark: { type: 'rect', color: '#f1f3f5' },
          encoding: { x: { field: 'from', type: 'quantitative' }, x2: { field: 'to' } },
        },
        {
          mark: { type: 'area', interpolate: 'step-after', clip: true },
          encoding: {
            x: {
              field: 'at',
              type: 'quantitative',
              title: 'hours',
              axis: { grid: false, tickCount: 6 },
              scale: { domain: [0, endHours], nice: false },
            },
            y: {
              field: 'count',
              type: 'quantitative',
              stack: 'zero',
              title: 'requests',
              scale: { domain: [0, total] },
            },
            order: { field: 'order', type: 'quantitative' },
            color: {
              field: 'state',
              type: 'nominal',
              scale: { domain: STATES, range: [COLOURS.enabled, COLOURS.waiting, COLOURS.lost] },
            },
          },
        },
      ],
    },
  };
};

/** How long requests waited once Segura was back. */
export interface Waited {
  readonly outage: string;
  readonly queue: 'standard' | 'FIFO';
  readonly medianSeconds: number;
  readonly lastSeconds: number;
}

export const waitsSpec = (waits: readonly Waited[]): Spec => {
  const outages = [...new Set(waits.map(({ outage }) => outage))];
  const values = waits.flatMap(({ outage, queue, medianSeconds, lastSeconds }) => [
    { outage, queue, what: 'half of them', seconds: Math.max(0.5, medianSeconds) },
    { outage, queue, what: 'the last', seconds: Math.max(0.5, lastSeconds) },
  ]);
  return {
    title: {
      text: 'Segura answers again: how long does a waiting request still wait?',
      subtitle: ['100 waiting requests, shipped settings, by the length of the outage. Simulated in virtual time.'],
    },
    data: { values },
    facet: { column: { field: 'queue', sort: ['standard', 'FIFO'] } },
    spec: {
      width: 330,
      height: 190,
      encoding: {
        y: { field: 'outage', type: 'nominal', sort: outages, title: 'outage', axis: { grid: false } },
        x: { field: 'seconds', type: 'quantitative', title: 'seconds after the return', scale: { nice: true } },
      },
      layer: [
        {
          mark: { type: 'bar', height: 9 },
          encoding: {
            yOffset: { field: 'what', sort: ['half of them', 'the last'] },
            color: {
              field: 'what',
              scale: { domain: ['half of them', 'the last'], range: [COLOURS.ours, COLOURS.waiting] },
            },
          },
        },
        {
          mark: { type: 'text', align: 'left', dx: 4, color: COLOURS.quiet, fontSize: 11 },
          encoding: {
            yOffset: { field: 'what', sort: ['half of them', 'the last'] },
            text: { field: 'seconds', type: 'quantitative', format: '.0f' },
          },
        },
      ],
    },
  };
};

/** A figure as its ratio to the bare handler. */
export interface Figure {
  readonly way: string;
  readonly what: string;
  readonly ratio: number;
}

export const benchSpec = (figures: readonly Figure[]): Spec => {
  const ways = [...new Set(figures.map(({ way }) => way))];
  const whats = [...new Set(figures.map(({ what }) => what))];
  return {
    title: {
      text: 'Against what one would otherwise write',
      subtitle: ['Medians as ratios to a bare handler without any library (1.0). Shorter is better.'],
    },
    data: { values: figures },
    facet: { column: { field: 'what', sort: whats } },
    spec: {
      width: 150,
      height: { step: 22 },
      encoding: {
        y: { field: 'way', type: 'nominal', sort: ways, title: null, axis: { grid: false } },
        x: { field: 'ratio', type: 'quantitative', title: null },
      },
      layer: [
        {
          mark: { type: 'bar', height: 14 },
          encoding: {
            color: {
              condition: { test: `datum.way === '${ways[0]}'`, value: COLOURS.ours },
              value: COLOURS.waiting,
            },
          },
        },
        {
          mark: { type: 'text', align: 'left', dx: 4, color: COLOURS.quiet, fontSize: 11 },
          encoding: { text: { field: 'ratio', type: 'quantitative', format: '.2f' } },
        },
      ],
    },
  };
};

const HAPPENS: Readonly<Record<Policy['kind'], string>> = {
  done: 'done',
  reject: 'dead letter in rejected, then done',
  'renew-token': 'one new token, the secret read again, then kept',
  retry: 'again with growing waits, then kept',
  keep: 'kept, and people are told',
};
const FATE_COLOURS: Readonly<Record<Policy['kind'], string>> = {
  done: COLOURS.enabled,
  reject: COLOURS.lost,
  'renew-token': '#9a6b00',
  retry: '#9a6b00',
  keep: COLOURS.quiet,
};

/** What came back, and what then happens: drawn from the table itself, so that it cannot say anything else. */
export const pathSpec = (): Spec => {
  const rows = ENABLE_TABLE.map(({ cameBack, happens }, index) => ({ index, cameBack, kind: happens.kind }));
  const kinds = Object.keys(HAPPENS) as Policy['kind'][];
  const step = (rows.length - 1) / (kinds.length - 1);
  const fates = kinds.map((kind, index) => ({ kind, index: index * step, text: HAPPENS[kind] }));
  const lines = rows.map(({ index, kind }) => ({ kind, from: index, to: kinds.indexOf(kind) * step }));
  const y = { type: 'quantitative', axis: null, scale: { domain: [-0.5, rows.length - 0.5], reverse: true } };
  const colour = {
    field: 'kind',
    scale: { domain: kinds, range: kinds.map((kind) => FATE_COLOURS[kind]) },
    legend: null,
  };
  const x = (value: number) => ({ datum: value, type: 'quantitative', axis: null, scale: { domain: [0, 10] } });
  return {
    title: {
      text: 'What Segura or its gateway answers, and what happens then',
      subtitle: ['Drawn from the table in functions/segura/answers.ts. The first row that matches holds.'],
    },
    width: 860,
    height: rows.length * 21,
    layer: [
      {
        data: { values: lines },
        mark: { type: 'rule', opacity: 0.75, strokeWidth: 1.5 },
        encoding: { x: x(5.4), x2: { datum: 6.6 }, y: { field: 'from', ...y }, y2: { field: 'to' }, color: colour },
      },
      {
        data: { values: rows },
        mark: { type: 'text', align: 'right', fontSize: 12, color: COLOURS.ink, limit: 2000 },
        encoding: { x: x(5.3), y: { field: 'index', ...y }, text: { field: 'cameBack' } },
      },
      {
        data: { values: fates },
        mark: { type: 'text', align: 'left', fontSize: 13, fontWeight: 600, limit: 2000 },
        encoding: { x: x(6.7), y: { field: 'index', ...y }, text: { field: 'text' }, color: colour },
      },
    ],
  };
};
