#!/usr/bin/env node
/** The command line: parse, do, print. Each command is loaded only when it is called. */
import { setFlagsFromString } from 'node:v8';
import { Command, CommanderError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { outliveClosedPipes } from './terminal/interrupt.ts';
import { note } from './terminal/print.ts';
import { UsageError } from './terminal/usage.ts';

// V8 lets garbage lie where memory is plenty. So it collects sooner: ten thousand letters take 120 MiB instead of 190.
setFlagsFromString('--optimize-for-size');
outliveClosedPipes();

const program = new Command('mysafe-enable');
let status = 0;
const ends = async (running: Promise<number>): Promise<void> => {
  status = await running;
};

const examples = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;

const withOutput = (command: Command): Command =>
  command.optionsGroup('Output:').option('--json', 'one JSON object as the last line of standard output');

/** Where the queues and the secret are; last, because it is the same everywhere. */
const withTarget = (command: Command): Command =>
  withOutput(
    command
      .optionsGroup('Where:')
      .option('--stage <stage>', 'the deployed stage whose queues and secret are meant, such as prod')
      .option('--region <region>', 'AWS region')
      .option('--profile <profile>', 'AWS profile')
      .option('--endpoint-url <url>', 'AWS endpoint, for local use')
      .option('--requests-queue-url <url>', 'instead of SOURCE_QUEUE_URL')
      .option('--rejected-queue-url <url>', 'instead of REJECTED_QUEUE_URL')
      .option('--exhausted-queue-url <url>', 'instead of EXHAUSTED_QUEUE_URL')
      .option('--secret-id <id>', 'instead of SEGURA_SECRET_ID'),
  );

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const withSelection = (command: Command): Command =>
  withTarget(
    command
      .optionsGroup('Which letters:')
      .option('--queue <queue>', 'rejected or exhausted (default: both)')
      .option('--code <code>', 'error code, such as 1006, once or more; none for what SQS itself moved', collect)
      .option('--identifier <identifier>', 'of the password')
      .option('--before <moment>', 'failed before: a duration ago such as 2h, or a moment with its offset')
      .option('--after <moment>', 'failed after: likewise')
      .option('--visibility-timeout <seconds>', 'how long letters stay hidden if this is killed (default: 120)'),
  );

program
  .description("Enables disabled passwords in Segura's MySafe vault when an access request is approved.")
  .version(manifest.version)
  .showHelpAfterError('(--help shows how it is used)')
  .exitOverride()
  .addHelpText('after', '\nExit status: 0 done, 1 something failed, 2 wrong usage.');

withOutput(
  program
    .command('local')
    .description('run everything on this machine: no AWS account, no Docker, no network')
    .option('--watch', 'keep it running and print the endpoints')
    .addHelpText('after', examples('mysafe-enable local', 'mysafe-enable local --watch')),
).action(async (options) => ends((await import('./local/local.ts')).runLocal(options)));

withTarget(
  program
    .command('send')
    .description('put requests on the queue; all are checked before the first is sent')
    .argument('[identifier...]', 'passwords to enable')
    .option('--file <file>', 'requests.csv, requests.jsonl, or - for standard input')
    .option('--format <format>', 'csv or jsonl, where the name of the file does not say')
    .option('--requested-by <who>', 'for the audit log')
    .option('--reason <reason>', 'for the audit log')
    .option('--request-id <id>', "the access-request system's own id, comes back in the outcome")
    .option('--source <source>', 'for the audit log')
    .option('--not-after <moment>', 'not to be carried out after: a duration such as 8h, or a moment with its offset')
    .option('--group-id <group>', 'message group (default on a FIFO queue: the identifier)')
    .option('--skip-invalid', 'send what is valid though other lines are not')
    .option('--dry-run', 'check only')
    .addHelpText(
      'after',
      examples(
        'mysafe-enable send 10 11 12 --request-id RITM0012345 --requested-by ana@example.com --stage prod',
        'mysafe-enable send --file requests.csv --not-after 8h --stage prod',
        'cat requests.jsonl | mysafe-enable send --file - --stage prod',
      ),
    ),
).action(async (identifiers, options) => ends((await import('./send/send.ts')).runSend(identifiers, options)));

const deadLetters = program.command('dead-letters').description('look at dead letters, replay them, discard them');

withSelection(
  deadLetters
    .command('list')
    .description('what lies in rejected and exhausted, by error code and age, without consuming it')
    .option('--letters', 'also one line for each letter')
    .addHelpText(
      'after',
      examples(
        'mysafe-enable dead-letters list --stage prod',
        'mysafe-enable dead-letters list --queue exhausted --letters',
      ),
    ),
).action(async (options) => ends((await import('./dead-letters/list.ts')).runList(options)));

withSelection(
  deadLetters
    .command('replay')
    .description('back to requests: sent and confirmed before it is deleted, so that an interruption loses nothing')
    .option('--dry-run', 'say what would happen, and move nothing')
    .option('--limit <count>', 'at most so many')
    .option('--rate <rate>', 'messages a second')
    .option('--reason <reason>', 'recorded with each replayed request')
    .option('--renew', 'also expired requests, as of now; wants --reason')
    .option('--replayed-by <who>', 'recorded with each replayed request (default: you, on this machine)')
    .option('--max-age-seconds <seconds>', "the function's MAX_REQUEST_AGE_SECONDS, where it is not the default")
    .addHelpText(
      'after',
      examples(
        'mysafe-enable dead-letters replay --code 1006 --dry-run --stage prod',
        'mysafe-enable dead-letters replay --queue exhausted --rate 5 --reason "Segura is back" --stage prod',
        'mysafe-enable dead-letters replay --code Expired --renew --reason CHG0040007 --stage prod',
      ),
    ),
).action(async (options) => ends((await import('./dead-letters/replay.ts')).runReplay(options)));

withSelection(
  deadLetters
    .command('discard')
    .description('delete for good, after writing to a file; asks first')
    .option('--file <file>', 'where they are written (default: dead-letters-<queue>-<time>.jsonl)')
    .option('--limit <count>', 'at most so many')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      examples('mysafe-enable dead-letters discard --code InvalidMessage --file invalid.jsonl --stage prod'),
    ),
).action(async (options) => ends((await import('./dead-letters/discard.ts')).runDiscard(options)));

withTarget(
  program
    .command('doctor')
    .description('check configuration, secret, TLS, token, queues and the way to Segura, changing nothing')
    .addHelpText('after', examples('mysafe-enable doctor --stage prod', 'mysafe-enable doctor --json')),
).action(async (options) => ends((await import('./doctor/doctor.ts')).runDoctor(options)));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has said it already; help that was asked for is no fault.
    status = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof UsageError) {
    note(`mysafe-enable: ${error.message}`);
    status = 2;
  } else {
    const { name, message, stack } = error as Error;
    const { mendOfError } = await import('./terminal/hints.ts');
    const mend = mendOfError(error);
    note(`mysafe-enable: ${name}: ${message}${mend === undefined ? '' : `\nWhat to mend: ${mend}.`}`);
    if (process.env['DEBUG']) note(String(stack));
    status = 1;
  }
}
process.exitCode = status;
