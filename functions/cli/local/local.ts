/**
 * `mysafe-enable local`, which is `npm start`: the whole of it on this machine. An embedded SQS, a Secrets Manager, a
 * Segura simulator behind a simulated Kong, and the built function fed as Lambda's event source mapping feeds it. The
 * parts take a moment to load, so the first line is said before that.
 */
import { say } from '../terminal/print.ts';
import { parseCount, UsageError } from '../terminal/usage.ts';
import type { LocalOptions } from './command.ts';

/**
 * @param bundle another build of the function than that of this checkout
 * @returns the exit status: 0 when everything became what it should
 * @throws UsageError
 */
export const runLocal = async (
  { watch: keepsRunning = false, json = false, port, envFile }: LocalOptions,
  _words: readonly string[] = [],
  bundle?: string,
): Promise<number> => {
  if (keepsRunning && json) throw new UsageError('--watch has no end, and so no object to end with: leave --json out');
  if (!keepsRunning && (port !== undefined || envFile !== undefined)) {
    throw new UsageError('--port and --env-file are of a world that keeps running: add --watch');
  }
  const portNumber = port === undefined ? undefined : parseCount('--port', port, { least: 0, most: 65_535 });
  if (!json) say('Starting SQS, Secrets Manager, Kong, Segura and the function, all on this machine …', '');
  if (keepsRunning) return (await import('./watch.ts')).watch({ port: portNumber, envFile });
  return (await import('./show.ts')).show({ json, bundle });
};
