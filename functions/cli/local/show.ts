/** The show of `npm start`: one message for every kind of answer, each shown as soon as it is where it should be. */
import { startWorld, until, type World } from '../../../infra/local/world.ts';
import { paint, say, sayJson, seconds } from '../terminal/print.ts';
import { buildFunction } from './build.ts';
import { readScenes, type Scene } from './scenes.ts';
import { createTable, outcomeText, type Row } from './table.ts';

export interface ShowOptions {
  readonly json: boolean;
  /** Another build of the function than that of this checkout. */
  readonly bundle?: string | undefined;
}

const FUNCTION_TIMEOUT_MS = 8000;
const SHOW_LIMIT_MS = 20_000;
/** How long a message may take from its outcome to its place. */
const PLACE_LIMIT_MS = 3000;
/** Small batches, two at once: rows come as they happen, and not ten at a time. */
const DELIVERY = { batchSize: 4, maximumConcurrency: 2 } as const;

const prepare = (world: World, scenes: readonly Scene[]): void => {
  for (const { password, faults = [], fault } of scenes) {
    if (!password) continue;
    const [identifier, state] = password;
    world.segura.passwords.set(String(identifier), state);
    if (fault) world.segura.always(identifier, fault);
    else world.segura.nextFor(identifier, ...faults);
  }
};

/** Where a message is now, read from the queues themselves. */
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

interface Sent {
  readonly scene: Scene;
  readonly messageId: string;
}

const auditLine = (world: World, { messageId }: Sent) =>
  world.auditLines().find((line) => line['messageId'] === messageId);

const readRow = (world: World, sent: Sent): Row => {
  const { scene, messageId } = sent;
  const line = auditLine(world, sent) ?? {};
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

/** Sends every scene, and shows each once it has its outcome and is where that belongs. */
const runScenes = async (
  world: World,
  scenes: readonly Scene[],
  onRow: (row: Row) => void,
): Promise<readonly Row[]> => {
  prepare(world, scenes);
  const open = new Set<Sent>();
  for (const scene of scenes) open.add({ scene, messageId: await world.send(scene.body) });
  const rows: Row[] = [];
  const close = (sent: Sent): void => {
    open.delete(sent);
    const row = readRow(world, sent);
    rows.push(row);
    onRow(row);
  };
  /** @returns whether nothing is left to wait for */
  const look = (isPlaced: (sent: Sent) => boolean): boolean => {
    for (const sent of open) if (auditLine(world, sent) && isPlaced(sent)) close(sent);
    return open.size === 0;
  };
  const source = world.poll(DELIVERY);
  const isInPlace = ({ scene, messageId }: Sent): boolean => PLACES[scene.outcome].test(findMessage(world, messageId));
  const haveOutcomes = () => look(isInPlace) || [...open].every((sent) => auditLine(world, sent));
  // What has no outcome, or is not where it should be, is shown as it is at the end.
  await until(haveOutcomes, 'every message to have an outcome', SHOW_LIMIT_MS).catch(() => undefined);
  await until(() => look(isInPlace), 'every message to be where it should', PLACE_LIMIT_MS).catch(() => undefined);
  await source.stop();
  for (const sent of open) close(sent);
  return rows;
};

const rowJson = ({ scene, said, outcome, errorCode, liesIn, isAsExpected }: Row) => ({
  title: scene.title,
  said,
  outcome,
  errorCode,
  liesIn,
  ok: isAsExpected,
});

const printEnd = (world: World, rows: readonly Row[], tookMs: number): void => {
  const { length: tokens } = world.segura.tokenRequests();
  const { length: reads } = world.secrets.reads;
  const calls = world.segura.enableCalls().length;
  say(
    '',
    `${rows.length} messages, ${calls} calls to Segura, ${tokens} tokens, ${reads} reads of the secret, ${seconds(tookMs)}`,
  );
  const wrong = rows.filter(({ isAsExpected }) => !isAsExpected);
  for (const { scene, outcome, errorCode, liesIn, inSegura } of wrong) {
    const was = `${outcomeText(outcome, errorCode)}, ${liesIn}, in Segura ${inSegura}`;
    say(paint('red', `✗ ${scene.title}: should be ${outcomeText(scene.outcome, scene.errorCode)}; is ${was}`));
  }
  if (wrong.length > 0) return;
  say(paint('green', 'All as it should be.'));
  say(paint('dim', 'See it in a browser, and break things yourself: npm start -- --watch'));
};

/** @returns the exit status: 0 when everything became what it should */
export const show = async ({ json, bundle }: ShowOptions): Promise<number> => {
  const startedAt = performance.now();
  if (!bundle) await buildFunction('enable-password');
  await using world = await startWorld({ timeoutMs: FUNCTION_TIMEOUT_MS, ...(bundle ? { bundle } : {}) });
  const scenes = await readScenes();
  const table = createTable(scenes);
  if (!json) table.printHead();
  const rows = await runScenes(world, scenes, json ? () => {} : table.printRow);
  const ok = rows.every(({ isAsExpected }) => isAsExpected);
  if (json) sayJson({ ok, messages: rows.map(rowJson) });
  else printEnd(world, rows, performance.now() - startedAt);
  return ok ? 0 : 1;
};
