import { command, type OptionsOf, WHERE } from '../command.ts';

const options = { ...WHERE };

export type DoctorOptions = OptionsOf<typeof options>;

export const doctorCommand = command({
  name: 'doctor',
  description: 'check configuration, secret, TLS, token, queues and the way to Segura, changing nothing',
  options,
  examples: ['doctor --stage prod', 'doctor --json'],
  load: async () => (await import('./doctor.ts')).runDoctor,
});
