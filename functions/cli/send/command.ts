import { command, flag, type OptionsOf, value, WHERE } from '../command.ts';

const options = {
  file: value('file', 'requests in CSV or JSON Lines, or - for standard input'),
  format: value('format', 'csv or jsonl (default: by the name of the file, else by what it holds)', {
    choices: ['csv', 'jsonl'],
  }),
  requestedBy: value('who', 'who asks: for audit log and outcome'),
  reason: value('reason', 'why: for audit log and outcome'),
  requestId: value('id', "the access-request system's own id: for audit log and outcome"),
  source: value('source', 'the system that asks: for audit log and outcome'),
  notAfter: value(
    'moment',
    'reject it after: a duration such as 8h (s, m, h, d), or a moment such as 2026-01-31T17:00:00Z',
  ),
  groupId: value('group', 'message group, at most 128 characters (default on a FIFO queue: the identifier)'),
  skipInvalid: flag('send the valid requests although others are invalid (default: send none then)'),
  receipts: value('file', 'write one JSON line for each request, with its message id, to this new file'),
  resume: value('file', 'go on after an interruption, from the receipts of the same requests'),
  wait: flag('wait until each is settled, by the audit log; exit status 1 if one is rejected'),
  dryRun: flag('check the requests, and send none', { short: 'n' }),
  ...WHERE,
};

export type SendOptions = OptionsOf<typeof options>;

export const sendCommand = command({
  name: 'send',
  description: 'put requests on the queue; all are checked before the first is sent',
  words: { name: 'identifier', description: 'of each password to enable, such as 10', count: 'many' },
  options,
  examples: [
    'send 10 11 12 --request-id RITM0012345 --requested-by ana@example.com --stage prod',
    'send 10 --request-id RITM0012345 --wait --stage prod',
    'send --file requests.csv --not-after 8h --stage prod',
    'send --file - --stage prod < requests.jsonl',
    'send --file requests.csv --receipts receipts.jsonl --stage prod',
    'send --file requests.csv --resume receipts.jsonl --stage prod',
  ],
  load: async () => {
    const { runSend } = await import('./send.ts');
    return (read: SendOptions, identifiers) => runSend(identifiers, read);
  },
});
