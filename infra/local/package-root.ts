/** The folder of package.json, the same for a source file and for a bundle in dist/. */
import { findPackageJSON } from 'node:module';
import { dirname } from 'node:path';

const manifest = findPackageJSON(import.meta.url);
if (manifest === undefined) throw new Error('No package.json stands above this file: install the package again.');
export const packageRoot = dirname(manifest);
