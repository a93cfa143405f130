import { command, flag, type OptionsOf, value, WHERE } from '../command.ts';

const options = {
  only: value('topics', 'configuration, queues, secret, segura, function or clock; several with commas between'),
  endToEnd: flag('send a request that must be rejected, follow it to its dead letter, and remove what it leaves'),
  identifier: value(
    'identifier',
    'for --end-to-end: one that Segura does not know (default: the largest there can be)',
  ),
  record: value('file', 'write what Segura answered to harmless calls, fit to be shared'),
  ...WHERE,
};

export type DoctorOptions = OptionsOf<typeof options>;

export const doctorCommand = command({
  name: 'doctor',
  description: 'check configuration, secret, TLS, token, queues and the way to Segura, changing nothing',
  options,
  examples: [
    'doctor --stage prod',
    'doctor --only secret,segura --secret-id mysafe/segura',
    'doctor --end-to-end --stage prod',
    'doctor --record answers.json --stage prod',
    'doctor --json',
  ],
  load: async () => (await import('./doctor.ts')).runDoctor,
});
