import { command, flag, type OptionsOf, WHERE } from '../command.ts';

const options = {
  yes: flag('do it without asking', { short: 'y' }),
  ...WHERE,
};

export type PauseOptions = OptionsOf<typeof options>;

export const pauseCommand = command({
  name: 'pause',
  description: 'stop the delivery of requests to the function: they wait, and nothing is lost; asks on a terminal',
  options,
  examples: ['pause --stage prod', 'pause -s prod -y'],
  load: async () => (await import('./pause.ts')).runPause,
});

export const resumeCommand = command({
  name: 'resume',
  description: 'deliver requests to the function again; asks on a terminal',
  options,
  examples: ['resume --stage prod'],
  load: async () => (await import('./pause.ts')).runResume,
});
