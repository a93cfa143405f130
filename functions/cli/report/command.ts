import { command, type OptionsOf, value, WHERE } from '../command.ts';

const options = {
  from: value(
    'moment',
    'delivered at or after: a day (UTC) such as 2026-10-01, a moment with its offset, or a duration ago such as 7d',
  ),
  to: value('moment', 'delivered before: likewise (default: now)'),
  format: value('format', 'csv or jsonl (default: csv)', { choices: ['csv', 'jsonl'] }),
  file: value('file', 'write it to this new file (default: standard output)'),
  ...WHERE,
};

export type ReportOptions = OptionsOf<typeof options>;

export const reportCommand = command({
  name: 'report',
  description: 'evidence for an auditor: each request once, who asked, why, when, and its fate; with totals',
  options,
  examples: [
    'report --from 2026-10-01 --to 2026-11-01 --stage prod --file october.csv',
    'report --from 7d --format jsonl --stage prod',
  ],
  load: async () => (await import('./report.ts')).runReport,
});
