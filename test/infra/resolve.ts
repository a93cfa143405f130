/**
 * What CloudFormation makes of a template, its parameters and its conditions, as far as it can be known beforehand: what only
 * AWS knows stands as «Name» or «Name.Attribute». Anything that is not known here throws.
 */
type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const LEFT_OUT = Symbol('AWS::NoValue');

const STACK = 'mysafe-enable-dev';

/** @param given by name; the rest has its default. @throws Error for a value that a parameter does not take */
const valuesOf = (template: Json, given: Readonly<Record<string, string>>): ReadonlyMap<string, string> => {
  const parameters = (template['Parameters'] ?? {}) as Readonly<Record<string, Json>>;
  for (const name of Object.keys(given)) if (!parameters[name]) throw new Error(`no parameter ${name}`);
  return new Map(
    Object.entries(parameters).map(([name, { Default, AllowedValues, AllowedPattern, MinValue, MaxValue }]) => {
      const chosen = given[name] ?? Default;
      if (chosen === undefined) throw new Error(`${name} must be given`);
      // Also of a number, whose value is a string wherever it is referred to.
      const value = String(chosen);
      const isAllowed =
        (AllowedValues === undefined || (AllowedValues as unknown[]).map(String).includes(value)) &&
        (AllowedPattern === undefined || new RegExp(String(AllowedPattern)).test(value)) &&
        (MinValue === undefined || Number(value) >= Number(MinValue)) &&
        (MaxValue === undefined || Number(value) <= Number(MaxValue));
      if (!isAllowed) throw new Error(`${name} does not take ${value}`);
      return [name, value];
    }),
  );
};

const createResolver = (template: Json, values: ReadonlyMap<string, string>) => {
  const conditions = (template['Conditions'] ?? {}) as Json;
  const holds = (condition: unknown): boolean => {
    const [[name, value] = ['', undefined]] = Object.entries(condition as Json);
    const list = value as readonly unknown[];
    switch (name) {
      case 'Condition':
        return holds(conditions[String(value)]);
      case 'Fn::Equals':
        return resolve(list[0]) === resolve(list[1]);
      case 'Fn::Not':
        return !holds(list[0]);
      case 'Fn::And':
        return list.every(holds);
      case 'Fn::Or':
        return list.some(holds);
      case 'Fn::Contains':
        return (list[0] as string[]).includes(String(resolve(list[1])));
      default:
        throw new Error(`no such condition function: ${name}`);
    }
  };
  const named = (name: string): string => {
    if (name === 'AWS::StackName') return STACK;
    return values.get(name) ?? `«${name}»`;
  };
  const substitute = (text: string, variables: Json): string =>
    text.replaceAll(/\$\{(!?)([\w:.]+)\}/g, (_, literal, name: string) => {
      if (literal) return `\${${name}}`;
      return name in variables ? String(resolve(variables[name])) : named(name);
    });
  const call = (name: string, argument: unknown): unknown => {
    const list = argument as readonly unknown[];
    switch (name) {
      case 'Ref':
        return argument === 'AWS::NoValue' ? LEFT_OUT : named(String(argument));
      case 'Fn::GetAtt':
        return `«${list.join('.')}»`;
      case 'Fn::If':
        return resolve(holds({ Condition: list[0] }) ? list[1] : list[2]);
      case 'Fn::Sub':
        return typeof argument === 'string' ? substitute(argument, {}) : substitute(String(list[0]), list[1] as Json);
      case 'Fn::Join':
        return (resolve(list[1]) as string[]).join(String(list[0]));
      case 'Fn::Split':
        return String(resolve(list[1])).split(String(list[0]));
      case 'Fn::Select': {
        const found = (resolve(list[1]) as string[])[Number(list[0])];
        if (found === undefined) throw new Error(`Fn::Select finds nothing at ${list[0]}`);
        return found;
      }
      case 'Fn::FindInMap': {
        const [map, top, second] = list.map((each) => String(resolve(each)));
        const found = (template['Mappings'] as Readonly<Record<string, Readonly<Record<string, Json>>>>)[map!]?.[
          top!
        ]?.[second!];
        if (found === undefined) throw new Error(`Fn::FindInMap finds nothing at ${list}`);
        return found;
      }
      default:
        throw new Error(`no such function: ${name}`);
    }
  };
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve).filter((each) => each !== LEFT_OUT);
    // What is a number here may come as a parameter's digits there.
    if (typeof value === 'number') return String(value);
    if (!isObject(value)) return value;
    const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
    if (others.length === 0 && /^(Ref|Fn::\w+)$/.test(name)) return call(name, argument);
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, each]) => [key, resolve(each)] as const)
        .filter(([, each]) => each !== LEFT_OUT),
    );
  };
  return { holds, resolve };
};

const jsonIn = (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : value);
const texts = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, each) => (typeof each === 'number' ? String(each) : each));

/** What is JSON in a string, as the JSON that it is. */
const readable = (resource: Json): Json => {
  const { EventPattern, DashboardBody, ...properties } = (resource['Properties'] ?? {}) as Json;
  return {
    ...resource,
    Properties: {
      ...properties,
      ...(EventPattern === undefined ? {} : { EventPattern: texts(jsonIn(EventPattern)) }),
      ...(DashboardBody === undefined ? {} : { DashboardBody: jsonIn(DashboardBody) }),
    },
  };
};

export interface Resolved {
  readonly Resources: Readonly<Record<string, Json>>;
  readonly Outputs: Json;
}

/** @throws Error for a parameter's value that is not taken, or a rule that is broken */
export const resolveTemplate = (template: Json, given: Readonly<Record<string, string>> = {}): Resolved => {
  const { holds, resolve } = createResolver(template, valuesOf(template, given));
  for (const { RuleCondition, Assertions } of Object.values(
    (template['Rules'] ?? {}) as Readonly<Record<string, Json>>,
  )) {
    if (!holds(RuleCondition)) continue;
    for (const { Assert, AssertDescription } of Assertions as readonly Json[]) {
      if (!holds(Assert)) throw new Error(String(AssertDescription));
    }
  }
  const section = (entries: unknown): Record<string, Json> =>
    Object.fromEntries(
      Object.entries(entries as Readonly<Record<string, Json>>).flatMap(([name, { Condition, ...entry }]) =>
        Condition === undefined || holds({ Condition }) ? [[name, resolve(entry) as Json]] : [],
      ),
    );
  return {
    Resources: Object.fromEntries(
      Object.entries(section(template['Resources'])).map(([name, resource]) => [name, readable(resource)]),
    ),
    Outputs: section(template['Outputs']),
  };
};
