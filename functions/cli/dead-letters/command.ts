import { DEAD_LETTER_QUEUES } from '../../dead-letters/letter.ts';
import { KNOWN_CODES } from '../../dead-letters/select.ts';
import { command, flag, group, type OptionSet, type OptionsOf, value, values, WHERE } from '../command.ts';

const which = { group: 'Which letters:' };

/** The filters and the places that every command about letters has. */
const SELECT = {
  queue: value('queue', 'rejected or exhausted (default: both)', { ...which, short: 'q', choices: DEAD_LETTER_QUEUES }),
  code: values('code', 'error code, such as 1006, once or more; none for what SQS itself moved', {
    ...which,
    choices: KNOWN_CODES,
  }),
  identifier: value('identifier', 'of the password', which),
  before: value('moment', 'failed before: a duration ago such as 2h, or a moment with its offset', which),
  after: value('moment', 'failed after: likewise', which),
  visibilityTimeout: value('seconds', 'how long letters stay hidden if this is killed (default: 120)', which),
  ...WHERE,
} as const satisfies OptionSet;

export type SelectOptions = OptionsOf<typeof SELECT>;

const listOptions = { letters: flag('also one line for each letter'), ...SELECT };
export type ListOptions = OptionsOf<typeof listOptions>;

const listCommand = command({
  name: 'list',
  description: 'what waits in rejected and exhausted, by error code and age, without consuming it',
  options: listOptions,
  examples: ['dead-letters list --stage prod', 'dead-letters list --queue exhausted --letters'],
  load: async () => (await import('./list.ts')).runList,
});

const replayOptions = {
  dryRun: flag('say what would happen, and move nothing', { short: 'n' }),
  limit: value('count', 'at most so many'),
  rate: value('rate', 'messages a second'),
  reason: value('reason', 'recorded with each replayed request'),
  renew: flag('also expired requests, as of now; wants --reason'),
  replayedBy: value('who', 'recorded with each replayed request (default: you, on this machine)'),
  maxAgeSeconds: value('seconds', "the function's MAX_REQUEST_AGE_SECONDS, where it is not the default"),
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
  file: value('file', 'where they are written (default: dead-letters-<queue>-<time>.jsonl)'),
  limit: value('count', 'at most so many'),
  yes: flag('do not ask', { short: 'y' }),
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

export const deadLetterCommands = group('dead-letters', 'look at dead letters, replay them, discard them', [
  listCommand,
  replayCommand,
  discardCommand,
]);
