/** How a letter is told of: a line for a person, an object for a machine. */
import { type Letter, NO_CODE } from '../../dead-letters/letter.ts';
import { codeOf } from '../../dead-letters/select.ts';
import { parseRequest, type RequesterFields, requesterOf } from '../../requests/request.ts';
import { columns, paint, shorten, widthOf } from '../terminal/print.ts';

const MAX_TOLD = 20;

/** What a person should know of single letters; beyond a score they are counted. */
export const createTeller = (tell: (text: string) => void) => {
  let told = 0;
  return (letter: Pick<Letter, 'messageId'>, notice: string): void => {
    told += 1;
    if (told <= MAX_TOLD) tell(`${paint('yellow', '!', process.stderr)} ${letter.messageId}: ${notice}`);
    if (told === MAX_TOLD + 1) tell('… and more; all are counted');
  };
};

export const age = (ms: number): string => {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
};

/** Why a letter may stay unread: SQS hands out one group's next only when the one before is gone. */
export const UNREAD = 'they are behind others of their message group, or beyond the 100,000 that one reader may hold';

export const codeName = (code: string): string => (code === NO_CODE ? 'none (moved by SQS)' : code);

/** What is told of one letter to a machine. Its body may be anything: a person sees it in `show` alone. */
export const describeLetter = (letter: Letter) => {
  const parsed = parseRequest(letter.body);
  const { originalMessageId, firstSentAt, replayCount, replayedBy, replayReason } = letter.provenance;
  return {
    queue: letter.queue,
    messageId: letter.messageId,
    code: codeOf(letter),
    identifier: parsed.kind === 'request' ? parsed.request.identifier : undefined,
    ...requesterWords(requesterOf(parsed)),
    at: letter.at,
    // Of unknown age is what SQS's time would be taken for.
    firstSentAt: letter.isAgeKnown ? firstSentAt : undefined,
    originalMessageId,
    replayCount,
    replayedBy,
    replayReason,
    error: letter.failure?.errorMessage,
    body: letter.body,
  };
};

const requesterWords = ({ requestId, requestedBy, reason, source }: RequesterFields) => ({
  requestId,
  requestedBy,
  reason,
  source,
});

const cells = (code: string, identifier: string, at: string, messageId: string): string =>
  `${code.padEnd(14)}  ${identifier.padEnd(10)}  ${at.padEnd(6)}  ${messageId.padEnd(36)}`;

export const LETTER_HEAD = `${cells('code', 'identifier', 'age', 'message')}  request, error`;

/** Room for an error's text on a narrow terminal. */
const LEAST_ERROR = 24;

export const lineOfLetter = (letter: Letter, now: number, indent = 0): string => {
  const { messageId, code, identifier, requestId, at, error } = describeLetter(letter);
  const known = [cells(code, String(identifier ?? '-'), age(now - at.getTime()), messageId), requestId ?? '-'].join(
    '  ',
  );
  if (!error) return requestId === undefined ? known.slice(0, -3).trimEnd() : known;
  const room = Math.max(LEAST_ERROR, columns() - indent - widthOf(known) - 2);
  return `${known}  ${process.stdout.isTTY ? shorten(error, room) : error}`;
};
