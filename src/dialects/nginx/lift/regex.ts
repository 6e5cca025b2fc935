import type { Regex } from './meaning.ts';

export function pcre(source: string, ignoreCase = false): Regex {
  return { source, ignoreCase, syntax: 'pcre' };
}

export interface Groups {
  readonly count: number;
  readonly names: readonly string[];
}

const none: Groups = { count: 0, names: [] };

/** Groups that take something, and the names that some of them have. */
export function groupsOf(source: string): Groups {
  if (!source.includes('(')) return none;
  const names: string[] = [];
  let count = 0;
  for (let at = 0, inClass = false; at < source.length; at++) {
    const char = source[at];
    if (char === '\\') at += 1;
    else if (inClass) inClass = char !== ']';
    else if (char === '[') {
      inClass = true;
      at += leadingOf(source, at);
    } else if (char === '(') {
      const name = /^\((?:\?P?<([A-Za-z_]\w*)>|\?'([A-Za-z_]\w*)')/.exec(source.slice(at, at + 80));
      const found = name?.[1] ?? name?.[2];
      if (found !== undefined) names.push(found);
      if (found !== undefined || source[at + 1] !== '?') count += 1;
    }
  }
  return { count, names };
}

/** False: where the expression matches, that group has taken something. */
export function groupMayBeEmpty(source: string, group: number): boolean {
  const opened: { readonly from: number; readonly number: number }[] = [];
  let count = 0;
  let mayBeEmpty = true;
  for (let at = 0, inClass = false; at < source.length; at++) {
    const char = source[at];
    if (char === '\\') at += 1;
    else if (inClass) inClass = char !== ']';
    else if (char === '[') {
      inClass = true;
      at += leadingOf(source, at);
    } else if (char === '|' && opened.length === 0) return true;
    else if (char === '(') {
      const takes = source[at + 1] !== '?' || /^\(\?P?<[A-Za-z_]/.test(source.slice(at, at + 5));
      if (takes) count += 1;
      opened.push({ from: at, number: takes ? count : 0 });
    } else if (char === ')') {
      const last = opened.pop();
      if (last?.number !== group) continue;
      const isSure = opened.length === 0 && !/[?*{]/.test(source[at + 1] ?? '');
      const inside = source.slice(last.from + 1, at).replace(/^\?P?<\w+>/, '');
      mayBeEmpty = !isSure || asJavaScript(pcre(`^(?:${inside})$`))?.test('') !== false;
    }
  }
  return mayBeEmpty;
}

/** How much of a class stands before what may end it: a bracket that stands first is one of its characters. */
const leadingOf = (source: string, at: number): number =>
  (/^\^?\]?/.exec(source.slice(at + 1, at + 3))?.[0] ?? '').length;

const converted = new Map<string, RegExp | null>();

/** The same expression for JavaScript, for texts that are known already; null where it would not be the same. */
export function asJavaScript({ source, ignoreCase }: Regex): RegExp | null {
  const key = `${ignoreCase ? 'i' : ''}/${source}`;
  const known = converted.get(key);
  if (known !== undefined) return known;
  const made = convert(source, ignoreCase);
  converted.set(key, made);
  return made;
}

function convert(source: string, ignoreCase: boolean): RegExp | null {
  const [, insensitive] = /^\(\?(i)\)/.exec(source) ?? [];
  const rest = insensitive === undefined ? source : source.slice('(?i)'.length);
  const odd =
    /\(\?(?![:=!<P])|\(\?<(?![A-Za-z_=!])|\[\[?:|[*+?}]\+|\\[^\W_dDwWsSbBnrtfx0-9]|\\x(?![0-9A-Fa-f]{2})|\(\*|(?:[*+?]|\{\d+,?\d*\})(?:[*+]|\{\d)/;
  if (odd.test(rest) || rest.length > 2000) return null;
  const script = rest.replaceAll('(?P<', '(?<').replace(/\[\^?\]?(?:\\.|[^\]\\])*\]|\\./g, (part) => {
    if (part.startsWith('\\')) return part === '\\s' ? '[\\t-\\r ]' : part;
    // A bracket that stands first is one of the characters.
    return part.replace(/^(\[\^?)\]/, '$1\\]').replaceAll('\\s', '\\t-\\r ');
  });
  try {
    return new RegExp(script, ignoreCase || insensitive ? 'i' : '');
  } catch {
    return null;
  }
}

/**
 * Whether it cannot match any text with this end, whatever is in front: it ends in `$`, begins anywhere, has no
 * repetition, and so looks at the end only.
 */
export function missesEnd(regex: Regex, end: string): boolean {
  const { source } = regex;
  if (
    !source.endsWith('$') ||
    /[*+{^]|\\[bB1-9]|\(\?[=!<]/.test(source) ||
    (source.includes('|') && !/^[^|]*\([^()]*\)\$$/.test(source))
  )
    return false;
  const script = asJavaScript(regex);
  return (
    script !== null &&
    source.length <= end.length + 60 &&
    !script.test(`\u0001${end}`) &&
    longest(source) <= end.length
  );
}

/** More than what an expression without repetition can take. */
function longest(source: string): number {
  const [, before = source, group] = /^(.*)\(([^()]*)\)\$$/.exec(source) ?? [];
  const size = (part: string) => part.replace(/\[(?:\\.|[^\]\\])*\]|\\./g, '.').replaceAll('?', '').length;
  return size(before) + Math.max(0, ...(group ?? '').split('|').map(size));
}
