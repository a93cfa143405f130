/** As much of Velocity as API Gateway's mapping templates of ours use; anything else throws. */

export interface Request {
  readonly body: string;
  /** Such as `identity.userArn`; what is not given is empty, as in API Gateway. */
  readonly context: Readonly<Record<string, string>>;
}

const createScope = ({ body, context }: Request) => {
  const variables = new Map<string, string>();
  const evaluate = (expression: string): string => {
    const text = expression.trim();
    const literal = /^"(.*)"$/.exec(text);
    if (literal) return expand(literal[1] ?? '');
    const call = /^\$(\w+)\.(trim|substring)\((?:(\d+), (\d+))?\)$/.exec(text);
    if (call) {
      const value = variables.get(call[1] ?? '') ?? '';
      return call[2] === 'trim' ? value.trim() : value.slice(Number(call[3]), Number(call[4]));
    }
    return expand(text);
  };
  const holds = (condition: string): boolean => {
    const equal = /^\$(\w+) == "(.*)"$/.exec(condition);
    if (equal) return variables.get(equal[1] ?? '') === equal[2];
    const longer = /^\$(\w+)\.length\(\) > (\d+)$/.exec(condition);
    if (longer) return (variables.get(longer[1] ?? '') ?? '').length > Number(longer[2]);
    throw new Error(`velocity: no such condition: ${condition}`);
  };
  const expand = (text: string): string =>
    text.replaceAll(
      /\$util\.urlEncode\((\$[\w.]+)\)|\$input\.path\('\$\.(\w+)'\)|\$input\.body|\$!?context\.([\w.]+)|\$(\w+)/g,
      (all, encoded, field, name, variable) => {
        if (encoded) return encodeURIComponent(expand(encoded));
        if (field) return String(JSON.parse(body)[field]);
        if (name) return context[name] ?? '';
        if (variable) {
          const value = variables.get(variable);
          if (value === undefined) throw new Error(`velocity: $${variable} is not set`);
          return value;
        }
        return all === '$input.body' ? body : all;
      },
    );
  return { variables, evaluate, holds, expand };
};

/** A directive, with its argument up to the parenthesis that closes it. */
const DIRECTIVE = /#(set|if)\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)|#end/y;

export const renderVelocity = (template: string, request: Request): string => {
  const { variables, evaluate, holds, expand } = createScope(request);
  let output = '';
  let plain = '';
  const open: boolean[] = [];
  const flush = () => {
    if (open.every(Boolean)) output += expand(plain);
    plain = '';
  };
  for (let at = 0; at < template.length; ) {
    DIRECTIVE.lastIndex = at;
    const found = DIRECTIVE.exec(template);
    if (!found) {
      if (/^#[a-z]/.test(template.slice(at, at + 2))) throw new Error(`velocity: ${template.slice(at, at + 20)}`);
      plain += template[at];
      at += 1;
      continue;
    }
    flush();
    const [all, name, argument = ''] = found;
    if (name === undefined) open.pop();
    else if (name === 'if') open.push(holds(argument));
    else if (open.every(Boolean)) {
      const [variable = '', ...value] = argument.split(' = ');
      variables.set(variable.slice(1), evaluate(value.join(' = ')));
    }
    at += all.length;
  }
  flush();
  return output;
};
