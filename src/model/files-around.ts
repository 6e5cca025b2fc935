import { globSync, readFileSync, statSync } from 'node:fs';
import { basename, isAbsolute, resolve } from 'node:path';
import type { WrittenText } from './own.ts';

const fileBytesMax = 64 * 1024 * 1024;

/** What a text may ask of the machine that it lies on. What it was read with comes first: it may have run on another day. */
export function filesAround({ folder, includes = [] }: Pick<WrittenText, 'folder' | 'includes'>) {
  const known = new Map(includes.map(({ path, text }) => [path, text]));
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(folder, path));
  return {
    find: (pattern: string) => filesOf(absolute(pattern)),
    read: (path: string) => known.get(absolute(path)) ?? readSmall(absolute(path)),
    environment: (name: string) => process.env[name] ?? null,
  };
}

/** As glob(3) finds them: in order, without those that begin with a dot. */
export function filesOf(pattern: string): string[] {
  return globSync(pattern)
    .filter((path) => !basename(path).startsWith('.') || basename(pattern).startsWith('.'))
    .sort();
}

function readSmall(path: string): string | null {
  try {
    const { size } = statSync(path);
    return size > fileBytesMax ? null : readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
