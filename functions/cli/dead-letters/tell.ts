/** How a letter is told of: a line for a person, an object for a machine. */
import { type Letter, NO_CODE } from '../../dead-letters/letter.ts';
import { codeOf } from '../../dead-letters/select.ts';
import { parseRequest, type RequesterFields, requesterOf } from '../../requests/request.ts';
import { age, columns, paint } from '../terminal/print.ts';
import { BREAK, shorten, widthOf } from '../terminal/text.ts';

const MAX_TOLD = 20;

/** What a person should know of single letters; beyond twenty they are only counted. */
export const createTeller = (tell: (text: string) => void) => {
  let told = 0;
  return (letter: Pick<Letter, 'messageId'>, notice: string): void => {
    told += 1;
    if (told <= MAX_TOLD) tell(`${paint('yellow', '!')} ${letter.messageId}: ${notice}`);
    if (told === MAX_TOLD + 1) tell('… and more; all are counted');
  };
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

/** Room for an error's text, and where a letter takes a line of its own for it. */
const LEAST_ERROR = 24;
const LINE_COLUMNS = 72 + 2 + 14 + 2 + LEAST_ERROR;
const SECOND_LINE = ' '.repeat(4);

/** Whether request and error stand below; `before` is what stands before each letter. */
const takesTwoLines = (before: string): boolean => process.stdout.isTTY && columns() < LINE_COLUMNS + widthOf(before);

export const letterHead = (before = ''): string => {
  const known = `${before}${cells('code', 'identifier', 'age', 'message')}`;
  return takesTwoLines(before) ? `${known.trimEnd()}${BREAK}${SECOND_LINE}request, error` : `${known}  request, error`;
};

export const lineOfLetter = (letter: Letter, now: number, before = ''): string => {
  const { messageId, code, identifier, requestId, at, error } = describeLetter(letter);
  const known = `${before}${cells(code, String(identifier ?? '-'), age(now - at.getTime()), messageId)}`;
  if (!error && requestId === undefined) return known.trimEnd();
  const [start, lead] = takesTwoLines(before) ? [`${known}${BREAK}`, SECOND_LINE] : ['', `${known}  `];
  const request = `${lead}${requestId ?? '-'}`;
  if (!error) return `${start}${request}`;
  const room = Math.max(LEAST_ERROR, columns() - widthOf(request) - 2);
  return `${start}${request}  ${process.stdout.isTTY ? shorten(error, room) : error}`;
};
