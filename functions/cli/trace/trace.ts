/** `mysafe-enable trace`: the story of one request, or of all for one password, from the audit log and the queues. */
import type { AuditLine } from '../../audit/read.ts';
import { createRequests, fatesOf, requestKeyOf } from '../../audit/requests.ts';
import { type Question, searchLines } from '../../audit/search.ts';
import { readQueuesNow } from '../queues-now.ts';
import { createLogsClient, findTarget } from '../target.ts';
import { CommandError } from '../terminal/ending.ts';
import { EXIT } from '../terminal/exit.ts';
import { stopOnInterrupt } from '../terminal/interrupt.ts';
import { note, plural, say, sayJson } from '../terminal/print.ts';
import { parseIdentifier, parseMoment, UsageError } from '../terminal/usage.ts';
import type { TraceOptions } from './command.ts';
import { storyOf, type Told } from './story.ts';

const DEFAULT_SINCE = '7d';
/** More stories than these nobody reads; the newest are told. */
const MAX_TOLD = 20;
/** A request has at most some hundred deliveries; of a password there may be any number of requests. */
const MAX_LINES = 50_000;
/** Clocks differ, and what was written just now is meant too. */
const AHEAD_MS = 60_000;

const readQuestion = ({ requestId, identifier }: TraceOptions, [messageId]: readonly string[]): Question => {
  const given = [messageId, requestId, identifier].filter((each) => each !== undefined);
  if (given.length !== 1) throw new UsageError('give one of: a message id, --request-id, --identifier');
  if (messageId !== undefined) return { kind: 'message', messageId };
  if (requestId !== undefined) return { kind: 'request', requestId };
  return { kind: 'identifier', identifier: parseIdentifier('--identifier', identifier ?? '') };
};

/** By request, and in the order they were written. */
const gather = async (
  options: TraceOptions,
  logGroup: string,
  question: Question,
  from: Date,
  to: Date,
): Promise<Map<string, AuditLine[]>> => {
  const client = await createLogsClient(options);
  const byRequest = new Map<string, AuditLine[]>();
  let count = 0;
  try {
    const signal = stopOnInterrupt(note);
    for await (const lines of searchLines(client, { logGroup, question, from, to, signal })) {
      for (const line of lines) {
        const key = requestKeyOf(line);
        byRequest.set(key, [...(byRequest.get(key) ?? []), line]);
      }
      count += lines.length;
      if (count > MAX_LINES) throw new UsageError(`more than ${MAX_LINES} lines name it: give a later --since`);
    }
  } finally {
    client.destroy();
  }
  for (const lines of byRequest.values()) lines.sort((a, b) => a.at.getTime() - b.at.getTime());
  return byRequest;
};

const describe = ({ request, lines, fate, foundIn }: Told) => {
  const { last: _, success, rejection, firstAt: __, senders, replayedBy, ...more } = request;
  const { receives: ___, rejectedMessages: ____, ...known } = more;
  const names = { senders: senders.map(({ name }) => name), replayedBy: replayedBy.map(({ name }) => name) };
  const settled = success ?? (fate === 'rejected' ? rejection : undefined);
  return { ...known, ...names, fate, foundIn, settledAt: settled?.at, lines };
};

export const runTrace = async (options: TraceOptions, words: readonly string[]): Promise<number> => {
  const now = new Date();
  const question = readQuestion(options, words);
  const from = parseMoment('--since', options.since ?? DEFAULT_SINCE, now.getTime(), -1);
  const target = await findTarget(options, 'logGroup');
  const to = new Date(now.getTime() + AHEAD_MS);
  const byRequest = await gather(options, target.logGroup, question, from, to);
  if (byRequest.size === 0) {
    throw new CommandError(
      'NotFound',
      `no line of the log ${target.logGroup} names it since ${from.toISOString()}`,
      'check what you ask for, and --stage; search further back with --since 14d; what was never delivered has no line yet, see status',
    );
  }
  const requests = createRequests();
  for (const line of [...byRequest.values()].flat()) requests.add(line);
  const unsettled = [...requests.entries()].filter(([, { success }]) => success === undefined).map(([key]) => key);
  const queues = await readQueuesNow(options, target, new Set(unsettled), now);
  const fateOf = fatesOf(requests.entries(), queues);
  const told = [...requests.entries()]
    .toSorted(([, a], [, b]) => a.firstAt.getTime() - b.firstAt.getTime())
    .map(([key, request]): Told => {
      const foundIn = queues.foundIn.get(key);
      const lines = byRequest.get(key) ?? [];
      return { request, lines, fate: fateOf(key, request), ...(foundIn === undefined ? {} : { foundIn }) };
    });
  const left = told.length - MAX_TOLD;
  if (!options.json) {
    if (left > 0) say(`${plural(left, 'earlier request')} left out; a later --since tells fewer.`, '');
    for (const [index, each] of told.slice(-MAX_TOLD).entries()) {
      if (index > 0) say('');
      say(...storyOf(each, now));
    }
  } else sayJson({ requests: told.map(describe) });
  return EXIT.done;
};
