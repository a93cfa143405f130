/** The bill of materials: valid CycloneDX, made without a network, complete. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Sbom } from '../../infra/sbom.ts';

const root = join(import.meta.dirname, '../..');
const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

const lock: {
  packages: Record<
    string,
    { version: string; dev?: boolean; extraneous?: boolean; hasInstallScript?: boolean; integrity?: string }
  >;
} = readJson(join(root, 'package-lock.json'));

const schemas = join(
  dirname(fileURLToPath(import.meta.resolve('@cyclonedx/cyclonedx-library/package.json'))),
  'res/schema',
);
const readSchema = (name: string) => readJson(join(schemas, `${name}.SNAPSHOT.schema.json`));

describe('the bill of materials', () => {
  let sbom: Sbom;

  beforeAll(async () => {
    // A registry that nobody answers at: what is written comes from the work tree alone.
    const env = { ...process.env, npm_config_registry: 'http://127.0.0.1:1/', npm_config_fetch_retries: '0' };
    const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'infra/sbom.ts')], {
      cwd: root,
      env,
      maxBuffer: 2 ** 26,
    });
    sbom = JSON.parse(stdout);
  });

  test('writes CycloneDX that its own schema accepts', () => {
    // The schema names formats and keywords of later drafts, which ajv's strict mode takes for mistakes.
    const ajv = new Ajv({ strict: false });
    formats.default(ajv);
    for (const format of ['iri-reference', 'idn-email']) ajv.addFormat(format, true);
    for (const name of ['spdx', 'jsf-0.82']) {
      ajv.addSchema(readSchema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
    }
    const validate = ajv.compile(readSchema(`bom-${sbom.specVersion}`));
    validate(sbom);
    expect(validate.errors).toBeNull();
    validate({ ...sbom, components: [{ name: 'no type' }] });
    expect(validate.errors).not.toBeNull();
  });

  test('names every dependency and theirs with version, licence and hash, and nothing that only developers use', async () => {
    const list = await promisify(execFile)('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root });
    const paths = list.stdout.split('\n').flatMap((line) => /node_modules\/.*/.exec(line) ?? []);
    // npm counts what the package `node` installs beside itself as nobody's: a developer's tool all the same.
    const ours = paths.filter((path) => lock.packages[path] && !lock.packages[path].dev);
    // What the page of the local console has taken in is there too, though npm installs it for developers alone.
    const taken = ['node_modules/uplot'];
    const names = [...ours, ...taken].map(
      (path) => `${path.replace(/^.*node_modules\//, '')}@${lock.packages[path]?.version}`,
    );
    expect(sbom.components.map(({ name, version }) => `${name}@${version}`).sort()).toEqual([...new Set(names)].sort());
    for (const component of sbom.components) {
      expect(component).toMatchObject({ licenses: expect.anything(), hashes: expect.anything() });
    }
  });

  test('says of each package in which deployed bundle it is', () => {
    const bundled = readFileSync(join(root, 'THIRD-PARTY-LICENSES.md'), 'utf8').matchAll(
      /^\| (@?[\w/.-]+) \| (\d\S*) \| \S+ \| (.+) \|$/gm,
    );
    const marked = sbom.components.flatMap(({ name, version, properties = [] }) => {
      const users = properties.filter((property) => property.name === 'mysafe-enable:bundled-in');
      return users.length > 0 ? [[name, version, users.map(({ value }) => value).join(', ')]] : [];
    });
    expect(marked.length).toBeGreaterThan(1);
    expect(marked.sort()).toEqual([...bundled].map(([, ...row]) => row).sort());
  });

  test('refers to nothing that it does not name', () => {
    const named = new Set([sbom.metadata.component, ...sbom.components].map((component) => component['bom-ref']));
    const referred = sbom.dependencies.flatMap(({ ref, dependsOn = [] }) => [ref, ...dependsOn]);
    expect(referred.filter((ref) => !named.has(ref))).toEqual([]);
  });
});

describe('supply chain', () => {
  const { dependencies, devDependencies, allowScripts } = readJson(join(root, 'package.json'));

  test('every dependency has an exact version', () => {
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    }
  });

  test('every package of the lock file has its hash', () => {
    const without = Object.entries(lock.packages).filter(([path, { integrity }]) => path !== '' && !integrity);
    expect(without.map(([path]) => path)).toEqual([]);
  });

  test('every install script is allowed or refused by name', () => {
    const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
    const names = scripted.map(([path]) => path.replace(/^.*node_modules\//, '').replace(/@[\d.]+$/, ''));
    expect(names.length).toBeGreaterThan(0);
    expect(Object.keys(allowScripts)).toEqual(expect.arrayContaining(names));
  });
});
