/** A folder of a test's own, gone with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const makeFolder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'mysafe-enable-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};
