/** One run: everything is built anew, then measured by turns, so that what else the machine does meets all alike. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificates } from '../../infra/local/certificates.ts';
import { compare, type Measure, type Report } from './report.ts';
import { type Bench, startStandIns, takeSample } from './sample.ts';
import { summarize } from './statistics.ts';
import { type Built, buildContender, buildLauncher, type Contender } from './subjects.ts';

export interface Plan {
  readonly rounds: number;
  readonly isSecure: boolean;
  readonly chosen: readonly Contender[];
  readonly onSubject: (done: number, text: string) => void;
}

/** What the vault takes for an answer in the batch of a thousand. */
const WAIT_MS = 20;
const NODE_MODULES = join(import.meta.dirname, '../../node_modules');

const versionsOf = async (chosen: readonly Contender[]): Promise<Readonly<Record<string, string>>> => {
  const versions: Record<string, string> = { node: process.versions.node };
  for (const name of [...new Set(chosen.flatMap(({ packages }) => packages))].sort()) {
    const manifest = JSON.parse(await readFile(join(NODE_MODULES, name, 'package.json'), 'utf8'));
    versions[name] = String(manifest.version);
  }
  return versions;
};

const startBench = async (folder: string, isSecure: boolean): Promise<Bench> => {
  if (!isSecure) return startStandIns({ waitMs: WAIT_MS });
  const { ca, server } = await createCertificates();
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, ca);
  return startStandIns({ waitMs: WAIT_MS, tls: { ...server, caFile } });
};

type Samples = Record<Measure, number[]>;

/** One round for one subject: each piece of work once, in a process of its own. */
const measureOnce = async ({ subject }: Built, bench: Bench, samples: Samples): Promise<void> => {
  const cold = await takeSample(subject, 'cold', bench);
  const warm = await takeSample(subject, 'warm', bench);
  const large = await takeSample(subject, 'large', bench);
  samples.coldStartMs.push(cold.coldStartMs);
  samples.warmBatchMs.push(warm.tookMs ?? Number.NaN);
  samples.largeBatchMs.push(large.tookMs ?? Number.NaN);
  samples.largeBatchPeakBytes.push(large.peakBytes ?? Number.NaN);
};

const measureAll = async (all: readonly Built[], bench: Bench, { rounds, onSubject }: Plan) => {
  const taken = all.map((built) => ({
    built,
    samples: { coldStartMs: [], warmBatchMs: [], largeBatchMs: [], largeBatchPeakBytes: [] } as Samples,
  }));
  // Not counted: reads the files into the system's cache, and fills the compile cache of the one that has one.
  for (const { subject } of all) await takeSample(subject, 'cold', bench);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { built, samples }] of taken.entries()) {
      onSubject(round * all.length + index, `round ${round + 1} of ${rounds}, ${built.contender.name}`);
      await measureOnce(built, bench, samples);
    }
  }
  return taken;
};

export const runBench = async (plan: Plan): Promise<Report> => {
  const { chosen, isSecure, rounds } = plan;
  const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-bench-'));
  try {
    const launcher = await buildLauncher(folder);
    const all = await Promise.all(chosen.map((each) => buildContender(each, { folder, launcher, isSecure })));
    const bench = await startBench(folder, isSecure);
    try {
      const figures = (await measureAll(all, bench, plan)).map(({ built, samples }) => ({
        id: built.contender.id,
        name: built.contender.name,
        bytes: built.bytes,
        gzippedBytes: built.gzippedBytes,
        measures: {
          coldStartMs: summarize(samples.coldStartMs),
          warmBatchMs: summarize(samples.warmBatchMs),
          largeBatchMs: summarize(samples.largeBatchMs),
          largeBatchPeakBytes: summarize(samples.largeBatchPeakBytes),
        },
      }));
      return compare(figures, { rounds, isSecure, versions: await versionsOf(chosen) });
    } finally {
      bench.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
