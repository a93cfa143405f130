/**
 * `node test/bench/files.ts [lines]`: how long `send` takes to check a file of each format, and in how much memory. The two
 * take turns, and CPU time is told, which a busy machine changes less than the time by the clock.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROUNDS = 3;
const LINES_AT_ONCE = 10_000;
const MAIN = join(import.meta.dirname, '../../functions/cli/main.ts');
/** Tells CPU seconds and the largest memory in MiB on the fourth output. */
const HOOK = `data:text/javascript,import fs from 'node:fs';process.on('exit',()=>{const{user,system}=process.cpuUsage();fs.writeSync(3,JSON.stringify({cpuSeconds:(user+system)/1e6,maxRssMiB:process.resourceUsage().maxRSS/1024}))})`;

interface Sample {
  readonly cpuSeconds: number;
  readonly maxRssMiB: number;
}

const write = (file: string, count: number, lineOf: (number: number) => string, head = ''): void => {
  writeFileSync(file, head);
  for (let from = 1; from <= count; from += LINES_AT_ONCE) {
    const length = Math.min(LINES_AT_ONCE, count - from + 1);
    writeFileSync(file, Array.from({ length }, (_, index) => lineOf(from + index)).join(''), { flag: 'a' });
  }
};

const check = (file: string): Sample => {
  const { status, output } = spawnSync(
    process.execPath,
    ['--import', HOOK, MAIN, 'send', '--file', file, '--dry-run'],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`${file} was not read: ${output[2]}`);
  return JSON.parse(output[3] ?? '') as Sample;
};

const least = (samples: readonly Sample[], of: keyof Sample): number => Math.min(...samples.map((each) => each[of]));

const count = Number(process.argv[2] ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'mysafe-enable-bench-'));
try {
  const [csv, jsonl] = [join(folder, 'requests.csv'), join(folder, 'requests.jsonl')];
  const rest = { requestedBy: 'ana@example.com', reason: 'on-call, database down' };
  write(
    csv,
    count,
    (number) => `${number},RITM${number},${rest.requestedBy},"${rest.reason}"\n`,
    'identifier,requestId,requestedBy,reason\n',
  );
  write(jsonl, count, (number) => `${JSON.stringify({ identifier: number, requestId: `RITM${number}`, ...rest })}\n`);
  const rounds = Array.from({ length: ROUNDS }, () => ({ jsonl: check(jsonl), csv: check(csv) }));
  const of = (format: 'jsonl' | 'csv') => rounds.map((round) => round[format]);
  for (const format of ['jsonl', 'csv'] as const) {
    const [cpu, rss] = [least(of(format), 'cpuSeconds'), least(of(format), 'maxRssMiB')];
    console.log(`${format.padEnd(5)} ${count} lines: ${cpu.toFixed(1)} s of CPU, ${rss.toFixed(0)} MiB`);
  }
  console.log(`csv to jsonl: ${(least(of('csv'), 'cpuSeconds') / least(of('jsonl'), 'cpuSeconds')).toFixed(2)}`);
} finally {
  rmSync(folder, { recursive: true });
}
