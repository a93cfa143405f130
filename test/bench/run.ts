/** One run: everything is built again, then measured by turns, so that what else the machine does meets all alike. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificates } from '../../infra/local/certificates.ts';
import { compare, goals, MEASURES, type Measure, type Measured, type Report, type Transport } from './report.ts';
import { type Bench, startStandIns, takeSample } from './sample.ts';
import { summarize } from './statistics.ts';
import { type Built, buildContender, buildLauncher, type Contender } from './subjects.ts';

export interface Plan {
  readonly rounds: number;
  /** A tenth of the work in each: to see that it runs, not how fast. */
  readonly isQuick: boolean;
  /** Measured by turns too. */
  readonly transports: readonly Transport[];
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

const startBench = async (folder: string, isSecure: boolean, isQuick: boolean): Promise<Bench> => {
  if (!isSecure) return startStandIns({ waitMs: WAIT_MS }, isQuick);
  const { ca, server } = await createCertificates();
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, ca);
  return startStandIns({ waitMs: WAIT_MS, tls: { ...server, caFile } }, isQuick);
};

type Samples = Record<Measure, number[]>;

/** One round for one subject: each piece of work once, in a process of its own. */
const measureOnce = async ({ subject }: Built, bench: Bench, samples: Samples): Promise<void> => {
  const cold = await takeSample(subject, 'cold', bench);
  const warm = await takeSample(subject, 'warm', bench);
  const large = await takeSample(subject, 'large', bench);
  samples.coldStartMs.push(cold.coldStartMs);
  samples.coldStartCpuMs.push(cold.cpuMs);
  samples.warmBatchMs.push(warm.tookMs ?? Number.NaN);
  samples.warmBatchCpuMs.push(warm.cpuMs);
  samples.largeBatchMs.push(large.tookMs ?? Number.NaN);
  samples.largeBatchCpuMs.push(large.cpuMs);
  samples.largeBatchPeakBytes.push(large.peakBytes ?? Number.NaN);
};

interface Taken {
  readonly transport: Transport;
  readonly bench: Bench;
  readonly built: Built;
  readonly samples: Samples;
}

const measureAll = async (taken: readonly Taken[], { rounds, onSubject }: Plan): Promise<void> => {
  // Not counted: reads the files into the system's cache, and fills the compile cache of the one that has one.
  for (const { built, bench } of taken) await takeSample(built.subject, 'cold', bench);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { transport, built, bench, samples }] of taken.entries()) {
      onSubject(round * taken.length + index, `round ${round + 1} of ${rounds}, ${built.contender.name}, ${transport}`);
      await measureOnce(built, bench, samples);
    }
  }
};

const figuresOf = ({ built, samples }: Taken): Measured => ({
  id: built.contender.id,
  name: built.contender.name,
  bytes: built.bytes,
  gzippedBytes: built.gzippedBytes,
  measures: Object.fromEntries(MEASURES.map((name) => [name, summarize(samples[name])])) as Measured['measures'],
});

const emptySamples = (): Samples => Object.fromEntries(MEASURES.map((name) => [name, []])) as unknown as Samples;

export const runBench = async (plan: Plan): Promise<Report> => {
  const { chosen, transports, rounds } = plan;
  const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-bench-'));
  const benches: Bench[] = [];
  try {
    const launcher = await buildLauncher(folder);
    const taken: Taken[] = [];
    for (const transport of transports) {
      const isSecure = transport === 'https';
      const bench = await startBench(folder, isSecure, plan.isQuick);
      benches.push(bench);
      for (const contender of chosen) {
        const built = await buildContender(contender, { folder: join(folder, transport), launcher, isSecure });
        taken.push({ transport, bench, built, samples: emptySamples() });
      }
    }
    await measureAll(taken, plan);
    return {
      rounds,
      versions: await versionsOf(chosen),
      goals,
      transports: transports.map((transport) =>
        compare(transport, taken.filter((each) => each.transport === transport).map(figuresOf)),
      ),
    };
  } finally {
    for (const bench of benches) bench.stop();
    await rm(folder, { recursive: true, force: true });
  }
};
