/** Audit lines in CloudWatch Logs: page by page, bounded in time, each line once. */
import { type CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { AUDIT_MESSAGE, type AuditLine, readAuditLine } from './read.ts';

export type LogsClient = Pick<CloudWatchLogsClient, 'send'>;

/** Which requests are meant; all of them unless one is named. */
export type Question =
  | { readonly kind: 'all' }
  | { readonly kind: 'message'; readonly messageId: string }
  | { readonly kind: 'request'; readonly requestId: string }
  | { readonly kind: 'identifier'; readonly identifier: number };

export interface Search {
  readonly logGroup: string;
  readonly question: Question;
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
  readonly signal?: AbortSignal;
}

/** What a filter pattern takes in quotes as it stands; `*` would stand for anything, and a quotation mark would end it. */
const QUOTABLE = /^[\w .:/@+,-]{1,256}$/;

const equals = (field: string, value: string): string | undefined =>
  QUOTABLE.test(value) ? `$.${field} = "${value}"` : undefined;

const conditionOf = (question: Question): string | undefined => {
  switch (question.kind) {
    case 'all':
      return undefined;
    case 'request':
      return equals('requestId', question.requestId);
    case 'identifier':
      return `$.identifier = ${question.identifier}`;
    case 'message': {
      const { messageId } = question;
      const own = equals('messageId', messageId);
      return own && `(${own} || ${equals('originalMessageId', messageId)})`;
    }
  }
};

/** CloudWatch's filter pattern (User Guide, "Filter pattern syntax for metric filters …", read 2026-11). */
const patternOf = (question: Question): string => {
  const condition = conditionOf(question);
  const message = `$.message = "${AUDIT_MESSAGE}"`;
  return condition === undefined ? `{ ${message} }` : `{ (${message}) && (${condition}) }`;
};

/** The pattern is a help to CloudWatch; this is what is meant. */
const isMeant = (line: AuditLine, question: Question): boolean => {
  switch (question.kind) {
    case 'all':
      return true;
    case 'request':
      return line.requestId === question.requestId;
    case 'identifier':
      return line.identifier === question.identifier;
    case 'message':
      return line.messageId === question.messageId || line.originalMessageId === question.messageId;
  }
};

/** Pages until there is no next one; a page can be empty and not the last. */
export async function* searchLines(
  client: LogsClient,
  { logGroup, question, from, to, signal }: Search,
): AsyncGenerator<readonly AuditLine[]> {
  if (from >= to) return;
  const input = {
    logGroupName: logGroup,
    filterPattern: patternOf(question),
    startTime: from.getTime(),
    // AWS includes the last millisecond.
    endTime: to.getTime() - 1,
  };
  let nextToken: string | undefined;
  do {
    const command = new FilterLogEventsCommand({ ...input, ...(nextToken === undefined ? {} : { nextToken }) });
    const page = await client.send(command, signal ? { abortSignal: signal } : {});
    yield (page.events ?? []).flatMap(({ message = '' }) => {
      const line = readAuditLine(message);
      return line && isMeant(line, question) ? [line] : [];
    });
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}

/** AWS allows some calls of this kind a second; more at once would only be throttled. */
const AT_ONCE = 4;
const HOUR_MS = 3_600_000;

/** A long time in parts, several at once; in no order. */
export const searchParts = async (
  client: LogsClient,
  { from, to, ...search }: Search,
  onLines: (lines: readonly AuditLine[]) => void,
): Promise<void> => {
  const partMs = Math.max(HOUR_MS, Math.ceil((to.getTime() - from.getTime()) / (AT_ONCE * 6)));
  const starts: number[] = [];
  for (let at = from.getTime(); at < to.getTime(); at += partMs) starts.push(at);
  const rest = starts.values();
  const worker = async (): Promise<void> => {
    for (const start of rest) {
      const part = { from: new Date(start), to: new Date(Math.min(start + partMs, to.getTime())) };
      for await (const lines of searchLines(client, { ...search, ...part })) onLines(lines);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
};
