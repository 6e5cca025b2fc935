import { readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { streamDoors, streamEntrance } from '#dialects';

/**
 * Says which generation's entrance another one leads requests to. Any order is safe: by the private entrance no request
 * is led back, and a net leads on at most once what came by it.
 */
export function linkNeighbour(folder: string, neighbourFolder: string | null): void {
  const link = join(folder, 'neighbour.sock');
  const entrance = neighbourFolder && join(neighbourFolder, 'entrance.sock');
  lead(link, entrance);
  lead(streamEntrance(link), entrance && streamEntrance(entrance));
  lead(streamDoors(link), neighbourFolder);
}

function lead(link: string, to: string | null): void {
  // One that is right needs no room on a disk.
  if (to !== null && to === readLink(link)) return;
  rmSync(to === null ? link : `${link}.new`, { force: true });
  if (to === null) return;
  symlinkSync(to, `${link}.new`);
  renameSync(`${link}.new`, link);
}

function readLink(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch {
    return null;
  }
}
