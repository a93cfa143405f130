/** `mysafe-enable status`: how many wait, since when and for whom; is delivery on; the last quarter of an hour. */
import type { AuditLine } from '../../audit/read.ts';
import { createRequests, type Request } from '../../audit/requests.ts';
import { searchLines } from '../../audit/search.ts';
import { attempt, type Failed, type Read } from '../../aws/failure.ts';
import { createDeliveries, type Delivery } from '../delivery.ts';
import { type FunctionNow, readFunction, softwareOf, versionWords } from '../function.ts';
import { countQueue, type QueueCounts, totalOf } from '../queues-now.ts';
import { createLogsClient, createSqsClient, findTarget, type Target, type TargetOptions } from '../target.ts';
import { EXIT } from '../terminal/exit.ts';
import { explain } from '../terminal/hints.ts';
import { age, hang, note, paint, plural, say, sayJson } from '../terminal/print.ts';
import type { StatusOptions } from './command.ts';

const QUARTER_MS = 15 * 60_000;
/** No wait is longer, so whatever waits was kept since. */
const LONGEST_WAIT_MS = 60 * 60_000;
const AHEAD_MS = 60_000;
const MAX_NAMES = 3;
const NAME_WIDTH = 11;
const QUEUES = ['requests', 'rejected', 'exhausted'] as const;

/** What one part of the account said, or what to fix where it did not. */
const ask = async <Value>(rights: string, read: () => Promise<Value>): Promise<Read<Value>> => {
  const answer = await attempt(read);
  return answer.kind === 'failed' ? { ...answer, detail: explain(answer, rights) } : answer;
};

interface LogNow {
  readonly outcomes: Readonly<Record<string, number>>;
  /** Kept, and not settled since. */
  readonly waiting: readonly Request[];
}

const readLog = async (options: TargetOptions, logGroup: string, now: Date): Promise<LogNow> => {
  const client = await createLogsClient(options);
  const requests = createRequests();
  const counts = { enabled: 0, 'already-enabled': 0, rejected: 0, kept: 0 };
  const quarterAt = now.getTime() - QUARTER_MS;
  const to = new Date(now.getTime() + AHEAD_MS);
  const add = (line: AuditLine): void => {
    requests.add(line);
    if (line.at.getTime() >= quarterAt) counts[line.outcome] += 1;
  };
  try {
    const from = new Date(now.getTime() - LONGEST_WAIT_MS);
    for await (const lines of searchLines(client, { logGroup, question: { kind: 'all' }, from, to }))
      lines.forEach(add);
  } finally {
    client.destroy();
  }
  const waiting = [...requests.entries()]
    .map(([, request]) => request)
    .filter(({ success, last }) => success === undefined && last.outcome === 'kept');
  return { outcomes: counts, waiting };
};

interface Status {
  readonly queues: Readonly<Record<(typeof QUEUES)[number], Read<QueueCounts>>>;
  readonly delivery: Read<readonly Delivery[]>;
  readonly log: Read<LogNow>;
  /** Beside the rest: whoever may not ask Lambda for it still has a whole status. */
  readonly version: FunctionNow | undefined;
}

const UNKNOWN: Failed = { kind: 'failed', code: 'NotKnown', detail: 'its name is not known' };

const readStatus = async (
  options: StatusOptions,
  target: Target & { readonly requests: string },
  now: Date,
): Promise<Status> => {
  const sqs = createSqsClient(options);
  const count = (url: string | undefined): Promise<Read<QueueCounts>> =>
    url === undefined ? Promise.resolve(UNKNOWN) : ask('sqs:GetQueueAttributes on it', () => countQueue(sqs, url));
  const readDelivery = async (): Promise<readonly Delivery[]> => {
    const deliveries = await createDeliveries(options, target);
    try {
      return await deliveries.list();
    } finally {
      deliveries.close();
    }
  };
  const { logGroup, enableFunction } = target;
  const [requests, rejected, exhausted, delivery, log, version] = await Promise.all([
    count(target.requests),
    count(target.rejected),
    count(target.exhausted),
    ask('lambda:ListEventSourceMappings', readDelivery),
    logGroup === undefined ? UNKNOWN : ask('logs:FilterLogEvents on it', () => readLog(options, logGroup, now)),
    enableFunction === undefined ? undefined : readFunction(options, enableFunction),
  ]);
  sqs.destroy();
  return { queues: { requests, rejected, exhausted }, delivery, log, version };
};

const tally = (requests: readonly Request[]): [string, number][] => {
  const counts = new Map<string, number>();
  for (const { requestedBy, source } of requests) {
    const name = requestedBy ?? source ?? 'nobody named';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a);
};

const sentAt = ({ firstSentAt, firstAt }: Request): number => Date.parse(firstSentAt ?? '') || firstAt.getTime();

const oldestOf = (requests: readonly Request[]): Date | undefined =>
  requests.length === 0
    ? undefined
    : new Date(requests.reduce((least, each) => Math.min(least, sentAt(each)), Infinity));

/** Kept ones are hidden until their wait is over, as is what is in work. */
const shareOut = (counts: QueueCounts, { waiting }: LogNow, now: Date) => {
  const held = waiting.filter(({ last }) => last.at.getTime() + (last.waitSeconds ?? 0) * 1000 > now.getTime()).length;
  const kept = Math.min(counts.hidden, held);
  return { waiting: counts.visible + counts.delayed + kept, inWork: counts.hidden - kept };
};

const NO_LOG: LogNow = { outcomes: {}, waiting: [] };

const isPaused = (delivery: Status['delivery']): boolean =>
  delivery.kind === 'read' &&
  delivery.value.length > 0 &&
  delivery.value.every(({ state }) => state.startsWith('Disabl'));

const deliveryWords = (delivery: Status['delivery'], now: Date): string => {
  if (delivery.kind === 'failed') return `not known: ${delivery.detail}`;
  const [first] = delivery.value;
  if (!first) return paint('red', 'no event source mapping delivers requests');
  const since =
    first.changedAt && ` since ${first.changedAt.toISOString()} (${age(now.getTime() - first.changedAt.getTime())})`;
  return isPaused(delivery)
    ? paint('yellow', `paused${since ?? ''}; npx mysafe-enable resume delivers again`)
    : `on (${delivery.value.map(({ state }) => state).join(', ')})`;
};

const countWords = (read: Read<QueueCounts>): string =>
  read.kind === 'failed' ? `not known: ${read.detail}` : plural(totalOf(read.value), 'dead letter');

const printStatus = ({ queues, delivery, log, version }: Status, now: Date): void => {
  const known = log.kind === 'read' ? log.value : NO_LOG;
  const row = (name: string, words: string): void =>
    say(hang(`${paint('bold', name.padEnd(NAME_WIDTH))}  ${words}`, NAME_WIDTH + 2));
  const { requests } = queues;
  if (requests.kind === 'failed') row('requests', `not known: ${requests.detail}`);
  else {
    const { waiting, inWork } = shareOut(requests.value, known, now);
    row('requests', `${waiting} waiting, ${inWork} in work`);
  }
  const oldest = oldestOf(known.waiting);
  if (oldest) {
    row(
      'since',
      `${oldest.toISOString()} (${age(now.getTime() - oldest.getTime())}), of ${plural(known.waiting.length, 'kept request')}`,
    );
    const names = tally(known.waiting);
    const rest = names.length > MAX_NAMES ? `, ${names.length - MAX_NAMES} more` : '';
    row(
      'for',
      `${names
        .slice(0, MAX_NAMES)
        .map(([name, count]) => `${name} (${count})`)
        .join(', ')}${rest}`,
    );
  }
  row('delivery', deliveryWords(delivery, now));
  if (version) {
    row(
      'function',
      version.kind === 'found'
        ? versionWords(version.configuration)
        : `not known: ${explain(version, 'lambda:GetFunctionConfiguration on it')}`,
    );
  }
  row('rejected', countWords(queues.rejected));
  row('exhausted', countWords(queues.exhausted));
  if (log.kind === 'failed') row('log', `not known: ${log.detail}`);
  else {
    const parts = Object.entries(log.value.outcomes).map(([outcome, count]) => `${count} ${outcome}`);
    row('last 15 min', parts.join(', '));
  }
};

const describeVersion = (version: Status['version']) => {
  if (version?.kind !== 'found') return null;
  const { Version, LastModified } = version.configuration;
  return { number: Version, since: LastModified, software: softwareOf(version.configuration) ?? null };
};

const describe = ({ queues, delivery, log, version }: Status, now: Date) => {
  const known = log.kind === 'read' ? log.value : NO_LOG;
  const { requests, rejected, exhausted } = queues;
  const total = (read: Read<QueueCounts>) => (read.kind === 'read' ? totalOf(read.value) : null);
  return {
    requests: requests.kind === 'read' ? shareOut(requests.value, known, now) : null,
    waitingSince: oldestOf(known.waiting) ?? null,
    waitingFor: Object.fromEntries(tally(known.waiting)),
    rejected: total(rejected),
    exhausted: total(exhausted),
    paused: delivery.kind === 'read' ? isPaused(delivery) : null,
    deliveries: delivery.kind === 'read' ? delivery.value : null,
    version: describeVersion(version),
    lastQuarterOfAnHour: log.kind === 'read' ? log.value.outcomes : null,
  };
};

export const runStatus = async (options: StatusOptions): Promise<number> => {
  const now = new Date();
  const target = await findTarget(options, 'requests');
  const status = await readStatus(options, target, now);
  const parts: readonly Read<unknown>[] = [...Object.values(status.queues), status.delivery, status.log];
  if (options.json) {
    for (const part of parts) if (part.kind === 'failed') note(part.detail);
    sayJson(describe(status, now));
  } else printStatus(status, now);
  return parts.some(({ kind }) => kind === 'failed') ? EXIT.failed : EXIT.done;
};
