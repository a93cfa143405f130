/**
 * Runs `osls package` again and again in one process, for whoever forked it (compile.ts): to load the framework takes four
 * times as long as to package. package.test.ts holds that what comes out is what the command itself writes.
 */
import { createRequire } from 'node:module';
import { sep } from 'node:path';

export interface Order {
  readonly args: readonly string[];
  readonly cwd: string;
}
export interface Delivery {
  /** What it printed, where it failed. */
  readonly failure: string | undefined;
}

const require = createRequire(import.meta.url);
const script = require.resolve('osls/scripts/serverless.js');
/** What the framework calls last, whether it failed or not. */
const deprecations = require('osls/lib/utils/log-deprecation.js') as { printSummary: () => Promise<void> };

/** What remembers its command: the script itself, and what reads its arguments and the configuration. */
const REMEMBERS = ['scripts', 'lib/cli', 'lib/configuration'].map((part) =>
  ['', 'osls', ...part.split('/'), ''].join(sep),
);

const forget = (): void => {
  for (const file of Object.keys(require.cache)) {
    if (REMEMBERS.some((part) => file.includes(part))) delete require.cache[file];
  }
  for (const event of ['uncaughtException', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const)
    process.removeAllListeners(event);
};

const packageOnce = async ({ args, cwd }: Order): Promise<Delivery> => {
  forget();
  process.chdir(cwd);
  process.argv = [process.execPath, script, 'package', ...args];
  process.exitCode = 0;
  let printed = '';
  const write = (chunk: unknown): boolean => {
    printed += String(chunk);
    return true;
  };
  process.stdout.write = write;
  process.stderr.write = write;
  await new Promise<void>((resolve) => {
    deprecations.printSummary = async () => resolve();
    require(script);
  });
  return { failure: process.exitCode === 0 ? undefined : printed };
};

// An exit of its own, at which Node.js keeps what it compiled.
process.on('disconnect', () => process.exit());
process.on('message', async (order: Order) => {
  const delivery = await packageOnce(order);
  process.exitCode = 0;
  process.send?.(delivery);
});
