import { defineConfig } from 'vitest/config';

// Wants what test/pictures/package.json names, which `npm run test:pictures` installs.
export default defineConfig({
  test: { include: ['test/pictures/**/*.test.ts'], testTimeout: 600_000 },
});
