import { command, type OptionsOf, value, WHERE } from '../command.ts';

const options = {
  from: value('moment', 'first delivered at or after: 2026-10-01, a moment with its offset, or a duration ago'),
  to: value('moment', 'and before: likewise (default: now)'),
  format: value('format', 'csv (default) or jsonl', { choices: ['csv', 'jsonl'] }),
  file: value('file', 'a new file for it (default: standard output)'),
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
