import { command, flag, type OptionsOf, value, WHERE } from '../command.ts';

const options = {
  file: value('file', 'requests.csv, requests.jsonl, or - for standard input'),
  format: value('format', 'csv or jsonl, where the name of the file does not say', { choices: ['csv', 'jsonl'] }),
  requestedBy: value('who', 'for the audit log'),
  reason: value('reason', 'for the audit log'),
  requestId: value('id', "the access-request system's own id, comes back in the outcome"),
  source: value('source', 'for the audit log'),
  notAfter: value('moment', 'not to be carried out after: a duration such as 8h, or a moment with its offset'),
  groupId: value('group', 'message group (default on a FIFO queue: the identifier)'),
  skipInvalid: flag('send what is valid though other lines are not'),
  receipts: value('file', 'one JSON line for each request, with its message id; a new file'),
  resume: value('file', 'go on after an interruption: the receipts of the same requests'),
  wait: flag('until each is settled, by the audit log; ends with 1 where one is rejected'),
  dryRun: flag('check only', { short: 'n' }),
  ...WHERE,
};

export type SendOptions = OptionsOf<typeof options>;

export const sendCommand = command({
  name: 'send',
  description: 'put requests on the queue; all are checked before the first is sent',
  words: { name: 'identifier', description: 'passwords to enable', count: 'many' },
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
