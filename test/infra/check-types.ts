/**
 * Checks a template against CloudFormation's own resource schemas, as types: @awboost/cfn-resource-types and the TypeScript
 * compiler find a misspelt or missing property, a wrong enum and a wrong type; references are checked here.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Template } from './compile.ts';

const root = join(import.meta.dirname, '../..');
const types = join(root, 'node_modules/@awboost/cfn-resource-types/lib');

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Use {
  readonly where: string;
  readonly ref?: string;
  readonly attribute?: readonly [resource: string, name: string];
}

/** A literal for the compiler; what CloudFormation fills in later is of any type. */
const literal = (value: unknown, where: string, uses: Use[]): string => {
  if (Array.isArray(value))
    return `[${value.map((each, index) => literal(each, `${where}[${index}]`, uses)).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const [name = ''] = Object.keys(value);
  if (Object.keys(value).length === 1 && /^(Ref|Fn::\w+)$/.test(name)) {
    collect(value, where, uses);
    return '(0 as any)';
  }
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}: ${literal(each, `${where}.${key}`, uses)}`)
    .join(', ')} }`;
};

const collect = (value: unknown, where: string, uses: Use[]): void => {
  if (Array.isArray(value)) for (const each of value) collect(each, where, uses);
  if (!isObject(value)) return;
  for (const [key, each] of Object.entries(value)) {
    if (key === 'Ref') uses.push({ where, ref: String(each) });
    else if (key === 'Fn::GetAtt') {
      const [resource = '', ...rest] = Array.isArray(each) ? (each as string[]) : String(each).split('.');
      uses.push({ where, attribute: [resource, rest.join('.')] });
    } else collect(each, where, uses);
  }
};

const typesFile = (type: string): string => join(types, `${type.replaceAll('::', '-')}.d.ts`);

const checkUses = async (uses: readonly Use[], resources: Template['Resources']): Promise<string[]> => {
  const faults: string[] = [];
  for (const { where, ref, attribute } of uses) {
    if (ref !== undefined && !ref.startsWith('AWS::') && !resources[ref]) faults.push(`${where}: no resource ${ref}`);
    if (!attribute) continue;
    const [name, field] = attribute;
    const type = resources[name]?.Type;
    if (type === undefined) faults.push(`${where}: no resource ${name}`);
    else {
      const source = await readFile(typesFile(type), 'utf8');
      // The schemas list as attributes what only CloudFormation knows; a property of its own can be asked for as well.
      const isProperty = new RegExp(`^ {4}"?${field.split('.')[0]}"?\\??:`, 'm').test(source);
      const attributes = /export type \w+Attributes = \{([\s\S]*?)\n\};/.exec(source)?.[1] ?? '';
      if (!isProperty && !new RegExp(`\\b${field.split('.')[0]}\\??:`).test(attributes))
        faults.push(`${where}: ${type} has no attribute ${field}`);
    }
  }
  return faults;
};

interface Checked {
  readonly faults: readonly string[];
  /** A module that the compiler finds fault with where a property has the wrong type. */
  readonly source: string;
}

const write = async ({ Resources, Outputs }: Template): Promise<Checked> => {
  const faults: string[] = [];
  const uses: Use[] = [];
  const imports = new Map<string, string>();
  const lines: string[] = [];
  for (const [id, { Type, Properties = {} }] of Object.entries(Resources)) {
    const [, service = '', resource = ''] = Type.split('::');
    if (!existsSync(typesFile(Type))) {
      faults.push(`${id}: no resource type ${Type}`);
      continue;
    }
    const name = `${service}${resource}Properties`;
    imports.set(Type, `import type { ${name} } from '@awboost/cfn-resource-types/${Type.replaceAll('::', '-')}';`);
    lines.push(`export const ${id}: ${name} = ${literal(Properties, id, uses)};`);
  }
  for (const [name, { Value }] of Object.entries(Outputs)) collect(Value, `output ${name}`, uses);
  faults.push(...(await checkUses(uses, Resources)));
  return { faults, source: [...imports.values(), ...lines].join('\n') };
};

const OPTIONS = '--ignoreConfig --noEmit --strict --skipLibCheck --target es2022 --module nodenext --types'.split(' ');

/** @returns what the compiler prints */
const compileFiles = (folder: string, files: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    execFile(process.execPath, [tsc, ...OPTIONS, '', ...files], { cwd: folder }, (_, stdout) => resolve(stdout));
  });

/** All by one run of the compiler. @returns what is wrong, a line each, by the templates' names */
export const checkTypes = async (templates: ReadonlyMap<string, Template>): Promise<Map<string, string[]>> => {
  const folder = await mkdtemp(join(tmpdir(), 'cfn-types-'));
  try {
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const files = new Map<string, string>();
    const found = new Map<string, string[]>();
    for (const [name, template] of templates) {
      const { faults, source } = await write(template);
      const file = `template-${files.size}.ts`;
      files.set(file, name);
      found.set(name, [...faults]);
      await writeFile(join(folder, file), source);
    }
    const printed = await compileFiles(folder, [...files.keys()]);
    for (const line of printed.trim().split('\n').filter(Boolean)) {
      const name = files.get(/^template-\d+\.ts/.exec(line)?.[0] ?? '');
      // What names no file, such as an option that is no longer there, is wrong for all.
      for (const each of name === undefined ? found.keys() : [name]) found.get(each)?.push(line);
    }
    return found;
  } finally {
    await rm(folder, { recursive: true });
  }
};
