import { posix } from 'node:path';
import type { IncludedText } from '#model';
import type { IncludeName } from '../../own.ts';
import { type Directive, type Parsed, parse } from './directives.ts';

export interface OwnTexts {
  /** Of the main text, with those of included files in the place of `include`, which stays in front of them. */
  readonly directives: readonly Directive[];
  /** Every `include`, wherever it stands, and what it found. */
  readonly includes: readonly Include[];
  readonly broken: (Exclude<Parsed['broken'], null> & { readonly file: string }) | null;
}

export interface Include {
  readonly directive: Directive;
  /** Absolute, with its globs. */
  readonly pattern: string;
  readonly found: readonly IncludedText[];
}

const includeDepthMax = 16;
/** A file counts as often as it is included: files that include each other twice at each depth are soon millions. */
const includesMax = 2_000;
const charactersMax = 16 * 1024 * 1024;

/** Reads nothing more once a file includes itself or a limit is met, which is `broken`. */
export function readTexts(
  file: string,
  folder: string,
  text: string,
  included: readonly IncludedText[],
): OwnTexts {
  const includes: Include[] = [];
  let broken: OwnTexts['broken'] = null;
  let [isOver, reads, characters] = [false, 0, 0];
  const read = (name: string, source: string, within: readonly string[]): readonly Directive[] => {
    const parsed = parse(name, source);
    if (parsed.broken) broken ??= { ...parsed.broken, file: name };
    return spread(parsed.directives, [...within, name]);
  };
  const include = ({ file: by, at }: Directive, one: IncludedText, within: readonly string[]) => {
    if (isOver) return [];
    reads += 1;
    characters += one.text.length;
    const what = overLimit(one, within, reads, characters);
    if (what === null) return read(one.path, one.text, within);
    isOver = true;
    broken ??= { file: by, line: at.line, column: at.start + 1, what };
    return [];
  };
  const spread = (directives: readonly Directive[], within: readonly string[]): readonly Directive[] =>
    directives.flatMap((directive) => {
      if (directive.block) return [{ ...directive, block: spread(directive.block, within) }];
      const [named] = directive.args;
      if (directive.name !== 'include' || !named) return [directive];
      const pattern = posix.resolve(folder, named.value);
      const found = included.filter(({ path }) => matches(path, pattern));
      includes.push({ directive, pattern, found });
      return [directive, ...found.flatMap((one) => include(directive, one, within))];
    });
  const directives = read(file, text, []);
  return { directives, includes, broken };
}

function overLimit(
  { path }: IncludedText,
  within: readonly string[],
  reads: number,
  characters: number,
): string | null {
  if (within.includes(path)) return `${path} includes itself`;
  if (within.length > includeDepthMax) return `files are included more than ${includeDepthMax} deep`;
  if (reads > includesMax) return `more than ${includesMax} files are included, each as often as it is named`;
  return characters > charactersMax ? 'more than 16 MiB are included' : null;
}

/** Names in one text's `include` lines, as they are written. */
export function includeNames(file: string, text: string): readonly IncludeName[] {
  const found = new Map<string, IncludeName>();
  walk(parse(file, text).directives, ({ name, at, args: [named], block }) => {
    if (name !== 'include' || block || !named || found.has(named.value)) return;
    found.set(named.value, {
      pattern: named.value,
      place: { file, line: at.line, column: at.start + 1 },
    });
  });
  return [...found.values()];
}

/** As glob(3): a star or question mark never stands for a slash, nor for a dot at the beginning of a name. */
function matches(path: string, pattern: string): boolean {
  if (path === pattern) return true;
  if (!/[*?[]/.test(pattern)) return false;
  const source = pattern
    .split('/')
    .map((part) => {
      const inner = part
        .replace(/[.+^${}()|\\]/g, '\\$&')
        .replaceAll('*', '[^/]*')
        .replaceAll('?', '[^/]');
      return /^[*?[]/.test(part) ? `(?!\\.)${inner.replace(/\[!/g, '[^')}` : inner.replace(/\[!/g, '[^');
    })
    .join('/');
  try {
    return new RegExp(`^${source}$`).test(path);
  } catch {
    return false;
  }
}

/** Every directive, outer before inner. */
export function walk(directives: readonly Directive[], visit: (directive: Directive) => void): void {
  for (const directive of directives) {
    visit(directive);
    if (directive.block) walk(directive.block, visit);
  }
}

export function named(directives: readonly Directive[] | null, name: string): readonly Directive[] {
  return (directives ?? []).filter((directive) => directive.name === name);
}
