/**
 * The bill of materials in CycloneDX: what is installed for users, and in which deployed bundle it is. Written to
 * standard output, without a network. `npm sbom --omit=dev` alone will not do: it leaves out every package that a tool of
 * the developers needs as well (npm 11.19: 77 of 123 were left, @middy/core not among them).
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readBundled } from './licenses.ts';

const root = join(import.meta.dirname, '..');
/** npm's answer for a few hundred packages is some 500 kB. */
const MAX_BYTES = 2 ** 26;

interface Property {
  readonly name: string;
  readonly value: string;
}

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly Property[];
}

export interface Sbom {
  readonly specVersion: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** npm marks what only developers have. */
const isForUsers = ({ properties = [] }: Component): boolean =>
  !properties.some(({ name }) => name === 'cdx:npm:package:development' || name === 'cdx:npm:package:extraneous');

/** @throws Error where npm finds the installation incomplete: `npm ci` first */
const createSbom = async (): Promise<Sbom> => {
  const [{ stdout }, bundled] = await Promise.all([
    promisify(execFile)('npm', ['sbom', '--sbom-format=cyclonedx'], { cwd: root, maxBuffer: MAX_BYTES }),
    readBundled(),
  ]);
  const all = JSON.parse(stdout) as Sbom;
  const components = all.components.flatMap((component) => {
    const found = bundled.find(({ name, version }) => name === component.name && version === component.version);
    // What a bundle has taken in is in users' hands, though npm installs it for developers alone.
    if (!isForUsers(component) && found === undefined) return [];
    const marks = (found?.users ?? []).map((value) => ({ name: 'mysafe-enable:bundled-in', value }));
    return [{ ...component, properties: [...(component.properties ?? []), ...marks] }];
  });
  // npm names the root after its folder.
  const component = { ...all.metadata.component, name: 'mysafe-enable' };
  const refs = new Set([component['bom-ref'], ...components.map((each) => each['bom-ref'])]);
  const dependencies = all.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)) }));
  return { ...all, metadata: { ...all.metadata, component }, components, dependencies };
};

if (import.meta.main) console.log(JSON.stringify(await createSbom(), null, 2));
