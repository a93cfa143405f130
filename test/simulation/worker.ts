/** A thread of the simulation: one piece of work after the other, as main.ts hands them over. */
import { parentPort } from 'node:worker_threads';
import { runEpisode } from './episode.ts';
import { runOutage } from './outage.ts';
import type { Job } from './plan.ts';

parentPort?.on('message', async (job: Job) => {
  parentPort?.postMessage(job.work === 'episode' ? await runEpisode(job) : await runOutage(job));
});
