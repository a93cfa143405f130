/** Draws docs/pictures/*.svg from real runs: `npm run pictures`. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { draw } from './draw.ts';
import { type Course, outageSpec, pathSpec, type Waited, waitsSpec } from './specs.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'docs/pictures');
const SEED = 1;

/** The last line of a run is its object. A run that broke its own invariants draws nothing. */
const simulate = async (...args: readonly string[]): Promise<unknown> => {
  const command = [join(root, 'test/simulation/main.ts'), ...args, '--seed', String(SEED), '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 1 << 28 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
};

interface SimulatedOutage {
  readonly seconds: number;
  readonly backlog: number;
  readonly isFifo: boolean;
  readonly waits: { readonly median: number; readonly last: number };
  readonly series: Course['series'];
}
interface Simulated {
  readonly outages: readonly SimulatedOutage[];
  readonly peers: readonly Course[];
}

const lengthOf = (seconds: number): string => {
  if (seconds >= 86_400) return 'a day';
  if (seconds >= 3600) return `${seconds / 3600} h`;
  return seconds >= 60 ? `${seconds / 60} min` : `${seconds} s`;
};

const drawOutage = async (): Promise<string> => {
  const { outages, peers } = (await simulate('--outage', '24h', '--backlog', '1000', '--peers')) as Simulated;
  const [ours] = outages;
  return draw(outageSpec([{ name: 'mysafe-enable', series: ours?.series ?? [] }, ...peers], 24));
};

const drawWaits = async (): Promise<string> => {
  const { outages } = (await simulate('--outages')) as Simulated;
  const waits = outages
    .filter(({ backlog }) => backlog === 100)
    .map(
      ({ seconds, isFifo, waits: { median, last } }): Waited => ({
        outage: lengthOf(seconds),
        queue: isFifo ? 'FIFO' : 'standard',
        medianSeconds: median,
        lastSeconds: last,
      }),
    );
  return draw(waitsSpec(waits));
};

export const PICTURES: Readonly<Record<string, () => Promise<string>>> = {
  'outage-of-a-day': drawOutage,
  'wait-after-an-outage': drawWaits,
  'what-happens': () => draw(pathSpec()),
};

export const drawAll = async (names: readonly string[] = Object.keys(PICTURES)): Promise<void> => {
  await mkdir(folder, { recursive: true });
  for (const name of names) {
    const picture = PICTURES[name];
    if (picture === undefined)
      throw new Error(`There is no picture ${name}: there are ${Object.keys(PICTURES).join(', ')}.`);
    await writeFile(join(folder, `${name}.svg`), await picture());
    console.log(`docs/pictures/${name}.svg`);
  }
};

if (import.meta.main) await drawAll(process.argv.length > 2 ? process.argv.slice(2) : undefined);
