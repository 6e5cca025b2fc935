import type { Diagnostic } from '#base';
import { listed, meant, pathText, shown } from './mistakes.ts';
import { listOf, namesOf, type Section, sectionOf, textOf, valueIn } from './parts.ts';
import { mistake, type Path, type SourceText } from './yaml.ts';

/** Names that are taken twice, and names that nothing has. Looks at what is there, even in parts of the wrong shape. */
export function referenceMistakes(source: SourceText): Diagnostic[] {
  return [...repeatedNames(source), ...unknownNames(source)];
}

function repeatedNames(source: SourceText): Diagnostic[] {
  const sections: readonly Section[] = ['listeners', 'routes', 'pools', 'balancers'];
  return sections.flatMap((section) => repeated(namesOf(source, section), [section], source));
}

export function repeated(names: readonly (string | null)[], above: Path, source: SourceText): Diagnostic[] {
  const first = new Map<string, number>();
  return names.flatMap((name, index) => {
    if (name === null) return [];
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, index);
      return [];
    }
    const path = [...above, index, 'name'];
    const { line } = source.placeOf([...above, before, 'name']);
    const message = `expected another name, ${shown(name)} is taken on line ${line}`;
    return [mistake('HF015', source.placeOf(path), pathText(path), message)];
  });
}

function unknownNames(source: SourceText): Diagnostic[] {
  const pools = knownNames(source, 'pools');
  const listeners = knownNames(source, 'listeners');
  return sectionOf(source, 'routes').flatMap((route, index) => [
    ...unknown(textOf(route, 'pool'), pools, ['routes', index, 'pool'], 'pool', source),
    ...unknown(
      textOf(valueIn(route, 'mirror'), 'pool'),
      pools,
      ['routes', index, 'mirror', 'pool'],
      'pool',
      source,
    ),
    ...listOf(route, 'pools').flatMap((weighted, i) =>
      unknown(textOf(weighted, 'pool'), pools, ['routes', index, 'pools', i, 'pool'], 'pool', source),
    ),
    ...listOf(route, 'listeners').flatMap((name, i) => {
      const path: Path = ['routes', index, 'listeners', i];
      return unknown(typeof name === 'string' ? name : null, listeners, path, 'listener', source);
    }),
  ]);
}

function knownNames(source: SourceText, section: Section): ReadonlySet<string> {
  return new Set(namesOf(source, section).filter((name) => name !== null));
}

function unknown(
  name: string | null,
  known: ReadonlySet<string>,
  path: Path,
  what: string,
  source: SourceText,
): Diagnostic[] {
  if (name === null || known.has(name)) return [];
  const expected = known.size > 0 ? `one of ${listed([...known])}` : `a ${what} that exists`;
  const message = `expected ${expected}, got ${shown(name)}`;
  const remedy = meant(name, [...known]) || `Add the ${what}, or use one that exists`;
  return [mistake('HF014', source.placeOf(path), pathText(path), message, remedy)];
}
