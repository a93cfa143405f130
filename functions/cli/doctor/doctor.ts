/** `mysafe-enable doctor`: a list of checks, each with a tick or what is wrong and how to fix it. Changes nothing. */
import { open } from 'node:fs/promises';
import manifest from '../../../package.json' with { type: 'json' };
import { awsFailure } from '../../aws/failure.ts';
import { explain } from '../terminal/hints.ts';
import { note, paint, say, sayJson, toJson, wrap } from '../terminal/print.ts';
import { UsageError, VariableError } from '../terminal/usage.ts';
import {
  type Check,
  type Context,
  type Facts,
  failed,
  MISSING,
  notChecked,
  type Step,
  step,
  TOPICS,
  type Topic,
} from './check.ts';
import { type Clock, checkClock } from './clock.ts';
import type { DoctorOptions } from './command.ts';
import { queues } from './queues.ts';
import { configuration, secret } from './secret.ts';
import { endpoint, token } from './segura.ts';
import { way } from './way.ts';

const clock = step('clock', 'clock', [], async (_, context) => ({ checks: [checkClock(context.clock, Date.now())] }));

/** In the order in which they are made: each may need what one before it has found. */
const STEPS: readonly Step[] = [configuration, queues, secret, way, token, endpoint, clock];

const readTopics = ({ only }: DoctorOptions): readonly Topic[] => {
  if (only === undefined) return TOPICS;
  const names = only.split(',').map((name) => name.trim());
  const topics = names.map((name) => TOPICS.find((topic) => topic === name));
  const unknown = names.filter((_, index) => topics[index] === undefined);
  if (unknown.length > 0) throw new UsageError(`--only takes ${TOPICS.join(', ')}, with commas between`);
  return topics.filter((topic) => topic !== undefined);
};

/** What was asked for, and what has to be known for it: the configuration is read, and told of only where it is meant. */
const examine = async (topics: readonly Topic[], context: Context): Promise<Check[]> => {
  const checks: Check[] = [];
  let facts: Facts = {};
  for (const { title, topic, needs, run } of STEPS) {
    if (!topics.includes(topic) && topic !== 'configuration' && topic !== 'secret') continue;
    const missing = needs.find((need) => facts[need] === undefined);
    const found =
      missing === undefined ? await run(facts, context) : { checks: [notChecked(title, MISSING[missing])], facts: {} };
    facts = { ...facts, ...found.facts };
    if (topics.includes(topic)) checks.push(...found.checks);
  }
  return checks;
};

/** Where not even the configuration can be read, that is what is wrong. */
const examineAnyway = async (topics: readonly Topic[], context: Context): Promise<Check[]> => {
  try {
    return await examine(topics, context);
  } catch (error) {
    if (error instanceof VariableError) return [failed('configuration', error.message)];
    if (error instanceof UsageError) throw error;
    return [failed('AWS', explain(awsFailure(error)))];
  }
};

const markOf = ({ ok }: Check): string => {
  if (ok === null) return paint('dim', '–');
  return ok ? paint('green', '✓') : paint('red', '✗');
};

const printChecks = (checks: readonly Check[], tell: (...lines: readonly string[]) => void): void => {
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const check of checks) {
    tell(`${markOf(check)} ${check.name.padEnd(width)}  ${wrap(check.detail, width + 4)}`);
  }
  const wrong = checks.filter(({ ok }) => ok === false).length;
  const left = checks.filter(({ ok }) => ok === null).length;
  const notAll = left === 0 ? '' : `, ${left} not checked`;
  tell('', wrong === 0 ? paint('green', `All is well${notAll}.`) : paint('red', `${wrong} to fix${notAll}.`));
};

/** A new file only, for whoever ran the command; what is in it may be shared (see record.ts). */
const writeRecord = async (path: string, { recorded }: Context): Promise<void> => {
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'is there already: name a new file' : `cannot be made: ${error.code}`;
    throw new UsageError(`--record ${path} ${why}`);
  });
  const content = { what: 'mysafe-enable doctor --record', version: manifest.version, calls: recorded };
  await file.writeFile(`${JSON.stringify(JSON.parse(toJson(content)), null, 2)}\n`);
  await file.close();
};

export const runDoctor = async (options: DoctorOptions): Promise<number> => {
  const topics = readTopics(options);
  const found: Clock = {};
  const context: Context = { options, clock: found, recorded: [], isRecording: options.record !== undefined };
  const checks = await examineAnyway(topics, context);
  const isOk = checks.every(({ ok }) => ok !== false);
  const tell = options.json ? note : say;
  printChecks(checks, tell);
  if (options.record !== undefined) {
    await writeRecord(options.record, context);
    tell(`${context.recorded.length} answers are in ${options.record}, without a secret, host or name.`);
  }
  if (options.json) sayJson({ ok: isOk, checks });
  return isOk ? 0 : 1;
};
