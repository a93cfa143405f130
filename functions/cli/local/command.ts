import { command, flag, type OptionsOf, OUTPUT, value } from '../command.ts';

const options = {
  watch: flag('keep it running, with a console as a page at http://127.0.0.1:4578'),
  port: value('port', 'of the console, with --watch (default: 4578, or any that is free)'),
  envFile: value(
    'file',
    'with --watch: write the endpoints to it, to be read by `. ./file`. With npx put two dashes first (npx -- mysafe-enable local …), or Node.js takes the option for its own',
  ),
  ...OUTPUT,
};

export type LocalOptions = OptionsOf<typeof options>;

export const localCommand = command({
  name: 'local',
  description: 'run everything on this machine: no AWS account, no Docker, no network',
  options,
  examples: ['local', 'local --watch --port 4600'],
  load: async () => (await import('./local.ts')).runLocal,
});
