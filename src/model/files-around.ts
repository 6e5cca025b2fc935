import { closeSync, constants, fstatSync, globSync, openSync, readSync } from 'node:fs';
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
  return readRegular(path, fileBytesMax)?.toString('latin1') ?? null;
}

// Without O_NONBLOCK the name of a pipe would wait for a writer.
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** Null: not there, no regular file, or longer. A device has no end, and says that it has no bytes. */
export function readRegular(path: string, bytesMax: number): Buffer | null {
  try {
    const handle = openSync(path, openFlags);
    try {
      const stat = fstatSync(handle);
      if (!stat.isFile() || stat.size > bytesMax) return null;
      // What lies in /proc tells no size.
      const buffer = Buffer.alloc((stat.size || 64 * 1024) + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length < buffer.length; length += read)
        read = readSync(handle, buffer, length, buffer.length - length, length);
      return length < buffer.length ? buffer.subarray(0, length) : null;
    } finally {
      closeSync(handle);
    }
  } catch {
    return null;
  }
}
