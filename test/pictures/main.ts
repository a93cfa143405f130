/**
 * Draws docs/pictures/*.svg from real runs: `npm run pictures`. The same code and seed draw the same picture, which
 * `npm run test:pictures` holds.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OutageResult, runOutage } from '../simulation/outage.ts';
import { simulatePeers } from '../simulation/peers.ts';
import { type Outage, outagePlan } from '../simulation/plan.ts';
import { draw } from './draw.ts';
import { outageSpec, pathSpec, type Waited, waitsSpec } from './specs.ts';

export const FOLDER = join(import.meta.dirname, '../../docs/pictures');
const SEED = 1;
const SAMPLES = 300;
const DAY_SECONDS = 86_400;
/** Ten an hour: as many as one can see, and as few as a minute of processor time carries through a day. */
const REQUESTS_OF_A_DAY = 240;

/** A run that broke its own invariants draws nothing. */
const simulate = async (options: Outage): Promise<OutageResult> => {
  const result = await runOutage(options);
  const [violation] = result.violations;
  if (violation !== undefined)
    throw new Error(`the simulated outage broke a promise, so it is not drawn: ${violation}`);
  return result;
};

const lengthOf = (seconds: number): string => {
  if (seconds >= 86_400) return 'a day';
  if (seconds >= 3600) return `${seconds / 3600} h`;
  return seconds >= 60 ? `${seconds / 60} min` : `${seconds} s`;
};

const drawOutage = async (): Promise<string> => {
  const outage = { seed: SEED, seconds: DAY_SECONDS, backlog: REQUESTS_OF_A_DAY, isFifo: false, isSpread: true };
  const { series } = await simulate({ ...outage, samples: SAMPLES });
  const peers = simulatePeers(DAY_SECONDS, REQUESTS_OF_A_DAY, SAMPLES);
  return draw(outageSpec([{ name: 'mysafe-enable', series }, ...peers], DAY_SECONDS / 3600));
};

const drawWaits = async (): Promise<string> => {
  const waits: Waited[] = [];
  for (const outage of outagePlan(SEED).filter(({ backlog }) => backlog === 100)) {
    const { median, last } = (await simulate(outage)).waits;
    const queue = outage.isFifo ? 'FIFO' : 'standard';
    waits.push({ outage: lengthOf(outage.seconds), queue, medianSeconds: median, lastSeconds: last });
  }
  return draw(waitsSpec(waits));
};

export const PICTURES: Readonly<Record<string, () => Promise<string>>> = {
  'outage-of-a-day': drawOutage,
  'wait-after-an-outage': drawWaits,
  'what-happens': () => draw(pathSpec()),
};

export const drawAll = async (names: readonly string[] = Object.keys(PICTURES)): Promise<void> => {
  await mkdir(FOLDER, { recursive: true });
  for (const name of names) {
    const picture = PICTURES[name];
    if (picture === undefined)
      throw new Error(`There is no picture ${name}: there are ${Object.keys(PICTURES).join(', ')}.`);
    await writeFile(join(FOLDER, `${name}.svg`), await picture());
    console.log(`docs/pictures/${name}.svg`);
  }
};

if (import.meta.main) await drawAll(process.argv.length > 2 ? process.argv.slice(2) : undefined);
