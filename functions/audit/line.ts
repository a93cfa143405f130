/** What we tell of one outcome: the audit line, the outcome event, the metrics. */

import { MAX_ERROR_MESSAGE_CHARACTERS } from '../dead-letters/letter.ts';
import { REQUESTER_FIELDS } from '../requests/fields.ts';
import type { Provenance } from '../requests/provenance.ts';
import { type ParsedRequest, type RequesterFields, requesterOf } from '../requests/request.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics, Unit } from '../telemetry/metrics.ts';
import { createIsoText } from '../time/iso.ts';

/** Every metric that enable-password emits; alarms and dashboard may name no other (a test compares them). */
export const METRICS = {
  Enabled: 'Count',
  AlreadyEnabled: 'Count',
  Rejected: 'Count',
  Kept: 'Count',
  RequestAge: 'Seconds',
  SeguraLatency: 'Milliseconds',
  SeguraAttempts: 'Count',
  TokenRequests: 'Count',
  CredentialFailures: 'Count',
} as const satisfies Record<string, Unit>;
export type MetricName = keyof typeof METRICS;

export type OutcomeName = 'enabled' | 'already-enabled' | 'rejected' | 'kept';

/** As much of a message as is told. */
export interface ToldMessage {
  readonly messageId: string;
  readonly parsed: ParsedRequest;
  readonly provenance: Provenance;
  /** From 1; SQS's own count. */
  readonly receiveCount: number;
  /** X-Ray's header. */
  readonly traceHeader?: string;
  /** SQS's `SenderId`. */
  readonly sentBy?: string;
}

/** How a settled message ended. */
export type SettledEnding =
  | { readonly kind: 'done'; readonly result: 'enabled' | 'already-enabled' }
  | { readonly kind: 'rejected'; readonly errorCode: string; readonly errorMessage: string };

/** How a message ended in one invocation. */
export type Ending =
  | SettledEnding
  | {
      readonly kind: 'kept';
      readonly cause: string;
      readonly errorCode?: string;
      /** The visibility timeout that it was given, where SQS took it. */
      readonly waitSeconds?: number;
    };

/** What it took. */
export interface Effort {
  readonly attempts: number;
  readonly latenciesMs: readonly number[];
}

/** What became of one message: its decision as it could be carried out, and what it took. */
export interface Outcome {
  readonly message: ToldMessage;
  readonly decision: Ending;
  readonly effort: Effort;
  readonly durationMs: number;
  readonly at: number;
}

/** As long as SQS keeps a message at most: a sender may say of its request that it is as old as the world. */
const MAX_AGE_SECONDS = 1_209_600;

const outcomeName = (decision: Ending): OutcomeName => (decision.kind === 'done' ? decision.result : decision.kind);

/** The requester's own words, where given, and nothing else of the request. */
const requesterFields = ({ parsed }: ToldMessage): RequesterFields => {
  const requester = requesterOf(parsed);
  const fields: Record<string, string> = {};
  for (const name of REQUESTER_FIELDS) {
    const value = requester[name];
    if (value !== undefined) fields[name] = value;
  }
  return fields;
};

const identifierOf = ({ parsed }: ToldMessage): number | undefined =>
  parsed.kind === 'request' ? parsed.request.identifier : undefined;

/** Segura's sentence could be of any length; no longer here than in the dead letter. */
const shorten = (errorMessage: string): string => errorMessage.slice(0, MAX_ERROR_MESSAGE_CHARACTERS).toWellFormed();

/** `Root=1-…;Parent=…;Sampled=…`: the trace is the part after Root. */
const traceId = (header: string | undefined): string | undefined => header && /Root=([^;]+)/.exec(header)?.[1];

/** One line for each message and invocation, and its metrics. Kept by FIFO order alone counts like any other. */
export const createAudit = (log: Log, metrics: Metrics<MetricName>) => {
  const isoText = createIsoText();
  return ({ message, decision, effort, durationMs, at }: Outcome): void => {
    const { provenance, parsed } = message;
    const { requestId, requestedBy, reason, source } = requesterOf(parsed);
    const replayed = provenance.replayCount > 0 ? provenance : undefined;
    // Of one shape whatever the outcome: small objects spread into it would cost more than to write it.
    log.audit('password enable', {
      outcome: outcomeName(decision),
      identifier: identifierOf(message),
      errorCode: decision.kind === 'done' ? undefined : decision.errorCode,
      errorMessage: decision.kind === 'rejected' ? shorten(decision.errorMessage) : undefined,
      cause: decision.kind === 'kept' ? decision.cause : undefined,
      attempts: effort.attempts,
      durationMs: Math.round(durationMs),
      messageId: message.messageId,
      receiveCount: message.receiveCount,
      waitSeconds: decision.kind === 'kept' ? decision.waitSeconds : undefined,
      firstSentAt: isoText(provenance.firstSentAt.getTime()),
      sentBy: message.sentBy,
      originalMessageId: replayed?.originalMessageId,
      replayCount: replayed?.replayCount,
      replayedBy: replayed?.replayedBy,
      replayReason: replayed?.replayReason,
      renewedAt: provenance.renewedAt?.toISOString(),
      caller: provenance.caller,
      requestId,
      requestedBy,
      reason,
      source,
      xray_trace_id: traceId(message.traceHeader),
    });

    if (decision.kind === 'done') metrics.count(decision.result === 'enabled' ? 'Enabled' : 'AlreadyEnabled');
    if (decision.kind === 'rejected') metrics.count('Rejected', 1, { ErrorCode: decision.errorCode });
    if (decision.kind === 'kept') metrics.count('Kept', 1, { cause: decision.cause });
    const ageSeconds = (at - provenance.firstSentAt.getTime()) / 1000;
    metrics.observe('RequestAge', Math.min(Math.max(0, ageSeconds), MAX_AGE_SECONDS));
    if (effort.attempts > 0) metrics.observe('SeguraAttempts', effort.attempts);
    for (const latencyMs of effort.latenciesMs) metrics.observe('SeguraLatency', Math.round(latencyMs));
  };
};

/** A settled request, for the system that asked; the shape is `events/outcome.schema.json`. */
export interface OutcomeEvent extends RequesterFields {
  /** The same for each redelivery of a message that ends alike, so that the reader can drop duplicates. */
  readonly outcomeId: string;
  readonly outcome: Exclude<OutcomeName, 'kept'>;
  /** `null` for a message that was not a request. */
  readonly identifier: number | null;
  readonly errorCode?: string;
  /** Fit for a ticket: Segura's own sentence, or ours. */
  readonly errorMessage?: string;
  readonly messageId: string;
  readonly originalMessageId: string;
  /** ISO 8601. */
  readonly firstSentAt: string;
  readonly settledAt: string;
  readonly attempts: number;
  readonly receiveCount: number;
  readonly replayCount: number;
}

/** Of a decision that is about to be settled. */
export const outcomeEvent = (
  message: ToldMessage,
  decision: SettledEnding,
  effort: Effort,
  settledAt: Date,
): OutcomeEvent => ({
  outcomeId: `${message.messageId}/${decision.kind === 'done' ? 'enabled' : 'rejected'}`,
  outcome: decision.kind === 'done' ? decision.result : 'rejected',
  identifier: identifierOf(message) ?? null,
  ...(decision.kind === 'rejected'
    ? { errorCode: decision.errorCode, errorMessage: shorten(decision.errorMessage) }
    : {}),
  messageId: message.messageId,
  originalMessageId: message.provenance.originalMessageId,
  firstSentAt: message.provenance.firstSentAt.toISOString(),
  settledAt: settledAt.toISOString(),
  attempts: effort.attempts,
  receiveCount: message.receiveCount,
  replayCount: message.provenance.replayCount,
  ...requesterFields(message),
});

/** As a message body: SQS refuses two characters that JSON may hold, and a requester's field with one must not block. */
export const outcomeBody = (event: OutcomeEvent): string =>
  JSON.stringify(event).replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
