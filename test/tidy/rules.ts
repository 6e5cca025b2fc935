import { dirname, join, normalize } from 'node:path/posix';
import { alternatives, type Layer } from './layers.ts';

/** A file of the repository: its path from the root, with `/`, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly path: string;
  readonly line: number;
  readonly target: string;
}

// `from '...'`, `import '...'`, `import('...')`, and a file that is started as a process: `new URL('./x.ts', import.meta.url)`.
const importForms = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)(['"])([^'"\n]+)\1/g;

export function importsOf({ path, text }: Source): Import[] {
  return [...text.matchAll(importForms)].map((match) => ({
    path,
    line: text.slice(0, match.index).split('\n').length,
    target: match[2] ?? '',
  }));
}

/** Breaches of the layers table, each with its remedy. */
export function layerBreaches(imports: readonly Import[], layers: readonly Layer[]): string[] {
  return imports.flatMap((one) => {
    const remedy = one.target.startsWith('#') ? throughDoor(one, layers) : withinFolder(one);
    return remedy === null ? [] : [`${one.path}:${one.line} imports ${one.target}: ${remedy}`];
  });
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function throughDoor({ path, target }: Import, layers: readonly Layer[]): string | null {
  const layer = layers.find(({ folder }) => folder === folderOf(path));
  if (!layer) return `${folderOf(path)} is not in test/tidy/layers.ts. Add it there, with what it may import`;
  const wanted = target.slice(1);
  if (wanted === layer.folder) return 'inside its own folder a file is imported by its path';
  if (layer.mayImport.includes(wanted)) return null;
  return `${layer.folder} may import ${layer.mayImport.join(', ') || 'nothing'}, because ${layer.reason}. Take what you need as a parameter, or move it to a layer below`;
}

function withinFolder({ path, target }: Import): string | null {
  if (!target.startsWith('.')) return null;
  const found = normalize(join(dirname(path), target));
  if (found === 'package.json') return null; // the version, and nothing else, is said there
  if (!found.startsWith(`src/${folderOf(path)}/`)) {
    return `another folder is entered through its door only. Import #${folderOf(found)}`;
  }
  const [, folder = '', mine = ''] = path.split('/');
  const theirs = found.split('/')[2] ?? '';
  const areFolders = path.split('/').length > 3 && found.split('/').length > 3;
  return alternatives.includes(folder) && areFolders && mine !== theirs
    ? `${folder}/${mine} and ${folder}/${theirs} are alternatives of each other. Move what both need to ${folder}`
    : null;
}

/** Lines that hold something which must not be in the repository, with the remedy. */
export function wordBreaches(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        forbidden
          .filter(({ pattern }) => pattern.test(line))
          .map(({ remedy }) => `${path}:${index + 1} ${remedy}: ${line.trim().slice(0, 80)}`),
      ),
  );
}

// Written with escapes, so that this file does not breach its own rules.
const forbidden: readonly { pattern: RegExp; remedy: string }[] = [
  { pattern: /[\u2013\u2014]/, remedy: 'Write a colon, a comma or two sentences instead of a long dash' },
  {
    pattern: /(?<![\w.}])\/(?:w[o]rk|root|home\/(?!USER))\//,
    remedy: 'Write a path from the repository instead of a path of one machine',
  },
  { pattern: /@ts-(?:ignore|nocheck)/, remedy: 'Mend the type instead of silencing it' },
  { pattern: /\bas a[n]y\b/, remedy: 'Name the type; `unknown` and a check where it comes from outside' },
];

const world =
  /\bDate\.now\(|\bnew Date\(\)|\bset(?:Timeout|Interval|Immediate)\(|\bMath\.random\(|\bprocess\.|\bperformance\.|'node:(?!crypto|path)[a-z/]+'/;

/** What would go past the ports that a simulation has: docs/decisions/0017. */
export function worldBreaches(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const isComment = /^\s*(?:\/\/|\/?\*)/.test(line);
      const found = isComment ? null : world.exec(line);
      return found
        ? [`${path}:${index + 1}: ${found[0]}: take it as a parameter, so that it can be simulated`]
        : [];
    }),
  );
}
