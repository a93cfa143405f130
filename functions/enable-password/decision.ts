/** What shall become of one message, as a value: made on the way (attempt.ts, enable.ts), carried out by settle.ts. */
import type { Cause, Row } from '../segura/answers.ts';

/** For whom a message is kept: the causes of Segura's answers, and those of our own. */
export type KeptCause = Cause | 'deadline' | 'fifo-order' | 'unconfirmed' | 'bug';

/** What shall become of one message. */
export type Decision =
  | { readonly kind: 'done'; readonly result: 'enabled' | 'already-enabled' }
  | { readonly kind: 'rejected'; readonly errorCode: string; readonly errorMessage: string }
  | {
      readonly kind: 'kept';
      readonly cause: KeptCause;
      /** Segura's number, the HTTP status or Node's error code of the last attempt. */
      readonly errorCode?: string;
      readonly retryAfterSeconds?: number;
      /** The visibility timeout that it was given, where SQS took it. */
      readonly waitSeconds?: number;
      /**
       * Set where only people can do something about the answer, so that they hear of it: no document knows it, TLS
       * failed, or Segura refused a new token too.
       */
      readonly needsPeople?: Row;
    };

export type Kept = Extract<Decision, { kind: 'kept' }>;

export const keep = (cause: KeptCause, errorCode?: string, retryAfterSeconds?: number): Kept => ({
  kind: 'kept',
  cause,
  ...(errorCode === undefined ? {} : { errorCode }),
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});

export const reject = (errorCode: string, errorMessage: string): Decision => ({
  kind: 'rejected',
  errorCode,
  errorMessage,
});
