/** Compiles serverless.yml as `npm run package` does, into a folder of its own. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: unknown;
  readonly UpdatePolicy?: unknown;
}
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** What is deployed, and what the framework reads; a copy, so that runs beside each other do not meet. */
const PARTS = ['serverless.yml', 'package.json', 'infra', 'dist'];

/** Runs `osls package` with parameters in a copy of the project; no network and no credentials are there. */
const packageIn = async (
  folder: string,
  parameters: Readonly<Record<string, string>>,
  stage: string,
): Promise<void> => {
  for (const part of PARTS) await cp(join(root, part), join(folder, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const given = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`);
  const { PATH = '', HOME = '' } = process.env;
  try {
    await run(
      process.execPath,
      [join(root, 'node_modules/osls/bin/serverless.js'), 'package', `--stage=${stage}`, ...given],
      {
        cwd: folder,
        env: { PATH, HOME, AWS_REGION: 'eu-west-1' },
      },
    );
  } catch (error) {
    // What it printed is the reason, and execFile leaves that out of the message.
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`osls package failed: ${stdout}${stderr}`);
  }
};

/** Packages, and hands over the folder of what was packaged; it is deleted afterwards. */
export const withPackage = async <Result>(
  parameters: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<Result>,
  stage = 'dev',
): Promise<Result> => {
  const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-'));
  try {
    await packageIn(folder, parameters, stage);
    return await use(join(folder, '.serverless'));
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** The template that would be deployed. */
export const compile = (parameters: Readonly<Record<string, string>>): Promise<Template> =>
  withPackage(
    parameters,
    async (folder) =>
      JSON.parse(await readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8')) as Template,
  );
