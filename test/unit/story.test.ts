/** A request as `trace` tells it: what stands in its last line, and when. */
import { expect, test } from 'vitest';
import type { AuditLine, AuditOutcome } from '../../functions/audit/read.ts';
import { createRequests, type Fate } from '../../functions/audit/requests.ts';
import { storyOf } from '../../functions/cli/trace/story.ts';

const NOW = new Date('2026-10-01T18:00:00Z');

const line = (outcome: AuditOutcome, at: string, more: Partial<AuditLine> = {}): AuditLine => ({
  ...{ at: new Date(`2026-10-01T${at}Z`), outcome, messageId: 'a', identifier: 10, ...more },
});

const lastLine = (fate: Fate, ...lines: readonly AuditLine[]): string | undefined => {
  const requests = createRequests();
  const keys = lines.map(requests.add);
  const request = requests.get(keys[0] ?? '');
  if (!request) throw new Error('no request');
  return storyOf({ request, lines, fate }, NOW).at(-1);
};

test.each<[Fate, readonly AuditLine[], RegExp]>([
  [
    'enabled',
    [line('kept', '08:00:00'), line('enabled', '09:00:00')],
    / {2}2026-10-01 09:00:00 {2}settled: the password/,
  ],
  [
    'enabled',
    [line('enabled', '09:00:00'), line('kept', '10:00:00')],
    / {2}2026-10-01 09:00:00 {2}settled: the password is enabled/,
  ],
  ['rejected', [line('rejected', '09:00:00', { errorCode: '1006' })], / {2}2026-10-01 09:00:00 {2}settled: rejected/],
])('a request that is %s ends with the moment at which it was settled', (fate, lines, expected) => {
  expect(lastLine(fate, ...lines)).toMatch(expected);
});

test.each<[Fate, readonly AuditLine[]]>([
  ['waiting', [line('kept', '09:00:00')]],
  ['unknown', [line('kept', '09:00:00')]],
  ['waiting', [line('rejected', '09:00:00'), line('kept', '10:00:00', { replayCount: 1 })]],
])('a request that is %s ends with the moment of asking', (fate, lines) => {
  expect(lastLine(fate, ...lines)).toMatch(/ {2}2026-10-01 18:00:00 {2}/);
});
