import { defineConfig } from 'vitest/config';

/** The built bundles in the real Lambda runtime client: `npm run test:runtime`. */
export default defineConfig({
  test: { include: ['test/runtime/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, pool: 'forks' },
});
