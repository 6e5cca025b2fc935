/** What a folder of real files has in it: configurations, and edits of them. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { dialectOf } from '#dialects';
import type { OwnDialectName } from '#model';

/** One configuration: a file, with what it includes. */
export interface Source {
  readonly dialect: OwnDialectName;
  /** Several: one behind the other, as `haproxy -f FOLDER` reads them. */
  readonly paths: readonly string[];
}

export type Case = { readonly name: string } & (
  | { readonly kind: 'file'; readonly source: Source }
  | { readonly kind: 'edit'; readonly before: Source; readonly after: Source }
  /** A file that is no configuration, or cannot be told to be one: it is lifted all the same. */
  | { readonly kind: 'other'; readonly path: string }
);

export interface Found {
  readonly cases: readonly Case[];
  /** Files that are a part of another one. */
  readonly parts: number;
  /** Pages, lists, pictures: by their names no configurations. */
  readonly aside: number;
  /** All that may be a text: what a configuration includes is one of them. */
  readonly files: readonly string[];
}

const filesMax = 20_000;
export const bytesMax = 4 * 1024 * 1024;
/** Enough to tell what a file is. */
const lookedAt = 256 * 1024;
const neverConfigurations =
  /\.(?:md|rst|tsv|csv|json|html?|css|js|ts|png|jpe?g|gif|svg|pdf|gz|zip|tar|pem|crt|key|lock|log)$/i;

/** Links are not followed, so a folder has an end. */
export function findCases(folder: string): Found {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
    .toSorted()
    .slice(0, filesMax);
  const files = all.filter((path) => !neverConfigurations.test(path) && !/\/\.git\//.test(path));
  const told = new Map(files.map((path) => [path, dialectIn(path)]));
  const { edits, used } = editsIn(folder, files, told);
  const joined = foldersOfParts(folder, files, told);
  for (const { paths } of joined.values()) for (const path of paths) used.add(path);
  const included = includedIn(folder, files, told);
  const single = files.flatMap((path): Case[] => {
    if (used.has(path) || included.has(path)) return [];
    const dialect = told.get(path) ?? null;
    const name = relative(folder, path);
    return dialect === null
      ? [{ kind: 'other', name, path }]
      : [{ kind: 'file', name, source: { dialect, paths: [path] } }];
  });
  const folders = [...joined].map(
    ([name, source]): Case => ({ kind: 'file', name: `${relative(folder, name)}/`, source }),
  );
  return {
    cases: [...single, ...folders, ...edits],
    parts: included.size,
    aside: all.length - files.length,
    files,
  };
}

function dialectIn(path: string): OwnDialectName | null {
  const head = headOf(path);
  if (head === null || head.includes('\0')) return null;
  const found = dialectOf(head);
  if (found !== 'site') return found;
  const isEmpty = /^\s*(?:#.*\s*)*$/.test(head);
  if (isEmpty) return null;
  if (
    extname(path) === '.cfg' &&
    /^\s*(?:server|acl|bind|mode|balance|option|timeout|use_backend)\s/m.test(head)
  )
    return 'haproxy';
  return /^\s*[a-z_]+(?:\s[^{};\n]*)?[;{]\s*(?:#.*)?$/m.test(head) &&
    /[;}]\s*(?:#.*)?$/m.test(head) &&
    ['.conf', '.nginx', '.vhost', ''].includes(extname(path))
    ? 'nginx'
    : null;
}

function headOf(path: string): string | null {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    const bytes = Buffer.alloc(Math.min(lookedAt, statSync(path).size));
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0));
  } catch {
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

type Told = ReadonlyMap<string, OwnDialectName | null>;

/** `NAME.before.EXT` beside `NAME.after.EXT`; or the same name below `before/` and `after/`. */
function editsIn(folder: string, files: readonly string[], told: Told) {
  const there = new Set(files);
  const used = new Set<string>();
  const edits: Case[] = [];
  for (const path of files) {
    const after = afterOf(folder, path);
    if (after === null || !there.has(after)) continue;
    for (const one of [path, after]) used.add(one);
    const [was, is] = [told.get(path) ?? null, told.get(after) ?? null];
    const dialect = is ?? was;
    if (dialect === null) continue;
    const name = relative(folder, path).replace(/(^|[./])before([./]|$)/, '$1*$2');
    edits.push({
      kind: 'edit',
      name,
      before: { dialect: was ?? dialect, paths: [path] },
      after: { dialect, paths: [after] },
    });
  }
  const parts = includedIn(folder, [...used], told);
  const isPart = (source: Source) => source.paths.some((path) => parts.has(path));
  return { used, edits: edits.filter((one) => one.kind !== 'edit' || !isPart(one.after)) };
}

/** Null: it is not the first of a pair. */
function afterOf(folder: string, path: string): string | null {
  const name = basename(path);
  const beside = name.replace(/(^|\.)before(\.|$)/, '$1after$2');
  if (beside !== name) return join(dirname(path), beside);
  const within = relative(folder, path);
  const moved = within.replace(/(^|\/)before\//, '$1after/');
  return moved === within ? null : join(folder, moved);
}

/** `haproxy.d/`: fragments that only together are a configuration. */
function foldersOfParts(folder: string, files: readonly string[], told: Told): Map<string, Source> {
  const byFolder = Map.groupBy(
    files.filter((path) => told.get(path) === 'haproxy' && path.endsWith('.cfg')),
    (path) => dirname(path),
  );
  const found = new Map<string, Source>();
  for (const [name, paths] of byFolder)
    if (name !== resolve(folder) && name.endsWith('.d') && paths.length > 1)
      found.set(name, { dialect: 'haproxy', paths });
  return found;
}

function includedIn(folder: string, files: readonly string[], told: Told): Set<string> {
  const included = new Set<string>();
  for (const path of files) {
    if (told.get(path) !== 'nginx' || statSync(path).size > bytesMax) continue;
    for (const pattern of includesIn(readFileSync(path, 'latin1')))
      for (const found of belowFolder(folder, dirname(path), pattern, files))
        if (found !== path) included.add(found);
  }
  return included;
}

function includesIn(text: string): readonly string[] {
  return [...text.matchAll(/^[^#\n]*?\binclude\s+["']?([^\s;"']+)["']?\s*;/gm)].map(
    ([, pattern = '']) => pattern,
  );
}

/**
 * Files of the folder that a pattern names: from the text's own folder; or, for an absolute one, wherever its last parts
 * are, beside the text or above it. Never outside.
 */
export function belowFolder(
  folder: string,
  from: string,
  pattern: string,
  files: readonly string[],
): readonly string[] {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.');
  const tails = parts.map((_, index) => parts.slice(index));
  // A star alone would be everything.
  const tries = pattern.startsWith('/')
    ? tails.filter((tail) => tail.length > 1 || !/[*?[]/.test(tail.join()))
    : [parts];
  for (const tried of tries)
    for (let base = from; ; base = dirname(base)) {
      const wanted = patternOf(resolve(base, tried.join('/')));
      const found = files.filter((path) => wanted.test(path));
      if (found.length > 0) return found;
      if (base === folder || !base.startsWith(folder) || dirname(base) === base) break;
    }
  return [];
}

/** As glob(3): `*`, `?` and sets, none of them over a slash. */
function patternOf(path: string): RegExp {
  const source = path
    .replaceAll(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return /^(?!)/;
  }
}
