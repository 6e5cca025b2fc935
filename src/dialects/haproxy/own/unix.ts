import { bindLines } from './binds.ts';
import { type Section, sectionsOf } from './sections.ts';
import { serverLines } from './servers.ts';

/**
 * Unix sockets by which a text speaks to itself: what a bind line says -> its number. Each generation gets its own, so one
 * never answers for another. Abstract ones too, which HAProxy cannot park.
 */
export function unixLinks(sections: readonly Section[]): ReadonlyMap<string, number> {
  const reached = new Set(serverLines(sections).flatMap(({ unix }) => (unix === null ? [] : [unix])));
  const links = new Map<string, number>();
  for (const { addresses } of bindLines(sections))
    for (const address of addresses) {
      if (address.kind !== 'unix' || links.has(address.path)) continue;
      if (names(sections, address.path).some((name) => reached.has(name)))
        links.set(address.path, links.size);
    }
  return links;
}

/** A bound path as server lines say it: with the prefix of unix-bind, and from inside the chroot. */
export function names(sections: readonly Section[], path: string): readonly string[] {
  if (!path.startsWith('/')) return [path];
  const full = `${prefixOf(sections)}${path}`;
  const root = rootOf(sections);
  if (root === '') return [full];
  return full.startsWith(`${root}/`) ? [full.slice(root.length)] : [];
}

export function rootOf(sections: readonly Section[]): string {
  return globalWord(sections, 'chroot', 1).replace(/\/+$/, '');
}

function prefixOf(sections: readonly Section[]): string {
  const line =
    globalLines(sections, 'unix-bind')
      .at(-1)
      ?.words.map(({ value }) => value) ?? [];
  const at = line.indexOf('prefix');
  return at === -1 ? '' : (line[at + 1] ?? '');
}

export function globalLines(sections: readonly Section[], keyword: string) {
  return sections
    .filter(({ kind }) => kind === 'global')
    .flatMap(({ lines }) => lines.filter(({ words }) => words[0]?.value === keyword));
}

export function globalWord(sections: readonly Section[], keyword: string, index: number): string {
  return globalLines(sections, keyword).at(-1)?.words[index]?.value ?? '';
}

/** The user that the text names for the engine. */
export function userOf(text: string): string | null {
  return globalWord(sectionsOf(text), 'user', 1) || null;
}
