/** A thread of the simulation: one piece of work after the other, as main.ts hands them over. */
import { parentPort } from 'node:worker_threads';
import { runEpisode } from './episode.ts';
import { runHistory } from './history.ts';
import { runOutage } from './outage.ts';
import type { Job } from './plan.ts';

const carryOut = (job: Job): Promise<unknown> => {
  switch (job.work) {
    case 'episode':
      return runEpisode(job);
    case 'outage':
      return runOutage(job);
    case 'history':
      return runHistory(job);
  }
};

parentPort?.on('message', async (job: Job) => {
  parentPort?.postMessage(await carryOut(job));
});
