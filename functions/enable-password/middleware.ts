/** What cuts across every invocation, in the order it runs. None of it knows Segura. */
import type { MiddlewareObj } from '@middy/core';
import type { SQSBatchResponse } from 'aws-lambda';
import type { Log } from '../telemetry/log.ts';

type Middleware = MiddlewareObj<unknown, SQSBatchResponse>;

/** Every line carries Lambda's request id, and an invocation that fails says why before Lambda does. */
export const logContext = (log: Log): Middleware => ({
  before: ({ context }) => log.setContext({ function_request_id: context.awsRequestId }),
  onError: ({ error }) => {
    log.error('invocation failed, nothing is acknowledged', {
      errorCode: error?.name,
      detail: error?.message,
      stack: error?.stack,
    });
  },
});

/** Lines and metrics are out before the execution environment may be frozen. */
export const flushTelemetry = (flush: () => void): Middleware => ({ after: flush, onError: flush });
