import type { Diagnostic } from '#base';
import { buildSite } from './build.ts';
import { collisions } from './collisions.ts';
import { contentsOf, includeMistakes } from './included.ts';
import { diagnosticsMax } from './limits.ts';
import { matchMistakes } from './matches.ts';
import { type Shape, shapeMistakes } from './mistakes.ts';
import type { IncludedText } from './own.ts';
import { poolMistakes } from './pools.ts';
import { referenceMistakes } from './references.ts';
import { accessMistakes, listenerMistakes, pageMistakes, routeMistakes } from './route-mistakes.ts';
import { siteJsonSchema } from './schema.ts';
import { readWhole } from './shaped.ts';
import type { SharedItems } from './shared-items.ts';
import type { Site } from './site.ts';
import { streamMistakes } from './stream-mistakes.ts';
import { readYaml, type SourceText } from './yaml.ts';

const siteShape: Shape = { read: readWhole, json: once(siteJsonSchema) };

export interface ParsedSite {
  /** Null as soon as one diagnostic is an error. */
  readonly site: Site | null;
  /** An own text that is refused, as far as it was read: with it its engine can say what else is wrong. */
  readonly surveyed?: Site | null;
  /** In the order of the text; errors and warnings, at most `diagnosticsMax`. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * A site file's text as a site, or every mistake in it at once. Never throws, whatever the text.
 * `file` is what diagnostics call it; `folder` is where relative file names in it start, and `includes`
 * are those of these files that belong to the text (`withIncludes`); `items` of texts that it is compared with.
 */
export function parseSite(
  text: string,
  file: string,
  folder: string,
  includes: readonly IncludedText[] = [],
  items: SharedItems | null = null,
): ParsedSite {
  const { source, diagnostics } = readYaml(text, file, items);
  if (source === null) return { site: null, diagnostics };
  const look = [
    (text: SourceText) => shapeMistakes(text, siteShape),
    referenceMistakes,
    matchMistakes,
    routeMistakes,
    accessMistakes,
    listenerMistakes,
    pageMistakes,
    poolMistakes,
    streamMistakes,
    collisions,
    (text: SourceText) => includeMistakes(text, folder, includes),
  ];
  const found = look.flatMap((look) => look(source));
  const all = [...diagnostics, ...withoutRepeats(found, diagnostics)];
  const told = all.toSorted(byPlace).slice(0, diagnosticsMax);
  if (all.some((diagnostic) => diagnostic.severity === 'error')) return { site: null, diagnostics: told };
  const content = contentsOf(folder, includes);
  const { data } = readWhole(source.value);
  return { site: data ? buildSite(data, folder, source.placeOf, content) : null, diagnostics: told };
}

/** What is wrong with the text at a place makes what is missing there no second mistake. */
function withoutRepeats(found: readonly Diagnostic[], before: readonly Diagnostic[]): Diagnostic[] {
  const paths = new Set(before.filter((d) => d.code === 'HF001').map((d) => d.path));
  return found.filter((diagnostic) => !paths.has(diagnostic.path));
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
