/** One word of a line as HAProxy reads it (2.6, `parse_line`). */
export interface Word {
  readonly value: string;
  /** Where it stands in the line, quotes included. */
  readonly start: number;
  readonly end: number;
  /** Variables in it that the text does not set: what they hold, only the environment knows. */
  readonly unknown: readonly string[];
  /** The line ends inside its quotes. */
  readonly open?: true;
}

export type Environment = Pick<ReadonlyMap<string, string>, 'get' | 'has'>;

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' };

/** Splits a line into its words, quotes and escapes undone, variables in double quotes filled in. */
export function wordsOf(line: string, environment: Environment): readonly Word[] {
  return isPlain(line) ? plainWords(line) : quotedWords(line, environment);
}

const special = /["'\\#]/;

/** What its words are follows from it alone. */
export const isPlain = (line: string): boolean => !special.test(line);
const none: readonly string[] = [];

function plainWords(line: string): readonly Word[] {
  const words: Word[] = [];
  for (let at = 0; at < line.length; ) {
    while (at < line.length && isSpace(line.charCodeAt(at))) at += 1;
    const start = at;
    while (at < line.length && !isSpace(line.charCodeAt(at))) at += 1;
    if (at > start) words.push({ value: line.slice(start, at), start, end: at, unknown: none });
  }
  return words;
}

function quotedWords(line: string, environment: Environment): readonly Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < line.length) {
    while (isSpace(line.charCodeAt(at))) at += 1;
    if (at >= line.length || line[at] === '#') break;
    const word = wordAt(line, at, environment);
    words.push(word);
    at = word.end;
  }
  return words;
}

function wordAt(line: string, start: number, environment: Environment): Word {
  const unknown: string[] = [];
  let value = '';
  let at = start;
  let quote = '';
  while (at < line.length) {
    const char = line.charAt(at);
    if (quote === '' && (char === '#' || isSpace(char.charCodeAt(0)))) break;
    if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === '\\' && quote !== "'") {
      const escaped = escapeAt(line, at);
      value += escaped.value;
      at = escaped.end;
      continue;
    } else if (char === '$' && quote === '"') {
      const variable = variableAt(line, at, environment);
      value += variable.value;
      unknown.push(...variable.unknown);
      at = variable.end;
      continue;
    } else value += char;
    at += 1;
  }
  const word = { value, start, end: at, unknown };
  return quote === '' ? word : { ...word, open: true };
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function escapeAt(line: string, at: number): { readonly value: string; readonly end: number } {
  const next = line.charAt(at + 1);
  const hex = /^x([0-9A-Fa-f]{2})/.exec(line.slice(at + 1, at + 4))?.[1];
  if (hex !== undefined) return { value: String.fromCharCode(Number.parseInt(hex, 16)), end: at + 4 };
  const control = escapes[next];
  if (control !== undefined) return { value: control, end: at + 2 };
  return ' \\#"\'$'.includes(next) && next !== ''
    ? { value: next, end: at + 2 }
    : { value: '\\', end: at + 1 };
}

const variable = /^\$(?:\{([A-Za-z_]\w*)(?:\[\*\])?(?:-([^}]*))?\}|([A-Za-z_]\w*))/;

function variableAt(line: string, at: number, environment: Environment) {
  const found = variable.exec(line.slice(at));
  if (!found) return { value: '$', unknown: [], end: at + 1 };
  const name = found[1] ?? found[3] ?? '';
  const value = environment.get(name) ?? found[2];
  return { value: value ?? '', unknown: value === undefined ? [name] : [], end: at + found[0].length };
}

/** An address has its variables filled in wherever they stand, quoted or not. */
export function inAddress(word: Word, environment: Environment): Word {
  if (!word.value.includes('$')) return word;
  const unknown = [...word.unknown];
  const value = word.value.replaceAll(
    /\$(?:\{([A-Za-z_]\w*)(?:-([^}]*))?\}|([A-Za-z_]\w*))/g,
    (_, braced?: string, otherwise?: string, plain?: string) => {
      const name = braced ?? plain ?? '';
      const set = environment.get(name) ?? otherwise;
      if (set === undefined) unknown.push(name);
      return set ?? '';
    },
  );
  return { ...word, value, unknown };
}
