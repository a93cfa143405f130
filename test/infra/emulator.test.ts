/**
 * The template for every tool, deployed by a bare create-stack to an emulator of AWS. moto is a Python package: where it is not
 * installed this is skipped, and open-template.test.ts holds alone.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTemplate } from '../../infra/template.ts';
import { logicalName } from '../../infra/template-parameters.ts';
import { COMBINATIONS } from './combinations.ts';
import { resolveTemplate } from './resolve.ts';

interface Deployed {
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly queues: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly functions: Readonly<Record<string, { readonly variables: Readonly<Record<string, string>> }>>;
  readonly aliases: readonly { readonly Name: string; readonly FunctionVersion: string }[];
  readonly mappings: readonly object[];
}

/** Not EventBridge: moto takes no event pattern that a parameter gives, which CloudFormation takes as JSON in a string. */
const WITHIN_MOTO = [
  'as shipped',
  'fifo',
  'with outcomes',
  'with a customer key',
  'with HTTPS and JWT',
  'with other numbers',
];

const python = (args: readonly string[], input = '') =>
  spawnSync('python3', args, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

/** By the template's own names. */
const named = (parameters: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [logicalName(name), value]));

const deploy = (folder: string): Readonly<Record<string, Deployed>> => {
  const stacks = WITHIN_MOTO.map((name) => ({
    name: `mysafe-enable-${name.replaceAll(' ', '-')}`,
    parameters: named(COMBINATIONS[name] ?? {}),
  }));
  const { stdout, stderr } = python([join(import.meta.dirname, 'emulator.py')], JSON.stringify({ folder, stacks }));
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Readonly<Record<string, Deployed>>;
};

test.skipIf(python(['-c', 'import moto, boto3']).status !== 0)(
  'create-stack alone makes the stack in moto, where it is installed: queues, functions, alias, mapping, outputs',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'emulator-'));
    try {
      const files = await makeTemplate();
      for (const [name, content] of files) await writeFile(join(folder, name), content);
      const template = JSON.parse(String(files.get('template.json'))) as Record<string, unknown>;
      const found = deploy(folder);
      for (const name of WITHIN_MOTO) {
        const parameters = COMBINATIONS[name] ?? {};
        const stack = `mysafe-enable-${name.replaceAll(' ', '-')}`;
        const deployed = found[stack];
        expect(deployed, name).toMatchObject({ status: 'CREATE_COMPLETE' });
        const { outputs, queues, functions, aliases, mappings } = deployed!;
        const { Outputs, Resources } = resolveTemplate(template, { CodeBucket: 'code', ...named(parameters) });
        expect(Object.keys(outputs).toSorted(), name).toEqual(Object.keys(Outputs).toSorted());
        const suffix = parameters['fifo'] ? '.fifo' : '';
        const { VisibilityTimeout } = Resources['RequestsQueue']!['Properties'] as Record<string, string>;
        expect(queues[`${stack}-requests${suffix}`], name).toMatchObject({ VisibilityTimeout });
        const { variables } = functions[`${stack}-enable-password`]!;
        expect(variables['SOURCE_QUEUE_URL'], name).toBe(outputs['SourceQueueUrl']);
        expect(variables['REJECTED_QUEUE_URL'], name).toBe(outputs['RejectedQueueUrl']);
        expect(variables['OUTCOME_QUEUE_URL'] || undefined, name).toBe(outputs['OutcomeQueueUrl']);
        expect(JSON.stringify(functions), name).not.toContain('${');
        expect(aliases, name).toMatchObject([{ Name: 'live', FunctionVersion: '1' }]);
        const EventSourceArn = expect.stringMatching(new RegExp(`:${stack}-requests${suffix}$`));
        expect(mappings, name).toMatchObject([
          { EventSourceArn, BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] },
        ]);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  600_000,
);
