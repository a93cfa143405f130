/**
 * Does ahead what CloudFormation does with conditions, for those that the parameters have decided already: what they leave out
 * is left out, instead of standing there with an empty string that no schema allows. A condition that still asks for a
 * parameter of the template stays as it is.
 */

export type Json = Readonly<Record<string, unknown>>;
export interface CompiledResource {
  readonly Type: string;
  readonly Properties?: unknown;
  readonly DependsOn?: unknown;
  readonly Condition?: string;
  readonly UpdateReplacePolicy?: string;
}
export interface CompiledTemplate {
  readonly Conditions?: Json;
  readonly Resources: Readonly<Record<string, CompiledResource>>;
  readonly Outputs?: Json;
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Stands for a parameter whose value the template's own parameter gives (template.ts). */
export const placeholder = (name: string): string => `@${name}@`;
const isPlaceholder = (value: string): boolean => /^@[\w.]+@$/.test(value);

/** `undefined`: it is not decided yet. */
type Decision = boolean | undefined;

const LEFT_OUT = Symbol('AWS::NoValue');

const not = (decision: Decision): Decision => (decision === undefined ? undefined : !decision);
const every = (decisions: readonly Decision[]): Decision => {
  if (decisions.includes(false)) return false;
  return decisions.includes(undefined) ? undefined : true;
};

const createConditions = (conditions: Json) => {
  const decide = (condition: unknown): Decision => {
    const [[name, value] = ['', undefined]] = Object.entries(condition as Json);
    const list = value as readonly unknown[];
    switch (name) {
      case 'Condition':
        return decide(conditions[String(value)]);
      case 'Fn::Equals':
        return list.every((each) => typeof each === 'string' && !isPlaceholder(each)) ? list[0] === list[1] : undefined;
      case 'Fn::Not':
        return not(decide(list[0]));
      case 'Fn::And':
        return every(list.map(decide));
      case 'Fn::Or':
        return not(every(list.map((each) => not(decide(each)))));
      default:
        throw new Error(`no such condition function: ${name}`);
    }
  };
  return (name: string): Decision => decide({ Condition: name });
};

/** A join of nothing but strings is a string. */
const joined = (value: Json): unknown => {
  const [separator, parts] = (value['Fn::Join'] ?? []) as readonly [string?, unknown?];
  return separator !== undefined && Array.isArray(parts) && parts.every((each) => typeof each === 'string')
    ? parts.join(separator)
    : value;
};

/** Without what decided conditions leave out. */
const prune = (value: unknown, holds: (name: string) => Decision): unknown => {
  if (Array.isArray(value)) return value.map((each) => prune(each, holds)).filter((each) => each !== LEFT_OUT);
  if (!isObject(value)) return value;
  if (value['Ref'] === 'AWS::NoValue') return LEFT_OUT;
  const branches = value['Fn::If'] as readonly [string, unknown, unknown] | undefined;
  if (branches) {
    const [name, then, otherwise] = branches;
    const decision = holds(name);
    if (decision !== undefined) return prune(decision ? then : otherwise, holds);
    // A branch that leaves out says so to CloudFormation itself.
    const branch = (each: unknown): unknown => {
      const pruned = prune(each, holds);
      return pruned === LEFT_OUT ? { Ref: 'AWS::NoValue' } : pruned;
    };
    return { 'Fn::If': [name, branch(then), branch(otherwise)] };
  }
  return joined(
    Object.fromEntries(
      Object.entries(value)
        .map(([key, each]) => [key, prune(each, holds)] as const)
        .filter(([, each]) => each !== LEFT_OUT),
    ),
  );
};

/** What the resource names in its values, and so waits for without being told. */
const references = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.flatMap(references);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    if (key === 'Ref') return [String(each)];
    if (key === 'Fn::GetAtt') return [String(Array.isArray(each) ? each[0] : String(each).split('.')[0])];
    return references(each);
  });
};

/** `DependsOn` only on what is there, and what nothing else says already. */
const withDependencies = (resource: CompiledResource, names: ReadonlySet<string>): CompiledResource => {
  const { DependsOn, ...rest } = resource;
  const known = references(rest);
  const needed = [DependsOn ?? []]
    .flat()
    .map(String)
    .filter((name) => names.has(name) && !known.includes(name));
  return needed.length === 0 ? rest : { ...rest, DependsOn: needed };
};

const conditionsIn = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.flatMap(conditionsIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => (key === 'Condition' ? [String(each)] : conditionsIn(each)));
};

/** The template with each decided condition carried out; those that are open, and what hangs on them, stay. */
export const decideConditions = (template: CompiledTemplate): CompiledTemplate => {
  const { Conditions = {}, ...rest } = template;
  const holds = createConditions(Conditions);
  const section = <Entry>(entries: Readonly<Record<string, Entry>>): Record<string, Entry> =>
    Object.fromEntries(
      Object.entries(entries).flatMap(([name, entry]) => {
        const { Condition, ...plain } = entry as Json;
        const decision = Condition === undefined ? true : holds(String(Condition));
        if (decision === false) return [];
        return [[name, prune(decision === true ? plain : entry, holds) as Entry]];
      }),
    );
  const resources = section(template.Resources);
  const names = new Set(Object.keys(resources));
  // All that an open one names: CloudFormation knows no other.
  const named = (name: string): string[] => [name, ...conditionsIn(Conditions[name]).flatMap(named)];
  const openNames = Object.keys(Conditions).filter((name) => holds(name) === undefined);
  const open = Object.fromEntries([...new Set(openNames.flatMap(named))].map((name) => [name, Conditions[name]]));
  return {
    ...rest,
    ...(Object.keys(open).length > 0 ? { Conditions: open } : {}),
    Resources: Object.fromEntries(
      Object.entries(resources).map(([name, resource]) => [name, withDependencies(resource, names)]),
    ),
    ...(template.Outputs ? { Outputs: section(template.Outputs as Readonly<Record<string, Json>>) } : {}),
  };
};
