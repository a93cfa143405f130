/**
 * `npm run outage`: the built function through an outage of Segura in real time, held against the contract's *Recovery*.
 * Minutes of waiting and little work; a part of neither `npm test` nor CI.
 */
import { parseArgs } from 'node:util';
import { note, say, sayJson, table } from '../../functions/cli/terminal/print.ts';
import { createProgress } from '../../functions/cli/terminal/progress.ts';
import type { Figures } from './figures.ts';
import { runOutage, SQS_KINDS } from './run.ts';

const HELP = `Usage: npm run outage -- [options]

Runs the built function (dist/enable-password) in real time through an outage: requests wait while Segura answers 503, then
it answers in 50 ms. Prints how long they waited after its return, and exits 1 where the contract's Recovery was missed.

  --seconds <n>   how long the outage lasts (default 60)
  --waiting <n>   requests that wait in it (default 100); of the waits, 1 and 100 alone are held against the contract
  --fifo          on a FIFO queue, the requests in 20 groups
  --sqs <kind>    how SQS behaves (default aws)
                    aws       as AWS does
                    strict    gives nothing of a FIFO group while any of it is in flight, as AWS's guide reads
                    stranger  strict; also one message a receive, attributes nobody asked for, and of each batch of
                              visibility changes one entry fails
  --tokens        the token endpoint answers 503 too
  --json          one JSON object
  --help          this text`;

const OPTIONS = {
  seconds: { type: 'string', default: '60' },
  waiting: { type: 'string', default: '100' },
  fifo: { type: 'boolean', default: false },
  sqs: { type: 'string', default: 'aws' },
  tokens: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

class UsageError extends Error {}

const readOptions = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

/** @throws UsageError */
const readNumber = (name: string, value: string): number => {
  const number = Number(value);
  if (!(Number.isSafeInteger(number) && number > 0)) {
    throw new UsageError(`--${name} must be a whole number above 0, not ${value}`);
  }
  return number;
};

const print = (figures: Figures): void => {
  const { seconds, waiting, isFifo, waits, mostCallsIn10s, missed } = figures;
  say(
    `${seconds} s without Segura, ${waiting} waiting on a ${isFifo ? 'FIFO' : 'standard'} queue`,
    '',
    table(
      ['after its return', ''],
      [
        ['median', `${waits.median.toFixed(1)} s`],
        ['95 %', `${waits.p95.toFixed(1)} s`],
        ['last', `${waits.last.toFixed(1)} s`],
        ['calls, tokens included', String(figures.calls)],
        ['of them in the outage', String(figures.callsInOutage)],
        ['in 10 s, by environment', mostCallsIn10s.join(', ')],
        ['overtakings in a group', isFifo ? String(figures.overtakings) : '-'],
        ['most receives', String(figures.mostReceives)],
      ],
    ),
    '',
    missed.length === 0 ? "The contract's Recovery held." : `Missed: ${missed.join('; ')}.`,
  );
};

const main = async (args: readonly string[]): Promise<void> => {
  const { help, json, fifo, tokens, ...given } = readOptions(args);
  if (help) return say(...HELP.split('\n'));
  const seconds = readNumber('seconds', given.seconds);
  const waiting = readNumber('waiting', given.waiting);
  const sqs = SQS_KINDS.find((kind) => kind === given.sqs);
  if (!sqs) throw new UsageError(`--sqs ${given.sqs}: there are ${SQS_KINDS.join(', ')}`);
  const progress = await createProgress(waiting, json);
  const figures = await runOutage({
    ...{ seconds, waiting, sqs, isFifo: fifo, tokensFail: tokens },
    onTick: (enabled) => progress.update(enabled, `${enabled} of ${waiting} enabled`),
  });
  progress.end();
  if (json) sayJson(figures);
  else print(figures);
  process.exitCode = figures.missed.length > 0 ? 1 : 0;
};

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  note(error.message, '', ...HELP.split('\n'));
  process.exitCode = 2;
}
