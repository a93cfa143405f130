import { command, type OptionsOf, value, WHERE } from '../command.ts';

const options = {
  requestId: value('id', 'of the access-request system, such as RITM0012345: all requests with it'),
  identifier: value('identifier', 'of the password, such as 10: all requests for it'),
  since: value(
    'moment',
    'search the log from here: a duration ago such as 14d (s, m, h, d), a day or a moment (default: 7d)',
  ),
  ...WHERE,
};

export type TraceOptions = OptionsOf<typeof options>;

export const traceCommand = command({
  name: 'trace',
  description: 'the story of one request, from the audit log: each delivery, what Segura said, where it is now',
  words: { name: 'message-id', description: "SQS's message id, as send prints it", count: 'optional' },
  options,
  examples: [
    'trace --request-id RITM0012345 --stage prod',
    'trace 5fea7756-0ea4-451a-a703-a558b933e274 --stage prod',
    'trace --identifier 10 --since 2d --stage prod',
  ],
  load: async () => (await import('./trace.ts')).runTrace,
});
