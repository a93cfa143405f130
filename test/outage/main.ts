/**
 * `npm run outage`: the built function through an outage of Segura in real time, held against the contract's *Recovery*.
 * Minutes of waiting and little work; a part of neither `npm test` nor CI.
 */
import { command, flag, OUTPUT, value } from '../../functions/cli/command.ts';
import { EXIT } from '../../functions/cli/terminal/exit.ts';
import { say, sayJson, table } from '../../functions/cli/terminal/print.ts';
import { createProgress } from '../../functions/cli/terminal/progress.ts';
import { UsageError } from '../../functions/cli/terminal/usage.ts';
import { runScript } from '../script.ts';
import type { Figures } from './figures.ts';
import { runOutage, SQS_KINDS } from './run.ts';

const outage = command({
  name: 'outage',
  description:
    'Runs the built function (dist/enable-password) in real time through an outage: requests wait while Segura answers 503, then it answers in 50 ms. Prints how long they waited after its return. Exits with 1 where the contract’s Recovery was missed.',
  options: {
    seconds: value('count', 'how long the outage lasts (default: 60)'),
    waiting: value(
      'count',
      'requests that wait in it (default: 100); of the waits, 1 and 100 alone are held against the contract',
    ),
    fifo: flag('on a FIFO queue, the requests in 20 groups'),
    sqs: value(
      'kind',
      'aws: as AWS does (default); strict: gives nothing of a FIFO group while any of it is in flight, as AWS’s guide reads; stranger: strict, one message a receive, attributes nobody asked for, and of each batch of visibility changes one entry fails',
      { choices: SQS_KINDS },
    ),
    tokens: flag('the token endpoint answers 503 too'),
    ...OUTPUT,
  },
  examples: ['--seconds 600 --fifo', '--waiting 1', '--sqs stranger --tokens --json'],
  load: async () => (options: OutageOptions) => run(options),
});

type OutageOptions = Readonly<Partial<Record<'seconds' | 'waiting' | 'sqs', string>>> &
  Readonly<Partial<Record<'fifo' | 'tokens' | 'json', boolean>>>;

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

const run = async (options: OutageOptions): Promise<number> => {
  const { fifo: isFifo = false, tokens: tokensFail = false, json } = options;
  const seconds = readNumber('seconds', options.seconds ?? '60');
  const waiting = readNumber('waiting', options.waiting ?? '100');
  const given = options.sqs ?? 'aws';
  const sqs = SQS_KINDS.find((kind) => kind === given);
  if (!sqs) throw new UsageError(`--sqs ${given}: there are ${SQS_KINDS.join(', ')}`);
  const progress = await createProgress(waiting, json);
  const figures = await runOutage({
    ...{ seconds, waiting, sqs, isFifo, tokensFail },
    onTick: (enabled) => progress.update(enabled, `${enabled} of ${waiting} enabled`),
  });
  progress.end();
  if (json) sayJson(figures);
  else print(figures);
  return figures.missed.length > 0 ? EXIT.failed : EXIT.done;
};

if (import.meta.main) await runScript('npm run outage --', outage);
