/**
 * The command `report`, as a real process against a log service and queues that hold what the simulation wrote and left
 * behind, held against what truly became of each request.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FATES } from '../../functions/audit/requests.ts';
import { startLogs } from '../../infra/local/logs.ts';
import type { Queue, QueueMessage } from '../../infra/local/queue.ts';
import { startSqs } from '../../infra/local/sqs.ts';
import { environmentOf, runCommand } from '../loopback/command.ts';
import { makeFolder } from '../loopback/folder.ts';
import { STARTS_AT } from './cluster.ts';
import type { History, Truth } from './history.ts';

const LOG_GROUP = '/aws/lambda/simulation';
/** As long as SQS can hide a message. */
const HIDDEN_SECONDS = 43_200;

export interface Evidence {
  readonly requests: number;
  readonly lines: number;
  readonly byFate: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly maxRssMiB: number;
  /** Where the report says anything else than what happened, with both. */
  readonly differences: readonly string[];
}

/** The command reads its own clock: it is that of the simulation. A class that extends Date would cost it a fifth more. */
const clockHook = (now: number): string => {
  const code = `const by = ${now} - Date.now(); const Real = Date;
    globalThis.Date = function Date(at) {
      if (arguments.length > 1) return new Real(...arguments);
      return new Real(arguments.length === 0 ? Real.now() + by : at);
    };
    const now = () => Real.now() + by;
    Object.assign(Date, { prototype: Real.prototype, parse: Real.parse, UTC: Real.UTC, now });`;
  return `--import data:text/javascript,${encodeURIComponent(code)}`;
};

const timeOf = (line: string): number => Date.parse((JSON.parse(line) as { timestamp: string }).timestamp);

const putAll = (logs: Awaited<ReturnType<typeof startLogs>>, histories: readonly History[]): number => {
  const lines = histories.flatMap((history) => history.lines);
  const times = Float64Array.from(lines, timeOf);
  // The log service takes them as they come: by time.
  const order = Uint32Array.from(lines.keys()).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
  logs.createGroup(LOG_GROUP);
  for (const index of order) logs.put(LOG_GROUP, lines[index] ?? '', times[index]);
  return lines.length;
};

const fill = (
  queue: Queue | undefined,
  histories: readonly History[],
  from: 'rejected' | 'exhausted' | 'requests',
  isMeant: (message: QueueMessage) => boolean = () => true,
) => {
  for (const [number, history] of histories.entries()) {
    for (const message of history[from].filter(isMeant)) {
      // Each history's SQS gives its own ids; those of first sendings are distinct already.
      const isOwn = message.messageId.startsWith('sent-');
      const messageId = isOwn ? `${number}-${message.messageId}` : message.messageId;
      queue?.adopt({ ...message, messageId }, '');
    }
  }
};

/** Those that were hidden stay so; the others are visible. */
const fillRequests = (queue: Queue | undefined, histories: readonly History[]): void => {
  fill(queue, histories, 'requests', ({ isInFlight }) => isInFlight);
  let received: readonly QueueMessage[] | undefined;
  do received = queue?.receive(1000, HIDDEN_SECONDS);
  while ((received?.length ?? 0) > 0);
  fill(queue, histories, 'requests', ({ isInFlight }) => !isInFlight);
};

type Row = Readonly<Record<string, unknown>>;

const rowOf = ({ sentBy, replayedBy, ...truth }: Truth): Row =>
  Object.fromEntries(
    Object.entries({
      ...truth,
      sentBy: sentBy.join(' ') || undefined,
      replayedBy: replayedBy.join(' ') || undefined,
    }).filter(([, value]) => value !== undefined),
  );

/** The columns that only the report has: Segura's words. */
const compared = ({ record: _, errorMessage: __, cause: ___, ...row }: Row): Row => row;

const inOrder = (row: Row): string => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));

const differ = (truths: readonly Truth[], rows: readonly Row[]): string[] => {
  const told = new Map(rows.map((row) => [row['messageId'], row]));
  const differences: string[] = [];
  if (told.size < rows.length) differences.push(`${rows.length} lines tell of ${told.size} requests`);
  for (const truth of truths) {
    const row = told.get(truth.messageId);
    told.delete(truth.messageId);
    if (truth.fate === undefined && row === undefined) continue;
    const [happened, said] = [inOrder(rowOf(truth)), row ? inOrder(compared(row)) : 'nothing'];
    if (happened !== said) differences.push(`happened ${happened}\nsaid     ${said}`);
  }
  for (const row of told.values()) differences.push(`happened nothing\nsaid     ${inOrder(row)}`);
  return differences;
};

interface Totals {
  readonly requests: number;
  readonly byFate: Readonly<Record<string, number>>;
  readonly deliveries: number;
  readonly replays: number;
  readonly inRequestsNow: number;
}

const differInTotals = (truths: readonly Truth[], waiting: number, totals: Totals): string[] => {
  const known = truths.filter(({ fate }) => fate !== undefined);
  const sum = (of: (truth: Truth) => number): number => known.reduce((all, truth) => all + of(truth), 0);
  const happened = {
    requests: known.length,
    byFate: Object.fromEntries(FATES.map((fate) => [fate, known.filter((truth) => truth.fate === fate).length])),
    deliveries: sum(({ deliveries }) => deliveries),
    replays: sum(({ replays }) => replays),
    inRequestsNow: waiting,
  };
  const { requests, byFate, deliveries, replays, inRequestsNow } = totals;
  const said = { requests, byFate, deliveries, replays, inRequestsNow };
  return JSON.stringify(happened) === JSON.stringify(said)
    ? []
    : [`totals: happened ${JSON.stringify(happened)}\nsaid ${JSON.stringify(said)}`];
};

/** Of one stage: one log, and one of each queue. */
const holdStage = async (histories: readonly History[], maxReceiveCount: number): Promise<Evidence> => {
  const looksAt = Math.max(...histories.map(({ endsAt }) => endsAt)) + 1000;
  const startedAt = Date.now();
  const [logs, sqs] = await Promise.all([
    startLogs(),
    startSqs({ maxReceiveCount, now: () => looksAt + Date.now() - startedAt }),
  ]);
  await using folder = await makeFolder();
  try {
    const lines = putAll(logs, histories);
    for (const queue of ['rejected', 'exhausted'] as const) fill(sqs.queueOf(queue), histories, queue);
    fillRequests(sqs.queueOf('requests'), histories);
    const file = join(folder.path, 'report.jsonl');
    const from = new Date(STARTS_AT).toISOString();
    const began = performance.now();
    const words = ['report', '--from', from, '--format', 'jsonl', '--file', file, '--json'];
    const { status, json, stderr, cpuSeconds, maxRssMiB } = await runCommand(words, {
      env: {
        ...environmentOf(sqs),
        ...{ LOG_GROUP, AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: logs.url, NODE_OPTIONS: clockHook(looksAt) },
      },
    });
    const wallSeconds = (performance.now() - began) / 1000;
    if (status !== 0) throw new Error(`report ended with ${status}: ${stderr}`);
    const records = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const rows = records.slice(0, -1).map((line) => JSON.parse(line) as Row);
    const truths = histories.flatMap((history) => history.truths);
    const waiting = histories.reduce((sum, { requests }) => sum + requests.length, 0);
    const totals = json as Totals;
    return {
      ...{ requests: rows.length, lines, byFate: totals.byFate, cpuSeconds, wallSeconds, maxRssMiB },
      differences: [...differ(truths, rows), ...differInTotals(truths, waiting, totals)],
    };
  } finally {
    await Promise.all([logs.close(), sqs.close()]);
  }
};

const sumOf = (stages: readonly Evidence[], of: (stage: Evidence) => number): number =>
  stages.reduce((sum, stage) => sum + of(stage), 0);

/** Histories whose queues give a message up after as many receives are held as one stage, for the report asks the queue. */
export const holdReport = async (histories: readonly History[]): Promise<Evidence> => {
  const stages: Evidence[] = [];
  for (const [maxReceiveCount, of] of Map.groupBy(histories, (history) => history.maxReceiveCount))
    stages.push(await holdStage(of, maxReceiveCount));
  return {
    requests: sumOf(stages, ({ requests }) => requests),
    lines: sumOf(stages, ({ lines }) => lines),
    byFate: Object.fromEntries(FATES.map((fate) => [fate, sumOf(stages, ({ byFate }) => byFate[fate] ?? 0)])),
    cpuSeconds: sumOf(stages, ({ cpuSeconds }) => cpuSeconds),
    wallSeconds: sumOf(stages, ({ wallSeconds }) => wallSeconds),
    maxRssMiB: Math.max(...stages.map(({ maxRssMiB }) => maxRssMiB)),
    differences: stages.flatMap(({ differences }) => differences),
  };
};
