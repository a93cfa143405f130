/** `mysafe-enable doctor`: a list of checks, each with a tick or what is wrong and how to fix it. Changes nothing. */
import manifest from '../../../package.json' with { type: 'json' };
import { isAwsFailure, readFailure } from '../../aws/failure.ts';
import { createFile } from '../new-file.ts';
import { explain } from '../terminal/hints.ts';
import { note, paint, say, sayJson, toJson, wrap } from '../terminal/print.ts';
import { parseIdentifier, UsageError, VariableError } from '../terminal/usage.ts';
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
import { cleanUp } from './clean-up.ts';
import { type Clock, checkClock } from './clock.ts';
import type { DoctorOptions } from './command.ts';
import { deployed } from './deployed.ts';
import { endToEnd, LARGEST_IDENTIFIER } from './end-to-end.ts';
import { queues } from './queues.ts';
import { configuration, secret } from './secret.ts';
import { endpoint, token } from './segura.ts';
import { way } from './way.ts';

const clock = step('clock', 'clock', [], async (_, context) => ({ checks: [checkClock(context.clock, Date.now())] }));

/** In the order in which they are made: each may need what one before it has found. */
const STEPS: readonly Step[] = [configuration, queues, secret, way, token, endpoint, deployed, clock];

const readTopics = ({ only, endToEnd: isEndToEnd }: DoctorOptions): readonly Topic[] => {
  if (isEndToEnd) return only === undefined ? ['end-to-end'] : [...readTopics({ only }), 'end-to-end'];
  if (only === undefined) return TOPICS;
  const names = only.split(',').map((name) => name.trim());
  const topics = names.map((name) => TOPICS.find((topic) => topic === name));
  const unknown = names.filter((_, index) => topics[index] === undefined);
  if (unknown.length > 0) throw new UsageError(`--only takes ${TOPICS.join(', ')}, with commas between`);
  return topics.filter((topic) => topic !== undefined);
};

/** What was asked for, and what has to be known for it: the configuration is read, and told of only where it is meant. */
const examine = async (
  steps: readonly Step[],
  topics: readonly Topic[],
  context: Context,
  onChecks: (checks: readonly Check[]) => void,
): Promise<void> => {
  let facts: Facts = {};
  for (const { title, topic, needs, run } of steps) {
    if (!topics.includes(topic) && topic !== 'configuration' && topic !== 'secret') continue;
    const missing = needs.find((need) => facts[need] === undefined);
    const found =
      missing === undefined ? await run(facts, context) : { checks: [notChecked(title, MISSING[missing])], facts: {} };
    facts = { ...facts, ...found.facts };
    if (topics.includes(topic)) onChecks(found.checks);
  }
};

/** Where not even the configuration can be read, that is what is wrong. */
const judgeEnd = (error: unknown): Check => {
  if (error instanceof VariableError) return failed('configuration', error.message);
  if (!isAwsFailure(error)) throw error;
  return failed('AWS', explain(readFailure(error).failed));
};

const markOf = ({ ok }: Check): string => {
  if (ok === null) return paint('dim', '–');
  return ok ? paint('green', '✓') : paint('red', '✗');
};

const NAME_WIDTH = 29;

const lineOf = (check: Check): string =>
  `${markOf(check)} ${check.name.padEnd(NAME_WIDTH)}  ${wrap(check.detail, NAME_WIDTH + 4)}`;

const sumOf = (checks: readonly Check[]): string => {
  const wrong = checks.filter(({ ok }) => ok === false).length;
  const left = checks.filter(({ ok }) => ok === null).length;
  const notAll = left === 0 ? '' : `, ${left} not checked`;
  return wrong === 0 ? paint('green', `All is well${notAll}.`) : paint('red', `${wrong} to fix${notAll}.`);
};

/** What is in it may be shared (see record.ts). */
const writeRecord = async (path: string, { recorded }: Context): Promise<void> => {
  const file = await createFile('--record', path);
  const content = { what: 'mysafe-enable doctor --record', version: manifest.version, calls: recorded };
  await file.append(`${JSON.stringify(JSON.parse(toJson(content)), null, 2)}\n`).finally(file.close);
};

/** Better known before all checks than after them. @throws UsageError where the file cannot be made */
const tryRecord = async (path: string): Promise<void> => {
  const file = await createFile('--record', path);
  await file.close();
  await file.remove();
};

/** @throws UsageError */
const readIdentifier = ({ identifier, endToEnd: isEndToEnd = false }: DoctorOptions): number => {
  if (identifier === undefined) return LARGEST_IDENTIFIER;
  const parsed = parseIdentifier('--identifier', identifier);
  if (!isEndToEnd) throw new UsageError('--identifier is for --end-to-end, which sends it: give both, or leave it out');
  return parsed;
};

export const runDoctor = async (options: DoctorOptions): Promise<number> => {
  const topics = readTopics(options);
  const identifier = readIdentifier(options);
  if (options.record !== undefined) await tryRecord(options.record);
  const found: Clock = {};
  const context: Context = { options, clock: found, recorded: [], isRecording: options.record !== undefined };
  const steps = options.endToEnd ? [...STEPS, endToEnd(identifier), cleanUp] : STEPS;
  const tell = options.json ? note : say;
  const checks: Check[] = [];
  const onChecks = (found: readonly Check[]): void => {
    checks.push(...found);
    for (const check of found) tell(lineOf(check));
  };
  await examine(steps, topics, context, onChecks).catch((error: unknown) => onChecks([judgeEnd(error)]));
  const isOk = checks.every(({ ok }) => ok !== false);
  tell('', sumOf(checks));
  if (options.record !== undefined) {
    await writeRecord(options.record, context);
    tell(`${context.recorded.length} answers are in ${options.record}, without a secret, host or name.`);
  }
  if (options.json) sayJson({ ok: isOk, checks });
  return isOk ? 0 : 1;
};
