/**
 * Run by `npm ci` in a clone: puts `mysafe-enable` beside the programs of its packages. `npx` finds it without this too,
 * but then links the clone into its own cache at each call and warns of the machine's Node.js. Windows keeps that way.
 */
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };

const [[name, path] = []] = Object.entries(manifest.bin);

if (name !== undefined && path !== undefined && process.platform !== 'win32') {
  const link = join(import.meta.dirname, '../node_modules/.bin', name);
  await rm(link, { force: true });
  await symlink(join('../..', path), link);
}
