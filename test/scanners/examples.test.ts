/** The examples of infra/examples/, each read by the tool that it is for, where npm has it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from '@cdktf/hcl2json';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const examples = join(root, 'infra/examples');
const folder = join(root, 'dist/template');
const template = JSON.parse(await readFile(join(folder, 'template.json'), 'utf8')) as {
  Parameters: Readonly<Record<string, { Default?: string }>>;
  Resources: Readonly<Record<string, { Type: string; Properties: Readonly<Record<string, unknown>> }>>;
  Outputs: Readonly<Record<string, unknown>>;
};
/** What must be given, and nothing that is not asked for. */
const expectParameters = (given: readonly string[]) => {
  const wanted = Object.keys(template.Parameters).filter((name) => template.Parameters[name]?.Default === undefined);
  expect(given).toEqual(expect.arrayContaining(wanted));
  expect(Object.keys(template.Parameters)).toEqual(expect.arrayContaining([...given]));
};

test('AWS CLI: the script is right for bash, and gives the parameters that there are', async () => {
  const file = join(examples, 'aws-cli.sh');
  await run('bash', ['-n', file]);
  const script = await readFile(file, 'utf8');
  const [, overrides = ''] = script.split('--parameter-overrides');
  expectParameters([...overrides.matchAll(/(\w+)=/g)].map(([, name = '']) => name));
  expect(script).toContain('--capabilities CAPABILITY_IAM');
});

test('CDK: synthesises the template with code from its own assets', async () => {
  const work = await mkdtemp(join(tmpdir(), 'cdk-'));
  try {
    // As where aws-cdk-lib is installed beside the project.
    const app = join(work, 'project');
    await cp(examples, join(app, 'infra/examples'), { recursive: true });
    await cp(folder, join(app, 'dist/template'), { recursive: true });
    await symlink(join(import.meta.dirname, 'node_modules'), join(app, 'node_modules'));
    const outdir = join(work, 'cdk.out');
    await run(process.execPath, [join(app, 'infra/examples/cdk.mjs')], {
      cwd: app,
      env: { ...process.env, CDK_OUTDIR: outdir },
    });
    const made = JSON.parse(
      await readFile(join(outdir, 'mysafe-enable-prod.template.json'), 'utf8'),
    ) as typeof template;
    expect(
      Object.keys(made.Resources)
        .filter((id) => id !== 'CDKMetadata')
        .toSorted(),
    ).toEqual(Object.keys(template.Resources).toSorted());
    for (const [id, { Type, Properties }] of Object.entries(made.Resources)) {
      if (Type !== 'AWS::Lambda::Function') continue;
      const { S3Key } = Properties['Code'] as { S3Key: string };
      expect(S3Key, id).toMatch(/^[0-9a-f]{64}\.zip$/);
      expect(existsSync(join(outdir, `asset.${S3Key}`))).toBe(true);
    }
  } finally {
    await rm(work, { recursive: true });
  }
});

test('Terraform: a stack of the template, with the parameters that there are', async () => {
  const file = join(examples, 'main.tf');
  const { resource, output } = (await parse('main.tf', await readFile(file, 'utf8'))) as {
    resource: {
      aws_cloudformation_stack: {
        mysafe_enable: [{ template_body: string; capabilities: string[]; parameters: object }];
      };
      aws_s3_object: { code: [{ key: string }] };
    };
    output: Readonly<Record<string, [{ value: string }]>>;
  };
  const [stack] = resource.aws_cloudformation_stack.mysafe_enable;
  expectParameters(Object.keys(stack.parameters));
  expect(stack).toMatchObject({
    template_body: '${file("${local.folder}/template.json")}',
    capabilities: ['CAPABILITY_IAM'],
    parameters: { CodePrefix: 'mysafe-enable/' },
  });
  expect(resource.aws_s3_object.code[0].key).toBe('mysafe-enable/${each.value}');
  const [, name = ''] = /outputs\["(\w+)"\]/.exec(output['requests_queue_url']![0].value) ?? [];
  expect(Object.keys(template.Outputs)).toContain(name);
});

describe('SAM', () => {
  test('an application of the template, with the parameters that there are', async () => {
    const sam = parseYaml(await readFile(join(examples, 'sam.yml'), 'utf8'), { logLevel: 'silent' }) as {
      Resources: { MysafeEnable: { Type: string; Properties: { Location: string; Parameters: object } } };
    };
    const { Type, Properties } = sam.Resources.MysafeEnable;
    expect(Type).toBe('AWS::Serverless::Application');
    expect(join(examples, Properties.Location)).toBe(join(folder, 'template.json'));
    expectParameters(Object.keys(Properties.Parameters));
  });
});
