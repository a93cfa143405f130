/** Runs in a process of its own: one execution environment that answers invocations over IPC. See lambda-process.ts. */
import { flushCompileCache } from 'node:module';
import type { Context } from 'aws-lambda';
import type { WorkerAnswer, WorkerCall } from './lambda-process.ts';

const answer = (message: WorkerAnswer): void => void process.send?.(message);

// Ctrl-C in a terminal goes to every process of the group: this one is ended by the one that started it, or with it.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());

const [, , bundle = ''] = process.argv;
try {
  const { handler } = (await import(bundle)) as {
    handler: (event: unknown, context: Partial<Context>) => Promise<unknown>;
  };
  process.on('message', async ({ id, event, remainingMs }: WorkerCall) => {
    const endsAt = Date.now() + remainingMs;
    try {
      const payload = await handler(event, {
        awsRequestId: id,
        functionName: 'enable-password',
        getRemainingTimeInMillis: () => endsAt - Date.now(),
      });
      answer({ id, payload });
    } catch (error) {
      const { name, message } = error as Error;
      answer({ id, functionError: `${name}: ${message}` });
    }
  });
  answer({ id: 'ready' });
  // It is killed in the end, and would write nothing then.
  flushCompileCache();
} catch (error) {
  process.send?.({ id: 'ready', functionError: String(error) } satisfies WorkerAnswer, () => process.disconnect());
}
