import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Says which generation's entrance another one leads requests to. A standby leads nowhere, and only the active one and
 * the candidate lead anywhere, each to an older one, so no loop can form.
 */
export function linkNeighbour(folder: string, neighbourFolder: string | null): void {
  const link = join(folder, 'neighbour.sock');
  rmSync(neighbourFolder === null ? link : `${link}.new`, { force: true });
  if (neighbourFolder === null) return;
  symlinkSync(join(neighbourFolder, 'entrance.sock'), `${link}.new`);
  renameSync(`${link}.new`, link);
}
