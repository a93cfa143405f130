/** `mysafe-enable local --watch`: everything keeps running; audit lines come as a live table, metrics as counts. */
import { once } from 'node:events';
import type { Line } from '../../../infra/local/lambda.ts';
import type { World } from '../../../infra/local/world.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { paint, say, seconds } from '../terminal/print.ts';

/** Passwords to try things with. */
const PASSWORDS = { from: 1, to: 100, noAccess: 66, active: 50 } as const;

const prepare = ({ segura }: World): void => {
  for (let identifier: number = PASSWORDS.from; identifier <= PASSWORDS.to; identifier += 1) {
    segura.passwords.set(String(identifier), 'disabled');
  }
  segura.passwords.set(String(PASSWORDS.active), 'active');
  segura.passwords.set(String(PASSWORDS.noAccess), 'no-access');
};

const printEndpoints = (world: World): void => {
  const variables = { ...world.environment, EXHAUSTED_QUEUE_URL: world.sqs.queueUrl('exhausted') };
  say(paint('bold', 'Running. In another terminal:'), '');
  for (const [name, value] of Object.entries(variables)) say(`  export ${name}=${value}`);
  say(
    '\n  aws sqs send-message --endpoint-url $AWS_ENDPOINT_URL_SQS --queue-url $SOURCE_QUEUE_URL --message-body \'{"identifier": 10}\'',
  );
  say('  npx mysafe-enable send 10 11 404 --requested-by you');
  say('  npx mysafe-enable dead-letters list\n');
  say(
    `Segura knows the passwords ${PASSWORDS.from} to ${PASSWORDS.to}: ${PASSWORDS.active} is active already, ${PASSWORDS.noAccess} is not ours. Ctrl-C ends it.\n`,
  );
  say(paint('bold', row('time', 'identifier', 'became', 'attempts', 'took', 'requested by')));
};

const row = (time: string, identifier: string, became: string, attempts: string, took: string, by: string): string =>
  `${time.padEnd(9)} ${identifier.padEnd(17)} ${became.padEnd(28)} ${attempts.padEnd(8)} ${took.padEnd(8)} ${by}`.trimEnd();

const COLOURS = { enabled: 'green', 'already-enabled': 'green', rejected: 'yellow', kept: 'cyan' } as const;

const rowOf = (line: Line): string => {
  const outcome = String(line['outcome']);
  const text = row(
    String(line['timestamp']).slice(11, 19),
    String(line['identifier'] ?? '-'),
    line['errorCode'] ? `${outcome} (${line['errorCode']})` : outcome,
    String(line['attempts']),
    seconds(Number(line['durationMs'])),
    String(line['requestedBy'] ?? ''),
  );
  return paint(COLOURS[outcome as keyof typeof COLOURS] ?? 'white', text);
};

/** Sums what the embedded metric format carries; a distribution counts as the number of its values. */
const count = (counts: Map<string, number>, line: Line): void => {
  const { _aws } = line as { _aws?: { CloudWatchMetrics: { Metrics: { Name: string }[] }[] } };
  for (const { Name } of _aws?.CloudWatchMetrics[0]?.Metrics ?? []) {
    const value = line[Name];
    counts.set(Name, (counts.get(Name) ?? 0) + (Array.isArray(value) ? value.length : Number(value)));
  }
};

/** Runs until Ctrl-C. @returns the exit status */
export const watch = async (world: World): Promise<number> => {
  prepare(world);
  printEndpoints(world);
  const counts = new Map<string, number>();
  let seen = 0;
  const show = (): void => {
    const lines = world.lines().slice(seen);
    if (lines.length === 0) return;
    seen += lines.length;
    for (const line of lines) {
      if (line['message'] === 'password enable') say(rowOf(line));
      else if (line['_aws']) count(counts, line);
      else say(paint('dim', `          ${line['level']}: ${line['message']} ${line['detail'] ?? ''}`.trimEnd()));
    }
    if (lines.some((line) => line['_aws'])) {
      say(paint('dim', `          ${[...counts].map(([name, value]) => `${name} ${value}`).join(' · ')}`));
    }
  };
  const source = world.poll();
  const timer = setInterval(show, 100);
  const signal = stopOnInterrupt(() => {});
  if (!signal.aborted) await once(signal, 'abort');
  clearInterval(timer);
  show();
  say('\nStopping.');
  await source.stop();
  return 0;
};
