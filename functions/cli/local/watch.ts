/** `mysafe-enable local --watch`: everything keeps running, with the console as a page and the audit lines as a table. */
import { once } from 'node:events';
import { type Console, createConsole } from '../../../infra/local/console/console.ts';
import { createJournal, type Journal } from '../../../infra/local/console/journal.ts';
import { PortError, startConsoleServer } from '../../../infra/local/console/server.ts';
import type { Line } from '../../../infra/local/lambda.ts';
import type { PasswordState } from '../../../infra/local/segura.ts';
import { startWorld, type World } from '../../../infra/local/world.ts';
import { CommandError } from '../terminal/ending.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { paint, say, seconds } from '../terminal/print.ts';
import { accountVariables, OPERATOR, openAccount, openLogs } from './account.ts';
import { buildConsole, buildFunction } from './build.ts';
import { endpointVariables, sampleCommands, writeEnvFile } from './endpoints.ts';
import { KEYS, listenToKeys } from './keys.ts';
import { createSticky, type Sticky } from './sticky.ts';
import { countsLine, summaryLines } from './summary.ts';

export interface WatchOptions {
  /** Of the console's page; the usual one, or any that is free, where none is given. */
  readonly port?: number | undefined;
  readonly envFile?: string | undefined;
}

const DEFAULT_PORT = 4578;
/** Shorter than deployed (120 s and 30 s), so that one can watch what comes of a time-out. */
const LIMITS = { functionMs: 10_000, callMs: 3000, visibilitySeconds: 60 } as const;

/** Passwords to try things with. */
const PASSWORDS = { from: 1, to: 1000, active: 50, noAccess: 66, unknown: 404 } as const;

const passwordsAtFirst = (): ReadonlyMap<string, PasswordState> => {
  const passwords = new Map<string, PasswordState>();
  for (let each: number = PASSWORDS.from; each <= PASSWORDS.to; each += 1) passwords.set(String(each), 'disabled');
  passwords.set(String(PASSWORDS.active), 'active');
  passwords.set(String(PASSWORDS.noAccess), 'no-access');
  passwords.delete(String(PASSWORDS.unknown));
  return passwords;
};

const startWatchedWorld = (journal: Journal, passwords: ReadonlyMap<string, PasswordState>): Promise<World> =>
  startWorld({
    // So that a certificate can expire.
    tls: 'private-ca',
    outcomes: true,
    passwords: Object.fromEntries(passwords),
    timeoutMs: LIMITS.functionMs,
    // Replays come from the page and from the command line, and both may renew.
    env: { SEGURA_TIMEOUT_MS: String(LIMITS.callMs), RENEWAL_SENDERS: OPERATOR },
    sqs: { visibilitySeconds: LIMITS.visibilitySeconds },
    onLine: journal.onLine,
    onInvocation: journal.onInvocation,
  });

/** On the usual port where it is free; a port that was asked for is taken or refused. */
const openConsole = async (console: Console, port: number | undefined) => {
  const assets = await buildConsole();
  try {
    return await startConsoleServer({ console, assets, port: port ?? DEFAULT_PORT });
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    if (port === undefined) return startConsoleServer({ console, assets, port: 0 });
    const fix = 'end what uses it, perhaps another console, or choose another with --port (0: any that is free)';
    throw new CommandError('PortInUse', error.message, fix);
  }
};

const WIDTHS = [9, 17, 28, 8, 8, 16] as const;

const row = (...cells: readonly string[]): string =>
  cells
    .map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0))
    .join(' ')
    .trimEnd();

const printStart = async (
  url: string,
  variables: Readonly<Record<string, string>>,
  envFile: string | undefined,
): Promise<void> => {
  say(`${paint('bold', 'The console:')} ${url}\n`);
  if (envFile === undefined) {
    say(paint('bold', 'In another terminal:'), '');
    for (const [name, value] of Object.entries(variables)) say(`  export ${name}=${value}`);
  } else {
    await writeEnvFile(envFile, variables);
    // Without a slash the shell would look for it along its PATH.
    say(`${paint('bold', 'In another terminal:')} . ${envFile.includes('/') ? envFile : `./${envFile}`}`);
  }
  say('');
  for (const command of sampleCommands()) say(`  ${command}`);
  const { from, to, active, noAccess, unknown } = PASSWORDS;
  say(
    `\nSegura knows the passwords ${from} to ${to}: ${active} is enabled already, ${noAccess} gives 1006 (no access), ${unknown} gives 1005 (not found). Ctrl-C ends it.\n`,
  );
  say(paint('bold', row('time', 'identifier', 'became', 'attempts', 'took', 'group', 'requested by')));
};

const COLOURS = { enabled: 'green', 'already-enabled': 'green', rejected: 'yellow', kept: 'cyan' } as const;

const rowOf = (line: Line, groupId = ''): string => {
  const outcome = String(line['outcome']);
  const text = row(
    String(line['timestamp']).slice(11, 19),
    String(line['identifier'] ?? '-'),
    line['errorCode'] ? `${outcome} (${line['errorCode']})` : outcome,
    String(line['attempts']),
    seconds(Number(line['durationMs'])),
    groupId,
    String(line['requestedBy'] ?? ''),
  );
  return paint(COLOURS[outcome as keyof typeof COLOURS] ?? 'white', text);
};

const remark = (text: string): void => say(paint('dim', `          ${text}`.trimEnd()));

const printLine = (line: Line, { groupId }: Journal): void => {
  if (line['message'] === 'password enable') say(rowOf(line, groupId(String(line['messageId']))));
  else if (!line['_aws']) remark(`${line['level']}: ${line['message']} ${line['detail'] ?? ''}`);
};

/** On a terminal the summary stays at the bottom; elsewhere it is a line wherever something new was settled. */
const createTelling = (console: Console, journal: Journal, sticky: Sticky) => {
  let counted = '';
  const hints = `keys: ${Object.entries(KEYS)
    .map(([key, { does }]) => `${key} ${does}`)
    .join(', ')}, Ctrl-C ends it`;
  return (lines: readonly Line[]): void => {
    const print = (): void => {
      for (const line of lines) printLine(line, journal);
    };
    if (lines.length > 0) sticky.above(print);
    const snapshot = console.snapshot();
    sticky.show(['', ...summaryLines(snapshot), hints]);
    const counts = countsLine(snapshot);
    if (process.stdout.isTTY || lines.length === 0 || counts === counted) return;
    counted = counts;
    remark(counts);
  };
};

const TELL_EVERY_MS = 100;

/**
 * Runs until Ctrl-C.
 * @returns the exit status
 * @throws CommandError
 */
export const watch = async ({ port, envFile }: WatchOptions): Promise<number> => {
  await Promise.all([buildFunction('enable-password'), buildFunction('replay-dead-letters')]);
  const journal = createJournal();
  const passwords = passwordsAtFirst();
  let lines: Line[] = [];
  const { logs, onLine: toLogs } = await openLogs();
  const onLine = (line: Line): void => {
    journal.onLine(line);
    toLogs(line);
    lines.push(line);
  };
  await using world = await startWatchedWorld({ ...journal, onLine }, passwords);
  const console = createConsole({ world, journal, passwords });
  await world.mapping.enable();
  const account = await openAccount(world.mapping, world.sqs.arnOf('requests'), LIMITS.functionMs / 1000);
  const open: { close: () => Promise<unknown> }[] = [console, account, logs];
  const closeAll = () => Promise.all(open.map((each) => each.close()));
  try {
    const server = await openConsole(console, port);
    open.push(server);
    const more = { ...accountVariables(logs.url, account.url), CONSOLE_URL: server.url };
    await printStart(server.url, endpointVariables(world, more), envFile);
  } catch (error) {
    // What is open would keep the process from ending.
    await closeAll();
    throw error;
  }
  const sticky = createSticky();
  const tell = createTelling(console, journal, sticky);
  const show = (): void => {
    const taken = lines;
    lines = [];
    tell(taken);
  };
  const timer = setInterval(show, TELL_EVERY_MS);
  const giveBack = listenToKeys(console, (text) => sticky.above(() => remark(text)));
  const signal = stopOnInterrupt(() => {});
  if (!signal.aborted) await once(signal, 'abort');
  clearInterval(timer);
  giveBack();
  show();
  sticky.end();
  say('\nStopping.');
  await closeAll();
  return 0;
};
