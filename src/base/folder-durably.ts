import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type DiskCalls, systemDisk } from './files.ts';

interface Filling {
  /** Of letters and digits: `labelOfFolder` tells it of what lies there. */
  readonly label: string;
  /** Makes the folder that it is given, and writes all that is to lie in it. */
  fill(folder: string): void;
}

/**
 * The whole new folder or the whole old one under its name, whoever is killed in between, also after a power cut: the name is
 * a link, and what it leads to is on the disk before it leads there. A file that is as it was is the old one, which is on
 * the disk already.
 */
export function writeFolderDurably(
  path: string,
  { label, fill }: Filling,
  disk: DiskCalls = systemDisk,
): void {
  const [parent, before] = [dirname(path), versionsOf(path)];
  const number = 1 + Math.max(0, ...before.map((name) => numberIn(path, name)));
  const fresh = `${path}.${number}-${label}`;
  try {
    fill(fresh);
    syncAll(fresh, path, disk);
    disk.remove(`${path}.new`);
    disk.symlink(basename(fresh), `${path}.new`);
    disk.sync(parent);
    // Of before there were links.
    if (isFolder(path)) disk.rename(path, `${path}.0-old`);
    disk.rename(`${path}.new`, path);
  } catch (error) {
    disk.remove(fresh);
    throw error;
  }
  disk.sync(parent);
  for (const name of versionsOf(path)) if (join(parent, name) !== fresh) disk.remove(join(parent, name));
}

/** Null: nothing lies there that `writeFolderDurably` wrote. */
export function labelOfFolder(path: string): string | null {
  try {
    return /\.\d+-(\w+)$/.exec(readlinkSync(path))?.[1] ?? null;
  } catch {
    return null;
  }
}

function versionsOf(path: string): readonly string[] {
  return readdirSync(dirname(path)).filter((name) => numberIn(path, name) >= 0);
}

/** -1: it is no version of it. */
function numberIn(path: string, name: string): number {
  const rest = name.startsWith(`${basename(path)}.`) ? name.slice(basename(path).length + 1) : '';
  return Number(/^(\d+)-\w+$/.exec(rest)?.[1] ?? -1);
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function syncAll(folder: string, old: string, disk: DiskCalls): void {
  for (const one of readdirSync(folder, { withFileTypes: true })) {
    const [path, was] = [join(folder, one.name), join(old, one.name)];
    if (one.isDirectory()) syncAll(path, was, disk);
    else if (isSame(path, was)) {
      disk.remove(path);
      disk.link(was, path);
    } else disk.sync(path);
  }
  disk.sync(folder);
}

function isSame(path: string, was: string): boolean {
  try {
    const { uid, gid, mode } = lstatSync(path);
    const old = lstatSync(was);
    const isAsMuch = old.isFile() && old.uid === uid && old.gid === gid && old.mode === mode;
    return isAsMuch && readFileSync(path).equals(readFileSync(was));
  } catch {
    return false;
  }
}
