/**
 * Writes dist/template/: one CloudFormation template for every tool, made by osls from serverless.yml with a placeholder for
 * each parameter, both zips named by their content, and SHA256SUMS. Run by `npm run template`, after the build.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { functionNames } from './build.ts';
import { type CompiledTemplate, placeholder } from './conditions.ts';
import { OPEN_STAGE, openTemplate } from './open-template.ts';
import { RULES } from './parameters.ts';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

/** What CloudFormation takes in a call, without a bucket. Source: its quotas, read 2026-11-26. */
export const MAX_BYTES = 51_200;

const compileOpen = async (folder: string, project: string): Promise<CompiledTemplate> => {
  const given = Object.keys(RULES).map((name) => `--param=${name}=${placeholder(name)}`);
  const osls = join(root, 'node_modules/osls/bin/serverless.js');
  try {
    await run(process.execPath, [osls, 'package', '--package', folder, '--stage', OPEN_STAGE, ...given], {
      cwd: project,
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`osls package failed: ${stdout}${stderr}`);
  }
  return JSON.parse(await readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8'));
};

const sha256 = (content: Uint8Array | string): Buffer => createHash('sha256').update(content).digest();

/**
 * @param project where the framework leaves what it needs on the way, for one run at a time
 * @returns what is written, by file name. @throws Error where the template is too large
 */
export const makeTemplate = async (project = root): Promise<ReadonlyMap<string, Uint8Array | string>> => {
  const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-template-'));
  try {
    const compiled = await compileOpen(folder, project);
    const files = new Map<string, Uint8Array | string>();
    const zips: Record<string, { name: string; sha256: Buffer }> = {};
    for (const name of functionNames) {
      const content = await readFile(join(folder, `${name}.zip`));
      const hash = sha256(content);
      zips[name] = { name: `${name}-${hash.toString('hex').slice(0, 16)}.zip`, sha256: hash };
      files.set(zips[name].name, content);
    }
    const template = JSON.stringify(openTemplate(compiled, zips));
    const bytes = Buffer.byteLength(template);
    if (bytes >= MAX_BYTES)
      throw new Error(`the template has ${bytes} bytes: CloudFormation takes fewer than ${MAX_BYTES}`);
    files.set('template.json', template);
    const sums = [...files].map(([name, content]) => `${sha256(content).toString('hex')}  ${name}\n`);
    return files.set('SHA256SUMS', sums.toSorted().join(''));
  } finally {
    await rm(folder, { recursive: true });
  }
};

if (import.meta.main) {
  const folder = join(root, 'dist/template');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, content] of await makeTemplate()) {
    await writeFile(join(folder, name), content);
    console.log(`dist/template/${name}  ${Buffer.byteLength(content)} bytes`);
  }
}
