/** What cuts across every invocation, in the order it runs. None of it knows Segura. */
import type { MiddlewareObj } from '@middy/core';
import type { Log } from './log.ts';

/** Every line carries Lambda's request id, and an invocation that fails says why before Lambda does: `failure`, in words. */
export const logContext = <Answer>(log: Log, failure: string): MiddlewareObj<unknown, Answer> => ({
  before: ({ context }) => log.setFunctionRequestId(context.awsRequestId),
  onError: ({ error }) => {
    log.error(failure, {
      errorCode: error?.name,
      detail: error?.message,
      stack: error?.stack,
    });
  },
});

/** Lines and metrics are out before the execution environment may be frozen. */
export const flushTelemetry = <Answer>(flush: () => void): MiddlewareObj<unknown, Answer> => ({
  after: flush,
  onError: flush,
});
