import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Says which generation's entrance another one leads requests to. Any order is safe: by the private entrance no request
 * is led back, and a net leads on at most once what came by it.
 */
export function linkNeighbour(folder: string, neighbourFolder: string | null): void {
  const link = join(folder, 'neighbour.sock');
  rmSync(neighbourFolder === null ? link : `${link}.new`, { force: true });
  if (neighbourFolder === null) return;
  symlinkSync(join(neighbourFolder, 'entrance.sock'), `${link}.new`);
  renameSync(`${link}.new`, link);
}
