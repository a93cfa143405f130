/** The execution environments of one function: a warm one that has nothing to do takes the next event, else a new one. */
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { type InvocationResult, keptIds } from './event-source.ts';
import { createLambda, type Lambda, type LambdaOptions, type Line } from './lambda.ts';

export type Invocation =
  | { readonly kind: 'begins'; readonly records: readonly SQSRecord[] }
  | { readonly kind: 'ends'; readonly records: readonly SQSRecord[]; readonly kept: readonly string[] };

export interface EnvironmentsOptions extends LambdaOptions {
  /** Of the event source mapping: who looks on sees what is in work. */
  readonly onInvocation?: ((invocation: Invocation) => void) | undefined;
}

export const createEnvironments = ({ onInvocation, ...options }: EnvironmentsOptions) => {
  const all: Lambda[] = [];
  const start = (): Lambda => {
    const lambda = createLambda(options);
    all.push(lambda);
    return lambda;
  };
  /** The one that is called by hand. */
  const first = start();
  const idle = [first];

  return {
    first,
    start,
    invokeIdle: async (event: SQSEvent): Promise<InvocationResult> => {
      const { Records: records } = event;
      const taken = idle.pop() ?? start();
      onInvocation?.({ kind: 'begins', records });
      try {
        const result = await taken.invoke(event);
        const ids = records.map(({ messageId }) => messageId);
        onInvocation?.({ kind: 'ends', records, kept: keptIds(result, ids) });
        return result;
      } finally {
        idle.push(taken);
      }
    },
    lines: (): readonly Line[] => all.flatMap(({ lines }) => lines),
    /** SIGKILL to every environment, now; the next invocation starts a new one. */
    kill: (): void => {
      for (const each of all) each.kill();
    },
    close: async (): Promise<void> => {
      await Promise.all(all.map((each) => each.close()));
    },
  };
};
