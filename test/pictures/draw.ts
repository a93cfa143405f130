/** Vega-Lite in, SVG out: without a browser, and the same text from the same data. */

/** As much of a Vega-Lite specification as we need to know; the library checks the rest. */
export type Spec = Readonly<Record<string, unknown>>;

interface View {
  readonly toSVG: () => Promise<string>;
  readonly finalize: () => void;
}
interface Vega {
  readonly View: new (runtime: unknown, options: object) => View;
  readonly parse: (spec: unknown) => unknown;
}
interface VegaLite {
  readonly compile: (spec: unknown) => { readonly spec: unknown };
}

/** By name, since the package stands in this folder alone: `npm ci --prefix test/pictures` brings it. */
const load = async <Module>(name: string): Promise<Module> => (await import(name)) as Module;

export const COLOURS = {
  enabled: '#2a7f62',
  waiting: '#9aa5b1',
  lost: '#c8442f',
  kept: '#d9a441',
  ours: '#1f5f99',
  ink: '#1d2733',
  quiet: '#5b6773',
  grid: '#e6eaee',
} as const;

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** What all pictures have in common; white behind, so that they are read on a dark page too. */
const THEME: Spec = {
  background: '#ffffff',
  padding: 16,
  font: FONT,
  title: {
    anchor: 'start',
    color: COLOURS.ink,
    fontSize: 17,
    fontWeight: 600,
    subtitleColor: COLOURS.quiet,
    subtitleFontSize: 13,
    offset: 14,
  },
  axis: {
    labelColor: COLOURS.quiet,
    titleColor: COLOURS.quiet,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    gridColor: COLOURS.grid,
    domainColor: COLOURS.grid,
    tickColor: COLOURS.grid,
  },
  legend: {
    labelColor: COLOURS.ink,
    labelFontSize: 12,
    labelLimit: 300,
    title: null,
    orient: 'top',
    symbolType: 'square',
  },
  header: { labelColor: COLOURS.ink, labelFontSize: 13, labelFontWeight: 600, labelAnchor: 'start', title: null },
  view: { stroke: null },
};

export const draw = async (spec: Spec): Promise<string> => {
  const [vega, vegaLite] = await Promise.all([load<Vega>('vega'), load<VegaLite>('vega-lite')]);
  const { spec: compiled } = vegaLite.compile({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    config: THEME,
    ...spec,
  });
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
};
