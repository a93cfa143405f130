/** cfn-lint, a Python tool: where it is not installed, test/infra/template.test.ts alone holds the templates to their schemas. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMBINATIONS } from '../infra/combinations.ts';
import { packaged, TEMPLATE_FILE } from '../infra/compile.ts';

const lint = (...args: readonly string[]) => spawnSync('cfn-lint', args, { encoding: 'utf8' });

test.skipIf(lint('--version').status !== 0)(
  'cfn-lint, where it is installed, finds no error and no warning in any combination of parameters, nor in the template for every tool',
  async () => {
    const folders = await Promise.all(Object.values(COMBINATIONS).map((parameters) => packaged(parameters)));
    const root = join(import.meta.dirname, '../..');
    const forEveryTool = ['dist/template/template.json', 'infra/examples/sam.yml'].map((file) => join(root, file));
    const { stdout, status } = lint(...forEveryTool, ...folders.map((folder) => join(folder, TEMPLATE_FILE)));
    expect([stdout.trim(), status]).toEqual(['', 0]);
  },
  240_000,
);
