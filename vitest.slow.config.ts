import { defineConfig } from 'vitest/config';
import { SLOW } from './test/slow.ts';
import all from './vitest.config.ts';

/** The same as `npm test`, of what it leaves to this one. */
export default defineConfig({ test: { ...all.test, include: [...SLOW], exclude: [] } });
