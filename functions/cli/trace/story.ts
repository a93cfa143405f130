/** One request told as a story: sent, received, what Segura said, kept until when and why, settled, where it is now. */
import type { AuditLine } from '../../audit/read.ts';
import type { Fate, Request } from '../../audit/requests.ts';
import { withoutCode } from '../rejection.ts';
import { hang, paint, plural, seconds } from '../terminal/print.ts';

export interface Told {
  readonly request: Request;
  /** In the order they were written. */
  readonly lines: readonly AuditLine[];
  readonly fate: Fate;
  /** The dead-letter queue in which it was found. */
  readonly foundIn?: string;
}

/** Why a message was kept, in words; `cause` and `errorCode` stand behind it. */
const CAUSES: Readonly<Record<string, string>> = {
  gateway: 'Segura or its gateway could not be reached',
  'rate-limited': 'Segura asked to be called less often',
  'server-error': 'Segura had a fault of its own',
  credentials: 'Segura refused the credentials',
  tls: 'the TLS handshake was refused',
  'client-certificate': 'the client certificate was refused',
  proxy: 'the proxy refused the way out',
  'unexpected-answer': 'Segura documents no such answer',
  unconfirmed: 'SQS did not confirm what had to be sent',
  'fifo-order': 'an earlier message of its group was waiting',
  deadline: 'the time of the invocation was up',
  bug: 'a fault of mysafe-enable',
};

/** `2026-11-26 18:00:01`; UTC stands once, in the head. */
export const clock = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ');

/** Behind two blanks, a clock and two more. */
const TEXT_AT = 23;

const ordinal = (count: number): string => `delivery ${count}`;

const effort = ({ attempts = 0, durationMs = 0 }: AuditLine): string =>
  attempts === 0 ? 'no call to Segura' : `${plural(attempts, 'call')} to Segura, ${seconds(durationMs)}`;

const keptWords = (line: AuditLine): string => {
  const { cause = 'unknown', errorCode, waitSeconds, at } = line;
  const why = CAUSES[cause] ?? cause;
  const code = errorCode === undefined || errorCode === cause ? cause : `${cause}, ${errorCode}`;
  const until =
    waitSeconds === undefined ? '' : ` until ${clock(new Date(at.getTime() + waitSeconds * 1000))} (${waitSeconds} s)`;
  return `${paint('cyan', `kept${until}`)}: ${why} (${code})`;
};

const outcomeWords = (line: AuditLine): string => {
  switch (line.outcome) {
    case 'enabled':
      return paint('green', 'enabled');
    case 'already-enabled':
      return paint('green', 'already enabled');
    case 'rejected': {
      const { errorCode = 'no code', errorMessage = 'no reason was written' } = line;
      return `${paint('yellow', `rejected (${errorCode})`)}: ${withoutCode(errorCode, errorMessage)}`;
    }
    case 'kept':
      return keptWords(line);
  }
};

const replayWords = (line: AuditLine): string => {
  const { replayCount = 0, replayedBy = 'nobody named', replayReason, renewedAt } = line;
  const why = replayReason === undefined ? '' : `: ${replayReason}`;
  const renewed = renewedAt === undefined ? '' : `, renewed as of ${renewedAt}`;
  return `replay ${replayCount}, claimed by ${replayedBy}${why}${renewed}`;
};

/** SQS counts each delivery; one whose invocation was killed in the middle wrote nothing. */
const gapWords = ({ messageId, receiveCount = 1 }: AuditLine, before: AuditLine | undefined): string[] => {
  const from = (before?.messageId === messageId ? (before.receiveCount ?? 0) : 0) + 1;
  const to = receiveCount - 1;
  if (from > to) return [];
  const which = from === to ? ordinal(from) : `deliveries ${from} to ${to}`;
  return [`${which}: no line was written; killed or timed out, or before --since`];
};

const deliveryLines = (line: AuditLine, before: AuditLine | undefined): string[] => {
  const isReplay = (line.replayCount ?? 0) > (before?.replayCount ?? 0);
  const untimed = [...(isReplay ? [replayWords(line)] : []), ...gapWords(line, before)];
  return [
    ...untimed.map((words) => `${' '.repeat(TEXT_AT)}${words}`),
    `  ${clock(line.at)}  ${ordinal(line.receiveCount ?? 0)}, ${effort(line)}: ${outcomeWords(line)}`,
  ];
};

const nowWords = ({ fate, request, foundIn }: Told, now: Date): string => {
  const { last } = request;
  const backAt = last.at.getTime() + (last.waitSeconds ?? 0) * 1000;
  switch (fate) {
    case 'enabled':
    case 'already-enabled':
      return 'settled: the password is enabled';
    case 'rejected':
      return foundIn === undefined
        ? 'settled: rejected; its dead letter is not in the queue any more, or could not be read'
        : `settled: rejected; its dead letter waits in ${foundIn}`;
    case 'exhausted':
      return 'given up by SQS after every retry: it waits in exhausted';
    case 'waiting': {
      const left = Math.ceil((backAt - now.getTime()) / 1000);
      return left > 0 ? `waits in requests, back in ${left} s` : 'waits in requests, or is being delivered now';
    }
    case 'unknown':
      return 'unknown: it is in no queue any more, and no line says that it was settled';
  }
};

/** When it was settled, where it was; else now. */
const endOf = ({ fate, request }: Told, now: Date): Date => {
  const { success, rejection } = request;
  return (success ?? (fate === 'rejected' ? rejection : undefined))?.at ?? now;
};

const sentWords = ({ messageId, firstSentAt, senders, caller, last }: Request): string => {
  const at = firstSentAt === undefined ? ' '.repeat(19) : clock(new Date(firstSentAt));
  const by = [...senders.map(({ name }) => `by ${name}`), ...(caller === undefined ? [] : [`for caller ${caller}`])];
  const copy = last.messageId === messageId ? '' : ` (now ${last.messageId})`;
  return `  ${at}  sent as message ${messageId}${copy}${by.length > 0 ? `, ${by.join(', ')}` : ''}`;
};

/** A title, one line for each thing that happened, and where it is now. All times are in UTC. */
export const storyOf = (told: Told, now: Date): string[] => {
  const { request, lines } = told;
  const { identifier, requestId, requestedBy, reason, source } = request;
  const asked = [
    requestId,
    requestedBy === undefined ? undefined : `asked by ${requestedBy}`,
    source === undefined ? undefined : `through ${source}`,
    reason === undefined ? undefined : `because: ${reason}`,
  ].filter((each) => each !== undefined);
  const title = identifier === undefined ? 'A message that is not a request' : `Password ${identifier}`;
  return [
    `${paint('bold', title)}${asked.length > 0 ? `, ${asked.join(', ')}` : ''} (times in UTC)`,
    ...[
      sentWords(request),
      ...lines.flatMap((line, index) => deliveryLines(line, lines[index - 1])),
      `  ${clock(endOf(told, now))}  ${nowWords(told, now)}`,
    ].map((line) => hang(line, TEXT_AT)),
  ];
};
