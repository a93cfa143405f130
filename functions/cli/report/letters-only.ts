/** Requests that only a dead-letter queue knows: no line of the log names them, and the report must not miss them. */
import type { createRequests } from '../../audit/requests.ts';
import type { DeadLetterQueue, Letter } from '../../dead-letters/letter.ts';
import { type ParsedRequest, parseRequest, requesterOf } from '../../requests/request.ts';
import type { Row } from './rows.ts';

interface Span {
  readonly from: Date;
  readonly to: Date;
}

const rowOf = (queue: DeadLetterQueue, { provenance, failure }: Letter, parsed: ParsedRequest): Row => {
  const { requestId, requestedBy, reason, source } = requesterOf(parsed);
  const identifier = parsed.kind === 'request' ? parsed.request.identifier : undefined;
  return {
    fate: queue,
    ...(identifier === undefined ? {} : { identifier }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...(reason === undefined ? {} : { reason }),
    ...(source === undefined ? {} : { source }),
    firstSentAt: provenance.firstSentAt.toISOString(),
    messageId: provenance.originalMessageId,
    ...(failure === undefined ? {} : { errorCode: failure.errorCode, errorMessage: failure.errorMessage }),
    deliveries: 0,
    callsToSegura: 0,
    replays: provenance.replayCount,
  };
};

/** Each request once: one that is in both queues is exhausted, as where lines tell of it. */
export const createLettersOnly = (
  requests: Pick<ReturnType<typeof createRequests>, 'get'>,
  { from, to }: Span,
  leftOut: string,
) => {
  const rows = new Map<string, Row>();
  return {
    add: (queue: DeadLetterQueue, letter: Letter, key: string): void => {
      const parsed = parseRequest(letter.body);
      if (letter.at < from || letter.at >= to || requests.get(key) !== undefined) return;
      if (requesterOf(parsed).source === leftOut || rows.get(key)?.fate === 'exhausted') return;
      rows.set(key, rowOf(queue, letter, parsed));
    },
    rows: (): Iterable<Row> => rows.values(),
  };
};
