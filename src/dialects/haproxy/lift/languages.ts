import type { meaning } from '#routing';
import { bytes } from './source.ts';

type Language = meaning.Language;
type Method = (text: string, ignoreCase: boolean) => Language;

const methods: Readonly<Record<string, Method>> = {
  str: (text, ignoreCase) => ({ kind: 'is', text, ignoreCase }),
  beg: (text, ignoreCase) => ({ kind: 'begins', text, ignoreCase }),
  end: (text, ignoreCase) => ({ kind: 'ends', text, ignoreCase }),
  sub: (text, ignoreCase) => ({ kind: 'contains', text, ignoreCase }),
  reg: (source, ignoreCase) => ({ kind: 'matches', regex: { source, ignoreCase, syntax: 'pcre' } }),
  dir: (text, ignoreCase) => segment(text, '/?', ignoreCase),
  dom: (text, ignoreCase) => segment(text, '/?.:', ignoreCase),
};

export function isTextMethod(method: string): boolean {
  return Object.hasOwn(methods, method);
}

/** One pattern of a method that compares texts. */
export function languageOf(method: string, pattern: string, ignoreCase: boolean): Language {
  const make = methods[method];
  if (make === undefined) throw new Error(`no method of texts: ${method}`);
  return make(bytes(pattern), ignoreCase);
}

/** Delimiters around the pattern itself count for nothing, and of nothing else nothing is matched (`match_word`). */
function segment(text: string, delimiters: string, ignoreCase: boolean): Language {
  let [from, to] = [0, text.length];
  while (from < to && delimiters.includes(text.charAt(from))) from += 1;
  while (to > from && delimiters.includes(text.charAt(to - 1))) to -= 1;
  if (from === to) return { kind: 'union', of: [] };
  return { kind: 'segment', text: text.slice(from, to), delimiters, ignoreCase };
}

/** Whether nothing but delimiters is in it: the byte behind the value is then compared with its end. */
export function isHollow(method: string, pattern: string): boolean {
  const made = method === 'dir' || method === 'dom' ? methods[method]?.(pattern, false) : undefined;
  return made?.kind === 'union';
}

export interface Range {
  readonly min: number | null;
  readonly max: number | null;
}

/** `5`, `5:10`, `:10`, `5:`; with `eq`, `le`, `lt`, `ge`, `gt` before them, for all that follow. Null: none of these. */
export function rangesOf(patterns: readonly string[]): readonly Range[] | null {
  const ranges: Range[] = [];
  let operator = 'eq';
  for (const pattern of patterns) {
    if (/^(?:eq|le|lt|ge|gt)$/.test(pattern)) {
      operator = pattern;
      continue;
    }
    // Without an operator the sign parts two numbers, of which there is but the second.
    const below = operator === 'eq' ? /^-(\d+)$/.exec(pattern)?.[1] : undefined;
    if (below !== undefined) {
      ranges.push({ min: null, max: Number(below) });
      continue;
    }
    const [, low, colon, high] = /^(-?\d+)?([:-])?(-?\d+)?$/.exec(pattern) ?? [];
    if (low === undefined && high === undefined) return null;
    const [min, max] = [low, high].map((digits) => (digits === undefined ? null : Number(digits)));
    if (colon !== undefined) ranges.push({ min: min ?? null, max: max ?? null });
    else ranges.push(compared(operator, Number(low)));
  }
  return ranges;
}

function compared(operator: string, value: number): Range {
  switch (operator) {
    case 'le':
      return { min: null, max: value };
    case 'lt':
      return { min: null, max: value - 1 };
    case 'ge':
      return { min: value, max: null };
    case 'gt':
      return { min: value + 1, max: null };
    default:
      return { min: value, max: value };
  }
}
