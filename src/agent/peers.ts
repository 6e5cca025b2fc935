import { existsSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Placement } from '#dialects';

/**
 * Generations that live at the same time: active, parked, a candidate, some that drain. A text names its peers for as
 * long as it runs, so all have the same few names, and which generation has a name is a link, as its neighbour is.
 */
const names = Array.from({ length: 12 }, (_, index) => `p${index}`);

/**
 * Gives a generation a name that none of the living has: of an ended one the folder is gone. Null when all have one; it
 * then begins to count anew.
 * @param folder of the links
 * @param generation its own folder
 */
export function joinPeers(folder: string, generation: string): NonNullable<Placement['peers']> | null {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const links = Object.fromEntries(names.map((name) => [name, join(folder, `${name}.sock`)]));
  const self = Object.entries(links).find(([, link]) => !existsSync(holderOf(link) ?? ''));
  if (!self) return null;
  const [name, link] = self;
  const socket = join(generation, 'peers.sock');
  rmSync(`${link}.new`, { force: true });
  symlinkSync(socket, `${link}.new`);
  renameSync(`${link}.new`, link);
  return { self: name, sockets: { ...links, [name]: socket } };
}

/** The folder of the generation that has a name; null: nobody had it yet. */
function holderOf(link: string): string | null {
  try {
    return dirname(readlinkSync(link));
  } catch {
    return null;
  }
}
