#!/usr/bin/env -S node --
// The two dashes: without them Node.js takes `--env-file` of `local` for its own, and ends where there is no such file yet.
// What package.json names as the program: a file that is there before anything is built. In a clone it runs the source as
// it stands, in the published package the bundle. Plain JavaScript of any age, so that an old Node.js can say what it lacks.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const [major] = process.versions.node.split('.');
const source = new URL('./main.ts', import.meta.url);

if (Number(major) < 24) {
  console.error(
    `mysafe-enable: Node.js 24 is needed, and this is ${process.version}.\nWhat to fix: install Node.js 24 or, in a clone, run it as npx mysafe-enable after npm ci, which brings it along.`,
  );
  process.exitCode = 1;
} else if (existsSync(source)) {
  // Types are stripped and code is compiled once, not at each start: half of the time to the first line.
  nodeModule.enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/mysafe-enable', import.meta.url)));
  await import(source.href);
} else {
  await import(new URL('../../dist/cli/main.mjs', import.meta.url).href);
}
