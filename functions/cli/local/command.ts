import { command, flag, type OptionsOf, OUTPUT } from '../command.ts';

const options = {
  watch: flag('keep it running and print the endpoints'),
  ...OUTPUT,
};

export type LocalOptions = OptionsOf<typeof options>;

export const localCommand = command({
  name: 'local',
  description: 'run everything on this machine: no AWS account, no Docker, no network',
  options,
  examples: ['local', 'local --watch'],
  load: async () => (await import('./local.ts')).runLocal,
});
