import { DEAD_LETTER_QUEUES } from '../../dead-letters/letter.ts';
import { KNOWN_CODES } from '../../dead-letters/select.ts';
import { command, flag, group, type OptionSet, type OptionsOf, value, values, WHERE } from '../command.ts';

const which = { group: 'Which letters:' };

/** The filters and the places that every command about letters has. */
const SELECT = {
  queue: value('queue', 'rejected or exhausted (default: both)', { ...which, short: 'q', choices: DEAD_LETTER_QUEUES }),
  code: values('code', `error code, once or more: ${KNOWN_CODES.join(', ')} (none: moved by SQS itself)`, {
    ...which,
    choices: KNOWN_CODES,
  }),
  identifier: value('identifier', 'of the password, such as 10', which),
  requestId: value('id', "the access-request system's own id, such as RITM0012345", which),
  source: value('source', 'the system that asked, as the request names it', which),
  messageId: value('id', 'of the letter itself, as list --letters shows it', which),
  before: value(
    'moment',
    'failed before: a duration ago such as 2h (s, m, h, d), a day (UTC), or a moment with its offset',
    which,
  ),
  after: value('moment', 'failed after: likewise', which),
  visibilityTimeout: value(
    'seconds',
    'how long letters stay hidden from others if this command is killed (default: 120)',
    which,
  ),
  ...WHERE,
} as const satisfies OptionSet;

export type SelectOptions = OptionsOf<typeof SELECT>;

const listOptions = { letters: flag('also one line for each letter'), ...SELECT };
export type ListOptions = OptionsOf<typeof listOptions>;

const listCommand = command({
  name: 'list',
  description: 'what waits in rejected and exhausted, by error code and age, without consuming it',
  options: listOptions,
  examples: ['dead-letters list --stage prod', 'dead-letters list --queue exhausted --letters --stage prod'],
  load: async () => (await import('./list.ts')).runList,
});

const showOptions = { queue: SELECT.queue, visibilityTimeout: SELECT.visibilityTimeout, ...WHERE };
export type ShowOptions = OptionsOf<typeof showOptions>;

const showCommand = command({
  name: 'show',
  description: 'one letter whole: body, requester, error text, attributes, without consuming it',
  words: { name: 'message-id', description: 'of the letter, or of its original', count: 'one' },
  options: showOptions,
  examples: ['dead-letters show 19dd0b57-b21e-4ac1-bd88-01bbb068cb12 --stage prod'],
  load: async () => (await import('./show.ts')).runShow,
});

const exportOptions = {
  file: value(
    'file',
    'write them to this new file (default: dead-letters-<queue>-<time>.jsonl, here or, in a checkout, in ~/mysafe-enable)',
  ),
  format: value('format', 'jsonl or csv (default: by the name of the file, else jsonl)', { choices: ['jsonl', 'csv'] }),
  limit: value('count', 'at most this many letters (default: all)'),
  ...SELECT,
};
export type ExportOptions = OptionsOf<typeof exportOptions>;

const exportCommand = command({
  name: 'export',
  description: 'all of a selection to a file, without consuming it',
  options: exportOptions,
  examples: ['dead-letters export --code 1006 --file refused.csv --stage prod'],
  load: async () => (await import('./export.ts')).runExport,
});

const replayOptions = {
  dryRun: flag('say what would happen, and move nothing', { short: 'n' }),
  limit: value('count', 'at most this many letters (default: all)'),
  rate: value('rate', 'at most this many messages in any second, such as 5 or 0.5 (default: no limit)'),
  reason: value('reason', 'why: recorded with each replayed request, at most 256 characters'),
  renew: flag('also expired requests, and those of unknown age, as of now; needs --reason'),
  replayedBy: value('who', 'recorded with each replayed request (default: you, on this machine)'),
  maxAgeSeconds: value(
    'seconds',
    "the function's MAX_REQUEST_AGE_SECONDS, 0 for no limit (default: that variable, else 345600)",
  ),
  yes: flag('do it without asking', { short: 'y' }),
  ...SELECT,
};
export type ReplayCommandOptions = OptionsOf<typeof replayOptions>;

const replayCommand = command({
  name: 'replay',
  description: 'back to requests: sent and confirmed before it is deleted, so that an interruption loses nothing',
  options: replayOptions,
  examples: [
    'dead-letters replay --code 1006 --dry-run --stage prod',
    'dead-letters replay --queue exhausted --rate 5 --reason "Segura is back" --stage prod',
    'dead-letters replay --code Expired --renew --reason CHG0040007 --stage prod',
  ],
  load: async () => (await import('./replay.ts')).runReplay,
});

const discardOptions = {
  file: value(
    'file',
    'write them to this new file (default: dead-letters-<queue>-<time>.jsonl, here or, in a checkout, in ~/mysafe-enable)',
  ),
  limit: value('count', 'at most this many letters (default: all)'),
  yes: flag('do it without asking', { short: 'y' }),
  ...SELECT,
};
export type DiscardOptions = OptionsOf<typeof discardOptions>;

const discardCommand = command({
  name: 'discard',
  description: 'delete for good, after writing to a file; asks first',
  options: discardOptions,
  examples: ['dead-letters discard --code InvalidMessage --file invalid.jsonl --stage prod'],
  load: async () => (await import('./discard.ts')).runDiscard,
});

export const deadLetterCommands = group(
  'dead-letters',
  'look at dead letters, export them, replay them, discard them',
  [listCommand, showCommand, exportCommand, replayCommand, discardCommand],
);
