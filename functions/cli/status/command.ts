import { command, type OptionsOf, WHERE } from '../command.ts';

const options = { ...WHERE };

export type StatusOptions = OptionsOf<typeof options>;

export const statusCommand = command({
  name: 'status',
  description: 'how many wait, since when and for whom; is delivery paused; the last quarter of an hour',
  options,
  examples: ['status --stage prod'],
  load: async () => (await import('./status.ts')).runStatus,
});
