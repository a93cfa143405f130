/** cdk-nag's packs AwsSolutions, NIST 800-53 r5 and PCI DSS: each finding is answered by name in docs/compliance.md. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { AwsSolutionsChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';
import { beforeAll, expect, test } from 'vitest';
import { COMBINATIONS } from '../infra/combinations.ts';
import { packaged, TEMPLATE_FILE } from '../infra/compile.ts';

const root = join(import.meta.dirname, '../..');
const SCANNED = ['as shipped', 'with everything', 'with everything, FIFO'];
const PACKS = [AwsSolutionsChecks, NIST80053R5Checks, PCIDSS321Checks];

/** `SQS3`, without the name of its pack and what it found. */
const shortName = (rule: string): string =>
  rule.replace(/^(AwsSolutions-|NIST\.800\.53\.R5-|PCI\.DSS\.321-)|\[.*$/g, '');

/** `SQS3 RejectedQueue` */
const scan = async (templateFile: string): Promise<string[]> => {
  const outdir = await mkdtemp(join(tmpdir(), 'nag-'));
  try {
    const app = new App({ outdir, analyticsReporting: false });
    const stack = new Stack(app, 'scanned');
    new CfnInclude(stack, 'template', { templateFile });
    return PACKS.flatMap((Pack) =>
      new Pack(app)
        .validateScope(stack)
        .violations.flatMap(({ ruleName, violatingResources }) =>
          violatingResources.map((found) => `${shortName(ruleName)} ${pathOf(found).split('/').at(-1)}`),
        ),
    );
  } finally {
    await rm(outdir, { recursive: true });
  }
};
const pathOf = (found: unknown): string => (found as { constructPath: string }).constructPath;

const found = new Set<string>();
beforeAll(async () => {
  for (const name of SCANNED) {
    const findings = await scan(join(await packaged(COMBINATIONS[name] ?? {}), TEMPLATE_FILE));
    for (const finding of findings) found.add(finding);
  }
});

test('each finding of cdk-nag is answered by name in docs/compliance.md, and nothing else is', async () => {
  const page = await readFile(join(root, 'docs/compliance.md'), 'utf8');
  const answered = [...page.matchAll(/^\| (`.+`) \| (`.+`) \| \S/gm)].flatMap(([, rules = '', resources = '']) => {
    const names = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    return names(rules).flatMap((rule) => names(resources).map((resource) => `${rule} ${resource}`));
  });
  expect(found.size).toBeGreaterThan(10);
  expect([...found].toSorted()).toEqual(answered.toSorted());
});
