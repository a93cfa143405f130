import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { SLOW } from './test/slow.ts';

// What a shell or a build server sets for the colours of its own log is not for the commands that are tested.
delete process.env['FORCE_COLOR'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...['test/runtime/**', 'test/scanners/**', 'test/browser/**', 'test/pictures/**', '**/node_modules/**'],
      ...SLOW,
    ],
    // Never what is tested: a test that is slow on a busy machine shall end all the same.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    pool: 'forks',
    // Many tests wait for processes of their own and for answers: six workers for two cores, where vitest would take one.
    maxWorkers: 3 * availableParallelism(),
    // Of a file's concurrent tests, each with a world of its own: they mostly wait.
    maxConcurrency: 10,
    // No test stubs a module, and each closes what it opens: a worker takes file after file, which saves starting 100 of them.
    isolate: false,
    // What Node.js compiled is kept, by its content: half of what a start of the command line costs, of which there are 400.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
  },
});
