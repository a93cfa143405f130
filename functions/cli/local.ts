/**
 * `mysafe-enable local`, which is `npm start`: the whole of it on this machine. An embedded SQS, a Secrets Manager, a
 * Segura simulator behind a simulated Kong, and the built function fed as Lambda's event source mapping feeds it.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SQSEvent } from 'aws-lambda';
import type { BuildOptions } from 'esbuild';
import type { Fault } from '../../test/simulator/faults.ts';
// The one place outside test/ that knows of it; loaded by main.ts for this command alone.
import { bundleOf } from '../../test/simulator/lambda.ts';
import type { PasswordState } from '../../test/simulator/segura.ts';
import { startWorld, until, type World } from '../../test/simulator/world.ts';
import { columns, paint, say, sayJson, seconds, shorten, table } from './print.ts';
import { watch } from './watch.ts';

export interface LocalOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** One message of the show, and what must become of it. */
interface Scene {
  readonly title: string;
  readonly body: string;
  readonly outcome: 'enabled' | 'already-enabled' | 'rejected' | 'kept';
  readonly errorCode?: string;
  /** A password that Segura knows, and how its calls go. */
  readonly password?: readonly [identifier: number, state: PasswordState];
  readonly faults?: readonly Fault[];
  readonly fault?: Fault;
}

const FUNCTION_NAME = 'enable-password';
const FUNCTION_TIMEOUT_MS = 12_000;
const SHOW_LIMIT_MS = 20_000;

/** What the samples of events/ do not show: every other kind of answer. */
const SCENES: readonly Scene[] = [
  { title: 'already active', body: '20', outcome: 'already-enabled', password: [20, 'active'] },
  { title: 'no such password', body: '{"identifier": 404}', outcome: 'rejected', errorCode: '1005' },
  {
    title: 'no access',
    body: '{"identifier": 21}',
    outcome: 'rejected',
    errorCode: '1006',
    password: [21, 'no-access'],
  },
  {
    title: 'not an identifier of Segura',
    body: '22',
    outcome: 'rejected',
    errorCode: '1010',
    password: [22, 'disabled'],
    faults: [{ kind: 'fixture', name: 'invalid-identifier-1010' }],
  },
  { title: 'not a request', body: 'please enable 10', outcome: 'rejected', errorCode: 'InvalidMessage' },
  {
    title: 'approved for last year only',
    body: '{"identifier": 23, "notAfter": "2025-12-31T17:00:00Z"}',
    outcome: 'rejected',
    errorCode: 'Expired',
    password: [23, 'disabled'],
  },
  {
    title: 'gateway time-out, then fine',
    body: '24',
    outcome: 'enabled',
    password: [24, 'disabled'],
    faults: [{ kind: 'kong', status: 504 }],
  },
  {
    title: 'answer lost on the way back',
    body: '25',
    outcome: 'already-enabled',
    password: [25, 'disabled'],
    faults: [{ kind: 'lost-answer' }],
  },
  {
    title: 'too fast, Retry-After 1',
    body: '26',
    outcome: 'enabled',
    password: [26, 'disabled'],
    faults: [{ kind: 'kong', status: 429, headers: { 'retry-after': '1' } }],
  },
  {
    title: 'token refused, renewed',
    body: '27',
    outcome: 'enabled',
    password: [27, 'disabled'],
    faults: [{ kind: 'kong', status: 404 }],
  },
  {
    title: 'connection reset, then fine',
    body: '28',
    outcome: 'enabled',
    password: [28, 'disabled'],
    faults: [{ kind: 'reset' }],
  },
  {
    title: "Segura's own fault, twice",
    body: '29',
    outcome: 'kept',
    errorCode: '500',
    password: [29, 'disabled'],
    fault: { kind: 'fixture', name: 'server-error-v4' },
  },
  {
    title: 'login page instead of an answer',
    body: '30',
    outcome: 'kept',
    errorCode: '200',
    password: [30, 'disabled'],
    fault: { kind: 'fixture', name: 'login-page-as-200' },
  },
  {
    title: 'gateway down for good',
    body: '31',
    outcome: 'kept',
    errorCode: '503',
    password: [31, 'disabled'],
    fault: { kind: 'kong', status: 503 },
  },
];

/** The samples of events/, each a disabled password that gets enabled. */
const readSamples = async (): Promise<Scene[]> => {
  const folder = join(import.meta.dirname, '../../events');
  const names = (await readdir(folder)).filter((name) => /^request-.*\.json$/.test(name)).sort();
  return Promise.all(
    names.map(async (name, index): Promise<Scene> => {
      const { Records } = JSON.parse(await readFile(join(folder, name), 'utf8')) as SQSEvent;
      const body = Records[0]?.body ?? '';
      const identifier = Number(/identifier\D*(\d+)/.exec(body)?.[1] ?? /\d+/.exec(body)?.[0] ?? index);
      return { title: name.replace(/\.json$/, ''), body, outcome: 'enabled', password: [identifier, 'disabled'] };
    }),
  );
};

const prepare = (world: World, scenes: readonly Scene[]): void => {
  for (const { password, faults = [], fault } of scenes) {
    if (!password) continue;
    const [identifier, state] = password;
    world.segura.passwords.set(String(identifier), state);
    if (fault) world.segura.always(identifier, fault);
    else world.segura.nextFor(identifier, ...faults);
  }
};

interface Row {
  readonly scene: Scene;
  readonly said: string;
  readonly outcome: string;
  readonly errorCode: string | undefined;
  readonly liesIn: string;
  readonly durationMs: number;
  readonly isAsExpected: boolean;
}

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

const readRow = (world: World, scene: Scene, messageId: string): Row => {
  const line = world.auditLines().find((each) => each['messageId'] === messageId) ?? {};
  const calls = scene.password
    ? world.segura.enableCalls(scene.password[0])
    : world.segura.enableCalls((line['identifier'] as number) ?? '-');
  const outcome = String(line['outcome'] ?? 'no outcome');
  const errorCode = line['errorCode'] as string | undefined;
  const liesIn = findMessage(world, messageId);
  const state = scene.password && world.segura.passwords.get(String(scene.password[0]));
  const isEnabled = scene.outcome !== 'enabled' || state === 'active';
  return {
    scene,
    said: calls.map(({ status }) => (status === 0 ? 'reset' : String(status))).join(', ') || '(not called)',
    outcome,
    errorCode,
    liesIn,
    durationMs: Number(line['durationMs'] ?? 0),
    isAsExpected:
      outcome === scene.outcome && errorCode === scene.errorCode && PLACES[scene.outcome].test(liesIn) && isEnabled,
  };
};

const OUTCOME_STYLES = { enabled: 'green', 'already-enabled': 'green', rejected: 'yellow', kept: 'cyan' } as const;

const printRows = (rows: readonly Row[]): void => {
  const widths = columns() >= 140 ? [33, 30] : [27, 12];
  const [titleWidth = 33, bodyWidth = 30] = widths;
  say(
    table(
      ['', 'what it shows', 'message', 'Segura said', 'became', 'lies in', 'took'],
      rows.map(({ scene, said, outcome, errorCode, liesIn, durationMs, isAsExpected }) => [
        isAsExpected ? paint('green', '✓') : paint('red', '✗'),
        shorten(scene.title, titleWidth),
        shorten(scene.body, bodyWidth),
        said,
        paint(OUTCOME_STYLES[outcome as Scene['outcome']] ?? 'red', errorCode ? `${outcome} (${errorCode})` : outcome),
        liesIn,
        seconds(durationMs),
      ]),
    ),
  );
};

/** Sends every scene, and waits until each has its outcome. */
const runShow = async (world: World): Promise<Row[]> => {
  const scenes = [...(await readSamples()), ...SCENES];
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

const newestChange = async (folder: string): Promise<number> => {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const times = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).mtimeMs));
  return Math.max(0, ...times);
};

/**
 * In a clone the function is built where it is missing or older than its source; the published package brings it along.
 * Only this function: others may be running from the rest of dist/.
 */
const buildFunction = async (): Promise<void> => {
  if (import.meta.filename.endsWith('.mjs')) return;
  const builtAt = (await stat(bundleOf(FUNCTION_NAME)).catch(() => undefined))?.mtimeMs ?? 0;
  const root = join(import.meta.dirname, '../..');
  const { mtimeMs: lockedAt } = await stat(join(root, 'package-lock.json'));
  if (builtAt > Math.max(lockedAt, await newestChange(join(root, 'functions')))) return;
  // By its address, so that the bundler of the command line does not follow it.
  const url = new URL('../../infra/build.ts', import.meta.url).href;
  const [{ functionOptions }, { build }] = (await Promise.all([import(url), import('esbuild')])) as [
    { functionOptions: (name: string) => BuildOptions },
    { build: (options: BuildOptions) => Promise<unknown> },
  ];
  await build(functionOptions(FUNCTION_NAME));
};

/** @returns the exit status: 0 when everything became what it should. */
export const runLocal = async ({ watch: keepsRunning = false, json = false }: LocalOptions): Promise<number> => {
  const startedAt = performance.now();
  await buildFunction();
  await using world = await startWorld({ timeoutMs: keepsRunning ? 120_000 : FUNCTION_TIMEOUT_MS });
  if (keepsRunning) return watch(world);
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
  for (const { scene } of wrong) {
    const expected = [scene.outcome, scene.errorCode && `(${scene.errorCode})`].filter(Boolean).join(' ');
    say(paint('red', `✗ ${scene.title}: should have been ${expected}`));
  }
  if (wrong.length === 0) {
    say(paint('green', 'All as it should be.'));
    say(paint('dim', 'Keep it running and send to it yourself: npm start -- --watch'));
  }
  return wrong.length === 0 ? 0 : 1;
};
