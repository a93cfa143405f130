/** `npm run bench` as a real process: that it measures what it says. How long anything took is asserted nowhere. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MEASURES, type Report } from './report.ts';

const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args]);

describe('npm run bench', () => {
  // A sample fails where a message is not answered, or the vault is not asked once for each.
  test.each([
    [[], ['http', 'https'], ['at-once', 'bare', 'ours', 'middy', 'powertools']],
    [['--https', '--only', 'bare,ours,middy,powertools'], ['https'], ['bare', 'ours', 'middy', 'powertools']],
  ])(
    'measures every subject, with the options %j over %j',
    { timeout: 240_000 },
    async (options, expected, subjects) => {
      const { stdout } = await run('--runs', '1', '--quick', '--json', ...options);
      const { transports, versions } = JSON.parse(stdout) as Report;
      expect(transports.map(({ transport }) => transport)).toEqual(expected);
      for (const { figures, toBetterPeer } of transports) {
        expect(toBetterPeer).toBeGreaterThan(0);
        expect(figures.map(({ id }) => id)).toEqual(subjects);
        for (const { id, measures, ratios, gzippedBytes } of figures) {
          for (const measure of MEASURES) {
            expect([id, measure, measures[measure].samples]).toEqual([id, measure, 1]);
            expect(measures[measure].median).toBeGreaterThan(0);
          }
          expect(gzippedBytes).toBeGreaterThan(0);
          if (id === 'bare') expect(Object.values(ratios ?? {})).toEqual(MEASURES.map(() => 1));
        }
      }
      expect(versions).toMatchObject({ node: process.versions.node, axios: expect.stringMatching(/^\d/) });
    },
  );

  test.each([
    [['--runs', '0'], '--runs must be a whole number above 0'],
    [['--only', 'mine'], '--only mine: there are at-once, bare, ours'],
    [['--fast'], '--fast'],
    [['--svg', 'x.svg', '--only', 'ours'], '--svg draws all subjects: leave out --only'],
  ])('%s is wrong usage', async (args, words) => {
    await expect(run(...args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
  });
});
