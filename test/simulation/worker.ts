/** A thread of the simulation: one episode after the other, as main.ts hands them over. */
import { parentPort } from 'node:worker_threads';
import { type EpisodeOptions, runEpisode } from './episode.ts';

parentPort?.on('message', async (episode: EpisodeOptions) => {
  parentPort?.postMessage(await runEpisode(episode));
});
