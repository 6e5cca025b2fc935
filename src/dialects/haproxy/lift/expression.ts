/** `fetch(args),converter(args),...` of HAProxy 2.6 (`sample_parse_expr`). */
export interface Expression {
  readonly fetch: Call;
  readonly converters: readonly Call[];
}

export interface Call {
  readonly name: string;
  readonly args: readonly string[];
}

/** Null where it is no expression. */
export function expressionOf(text: string): Expression | null {
  const calls: Call[] = [];
  let at = 0;
  while (at < text.length) {
    if (calls.length > 0) {
      if (text[at] !== ',') return null;
      while (text[at] === ',') at += 1;
      if (at >= text.length) break;
    }
    const name = /^[A-Za-z0-9_.:-]+/.exec(text.slice(at, at + 100))?.[0];
    if (name === undefined) return null;
    at += name.length;
    const args = text[at] === '(' ? argumentsAt(text, at + 1) : { values: [], end: at };
    if (args === null) return null;
    calls.push({ name, args: args.values });
    at = args.end;
  }
  const [fetch, ...converters] = calls;
  return fetch === undefined ? null : { fetch, converters };
}

const escapes: Readonly<Record<string, string>> = {
  r: '\r',
  n: '\n',
  t: '\t',
  '\\': '\\',
  ' ': ' ',
  '"': '"',
  "'": "'",
};

/** From behind the opening parenthesis to behind the closing one (`make_arg_list`). */
function argumentsAt(text: string, start: number) {
  const values: string[] = [];
  let value = '';
  let quote = '';
  for (let at = start; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\' && quote !== "'") {
      const escaped = escapes[text.charAt(at + 1)];
      value += escaped ?? '\\';
      if (escaped !== undefined) at += 1;
    } else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    else if (quote === '' && char === ',') {
      values.push(value);
      value = '';
    } else if (quote === '' && char === ')') {
      const isEmpty = values.length === 0 && value === '';
      return { values: isEmpty ? [] : [...values, value], end: at + 1 };
    } else value += char;
  }
  return null;
}

/** In one form, so that spaces and quotes that mean nothing are gone. */
export function textOfExpression({ fetch, converters }: Expression): string {
  return [fetch, ...converters]
    .map(({ name, args }) => (args.length === 0 ? name : `${name}(${args.join(',')})`))
    .join(',');
}
