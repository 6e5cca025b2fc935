import { posix } from 'node:path';
import type { IncludedText } from '#model';
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

export function readTexts(
  file: string,
  folder: string,
  text: string,
  included: readonly IncludedText[],
): OwnTexts {
  const includes: Include[] = [];
  let broken: OwnTexts['broken'] = null;
  const read = (name: string, source: string, depth: number): readonly Directive[] => {
    const parsed = parse(name, source);
    if (parsed.broken) broken ??= { ...parsed.broken, file: name };
    return depth > includeDepthMax ? [] : spread(parsed.directives, depth);
  };
  const spread = (directives: readonly Directive[], depth: number): readonly Directive[] =>
    directives.flatMap((directive) => {
      if (directive.block) return [{ ...directive, block: spread(directive.block, depth) }];
      const [named] = directive.args;
      if (directive.name !== 'include' || !named) return [directive];
      const pattern = posix.resolve(folder, named.value);
      const found = included.filter(({ path }) => matches(path, pattern));
      includes.push({ directive, pattern, found });
      return [directive, ...found.flatMap((one) => read(one.path, one.text, depth + 1))];
    });
  const directives = read(file, text, 0);
  return { directives, includes, broken };
}

/** Names in one text's `include` lines, as they are written. */
export function includeNames(text: string): readonly string[] {
  const names = (directives: readonly Directive[]): string[] =>
    directives.flatMap(({ name, args, block }) => {
      if (block) return names(block);
      return name === 'include' && args[0] ? [args[0].value] : [];
    });
  return [...new Set(names(parse('', text).directives))];
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
