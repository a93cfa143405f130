/**
 * THIRD-PARTY-LICENSES.md: whose code is in the deployed bundles, under which licence, in whose words. What is bundled
 * is read from esbuild's own list of inputs, so nothing is forgotten and nothing is claimed.
 * `npx node infra/licenses.ts` writes the file.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { consoleOptions, functionNames, functionOptions } from './build.ts';

const root = join(import.meta.dirname, '..');
export const LICENSES_FILE = join(root, 'THIRD-PARTY-LICENSES.md');

/** Licences that ask for no more than to be named; for another one a person has to decide first. */
const ACCEPTED: readonly string[] = ['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD'];

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** The licence, and the notices that have to be kept with it. */
  readonly text: string;
}

/** Folders of the packages that gave at least one byte to a bundle. */
const bundledFolders = async (options: BuildOptions): Promise<Set<string>> => {
  const { metafile } = await build({ ...options, write: false, metafile: true });
  const inputs = Object.entries(metafile.outputs).flatMap(([file, output]) =>
    /\.(mjs|js|css)$/.test(file) ? Object.entries(output.inputs) : [],
  );
  const folders = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([input]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []);
  return new Set(folders);
};

const readText = (file: string): string => readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim();

/** Some packages name their licence and authors in the README alone; then the standard text goes with that statement. */
const textFromReadme = (name: string, license: string, readme: string): string => {
  const statement = /^## Licen[cs]e\n+([^#]+)/im.exec(readme)?.[1]?.trim();
  const standard = /Permission is hereby granted[\s\S]*/.exec(readText(join(root, 'LICENSE')))?.[0];
  if (license === 'MIT' && statement?.includes('Copyright') && standard) return `${statement}\n\n${standard}`;
  throw new Error(`${name} is bundled and brings no licence text: find it at its source`);
};

const readPackage = (folder: string): Package => {
  const path = join(root, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Package;
  if (!ACCEPTED.includes(license)) {
    throw new Error(
      `${name} is bundled under ${license}: decide whether that may be, then add it to infra/licenses.ts`,
    );
  }
  const texts = readdirSync(path)
    .filter((file) => /^(licen[cs]e|notice)(\.(md|txt))?$/i.test(file))
    .sort()
    .map((file) => readText(join(path, file)));
  const text = texts.length > 0 ? texts.join('\n\n') : textFromReadme(name, license, readText(join(path, 'README.md')));
  return { name, version, license, text };
};

const byName = (one: Package, other: Package): number => (one.name < other.name ? -1 : 1);

/** Every bundled package, by name, with the functions that have it, or the page of the local console. */
export const readBundled = async () => {
  const bundles = await Promise.all(
    [...functionNames.map((name) => [name, functionOptions(name)] as const), ['console', consoleOptions] as const].map(
      async ([name, options]) => [name, await bundledFolders(options)] as const,
    ),
  );
  const folders = [...new Set(bundles.flatMap(([, found]) => [...found]))];
  const rows = folders.map((folder) => {
    const users = bundles.filter(([, used]) => used.has(folder)).map(([name]) => name);
    return { ...readPackage(folder), users };
  });
  return rows.sort(byName);
};

/** The file as it must be. @throws Error for a package without a licence text or with an unknown licence */
export const renderLicenses = async (): Promise<string> => {
  const rows = await readBundled();
  const texts = Map.groupBy(rows, ({ text }) => text);
  const table = rows.map(
    ({ name, version, license, users }) => `| ${name} | ${version} | ${license} | ${users.join(', ')} |`,
  );
  const sections = [...texts].map(([text, packages]) => {
    const title = packages.map(({ name }) => name).join(', ');
    return `## ${packages[0]?.license}: ${title}\n\n\`\`\`text\n${text}\n\`\`\``;
  });
  return `${[
    '# Third-party licences',
    'Code of others in the deployed bundles (`dist/<function>/index.mjs`) and in the page of the local console (`dist/console/`). Written by `npx node infra/licenses.ts` from what the bundler put in; a test compares. The command line bundles nothing: npm installs its packages beside it, each with its own licence.',
    ['| package | version | licence | bundled in |', '| --- | --- | --- | --- |', ...table].join('\n'),
    ...sections,
  ].join('\n\n')}\n`;
};

if (import.meta.main) writeFileSync(LICENSES_FILE, await renderLicenses());
