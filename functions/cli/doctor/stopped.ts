/** `doctor --end-to-end`: what was seen of the request, as checks; the first that is wrong is where it stopped. */
import type { AuditLine } from '../../audit/read.ts';
import type { Target } from '../target.ts';
import { type Check, failed, ok } from './check.ts';

/** Every fault is named within a minute. */
export const PATIENCE_MS = 45_000;
/**
 * After this the request is `Expired`: no longer than the first wait of a kept one, so that its second receive makes a dead
 * letter of it, which can be removed. Lambda's own pollers would take it before us.
 */
export const LIFETIME_MS = 30_000;

export interface Sent {
  readonly messageId: string;
  readonly requestId: string;
  readonly at: number;
}

/** What is known after waiting. */
export interface Seen {
  /** The newest audit line of the request. */
  readonly line?: AuditLine;
  readonly hasLetter: boolean;
  readonly hasOutcome: boolean;
  readonly logFailure?: string;
  /** Of a request that nobody received: what Lambda says of it. */
  readonly clue?: string;
}

/** Why a request was kept, as far as one line says it. */
const keptHint = ({ cause = '', errorCode = '' }: AuditLine): string => {
  const what = `kept, cause ${cause}${errorCode === '' ? '' : `, ${errorCode}`}`;
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

const SEGURA = 'Segura, asked by the function';

/** Segura answered, and SQS did not confirm what the function then wrote: the dead letter first, the outcome after it. */
const judgeUnconfirmed = (hasLetter: boolean): Check[] => {
  const answered = ok(SEGURA, 'it answered');
  const fix = (variable: string, queue: string): string =>
    `the function cannot write to ${queue}, so the request is kept: check ${variable} of the function, its role (sqs:SendMessage), and the queue's key policy`;
  if (!hasLetter) return [answered, failed('dead letter', fix('REJECTED_QUEUE_URL', 'rejected'))];
  return [
    answered,
    ok('dead letter', 'found in rejected, and removed'),
    failed('outcome', fix('OUTCOME_QUEUE_URL', 'outcomes')),
  ];
};

const judgeLine = (line: AuditLine, identifier: number): Check => {
  const name = SEGURA;
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

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** What was seen, as checks: the first that is wrong is where the request stopped. */
export const judgeWay = (seen: Seen, target: Target, sent: Sent, identifier: number): Check[] => {
  const { line, hasLetter, hasOutcome, logFailure, clue } = seen;
  const received = 'function received it';
  const checks: Check[] = [];
  if (line) checks.push(ok(received, `after ${seconds(line.at.getTime() - sent.at)}`));
  else if (logFailure) checks.push(failed('log', logFailure));
  else if (!hasLetter) {
    const why =
      clue ??
      `it does not start, times out, or its log is another than ${target.logGroup ?? 'LOG_GROUP (not set)'}; look at its newest log stream for errors`;
    return [failed(received, `no line within ${PATIENCE_MS / 1000} s: ${why}`)];
  }
  if (line?.cause === 'unconfirmed') return [...checks, ...judgeUnconfirmed(hasLetter)];
  if (line) checks.push(judgeLine(line, identifier));
  if (line && line.outcome !== 'rejected') return checks;
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
