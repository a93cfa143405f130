/**
 * `npx node test/simulation/mutate.ts`: breaks THE TABLE (functions/segura/answers.ts) on purpose, in one place after the
 * other, in a copy of this project, and says which tests noticed. Exits 1 if a break went unnoticed. Not a part of
 * `npm test`: it takes some minutes.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Mutation {
  readonly breaks: string;
  readonly from: string;
  readonly to: string;
}

const TABLE = 'functions/segura/answers.ts';
const TESTS = ['test/unit/answers.test.ts', 'test/loopback/contract.test.ts', 'test/laws/simulation.test.ts'];
const COPIED = ['functions', 'test', 'events', 'infra', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

const MUTATIONS: readonly Mutation[] = [
  {
    breaks: "Segura's error numbers are trusted under any status",
    from: 'status === 400 && envelope !== undefined && envelope.error !== false && envelope.number === number',
    to: 'status > 0 && envelope?.number === number',
  },
  {
    breaks: 'a 200 that says "error" true counts as enabled',
    from: "  reading.envelope?.error === false &&\n  reading.envelope.number === undefined &&\n  reading.envelope.agreesWith(200) &&\n  reading.json['exception'] == null &&\n",
    to: '',
  },
  {
    breaks: 'a gateway time-out is taken for a verdict',
    from: "means: 'upstream-timeout', happens: RETRY_GATEWAY",
    to: "means: 'upstream-timeout', happens: { kind: 'reject', errorCode: '1005' }",
  },
  {
    breaks: '"no Route" renews no token',
    from: "reading.status === 404 && noRoute(reading),\n    means: 'unroutable',\n    happens: { kind: 'renew-token' }",
    to: "reading.status === 404 && noRoute(reading),\n    means: 'unroutable',\n    happens: KEEP_UNKNOWN",
  },
  {
    breaks: "Segura's own 500 is tried again without end",
    from: "happens: { kind: 'retry', cause: 'server-error', atMost: 1 }",
    to: "happens: { kind: 'retry', cause: 'server-error' }",
  },
  {
    breaks: 'no failure of the network ever ends the calls',
    from: "means: 'network',\n    happens: RETRY_GATEWAY,\n    segura: 'down'",
    to: "means: 'network',\n    happens: RETRY_GATEWAY,\n    segura: 'unknown'",
  },
  {
    breaks: 'too fast (429) counts as done',
    from: "happens: { kind: 'retry', cause: 'rate-limited' }",
    to: "happens: { kind: 'done' }",
  },
];

const run = (command: string, parameters: readonly string[], cwd: string): Promise<void> =>
  new Promise((resolve) => {
    execFile(command, parameters, { cwd, maxBuffer: 1e8 }, () => resolve());
  });

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** @returns the names of the tests that fail in the copy */
const failures = async (copy: string): Promise<string[]> => {
  const reportFile = join(copy, 'report.json');
  await run(process.execPath, ['infra/build.ts'], copy);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...TESTS, '--reporter=json', `--outputFile=${reportFile}`];
  await run(process.execPath, vitest, copy);
  const { testResults } = JSON.parse(await readFile(reportFile, 'utf8')) as Report;
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const file = name.slice(name.indexOf('/test/') + 1);
    const failed = assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
    return (failed.length === 0 && message !== '' ? [message] : failed).map((each) => `${file}: ${each}`);
  });
};

const main = async (): Promise<number> => {
  const root = join(import.meta.dirname, '../..');
  const copy = await mkdtemp(join(tmpdir(), 'mysafe-enable-mutations-'));
  let unnoticed = 0;
  try {
    for (const name of COPIED) await cp(join(root, name), join(copy, name), { recursive: true });
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    const table = await readFile(join(copy, TABLE), 'utf8');
    const healthy = await failures(copy);
    if (healthy.length > 0) {
      console.error(`The tests fail without any break: mend that first.\n${healthy.join('\n')}`);
      return 1;
    }
    for (const { breaks, from, to } of MUTATIONS) {
      if (!table.includes(from)) throw new Error(`${TABLE} no longer holds what this break replaces: ${from}`);
      await writeFile(join(copy, TABLE), table.replace(from, to));
      const caught = await failures(copy);
      if (caught.length === 0) unnoticed += 1;
      console.log(`\n${breaks}: ${caught.length === 0 ? 'NOT NOTICED' : `${caught.length} tests fail`}`);
      for (const name of caught) console.log(`  ${name}`);
    }
  } finally {
    await rm(copy, { recursive: true });
  }
  return unnoticed === 0 ? 0 : 1;
};

process.exitCode = await main();
