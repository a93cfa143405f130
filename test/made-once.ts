/**
 * What is dear to make and depends on files of the project alone is made once for one state of them, and kept in
 * node_modules: for the other test files, and for the next run.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
const DAY_MS = 86_400_000;

const filesOf = async (part: string): Promise<string[]> => {
  const path = join(root, part);
  if (!existsSync(path)) throw new Error(`there is no ${part}: run npm run build first`);
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

const hashOf = async (parts: readonly string[]): Promise<string> => {
  const hash = createHash('sha256').update(process.version);
  for (const part of parts) {
    for (const file of (await filesOf(part)).toSorted()) hash.update(file).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
};

/** Of states that no test has asked for since yesterday. */
const removeOld = async (kept: string): Promise<void> => {
  for (const name of await readdir(kept).catch(() => [])) {
    const { mtimeMs } = await stat(join(kept, name));
    if (mtimeMs < Date.now() - DAY_MS) await rm(join(kept, name), { recursive: true, force: true });
  }
};

/**
 * @param kind the name of its folder
 * @param parts files and folders of the project that decide on what is made
 */
export const createMaker = (kind: string, parts: readonly string[]) => {
  const kept = join(root, 'node_modules/.cache', kind);
  const prepare = async (): Promise<string> => {
    await removeOld(kept);
    const folder = join(kept, await hashOf(parts));
    await mkdir(folder, { recursive: true });
    await utimes(folder, new Date(), new Date());
    return folder;
  };
  let prepared: Promise<string> | undefined;
  /** @returns a folder with what `make` wrote into it, which is not to be written into. @throws whatever `make` throws */
  return async (name: string, make: (folder: string) => Promise<void>): Promise<string> => {
    prepared ??= prepare();
    const folder = join(await prepared, name);
    if (existsSync(folder)) return folder;
    const made = await mkdtemp(`${folder}-`);
    try {
      await make(made);
      // Whoever made it in the meantime has made the same.
      await rename(made, folder).catch(() => {});
    } finally {
      await rm(made, { recursive: true, force: true });
    }
    return folder;
  };
};
