import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** The disk as a parameter: what may be lost, torn or full in a simulation. As `node:fs`, each call returns when it is done. */
export interface Files {
  /** @throws with code ENOENT when there is no such file. */
  read(path: string): string;
  exists(path: string): boolean;
  /** The names in a folder. @throws with code ENOENT when there is no such folder. */
  list(folder: string): readonly string[];
  /** With the folders above it. */
  makeFolder(path: string, mode: number): void;
  /** The whole file or the old one, also after a power cut. For this user only. */
  writeDurably(path: string, content: string): void;
  /** After a power cut a part of it may be there, or nothing. For this user only. */
  append(path: string, content: string): void;
  /** A folder with all that is in it. What is not there needs nothing. */
  remove(path: string): void;
}

/** The calls whose order decides what a disk holds after a kill or a power cut. */
export interface DiskCalls {
  write(path: string, content: string): void;
  /** What was written to a file, or which names a folder has, is on the disk itself when it returns. */
  sync(path: string): void;
  rename(from: string, to: string): void;
  symlink(target: string, path: string): void;
  link(existing: string, path: string): void;
  remove(path: string): void;
}

export const systemDisk: DiskCalls = {
  // Not writeSync: that may write a part, where there is room for no more, and say so only by a number.
  write: (path, content) => writeFileSync(path, content, { mode: 0o600 }),
  sync(path) {
    const file = openSync(path, 'r');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
  rename: renameSync,
  symlink: symlinkSync,
  link: linkSync,
  remove: (path) => rmSync(path, { recursive: true, force: true }),
};

export const systemFiles: Files = {
  read: (path) => readFileSync(path, 'utf8'),
  exists: existsSync,
  list: (folder) => readdirSync(folder),
  makeFolder: (path, mode) => void mkdirSync(path, { recursive: true, mode }),
  writeDurably,
  append: (path, content) => appendFileSync(path, content, { mode: 0o600 }),
  remove: systemDisk.remove,
};

/** The whole file or the old one under its name, whoever is killed in between, also after a power cut. For this user only. */
export function writeDurably(path: string, content: string, disk: DiskCalls = systemDisk): void {
  disk.write(`${path}.new`, content);
  disk.sync(`${path}.new`);
  disk.rename(`${path}.new`, path);
  disk.sync(dirname(path));
}
