/** What `send` tells in the end, to people and as JSON. */
import { fixOf } from '../terminal/hints.ts';
import { note, paint, say, sayJson, table, wrap } from '../terminal/print.ts';
import { type Confirmed, MAX_MESSAGES } from './requests.ts';

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
}

export const printSent = (told: Told, receipts: string | undefined, isJson: boolean): void => {
  const { sent, invalid, failed, notTried, sentBefore, messages, stop } = told;
  const tell = isJson ? note : say;
  if (!isJson && sent > 0 && sent <= MAX_MESSAGES) {
    say(
      table(
        ['identifier', 'message id'],
        messages.map(({ identifier, messageId }) => [String(identifier), messageId]),
      ),
    );
  }
  const parts = [
    paint('green', `${sent} sent and confirmed by SQS`),
    sentBefore > 0 && `${sentBefore} sent before`,
    invalid > 0 && `${invalid} invalid`,
    failed > 0 && paint('red', `${failed} failed`),
    notTried > 0 && `${notTried} not tried after ${stop ?? 'the interruption'}`,
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
export const printJson = ({ sent, invalid, failed, notTried, messages }: Told): void =>
  sayJson({ sent, invalid, failed, notTried, ...(messages.length > 0 ? { messages } : {}) });
