/**
 * `mysafe-enable local`, which is `npm start`: the whole of it on this machine. An embedded SQS, a Secrets Manager, a
 * Segura simulator behind a simulated Kong, and the built function fed as Lambda's event source mapping feeds it.
 */
import { startWorld, until, type World } from '../../../infra/local/world.ts';
import { paint, say, sayJson, seconds } from '../terminal/print.ts';
import { parseCount, UsageError } from '../terminal/usage.ts';
import { buildFunction } from './build.ts';
import type { LocalOptions } from './command.ts';
import { readScenes, type Scene } from './scenes.ts';
import { outcomeText, printRows, type Row } from './table.ts';
import { watch } from './watch.ts';

const FUNCTION_TIMEOUT_MS = 8000;
const SHOW_LIMIT_MS = 20_000;

const prepare = (world: World, scenes: readonly Scene[]): void => {
  for (const { password, faults = [], fault } of scenes) {
    if (!password) continue;
    const [identifier, state] = password;
    world.segura.passwords.set(String(identifier), state);
    if (fault) world.segura.always(identifier, fault);
    else world.segura.nextFor(identifier, ...faults);
  }
};

/** Where a message lies now, read from the queues themselves. */
const findMessage = (world: World, messageId: string): string => {
  const waiting = world.messages('requests').find((message) => message.messageId === messageId);
  if (waiting) return `requests, again in ${Math.ceil(waiting.visibleInMs / 1000)} s`;
  const isRejected = world
    .messages('rejected')
    .some(({ messageAttributes }) => messageAttributes['OriginalMessageId']?.StringValue === messageId);
  if (isRejected) return 'rejected';
  return world.messages('exhausted').some((message) => message.messageId === messageId) ? 'exhausted' : 'gone';
};

const PLACES: Readonly<Record<Scene['outcome'], RegExp>> = {
  enabled: /^gone$/,
  'already-enabled': /^gone$/,
  rejected: /^rejected$/,
  kept: /^requests, again in \d+ s$/,
};

/** `503 ×6`, `504, 200` */
const summarize = (answers: readonly string[]): string => {
  const [first = '(not called)'] = answers;
  if (answers.length > 1 && answers.every((each) => each === first)) return `${first} ×${answers.length}`;
  return answers.join(', ') || first;
};

const readRow = (world: World, scene: Scene, messageId: string): Row => {
  const line = world.auditLines().find((each) => each['messageId'] === messageId) ?? {};
  const calls = scene.password
    ? world.segura.enableCalls(scene.password[0])
    : world.segura.enableCalls((line['identifier'] as number) ?? '-');
  const outcome = String(line['outcome'] ?? 'no outcome');
  const errorCode = line['errorCode'] as string | undefined;
  const liesIn = findMessage(world, messageId);
  // What is not carried out must not have changed anything either.
  const [identifier, before] = scene.password ?? [];
  const isCarriedOut = scene.outcome === 'enabled' || scene.outcome === 'already-enabled';
  const inSegura = world.segura.passwords.get(String(identifier));
  const isRightInSegura = inSegura === (isCarriedOut ? 'active' : before);
  return {
    scene,
    said: summarize(calls.map(({ status }) => (status === 0 ? 'reset' : String(status)))),
    outcome,
    errorCode,
    liesIn,
    durationMs: Number(line['durationMs'] ?? 0),
    inSegura: inSegura ?? 'not there',
    isAsExpected:
      outcome === scene.outcome &&
      errorCode === scene.errorCode &&
      PLACES[scene.outcome].test(liesIn) &&
      isRightInSegura,
  };
};

/** Sends every scene, and waits until each has its outcome. */
const runShow = async (world: World): Promise<Row[]> => {
  const scenes = await readScenes();
  prepare(world, scenes);
  const sent: (readonly [Scene, string])[] = [];
  for (const scene of scenes) sent.push([scene, await world.send(scene.body)]);
  const source = world.poll({ maximumConcurrency: 1 });
  const concluded = () => new Set(world.auditLines().map(({ messageId }) => messageId)).size >= sent.length;
  let isComplete = true;
  await until(concluded, 'every message to have an outcome', SHOW_LIMIT_MS).catch(() => {
    isComplete = false; // the table shows which has none
  });
  // What is done must also be gone from the queue.
  const settled = () => sent.every(([scene, id]) => PLACES[scene.outcome].test(findMessage(world, id)));
  if (isComplete) await until(settled, 'every message to lie where it should', 3000).catch(() => undefined);
  await source.stop();
  return sent.map(([scene, messageId]) => readRow(world, scene, messageId));
};

/**
 * @param bundle another build of the function than that of this checkout
 * @returns the exit status: 0 when everything became what it should
 * @throws UsageError
 */
export const runLocal = async (
  { watch: keepsRunning = false, json = false, port, envFile }: LocalOptions,
  _words: readonly string[] = [],
  bundle?: string,
): Promise<number> => {
  if (keepsRunning && json) throw new UsageError('--watch has no end, and so no object to end with: leave --json out');
  if (!keepsRunning && (port !== undefined || envFile !== undefined)) {
    throw new UsageError('--port and --env-file are of a world that keeps running: add --watch');
  }
  if (keepsRunning)
    return watch({
      port: port === undefined ? undefined : parseCount('--port', port, { least: 0, most: 65_535 }),
      envFile,
    });
  const startedAt = performance.now();
  if (!bundle) await buildFunction('enable-password');
  await using world = await startWorld({
    timeoutMs: FUNCTION_TIMEOUT_MS,
    ...(bundle ? { bundle } : {}),
  });
  if (!json) say('SQS, Secrets Manager, Segura behind Kong: all on this machine. Sending to the requests queue …\n');
  const rows = await runShow(world);
  const wrong = rows.filter(({ isAsExpected }) => !isAsExpected);
  const tookMs = performance.now() - startedAt;
  if (json) {
    sayJson({
      ok: wrong.length === 0,
      messages: rows.map(({ scene, said, outcome, errorCode, liesIn, isAsExpected }) => ({
        title: scene.title,
        said,
        outcome,
        errorCode,
        liesIn,
        ok: isAsExpected,
      })),
    });
    return wrong.length === 0 ? 0 : 1;
  }
  printRows(rows);
  const { length: tokens } = world.segura.tokenRequests();
  say(
    `\n${rows.length} messages, ${world.segura.enableCalls().length} calls to Segura, ${tokens} tokens, ${world.secrets.reads.length} read of the secret, ${seconds(tookMs)}`,
  );
  for (const { scene, outcome, errorCode, liesIn, inSegura } of wrong) {
    const was = `${outcomeText(outcome, errorCode)}, ${liesIn}, in Segura ${inSegura}`;
    say(paint('red', `✗ ${scene.title}: should be ${outcomeText(scene.outcome, scene.errorCode)}; is ${was}`));
  }
  if (wrong.length === 0) {
    say(paint('green', 'All as it should be.'));
    say(paint('dim', 'Keep it running and send to it yourself: npm start -- --watch'));
  }
  return wrong.length === 0 ? 0 : 1;
};
