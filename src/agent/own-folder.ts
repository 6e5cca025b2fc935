import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { type OwnPlaces, ownDialects, type Transplanted } from '#dialects';
import type { Identity } from '#engines';
import type { OwnText } from '#model';

export interface OwnFolderPlan {
  readonly own: OwnText;
  readonly folder: string;
  /** What its texts call the folder. Absent: so, as it is written. */
  readonly named?: string;
  readonly identity: Identity;
  readonly purpose: OwnPlaces['purpose'];
  readonly placement: OwnPlaces['placement'];
  /** Writes a file of the generation, which the engine's user may read. */
  readonly write: (name: string, content: string | Buffer) => string;
  /** Gives what lies there to the engine's user. */
  readonly give: (path: string) => void;
}

/** With where the engine finds files that it cannot open where the text says. */
export type WrittenOwn = Transplanted & { readonly files: OwnPlaces['files'] };

/** A team's own text for one generation: what it includes is written, what the engine's user cannot read is copied. */
export function writeOwn(plan: OwnFolderPlan): WrittenOwn {
  const { own, folder, named = folder, purpose, placement, write } = plan;
  const dialect = ownDialects[own.dialect];
  const files = purpose === 'boot' ? {} : placesOf(plan);
  const moved = dialect.transplant(own, { purpose, placement, folder: named, files });
  for (const { path, text } of moved.includes) {
    makeFolders(plan, dirname(path));
    write(path, text);
  }
  return { ...moved, files };
}

function placesOf(plan: OwnFolderPlan): Record<string, string> {
  const { own, identity } = plan;
  const places: Record<string, string> = {};
  for (const { path, use } of ownDialects[own.dialect].files(own)) {
    if (path in places) continue;
    const number = Object.keys(places).length;
    if (use === 'read' && existsSync(path) && !canReadAll(path, identity))
      places[path] = copy(path, `files/${number}`, plan);
    if (use === 'write' && !canWrite(path, identity)) {
      makeFolders(plan, `written/${number}`);
      places[path] = join(plan.folder, `written/${number}`, basename(path));
    }
  }
  return places;
}

/** With what lies beside a certificate and belongs to it: `.key`, `.ocsp`, `.issuer`, `.rsa`, ... */
function copy(path: string, to: string, plan: OwnFolderPlan): string {
  const { folder, give } = plan;
  makeFolders(plan, to);
  const name = basename(path);
  const put = (from: string, target: string) => {
    cpSync(from, target, { dereference: true, recursive: true });
    give(target);
  };
  if (statSync(path).isDirectory()) {
    for (const one of readdirSync(path))
      if (statSync(join(path, one)).isFile()) put(join(path, one), join(folder, to, one));
    return join(folder, to);
  }
  const stem = name.slice(0, name.length - extname(name).length);
  const belongs = (other: string) =>
    other === name || other.startsWith(`${name}.`) || other === `${stem}.key`;
  for (const one of readdirSync(dirname(path)).filter(belongs))
    if (existsSync(join(dirname(path), one))) put(join(dirname(path), one), join(folder, to, one));
  return join(folder, to, name);
}

function makeFolders({ folder, give }: OwnFolderPlan, path: string): void {
  const parts = path.split('/').filter((part) => part !== '.' && part !== '');
  parts.forEach((_, index) => {
    const made = join(folder, ...parts.slice(0, index + 1));
    mkdirSync(made, { recursive: true, mode: 0o700 });
    give(made);
  });
}

function canReadAll(path: string, identity: Identity): boolean {
  if (!may(path, 4, identity)) return false;
  if (!statSync(path).isDirectory()) return true;
  return readdirSync(path).every((name) => may(join(path, name), 4, identity));
}

function canWrite(path: string, identity: Identity): boolean {
  return existsSync(path) ? may(path, 2, identity) : may(dirname(path), 2, identity);
}

/** By the bits of the file and of every folder above it. Rights that other means give count as none: a copy does no harm. */
function may(path: string, right: 2 | 4, identity: Identity): boolean {
  const who = identity ?? ourselves();
  if (who.uid === 0) return true;
  try {
    const real = realpathSync(path);
    return allowed(real, right, who) && foldersAbove(real).every((folder) => allowed(folder, 1, who));
  } catch {
    return false;
  }
}

function ourselves(): { readonly uid: number; readonly gid: number } {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

function foldersAbove(path: string): string[] {
  return path === '/' ? [] : [dirname(path), ...foldersAbove(dirname(path))];
}

function allowed(path: string, right: 1 | 2 | 4, { uid, gid }: { uid: number; gid: number }): boolean {
  try {
    const { mode, uid: owner, gid: group } = statSync(path);
    const shift = owner === uid ? 6 : group === gid ? 3 : 0;
    return ((mode >> shift) & right) === right;
  } catch {
    return false;
  }
}
