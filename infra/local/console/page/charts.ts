/** Requests in the queue, and how long requests waited, drawn by uPlot. */
import uPlot from 'uplot';
import type { Sample } from '../history.ts';
import { chartText } from '../view.ts';
import { find } from './dom.ts';

/** What is shown of the quarter of an hour that is remembered. */
const SHOWN_SECONDS = 300;
const HEIGHT = 150;

interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly selector: string;
  readonly series: readonly {
    readonly colour: string;
    readonly isPoints: boolean;
    readonly of: (sample: Sample) => number | null;
  }[];
}

const CHARTS: readonly Chart[] = [
  {
    title: 'Requests in the queue',
    unit: '',
    selector: '#chart-requests .plot',
    series: [
      { colour: '--kept', isPoints: false, of: ({ kept }) => kept },
      { colour: '--in-work', isPoints: false, of: ({ inWork }) => inWork },
      { colour: '--waiting', isPoints: false, of: ({ waiting }) => waiting },
    ],
  },
  {
    title: 'Wait until settled',
    unit: ' s',
    selector: '#chart-waits .plot',
    series: [{ colour: '--enabled', isPoints: true, of: ({ longestWait }) => longestWait }],
  },
];

const colourOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Asked at each drawing, so that dark and light change with the system. */
const axis = (size: number): uPlot.Axis => ({
  stroke: () => colourOf('--dim'),
  grid: { stroke: () => colourOf('--line'), width: 1 },
  ticks: { show: false },
  font: '12px system-ui, sans-serif',
  size,
});

const dataOf = ({ series }: Chart, samples: readonly Sample[]): uPlot.AlignedData => [
  samples.map(({ at }) => at),
  ...series.map(({ of }) => samples.map(of)),
];

const createChart = (chart: Chart) => {
  const place = find(chart.selector, HTMLElement);
  const plot = new uPlot(
    {
      width: Math.max(200, place.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { range: (_, __, most) => [(most ?? Date.now() / 1000) - SHOWN_SECONDS, most ?? Date.now() / 1000] },
        y: { range: (_, __, most) => [0, Math.max(4, (most ?? 0) * 1.15)] },
      },
      axes: [
        {
          ...axis(26),
          values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toTimeString().slice(0, 5)),
          space: 50,
        },
        { ...axis(38), space: 32 },
      ],
      series: [
        {},
        ...chart.series.map(
          ({ colour, isPoints }): uPlot.Series => ({
            stroke: () => colourOf(colour),
            width: isPoints ? 0 : 2,
            points: isPoints ? { show: true, size: 6, fill: () => colourOf(colour) } : { show: false },
            ...(isPoints ? { paths: () => null } : {}),
          }),
        ),
      ],
    },
    dataOf(chart, []),
    place,
  );
  new ResizeObserver(() => plot.setSize({ width: Math.max(200, place.clientWidth), height: HEIGHT })).observe(place);
  return (samples: readonly Sample[]): void => {
    plot.setData(dataOf(chart, samples));
    const total = samples.map((sample) =>
      chart.series.reduce<number | null>((sum, { of }) => {
        const value = of(sample);
        return value === null ? sum : (sum ?? 0) + value;
      }, null),
    );
    place.setAttribute('aria-label', chartText(chart.title, total, chart.unit));
  };
};

export const createCharts = () => {
  const charts = CHARTS.map(createChart);
  const redraw = (samples: readonly Sample[]): void => {
    for (const draw of charts) draw(samples.slice(-SHOWN_SECONDS));
  };
  return redraw;
};
