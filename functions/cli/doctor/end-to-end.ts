/**
 * `doctor --end-to-end`: one request that must be rejected goes the whole way, through queue, function, Segura, dead letter
 * and outcome. Where it stopped says stopped.ts; what it leaves behind is taken away by clean-up.ts.
 */
import { randomUUID } from 'node:crypto';
import type { AuditLine } from '../../audit/read.ts';
import { searchLines } from '../../audit/search.ts';
import { attempt, type Failed } from '../../aws/failure.ts';
import { sleep } from '../../time/sleep.ts';
import { DOCTOR_SOURCE } from '../doctor-source.ts';
import { createLogsClient, openSqs, type Target, type TargetOptions } from '../target.ts';
import { explain } from '../terminal/hints.ts';
import { type Check, failed, notChecked, ok, step } from './check.ts';
import { findClue } from './clue.ts';
import { checkBeforeSending } from './deployed.ts';
import { judgeWay, LIFETIME_MS, PATIENCE_MS, type Seen, type Sent } from './stopped.ts';
import { takeOut } from './take-out.ts';

/** The largest identifier there can be. Nobody has it, so Segura must say 1005. */
export const LARGEST_IDENTIFIER = Number.MAX_SAFE_INTEGER;
const GROUP = 'mysafe-enable-doctor';

const LOOK_AGAIN_MS = 1000;
const NO_RESULT: Failed = { kind: 'failed', code: 'NotInAnswer', detail: 'SQS said nothing of it' };

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
  return failed('sending', explain(result ?? NO_RESULT, 'sqs:SendMessage on requests'));
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

const isOursIn =
  ({ requestId, messageId }: Sent) =>
  (text: string): boolean =>
    text.includes(requestId) || text.includes(messageId);

const isSettled = ({ line, hasLetter }: Seen, target: Target): boolean =>
  line?.outcome === 'kept' || (hasLetter && (target.logGroup === undefined || line !== undefined));

const look = async (options: TargetOptions, target: Target, sent: Sent, before: Seen): Promise<Seen> => {
  const isOurs = isOursIn(sent);
  const hasLetter =
    before.hasLetter || (target.rejected !== undefined && (await takeOut(options, target.rejected, isOurs)));
  const hasOutcome =
    before.hasOutcome || (target.outcomes !== undefined && (await takeOut(options, target.outcomes, isOurs)));
  const { logGroup } = target;
  const seen = { ...before, hasLetter, hasOutcome };
  if (logGroup === undefined || before.logFailure !== undefined) return seen;
  const read = await attempt(() => readLog(options, logGroup, sent));
  if (read.kind === 'failed') return { ...seen, logFailure: explain(read, 'logs:FilterLogEvents on it') };
  return read.value === undefined ? seen : { ...seen, line: read.value };
};

const follow = async (options: TargetOptions, target: Target, sent: Sent): Promise<Seen> => {
  let seen: Seen = { hasLetter: false, hasOutcome: false };
  while (Date.now() - sent.at < PATIENCE_MS) {
    seen = await look(options, target, sent, seen);
    if (isSettled(seen, target)) {
      // What was written just before the line, and was looked for before it.
      const isMissing = seen.line?.cause === 'unconfirmed' ? !seen.hasLetter : target.outcomes && !seen.hasOutcome;
      return isMissing ? look(options, target, sent, seen) : seen;
    }
    await sleep(LOOK_AGAIN_MS);
  }
  const clue = seen.line || seen.hasLetter ? undefined : await findClue(options, target, sent.at);
  return clue === undefined ? seen : { ...seen, clue };
};

/** What is sent is known to the step that cleans up. */
export const endToEnd = (identifier: number) =>
  step('end to end', 'end-to-end', ['target'], async ({ target }, { options }) => {
    const { requests, rejected } = target;
    if (requests === undefined || rejected === undefined) {
      return { checks: [notChecked('end to end', 'requests and rejected have to be known')] };
    }
    const wrong = await checkBeforeSending(options, target);
    if (wrong.length > 0) return { checks: [...wrong, notChecked('end to end', 'nothing was sent')] };
    const sent = await send(options, requests, identifier);
    if ('name' in sent) return { checks: [sent] };
    const seen = await follow(options, target, sent);
    return {
      checks: [ok('sending', `message ${sent.messageId}`), ...judgeWay(seen, target, sent, identifier)],
      facts: { request: { sent, seen } },
    };
  });
