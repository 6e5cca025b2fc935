import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
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

export const systemFiles: Files = {
  read: (path) => readFileSync(path, 'utf8'),
  exists: existsSync,
  list: (folder) => readdirSync(folder),
  makeFolder: (path, mode) => void mkdirSync(path, { recursive: true, mode }),
  writeDurably,
  append: (path, content) => appendFileSync(path, content, { mode: 0o600 }),
  remove: (path) => rmSync(path, { recursive: true, force: true }),
};

export function writeDurably(path: string, content: string): void {
  const fd = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(fd, content);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
