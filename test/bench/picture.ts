/** Cold start and warm batch beside the peers, as a picture. */
import type { Figure } from '../pictures/specs.ts';
import type { Measure, Report } from './report.ts';

/** Ours first: the picture gives it the colour. What returns at once, and the measure itself, say nothing here. */
const WAYS: Readonly<Record<string, string>> = {
  ours: 'mysafe-enable',
  powertools: 'Powertools Batch',
  middy: 'middy + axios',
};

const SHOWN: readonly (readonly [Measure, string])[] = [
  ['coldStartMs', 'cold start'],
  ['warmBatchMs', 'warm batch of ten'],
];

/** @throws Error where a subject was not run: each bar is a ratio to the bare handler */
export const figuresOf = ({ transports }: Pick<Report, 'transports'>): Figure[] =>
  SHOWN.flatMap(([measure, what]) =>
    transports.flatMap(({ transport, figures }) =>
      Object.entries(WAYS).map(([id, way]) => {
        const ratio = figures.find((each) => each.id === id)?.ratios?.[measure];
        if (ratio === undefined) throw new Error(`There is no ${what} of ${way} over ${transport} to draw.`);
        return { way, what: `${what}, ${transport}`, ratio };
      }),
    ),
  );

/** As SVG; `npm ci --prefix test/pictures` brings what draws. */
export const drawBench = async (report: Pick<Report, 'transports'>): Promise<string> => {
  const [{ draw }, { benchSpec }] = await Promise.all([import('../pictures/draw.ts'), import('../pictures/specs.ts')]);
  return draw(benchSpec(figuresOf(report)));
};
