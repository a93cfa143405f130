/** Requests that only a dead-letter queue knows: no line of the log names them, and the report must not miss them. */
import type { createRequests } from '../../audit/requests.ts';
import type { DeadLetterQueue, Letter } from '../../dead-letters/letter.ts';
import { parseRequest, requesterOf } from '../../requests/request.ts';
import type { Row } from './rows.ts';

interface Span {
  readonly from: Date;
  readonly to: Date;
}

/** @returns of each letter its row, or `undefined` where a line told of it already, or it is outside of the time */
export const lettersOnly = (
  requests: Pick<ReturnType<typeof createRequests>, 'get'>,
  { from, to }: Span,
  leftOut: string,
) => {
  const told = new Set<string>();
  return (queue: DeadLetterQueue, letter: Letter, key: string): Row | undefined => {
    const { provenance, failure, body } = letter;
    const parsed = parseRequest(body);
    const { requestId, requestedBy, reason, source } = requesterOf(parsed);
    if (letter.at < from || letter.at >= to || requests.get(key) !== undefined || source === leftOut) return undefined;
    if (told.has(key)) return undefined;
    told.add(key);
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
};
