/** An audit line, read back from the log as `line.ts` wrote it: the fields of the contract, each of its own type. */

/** What one delivery came to. Of a sender's own words and provenance each is a claim; see the contract. */
export interface AuditLine {
  readonly at: Date;
  readonly outcome: AuditOutcome;
  readonly messageId: string;
  readonly identifier?: number;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly cause?: string;
  readonly attempts?: number;
  readonly durationMs?: number;
  readonly receiveCount?: number;
  readonly firstSentAt?: string;
  /** SQS's `SenderId`: proven. */
  readonly sentBy?: string;
  readonly waitSeconds?: number;
  readonly originalMessageId?: string;
  readonly replayCount?: number;
  readonly replayedBy?: string;
  readonly replayReason?: string;
  /** Proven. */
  readonly renewedAt?: string;
  /** Proven: who called the HTTPS way in. */
  readonly caller?: string;
  readonly requestId?: string;
  readonly requestedBy?: string;
  readonly reason?: string;
  readonly source?: string;
}

export const AUDIT_MESSAGE = 'password enable';

const OUTCOMES = ['enabled', 'already-enabled', 'rejected', 'kept'] as const;
export type AuditOutcome = (typeof OUTCOMES)[number];

const TEXTS = [
  'errorCode',
  'errorMessage',
  'cause',
  'firstSentAt',
  'sentBy',
  'originalMessageId',
  'replayedBy',
  'replayReason',
  'renewedAt',
  'caller',
  'requestId',
  'requestedBy',
  'reason',
  'source',
] as const;
const NUMBERS = ['identifier', 'attempts', 'durationMs', 'receiveCount', 'waitSeconds', 'replayCount'] as const;

const parseObject = (text: string): Readonly<Record<string, unknown>> | undefined => {
  const from = text.indexOf('{');
  if (from < 0 || !text.includes(`"${AUDIT_MESSAGE}"`)) return undefined;
  try {
    return JSON.parse(text.slice(from)) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined; // a line that CloudWatch cut, or that is none of ours
  }
};

/** @returns `undefined` for every line that is no audit line */
export const readAuditLine = (text: string): AuditLine | undefined => {
  const entry = parseObject(text);
  const outcome = OUTCOMES.find((name) => name === entry?.['outcome']);
  const { messageId, message, timestamp } = entry ?? {};
  const at = new Date(String(timestamp));
  if (!entry || !outcome || message !== AUDIT_MESSAGE || typeof messageId !== 'string') return undefined;
  if (Number.isNaN(at.getTime())) return undefined;
  const fields: Record<string, unknown> = { at, outcome, messageId };
  for (const name of TEXTS) if (typeof entry[name] === 'string') fields[name] = entry[name];
  for (const name of NUMBERS) if (Number.isFinite(entry[name])) fields[name] = entry[name];
  return fields as unknown as AuditLine;
};
