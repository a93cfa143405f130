/** Names and numbers that stand in the code and in the pages are the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import schema from '../../events/outcome.schema.json' with { type: 'json' };
import { METRICS } from '../../functions/audit/line.ts';
import { FATES } from '../../functions/audit/requests.ts';
import { COLUMNS } from '../../functions/cli/report/rows.ts';
import { readEnvironment } from '../../functions/enable-password/environment.ts';
import { ENABLE_TABLE } from '../../functions/segura/answers.ts';
import { parseSecret } from '../../functions/segura/secret.ts';
import { DEFAULTS } from '../../functions/settings/variables.ts';
import { FIELDS } from '../../functions/telemetry/log.ts';
import manifest from '../../package.json' with { type: 'json' };
import { readPage, readPages, root } from './pages.ts';

const messageOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};
const rowsOf = (page: string): readonly string[] =>
  readPage(page)
    .text.split('\n')
    .filter((line) => line.startsWith('|'));
const codesOf = (page: string): ReadonlySet<string> =>
  new Set([...readPage(page).text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? ''));

describe('the README', () => {
  const rows = rowsOf('README.md');

  test.each(Object.entries(DEFAULTS))('tells of %s and its default %s', (name, value) => {
    const row = rows.find((line) => line.startsWith(`| \`${name}\``)) ?? 'no row';
    expect(row, `README.md, Environment of enable-password: add or correct | \`${name}\` | no, ${value} | … |`).toMatch(
      new RegExp(`\\| no, \`?${value}\`? \\|`),
    );
  });

  test('tells of each variable without which the function does not start', () => {
    const missing = messageOf(() => readEnvironment({})).matchAll(/([A-Z_]+) is missing/g);
    const names = [...missing].map(([, name]) => name ?? '').filter((name) => name !== 'AWS_REGION');
    expect(names.length).toBeGreaterThan(2);
    const untold = names.filter((name) => !rows.some((row) => row.startsWith(`| \`${name}\` | yes |`)));
    expect(untold, 'README.md, Environment of enable-password: add | `NAME` | yes | … | for each of these').toEqual([]);
  });

  test('tells of each key of the secret that has to be there', () => {
    const missing = messageOf(() => parseSecret('{}')).matchAll(/(\w+) is missing/g);
    const keys = [...missing].map(([, key]) => key ?? '');
    expect(keys.length).toBeGreaterThan(3);
    const untold = keys.filter((key) => !rows.some((row) => row.includes(`\`${key}\``) && row.includes('| yes |')));
    expect(untold, 'README.md, The secret: add | `key` | yes | … | for each of these').toEqual([]);
  });
});

test('the auditor is told of every field that a line can carry, and shown a line as it is written', () => {
  const codes = codesOf('docs/auditor.md');
  const untold = FIELDS.filter((field) => !codes.has(field));
  expect(untold, 'docs/auditor.md: tell of each of these fields of functions/telemetry/log.ts').toEqual([]);
  const [sample] = readPage('docs/auditor.md').blocks.filter(({ language }) => language === 'json');
  const order = ['level', 'message', 'service', 'timestamp', ...FIELDS] as readonly string[];
  const fields = Object.keys(JSON.parse(sample?.text ?? ''));
  expect(fields).toEqual(order.filter((field) => fields.includes(field)));
  const ofEachRequest = ['outcome', 'attempts', 'durationMs', 'messageId', 'receiveCount', 'firstSentAt', 'sentBy'];
  expect(fields, 'docs/auditor.md, the sample line: show what every line has').toEqual(
    expect.arrayContaining(ofEachRequest),
  );
});

test('the auditor is told of every column and fate of the report', () => {
  const codes = codesOf('docs/auditor.md');
  expect([...COLUMNS, ...FATES].filter((name) => !codes.has(name))).toEqual([]);
});

test('the README tells the wait after an outage of a day as the picture shows it', () => {
  const picture = readFileSync(join(root, 'docs/pictures/wait-after-an-outage.svg'), 'utf8');
  const [, drawn] = /outage: a day; what: the last; seconds: (\d+)"/.exec(picture) ?? [];
  const [, told] = /^- \*\*(\d+) s\*\* after Segura is back/m.exec(readPage('README.md').text) ?? [];
  expect(told, 'README.md: correct the seconds after an outage of a day').toBe(drawn);
});

test('the operator is told of every metric, and of everybody for whom a message can be kept', () => {
  const codes = codesOf('docs/operator.md');
  const untold = Object.keys(METRICS).filter((name) => !codes.has(name));
  expect(untold, 'docs/operator.md: tell of each of these metrics of functions/audit/line.ts').toEqual([]);
  const causes = ENABLE_TABLE.flatMap(({ happens }) => ('cause' in happens ? [happens.cause] : ['credentials']));
  for (const cause of [...causes, 'deadline', 'fifo-order', 'unconfirmed', 'bug']) expect(codes).toContain(cause);
});

test('the operator is told of every alarm, each with its heading in the runbook', () => {
  const names = [...readFileSync(join(root, 'infra/alarms.yml'), 'utf8').matchAll(/AlarmName: \S+\}-([\w-]+)/g)];
  const alarms = names.map(([, name]) => name ?? '');
  expect(alarms.length).toBeGreaterThan(5);
  const { links } = readPage('docs/operator.md');
  const { anchors } = readPage('infra/runbook.md');
  for (const alarm of alarms) {
    expect(anchors, `infra/runbook.md: add a heading for the alarm ${alarm} of infra/alarms.yml`).toContain(alarm);
    expect(links, `docs/operator.md: tell of the alarm ${alarm}, with a link to it in the runbook`).toContain(
      `../infra/runbook.md#${alarm}`,
    );
  }
});

test('the platform engineer is told what every alarm costs, and the parts add up', () => {
  // Those that are always there; the others come with what is switched on.
  const template = readFileSync(join(root, 'infra/alarms.yml'), 'utf8')
    .split(/^(?= {2}\w+:$)/m)
    .filter((resource) => !/^ {4}Condition:/m.test(resource))
    .join('');
  const alarms = template.match(/Type: AWS::CloudWatch::Alarm$/gm)?.length ?? 0;
  // CloudWatch bills an alarm by the metrics that it watches.
  const onOne = template.match(/^ {6}MetricName:/gm)?.length ?? 0;
  const inArithmetic = template.match(/MetricStat:/g)?.length ?? 0;
  const [, costs = ''] = readPage('docs/platform-engineer.md').text.split('## What it costs a month');
  expect(costs).toContain(`| ${alarms} alarms, one on three metrics: ${onOne + inArithmetic} × 0.10 |`);
  const rows = costs.split('\n').flatMap((line) => {
    const sums = line
      .split('|')
      .slice(3, 6)
      .map((cell) => Number(cell.replaceAll('*', '').trim()));
    return line.includes('.') && sums.length === 3 && !sums.some(Number.isNaN) ? [sums] : [];
  });
  expect(rows.length).toBeGreaterThan(5);
  const together = rows.pop() ?? [];
  for (const [column, sum] of together.entries()) {
    expect(sum).toBeCloseTo(
      rows.reduce((total, row) => total + (row[column] ?? 0), 0),
      6,
    );
  }
});

test('the requester is told of every outcome and error code of the schema', () => {
  const codes = codesOf('docs/outcomes.md');
  const said = [...schema.properties.outcome.enum, ...schema.properties.errorCode.enum];
  expect(said.filter((each) => !codes.has(each))).toEqual([]);
});

test('every script of package.json is told of on a page', () => {
  const told = readPages()
    .map(({ text }) => text)
    .join('\n');
  const isTold = (script: string): boolean => new RegExp(`npm (?:run )?(?:--silent )?${script}(?![\\w:-])`).test(told);
  const untold = Object.keys(manifest.scripts).filter((script) => !isTold(script));
  expect(untold, 'docs/contributor.md or README.md: tell what each of these scripts does').toEqual([]);
});

test('a parameter that a page gives to the deployment exists', () => {
  const parameters = Object.keys(parseYaml(readFileSync(join(root, 'infra/parameters.yml'), 'utf8')));
  const given = readPages().flatMap(({ text }) =>
    [...text.matchAll(/--param[= ]"?(\w+)=/g)].map(([, name]) => name ?? ''),
  );
  expect(given.length).toBeGreaterThan(0);
  expect(given.filter((name) => !parameters.includes(name))).toEqual([]);
});
