/**
 * `doctor --end-to-end`: one request that must be rejected goes the whole way, through queue, function, Segura, dead letter
 * and outcome, and everything that it leaves behind is taken away again.
 */
import { randomUUID } from 'node:crypto';
import type { AuditLine } from '../../audit/read.ts';
import { searchLines } from '../../audit/search.ts';
import { awsFailure } from '../../aws/failure.ts';
import { sleep } from '../../time/sleep.ts';
import { createLogsClient, openSqs, type Target, type TargetOptions } from '../target.ts';
import { explain } from '../terminal/hints.ts';
import { type Check, failed, notChecked, ok, step } from './check.ts';
import { checkDelivery } from './deployed.ts';
import { takeOut } from './take-out.ts';

/** The largest identifier there can be. Nobody has it, so Segura must say 1005. */
export const LARGEST_IDENTIFIER = Number.MAX_SAFE_INTEGER;
/** `report` leaves requests of this source out. */
export const DOCTOR_SOURCE = 'mysafe-enable doctor';
const GROUP = 'mysafe-enable-doctor';

/** Every fault is named within a minute. */
const PATIENCE_MS = 45_000;
const LOOK_AGAIN_MS = 1000;
/** A kept request's first wait, and a little. */
const MOST_CLEANING_MS = 65_000;
/**
 * After this the request is `Expired`: no longer than the first wait of a kept one, so that its second receive makes a dead
 * letter of it, which can be removed. Lambda's own pollers would take it before us.
 */
const LIFETIME_MS = 30_000;

export interface Sent {
  readonly messageId: string;
  readonly requestId: string;
  readonly at: number;
}

const send = async (options: TargetOptions, requests: string, identifier: number): Promise<Sent | Check> => {
  const { sqs, close } = openSqs(options);
  const requestId = `doctor-${randomUUID()}`;
  const at = Date.now();
  const notAfter = new Date(at + LIFETIME_MS).toISOString();
  const body = JSON.stringify({
    identifier,
    requestId,
    source: DOCTOR_SOURCE,
    reason: 'doctor --end-to-end',
    notAfter,
  });
  const fifo = requests.endsWith('.fifo') ? { groupId: GROUP, deduplicationId: requestId } : {};
  const [result] = await sqs.sendMessages([{ queueUrl: requests, body, attributes: {}, ...fifo }]);
  close();
  if (result?.kind === 'confirmed') return { messageId: result.messageId ?? '', requestId, at };
  const failure = result === undefined ? 'SQS said nothing' : `${result.code}: ${result.detail}`;
  return failed('sending', explain(failure, 'sqs:SendMessage on requests'));
};

/** What the log says of it so far; the newest line, for a kept request may be settled later. */
const readLog = async (
  options: TargetOptions,
  logGroup: string,
  { messageId, at }: Sent,
): Promise<AuditLine | undefined> => {
  const client = await createLogsClient(options);
  const question = { kind: 'message', messageId } as const;
  let last: AuditLine | undefined;
  try {
    const span = { from: new Date(at - 60_000), to: new Date(Date.now() + 60_000) };
    for await (const lines of searchLines(client, { logGroup, question, ...span })) last = lines.at(-1) ?? last;
  } finally {
    client.destroy();
  }
  return last;
};

/** Why a request was kept, as far as one line says it. */
const keptHint = ({ cause = '', errorCode = '' }: AuditLine): string => {
  const what = `kept, cause ${cause}${errorCode === '' ? '' : `, ${errorCode}`}`;
  if (cause === 'unconfirmed') {
    return `${what}: the function may not send to rejected or outcomes: check REJECTED_QUEUE_URL and OUTCOME_QUEUE_URL of the function, its role, and the queues' key policy`;
  }
  if (/AccessDenied|NotAuthorized|Kms/i.test(errorCode)) {
    return `${what}: the function's role may not read the secret: it needs secretsmanager:GetSecretValue, and kms:Decrypt on its key`;
  }
  if (/ResourceNotFound/.test(errorCode))
    return `${what}: there is no such secret: check SEGURA_SECRET_ID of the function`;
  if (errorCode === 'SECRET_MALFORMED') return `${what}: run npx mysafe-enable doctor --only secret`;
  if (cause === 'gateway' && /^E[A-Z_]+$/.test(errorCode)) {
    return `${what}: the function does not reach Segura: check its subnets, security group, routes and NAT`;
  }
  if (cause === 'proxy') return `${what}: check HTTPS_PROXY and NO_PROXY of the function`;
  return `${what}: run npx mysafe-enable doctor --only secret,segura from the function's network`;
};

const judgeLine = (line: AuditLine, identifier: number): Check => {
  const name = 'Segura, asked by the function';
  if (line.outcome === 'kept') return failed(name, keptHint(line));
  if (line.outcome === 'rejected' && line.errorCode === '1005') return ok(name, `1005 for identifier ${identifier}`);
  if (line.errorCode === 'Expired') {
    return failed(
      name,
      `received only after ${LIFETIME_MS / 1000} s: many requests wait before it, see npx mysafe-enable status`,
    );
  }
  if (line.outcome === 'rejected') {
    return failed(
      name,
      `rejected with ${line.errorCode}, not 1005: name an identifier that Segura does not know with --identifier`,
    );
  }
  return failed(
    name,
    `${line.outcome}: identifier ${identifier} is a password. Disable it again, and name one that Segura does not know with --identifier`,
  );
};

/** What is known after waiting. */
export interface Seen {
  readonly line?: AuditLine;
  readonly hasLetter: boolean;
  readonly hasOutcome: boolean;
  readonly logFailure?: string;
}

const isSettled = ({ line, hasLetter }: Seen, target: Target): boolean =>
  line?.outcome === 'kept' || (hasLetter && (target.logGroup === undefined || line !== undefined));

const look = async (options: TargetOptions, target: Target, sent: Sent, before: Seen): Promise<Seen> => {
  const isOurs = (text: string): boolean => text.includes(sent.requestId) || text.includes(sent.messageId);
  const hasLetter =
    before.hasLetter || (target.rejected !== undefined && (await takeOut(options, target.rejected, isOurs)));
  const hasOutcome =
    before.hasOutcome || (target.outcomes !== undefined && (await takeOut(options, target.outcomes, isOurs)));
  if (target.logGroup === undefined || before.logFailure !== undefined) return { ...before, hasLetter, hasOutcome };
  try {
    const line = await readLog(options, target.logGroup, sent);
    return { ...before, hasLetter, hasOutcome, ...(line === undefined ? {} : { line }) };
  } catch (error) {
    return { ...before, hasLetter, hasOutcome, logFailure: explain(awsFailure(error), 'logs:FilterLogEvents on it') };
  }
};

const follow = async (options: TargetOptions, target: Target, sent: Sent): Promise<Seen> => {
  let seen: Seen = { hasLetter: false, hasOutcome: false };
  while (Date.now() - sent.at < PATIENCE_MS) {
    seen = await look(options, target, sent, seen);
    if (isSettled(seen, target)) return target.outcomes && !seen.hasOutcome ? look(options, target, sent, seen) : seen;
    await sleep(LOOK_AGAIN_MS);
  }
  return seen;
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** What was seen, as checks: the first that is wrong is where the request stopped. */
export const judgeWay = (seen: Seen, target: Target, sent: Sent, identifier: number): Check[] => {
  const { line, hasLetter, hasOutcome, logFailure } = seen;
  const received = 'function';
  const checks: Check[] = [];
  if (line) checks.push(ok(`${received} received it`, `after ${seconds(line.at.getTime() - sent.at)}`));
  else if (logFailure) checks.push(failed('log', logFailure));
  else if (!hasLetter) {
    return [
      failed(
        `${received} received it`,
        `no line within ${PATIENCE_MS / 1000} s: it does not start, times out, or its log is another than ${target.logGroup ?? 'LOG_GROUP (not set)'}; look at its newest log stream for errors`,
      ),
    ];
  }
  if (line) checks.push(judgeLine(line, identifier));
  if (line?.outcome === 'kept') return checks;
  checks.push(
    hasLetter
      ? ok('dead letter', 'found in rejected, and removed')
      : failed('dead letter', 'not in rejected, though the function says it is: check its REJECTED_QUEUE_URL'),
  );
  if (target.outcomes === undefined) return checks;
  checks.push(
    ok('outcome', hasOutcome ? 'found in outcomes, and removed' : 'taken by its reader meanwhile, so it arrived'),
  );
  return checks;
};

/** A kept request waits out its time in `requests`, invisible; then it comes to be `Expired`. */
const cleanUp = async (options: TargetOptions, target: Target, sent: Sent, seen: Seen): Promise<Check> => {
  const name = 'left behind';
  if (seen.hasLetter) return ok(name, 'nothing');
  const isOurs = (text: string): boolean => text.includes(sent.requestId) || text.includes(sent.messageId);
  const waitMs = Math.min(MOST_CLEANING_MS, (seen.line?.waitSeconds ?? 0) * 1000 + 3000);
  const endsAt = Date.now() + waitMs;
  do {
    for (const queue of [target.requests, target.rejected]) {
      if (queue !== undefined && (await takeOut(options, queue, isOurs))) return ok(name, 'nothing');
    }
    await sleep(LOOK_AGAIN_MS);
  } while (Date.now() < endsAt);
  return failed(
    name,
    `request ${sent.messageId} is in work or waits, and becomes a dead letter (Expired): npx mysafe-enable dead-letters discard --message-id ${sent.messageId}`,
  );
};

export const endToEnd = (identifier: number) =>
  step('end to end', 'end-to-end', ['target'], async ({ target }, { options }) => {
    const { requests, rejected } = target;
    if (requests === undefined || rejected === undefined) {
      return { checks: [notChecked('end to end', 'requests and rejected have to be known')] };
    }
    const delivery = target.enableFunction === undefined ? undefined : await checkDelivery(options, target);
    if (delivery?.ok === false) return { checks: [delivery, notChecked('end to end', 'requests are not delivered')] };
    const sent = await send(options, requests, identifier);
    if ('name' in sent) return { checks: [sent] };
    const seen = await follow(options, target, sent);
    return {
      checks: [
        ok('sending', `message ${sent.messageId}`),
        ...judgeWay(seen, target, sent, identifier),
        await cleanUp(options, target, sent, seen),
      ],
    };
  });
