import { defineConfig } from 'vitest/config';

// Wants what test/scanners/package.json names, which `npm run scan` installs.
export default defineConfig({
  test: { include: ['test/scanners/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 600_000 },
});
