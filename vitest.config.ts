import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/runtime/**', 'test/scanners/**', 'test/browser/**', 'test/pictures/**', '**/node_modules/**'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Many tests wait for processes of their own and for answers: two workers for each core, where vitest would leave one idle.
    maxWorkers: 2 * availableParallelism(),
    // No test stubs a module, and each closes what it opens: a worker takes file after file, which saves starting 100 of them.
    isolate: false,
    // What Node.js compiled is kept, by its content: half of what a start of the command line costs, of which there are 400.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
  },
});
