/** What `send` tells in the end, to people and as JSON. */
import { fixOf } from '../terminal/hints.ts';
import { note, paint, say, sayJson, table, wrap } from '../terminal/print.ts';
import { type Confirmed, MAX_MESSAGES } from './requests.ts';
import type { Settled } from './wait.ts';

/** All requests there were, but for those that an earlier run has sent: the four counts add up to them. */
export interface Result {
  readonly sent: number;
  readonly invalid: number;
  /** Tried, and not confirmed by SQS. */
  readonly failed: number;
  readonly notTried: number;
}

export interface Told extends Result {
  readonly sentBefore: number;
  readonly messages: readonly Confirmed[];
  /** Why the rest was not tried, where it was not an interruption. */
  readonly stop?: string | undefined;
  /** With --wait: by message id. */
  readonly settled?: ReadonlyMap<string, Settled> | undefined;
  /** With --wait: sent, and not settled yet. */
  readonly unsettled: number;
}

const outcomeOf = (settled: Settled | undefined): string =>
  settled === undefined ? 'waiting' : [settled.outcome, settled.errorCode].filter(Boolean).join(' ');

const tableOf = ({ messages, settled }: Told): string =>
  settled === undefined
    ? table(
        ['identifier', 'message id'],
        messages.map(({ identifier, messageId }) => [String(identifier), messageId]),
      )
    : table(
        ['identifier', 'message id', 'outcome'],
        messages.map(({ identifier, messageId }) => [String(identifier), messageId, outcomeOf(settled.get(messageId))]),
      );

export const printSent = (told: Told, receipts: string | undefined, isJson: boolean): void => {
  const { sent, invalid, failed, notTried, sentBefore, stop, unsettled } = told;
  const tell = isJson ? note : say;
  if (!isJson && sent > 0 && sent <= MAX_MESSAGES) {
    say(tableOf(told));
  }
  const parts = [
    paint('green', `${sent} sent and confirmed by SQS`),
    sentBefore > 0 && `${sentBefore} sent before`,
    invalid > 0 && `${invalid} invalid`,
    failed > 0 && paint('red', `${failed} failed`),
    unsettled > 0 && `${unsettled} of them not settled yet`,
    notTried > 0 && `${notTried} not tried after ${stop ?? 'the interruption'}`,
    notTried === 0 && failed === 0 && stop !== undefined && `but it ended with: ${stop}`,
  ];
  tell(parts.filter(Boolean).join(', '));
  const fix = stop && fixOf(stop, 'sqs:SendMessage on requests');
  if (fix) tell(wrap(`What to fix: ${fix}.`));
  if (receipts !== undefined && failed + notTried > 0)
    tell(wrap(`To go on from here: the same command with --resume ${receipts}`));
};

export const printHeldBack = ({ notTried, invalid, sentBefore }: Told, isDryRun: boolean, isJson: boolean): void => {
  const tell = isJson ? note : say;
  const before = sentBefore > 0 ? `, ${sentBefore} sent before` : '';
  tell(`${notTried} valid, ${invalid} invalid${before}: nothing was sent${isDryRun ? ' (--dry-run)' : ''}`);
  if (!isDryRun) tell('Fix what is invalid, or leave it out with --skip-invalid.');
};

/** The last line of standard output; `messages` where there are any. */
export const printJson = ({ sent, invalid, failed, notTried, messages, settled }: Told): void => {
  const told = messages.map((message) => {
    if (settled === undefined) return message;
    const { outcome = 'waiting', errorCode } = settled.get(message.messageId) ?? {};
    return { ...message, outcome, ...(errorCode === undefined ? {} : { errorCode }) };
  });
  sayJson({ sent, invalid, failed, notTried, ...(told.length > 0 ? { messages: told } : {}) });
};
